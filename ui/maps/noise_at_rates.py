"""What noise does at each learning rate: how many runs leave a sharp basin, or how high it holds the loss."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import landscapes
import optimizers
from descent import RunSpec
from descent.engine import Progress
from descent.hyper import fill
from descent.noise import CELL_SEEDS, Basin, BasinEscapes, Floors, basin_escapes, floor, floors, sharpest_basin
from descent.spec import Values
from descent.verdict import local
from figures.studies import Axis, Curve, curves, middles, rings, shares
from ui.controls import text
from ui.language import _
from ui.maps import charts
from ui.maps.picture import conditions
from ui.maps.work import computed
from ui.race import NOISE, Lane, Race
from ui.race_controls import lane_names, styles

SIDE = 24  # cells of a map
LEAP = 20.0  # who rises by more than this is not at rest on a higher floor, but off
LOWER = "max(200px, calc((100vh - 310px) * 0.46))"


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


class AtRates(NamedTuple):
    """What noise does at each learning rate. Runners that differ in nothing else share an entry of ``found``."""

    asked: Race  # what it depends on
    scale: Scale
    found: list[BasinEscapes | Floors | None]
    of: list[int]  # the entry of each runner

    def first(self, entry: int) -> int:
        """The first runner of an entry."""
        return self.of.index(entry)


def at_rates(race: Race) -> AtRates:
    """Compute it, unless it is known: that a learning rate was turned changes nothing."""
    scale = scale_of(race)
    lanes = [_without_rate(lane) for lane in race.lanes]
    several = list(dict.fromkeys(lanes))
    asked = replace(about(race), lanes=tuple(several), rate=None)
    if scale.basin:
        asked = replace(asked, start=None, noise=0.0)
    found = computed(("noise at rates", asked), lambda progress: _studies(asked, scale, progress))
    return AtRates(asked, scale, found, [several.index(lane) for lane in lanes])


def about(race: Race) -> Race:
    """The race without what changes no run."""
    return replace(charts.about(race), tolerance=1.0)


def _without_rate(lane: Lane) -> Lane:
    return replace(lane, hyper=Values({name: v for name, v in lane.hyper.items() if name != "learning_rate"}))


def _studies(race: Race, scale: Scale, progress: Progress) -> list[BasinEscapes | Floors | None]:
    landscape = landscapes.find(race.landscape)
    rates, noises = scale.cells

    def study(spec: RunSpec, part: Progress) -> BasinEscapes | Floors | None:
        rule, told = optimizers.find(spec.optimizer), conditions(spec)
        if not any(h.name == "learning_rate" for h in rule.hypers):
            return None
        if scale.basin:
            told.pop("noise")
            return basin_escapes(
                landscape, rule, rates, noises, spec.steps, spec.hyper, spec.shape, progress=part, **told
            )
        if landscape.minimum(**race.shape) is None:
            return None
        return floors(landscape, rule, rates, spec.start, spec.steps, spec.hyper, spec.shape, **told)

    return charts.each(study, race.runs(), progress)


def scale_of(race: Race) -> Scale:
    """Around the edge of stability in the sharp basin, or else at the lowest minimum."""
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


def theory(race: Race, spec: RunSpec, rate: Any = None) -> Any:
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


def said(race: Race, spec: RunSpec, entry: BasinEscapes | Floors | None) -> list[str]:
    """What a runner's own learning rate means, in a few words."""
    rate = rate_of(spec)
    if isinstance(entry, BasinEscapes):
        share = _share(entry, rate, spec.noise)
        leave = _("of those that begin in the sharp basin {share} leave it")
        return [] if share is None else [leave.format(share=f"{100 * share:.0f} %")]
    lowest = landscapes.find(race.landscape).minimum(**race.shape)
    if entry is None or lowest is None:
        return []
    times = _per_doubling(entry, lowest, rate)
    return [] if times is None else [_("twice α: {times} times the floor").format(times=text(float(f"{times:.2g}")))]


def _share(found: BasinEscapes, rate: float, noise: float) -> float | None:
    """How many leave at the cell nearest to α and σ; None beyond the map."""
    if not (found.rate[0] <= rate <= found.rate[-1] and found.noise[0] <= noise <= found.noise[-1]):
        return None
    places = (np.abs(np.log(axis / at)).argmin() for axis, at in ((found.rate, rate), (found.noise, noise)))
    return float(found.share[*places])


def rate_of(spec: RunSpec) -> float:
    """The learning rate of a run; NaN for a rule without one."""
    hyper = fill(optimizers.find(spec.optimizer).hypers, spec.hyper, spec.optimizer)
    return hyper.get("learning_rate", np.nan)


def _per_doubling(found: Floors, lowest: float, rate: float) -> float | None:
    """By how much the loss over the lowest rises if α doubles; None where it does not, or nothing is known."""
    over = found.loss.astype(np.float64) - lowest
    if not found.rate[0] <= rate <= found.rate[-1] / 2 or not (over > 0).any():
        return None
    known = over > 0
    now, then = np.exp(np.interp(np.log([rate, 2 * rate]), np.log(found.rate[known]), np.log(over[known])))
    return float(then / now) if 1 < then / now < LEAP else None


# ---- charts ----------------------------------------------------------------------------------------------------------


def panels(race: Race, noise: AtRates) -> list[charts.Panel]:
    """The charts of it."""
    return _escapes(race, noise) if noise.scale.basin else _floors(race, noise)


