"""Noise: many seeds as bands of the loss and a cloud of ends, and what noise does at each learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import landscapes
import optimizers
from descent import RunSpec
from descent import text as marked
from descent.engine import Progress
from descent.field import field
from descent.hyper import Hyper, fill
from descent.noise import (
    CELL_SEEDS,
    SEEDS,
    Basin,
    BasinEscapes,
    Ensemble,
    Floors,
    basin_escapes,
    ensemble,
    floor,
    floors,
    sharpest_basin,
)
from descent.verdict import local
from figures import Height, contour
from figures.studies import Axis, Curve, Ends, Tube, cloud, curves, middles, shares, tubes
from ui.controls import text
from ui.language import _
from ui.maps import charts
from ui.maps.kind import Kind, Settings
from ui.maps.picture import conditions
from ui.maps.work import computed
from ui.race import NOISE, Race
from ui.race_controls import lane_names, styles

SIDE = 24  # cells of a map
LEAP = 20.0  # who rises by more than this is not at rest on a higher floor, but off
USUAL = 1.0  # σ, where the race has none


class Scale(NamedTuple):
    """Where it pays to look: at which learning rates, and under which noise."""

    basin: Basin | None  # the sharp basin, if there is one to leave
    edge: float  # 2/λ at its bottom, or that of the lowest minimum
    rates: Axis
    noises: Axis

    @property
    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """The learning rates and the noises that are tried."""
        return middles(self.rates, SIDE), middles(self.noises, SIDE)


class Found(NamedTuple):
    """What is known of one runner."""

    ensemble: Ensemble
    escapes: BasinEscapes | None
    floors: Floors | None


def show(race: Race, settings: Settings) -> None:
    """Bands and cloud of all runners, and below them the way out of a sharp basin, or the floor against α."""
    race = replace(race, lanes=race.lanes[: charts.MOST], noise=settings.number(NOISE.name))
    if charts.nobody(race):
        return
    scale = _scale(race)
    found = computed(("noise", _about(race)), lambda progress: _studies(race, scale, progress))
    charts.lines(race, [_said(race, scale, *each) for each in zip(found, race.runs(), strict=True)])
    panels = [_bands(race, found), _cloud(race, found), *(_escapes if scale.basin else _floors)(race, scale, found)]
    charts.show(
        "noise",
        race,
        panels,
        lambda pick, point: _offer(race, scale, found, pick, point),
        rest=lambda: {"ground": _ground(race)},
        identity=[race.landscape, sorted(race.shape.items())],
        hint=_("Click an end, or a point or cell below, to open its run in the race."),
        situations=("sharp", "floor"),
    )


def _about(race: Race) -> Race:
    return replace(race, situation="", axis="log", tolerance=1.0, projector=False)


def _scale(race: Race) -> Scale:
    landscape = landscapes.find(race.landscape)
    shape = fill(landscape.hypers, race.shape, landscape.id)
    basin = sharpest_basin(landscape, shape)
    minima = landscape.critical_points(**shape).minima
    if basin is not None:
        sharpness, reach = basin.sharpness, basin.radius
    else:
        lowest = [min(minima, key=lambda m: m.value).point] if minima else []
        sharpness, reach = float(local(landscape, np.array(lowest), shape).eigenvalues[:, -1].max(initial=0.0)), 0.0
    edge = 2 / sharpness if sharpness > 1e-9 else 10 * landscape.rate
    most = min(sharpness * reach, NOISE.high) if basin else NOISE.high
    rates = Axis("α", edge / (30 if basin else 300), max(edge * (3 if basin else 1.5), reach / 2), log=True)
    return Scale(basin, edge, rates, Axis("σ", most / 100, most, log=True))


def _studies(race: Race, scale: Scale, progress: Progress) -> list[Found]:
    landscape = landscapes.find(race.landscape)
    known = landscape.minimum(**race.shape) is not None
    rates, noises = scale.cells

    def study(spec: RunSpec) -> Found:
        rule, told = optimizers.find(spec.optimizer), conditions(spec)
        noise = told.pop("noise")
        many = ensemble(landscape, rule, spec.start, spec.steps, spec.hyper, spec.shape, noise=noise, **told)
        if not any(h.name == "learning_rate" for h in rule.hypers):
            return Found(many, None, None)
        if scale.basin:
            out = basin_escapes(landscape, rule, rates, noises, spec.steps, spec.hyper, spec.shape, **told)
            return Found(many, out, None)
        if not known:
            return Found(many, None, None)
        low = floors(landscape, rule, rates, spec.start, spec.steps, spec.hyper, spec.shape, noise=noise, **told)
        return Found(many, None, low)

    return charts.each(study, race.runs(), progress)


def _theory(race: Race, spec: RunSpec, rate: Any = None) -> Any:
    """The floor over the lowest minimum, at the runner's own learning rate or at others; None where none is known."""
    landscape = landscapes.find(race.landscape)
    minima = landscape.critical_points(**fill(landscape.hypers, race.shape, landscape.id)).minima
    plain = spec.schedule == "constant" and spec.clip_value is None and spec.clip_norm is None
    if spec.optimizer not in ("sgd", "momentum") or not plain or landscape.slice or landscape.flat_minima:
        return None
    if not minima or landscape.minimum(**race.shape) is None:
        return None
    hyper = fill(optimizers.find(spec.optimizer).hypers, spec.hyper, spec.optimizer)
    rho, lowest = hyper.get("momentum", 0.0), min(minima, key=lambda m: m.value)
    if rho >= 1 or lowest.kink:
        return None
    rate = hyper["learning_rate"] if rate is None else rate
    return floor(landscape, lowest.point, rate, spec.noise, rho, race.shape) - lowest.value