def _escapes(race: Race, noise: AtRates) -> list[charts.Panel]:
    """A map of α and σ for each rule: how many seeds leave the sharp basin, with a ring where its runners are."""
    shown = [(k, entry) for k, entry in enumerate(noise.found) if isinstance(entry, BasinEscapes)]
    wide = charts.spans(min(max(len(shown), 1), 4))
    specs, looks, names = race.runs(), styles(race), lane_names(noise.asked)
    drawn = []
    for number, (k, entry) in enumerate(shown):
        lanes = [lane for lane, of in enumerate(noise.of) if of == k]
        below = partial(
            shares,
            entry.share,
            _read(entry),
            noise.scale.rates,
            noise.scale.noises,
            title=_("{optimizer}: out of the sharp basin").format(optimizer=names[k]),
            scale=number == len(shown) - 1,
            edge=_edge(specs[lanes[0]], noise.scale),
            pick=["cell", lanes[0]],
        )
        above = rings([(rate_of(specs[lane]), specs[lane].noise, looks[lane]) for lane in lanes])
        alt = _("Share of runs of {optimizer} that noise throws out of the sharp basin, over α and σ")
        said = alt.format(optimizer=names[k])
        drawn.append(charts.Panel(f"escapes{k}", above, said, wide[number % len(wide)], LOWER, below))
    return drawn


def _read(found: BasinEscapes) -> list[list[str]]:
    """What each cell says."""
    told = _("{share} of {count} seeds leave the basin<br>α = {rate}, σ = {noise}")
    rates, noises = ([text(float(f"{value:.3g}")) for value in axis] for axis in (found.rate, found.noise))
    return [
        [
            told.format(share=f"{100 * share:.0f} %", count=CELL_SEEDS, rate=rate, noise=noise)
            for share, noise in zip(row, noises, strict=True)
        ]
        for row, rate in zip(found.share, rates, strict=True)
    ]


def _edge(spec: RunSpec, scale: Scale) -> float | None:
    """α beyond which the rule is not stable in the basin, noise or no noise; None where that depends on the run."""
    rule = optimizers.find(spec.optimizer)
    if rule.limit is None or rule.metric is not None or scale.basin is None:
        return None
    now, zero = SimpleNamespace(**fill(rule.hypers, spec.hyper, rule.id)), (np.zeros(()), np.zeros(()))
    if rule.terms is not None and rule.terms(rule.init(zero), now, zero).scale is not None:
        return None
    return float(rule.limit(now)) / scale.basin.sharpness


def _floors(race: Race, noise: AtRates) -> list[charts.Panel]:
    """The loss at the end against α, for all runners."""
    lowest = landscapes.find(race.landscape).minimum(**race.shape)
    lines, laws = [], []
    for lane, (k, name, style, spec) in enumerate(
        zip(noise.of, lane_names(race), styles(race), race.runs(), strict=True)
    ):
        low = noise.found[k]
        if not isinstance(low, Floors) or lowest is None:
            continue
        over = low.loss.astype(np.float64) - lowest
        told = _("{optimizer}, α = {rate}<br>mean loss at the end, over the minimum: {loss}")
        read = [
            told.format(optimizer=name, rate=text(float(f"{a:.3g}")), loss=text(float(v)))
            for a, v in zip(low.rate, over, strict=True)
        ]
        rate, mark = rate_of(spec), -1
        if noise.scale.rates.low <= rate <= noise.scale.rates.high:
            mark = int(np.abs(np.log(low.rate / rate)).argmin())
        lines.append(Curve(name, style, low.rate, over, read, ~np.isfinite(over), mark, ["floor", lane]))
        if lane == noise.first(k) and (law := theory(race, spec, low.rate)) is not None:
            laws.append((_("theory"), style, low.rate, np.where(np.isfinite(law), law, np.nan)))
    if not lines:
        return []
    seen = np.concatenate([line.y[np.isfinite(line.y) & (line.y > 0)] for line in lines])
    y = Axis(_("loss − minimum"), float(seen.min(initial=1e-3)) / 2, float(seen.max(initial=1e-2)) * 3, log=True)
    title = _("learning rate α; lines: mean loss over the last fifth of the steps, dots: theory")
    alt = _("Mean loss at the end of runs under noise, against the learning rate")
    figure = curves(lines, noise.scale.rates._replace(name=title), y, theory=laws)
    return [charts.Panel("floors", figure, alt, 20, LOWER)]


def offer(race: Race, noise: AtRates, lane: int, point: Any) -> charts.Offer:
    """The run of a cell (row, column), which begins in the basin, or of a point of the floor."""
    spec, basin = race.runs()[lane], noise.scale.basin
    rates, noises = noise.scale.cells
    row, column = point if basin else (None, point)
    rate = float(f"{rates[int(column)]:.4g}")
    sigma = spec.noise if row is None else float(f"{noises[int(row)]:.4g}")
    start = basin.point if basin else spec.start
    there = replace(spec, hyper={**spec.hyper, "learning_rate": rate}, noise=sigma, start=start)
    label = _("Open in the race: {optimizer} with α = {rate} and σ = {noise}")
    name = _(optimizers.find(spec.optimizer).name)
    return charts.Offer(label.format(optimizer=name, rate=text(rate), noise=text(sigma)), Race.of([there]))