def _said(race: Race, scale: Scale, found: Found, spec: RunSpec) -> str:
    lost = float((found.ensemble.diverged_at >= 0).mean())
    if lost == 1:
        return _("diverges with every seed")
    lowest = landscapes.find(race.landscape).minimum(**race.shape) or 0.0
    low, _q1, middle, _q3, high = (_brief(float(q) - lowest) for q in found.ensemble.quantiles()[:, -1])
    said = [_("median {median} at the end, 90 % from {low} to {high}").format(median=middle, low=low, high=high)]
    if lost:
        said.append(_("{share} diverge").format(share=f"{lost:.0%}"))
    if scale.basin is not None:
        return "; ".join([*said, *_out(found, spec)])
    theory = _theory(race, spec)
    if theory is not None and np.isfinite(theory) and not lost:
        mean = float(found.ensemble.loss[:, -1].mean()) - lowest
        said.append(
            _("mean {mean}, at rest by theory {theory}").format(mean=_brief(mean), theory=_brief(float(theory)))
        )
    if found.floors is not None and not lost and (times := _per_doubling(found.floors, _rate(spec))):
        said.append(_("twice α: {times} times the floor").format(times=_brief(times)))
    return "; ".join(said)


def _brief(value: float) -> str:
    return text(float(f"{value:.2g}"))


def _out(found: Found, spec: RunSpec) -> list[str]:
    """How many leave the sharp basin at the runner's own α and σ."""
    escapes, rate = found.escapes, _rate(spec)
    if escapes is None or not escapes.rate[0] <= rate <= escapes.rate[-1]:
        return []
    if not escapes.noise[0] <= spec.noise <= escapes.noise[-1]:
        return []
    places = (np.abs(np.log(axis / at)).argmin() for axis, at in ((escapes.rate, rate), (escapes.noise, spec.noise)))
    share = float(escapes.share[*places])
    return [_("of those that begin in the sharp basin {share} leave it").format(share=f"{share:.0%}")]


def _rate(spec: RunSpec) -> float:
    hyper = fill(optimizers.find(spec.optimizer).hypers, spec.hyper, spec.optimizer)
    return hyper.get("learning_rate", np.nan)


def _per_doubling(found: Floors, rate: float) -> float | None:
    """By how much the loss at the end rises if α doubles; None where it falls, or nothing is known."""
    if not found.rate[0] <= rate <= found.rate[-1] / 2:
        return None
    now, then = np.exp(np.interp(np.log([rate, 2 * rate]), np.log(found.rate), np.log(found.loss)))
    return float(then / now) if 1 < then / now < LEAP else None


# ---- charts ----------------------------------------------------------------------------------------------------------

UPPER = "max(230px, calc((100vh - 310px) * 0.53))"
LOWER = "max(200px, calc((100vh - 310px) * 0.46))"


def _bands(race: Race, found: Sequence[Found]) -> charts.Panel:
    landscape = landscapes.find(race.landscape)
    lowest = landscape.minimum(**race.shape)
    over = [part.ensemble.quantiles() - (lowest or 0.0) for part in found]
    seen = np.concatenate([quantiles[np.isfinite(quantiles)] for quantiles in over])
    first = float(over[0][2, 0])
    if lowest is not None and 0 < first < np.inf:
        above = seen[seen > first * 1e-9]
        y = Axis(
            _("loss − minimum"),
            float(above.min(initial=first)) / 1.5,
            min(float(seen.max(initial=first)), 1e3 * first) * 1.5,
            True,
        )
    else:
        low, high = (float(np.quantile(seen, q)) for q in (0.02, 0.98)) if seen.size else (0.0, 1.0)
        room = 0.05 * (high - low) or 1.0
        y = Axis(_("loss"), low - room, high + room)
    lanes = []
    several = sharpest_basin(landscape, race.shape) is not None  # theory is that of one minimum
    for quantiles, spec, name, style in zip(over, race.runs(), lane_names(race), styles(race), strict=True):
        theory = None if several else _theory(race, spec)
        lanes.append(Tube(name, style, quantiles, None if theory is None else float(theory)))
    x = Axis(_("step"), 0.0, float(max(race.steps, 1)))
    figure = tubes(found[0].ensemble.step, lanes, x, y, theory=_("floor by theory"))
    alt = _("Median, quartiles and 5 to 95 % of the loss over {count} seeds, against the step").format(count=SEEDS)
    return charts.Panel("bands", figure, alt, 11, UPPER)


def _cloud(race: Race, found: Sequence[Found]) -> charts.Panel:
    landscape = landscapes.find(race.landscape)
    (x0, x1), (y0, y1) = landscape.domain
    lanes = []
    for lane, (part, name, style) in enumerate(zip(found, lane_names(race), styles(race), strict=True)):
        ends = part.ensemble.position
        within = (x0 <= ends[:, 0]) & (ends[:, 0] <= x1) & (y0 <= ends[:, 1]) & (ends[:, 1] <= y1)
        told = _("{optimizer}, seed {seed}")
        said = [told.format(optimizer=name, seed=seed) for seed in part.ensemble.seeds]
        lanes.append(Ends(name, style, np.where(within[:, None], ends, np.nan), said, ["end", lane]))
    alt = _("Where the runs of {count} seeds end, on the contour of {landscape}").format(
        count=SEEDS, landscape=_(landscape.name)
    )
    return charts.Panel("cloud", cloud(lanes), alt, 9, UPPER, "ground")


def _ground(race: Race) -> dict[str, Any]:
    landscape = landscapes.find(race.landscape)
    shape = fill(landscape.hypers, race.shape, landscape.id)
    surface, points = field(landscape, shape), landscape.critical_points(**shape)
    height = Height.of(surface.z, landscape.height == "log", landscape.minimum(**shape))
    return contour(
        *surface,
        height,
        [m.point for m in points.minima],
        points.saddles,
        names=(_("minimum"), _("saddle")),
        label=_("loss"),
    )


def _escapes(race: Race, scale: Scale, found: Sequence[Found]) -> list[charts.Panel]:
    """A map of α and σ for each runner: how many seeds leave the sharp basin."""
    shown = [lane for lane, part in enumerate(found) if part.escapes is not None]
    wide = charts.spans(min(max(len(shown), 1), 4))
    panels = []
    for lane in shown:
        escapes, name, spec = found[lane].escapes, lane_names(race)[lane], race.runs()[lane]
        assert escapes is not None
        told = _("{share} of {count} seeds leave the basin<br>α = {rate}, σ = {noise}")
        said = [
            [
                told.format(
                    share=f"{share:.0%}", count=CELL_SEEDS, rate=text(float(f"{a:.3g}")), noise=text(float(f"{s:.3g}"))
                )
                for share, s in zip(row, escapes.noise, strict=True)
            ]
            for row, a in zip(escapes.share, escapes.rate, strict=True)
        ]
        figure = shares(
            escapes.share,
            said,
            scale.rates,
            scale.noises,
            title=_("{optimizer}: out of the sharp basin").format(optimizer=name),
            scale=lane == shown[-1],
            edge=_edge(spec, scale),
            here=(_rate(spec), spec.noise),
            pick=["cell", lane],
        )
        alt = _("Share of runs of {optimizer} that noise throws out of the sharp basin, over α and σ").format(
            optimizer=name
        )
        panels.append(charts.Panel(f"escapes{lane}", figure, alt, wide[len(panels) % len(wide)], LOWER))
    return panels


def _edge(spec: RunSpec, scale: Scale) -> float | None:
    """α beyond which the rule is not stable in the basin, noise or no noise; None where that depends on the run."""
    rule = optimizers.find(spec.optimizer)
    if rule.limit is None or rule.metric is not None or scale.basin is None:
        return None
    now, zero = SimpleNamespace(**fill(rule.hypers, spec.hyper, rule.id)), (np.zeros(()), np.zeros(()))
    if rule.terms is not None and rule.terms(rule.init(zero), now, zero).scale is not None:
        return None
    return float(rule.limit(now)) / scale.basin.sharpness


def _floors(race: Race, scale: Scale, found: Sequence[Found]) -> list[charts.Panel]:
    """The loss at the end against α, for all runners."""
    lowest = landscapes.find(race.landscape).minimum(**race.shape)
    shown = [lane for lane, part in enumerate(found) if part.floors is not None]
    if lowest is None or not shown:
        return []
    lines, laws = [], []
    for lane in shown:
        low, name, style, spec = found[lane].floors, lane_names(race)[lane], styles(race)[lane], race.runs()[lane]
        assert low is not None
        over = low.loss.astype(np.float64) - lowest
        told = _("{optimizer}, α = {rate}<br>mean loss at the end, over the minimum: {loss}")
        said = [
            told.format(optimizer=name, rate=text(float(f"{a:.3g}")), loss=text(float(v)))
            for a, v in zip(low.rate, over, strict=True)
        ]
        rate = _rate(spec)
        mark = int(np.abs(np.log(low.rate / rate)).argmin()) if scale.rates.low <= rate <= scale.rates.high else -1
        lines.append(Curve(name, style, low.rate, over, said, ~np.isfinite(over), mark, ["floor", lane]))
        if (theory := _theory(race, spec, low.rate)) is not None:
            laws.append((_("theory"), style, low.rate, np.where(np.isfinite(theory), theory, np.nan)))
    seen = np.concatenate([line.y[np.isfinite(line.y) & (line.y > 0)] for line in lines])
    y = Axis(_("loss − minimum"), float(seen.min(initial=1e-3)) / 2, float(seen.max(initial=1e-2)) * 3, log=True)
    x = scale.rates._replace(name=_("learning rate α; lines: mean loss over the last fifth of the steps, dots: theory"))
    alt = _("Mean loss at the end of runs under noise, against the learning rate")
    return [charts.Panel("floors", curves(lines, x, y, theory=laws), alt, 20, LOWER)]


def _offer(race: Race, scale: Scale, found: Sequence[Found], pick: Any, point: Any) -> charts.Offer:
    """The run of an end, of a cell, or of a point of the floor."""
    what, lane = pick
    spec, name = race.runs()[lane], lane_names(race)[lane]
    if what == "end":
        seed = int(found[lane].ensemble.seeds[int(point)])
        label = _("Open in the race: {optimizer} with seed {seed}")
        return charts.Offer(label.format(optimizer=name, seed=seed), Race.of([replace(spec, seed=seed)]))
    rates, noises = scale.cells
    column, row = (point[1], point[0]) if what == "cell" else (point, None)
    rate = float(f"{rates[column]:.4g}")
    noise = spec.noise if row is None else float(f"{noises[row]:.4g}")
    start = scale.basin.point if scale.basin else spec.start
    there = replace(spec, hyper={**spec.hyper, "learning_rate": rate}, noise=noise, start=start)
    label = _("Open in the race: {optimizer} with α = {rate} and σ = {noise}")
    return charts.Offer(label.format(optimizer=name, rate=text(rate), noise=text(noise)), Race.of([there]))


def _knobs(race: Race, _chosen: Any) -> tuple[Hyper, ...]:
    return (replace(NOISE, default=race.noise or USUAL),)


KIND = Kind(
    "noise",
    marked._("Noise"),
    marked._(
        "The same runs with 256 seeds of gradient noise: the median of the loss with bands of 50 % and 90 % of the "
        "seeds, and where they end. Below: how many leave the sharpest basin at each α and σ (dashes: unstable even "
        "without noise), or how high the noise holds the loss at each α."
    ),
    show,
    knobs=_knobs,
)
