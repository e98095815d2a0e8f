"""Noise: many seeds as bands of the loss and a cloud of ends, and below what noise does at each learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import landscapes
from descent import RunSpec
from descent import text as marked
from descent.engine import Progress
from descent.field import field
from descent.hyper import Hyper, fill
from descent.noise import SEEDS, Ensemble, ensemble
from figures import Height, contour
from figures.studies import Axis, Ends, Tube, cloud, tubes
from lessons.situations import call
from ui.controls import text
from ui.language import _
from ui.maps import charts, noise_at_rates
from ui.maps.kind import Kind, Settings
from ui.maps.noise_at_rates import AtRates, at_rates
from ui.maps.work import computed
from ui.race import NOISE, Race
from ui.race_controls import lane_names, styles

USUAL = 1.0  # σ, where the race has none
UPPER = "max(230px, calc((100vh - 310px) * 0.53))"


def show(race: Race, settings: Settings) -> None:
    """Bands and cloud of all runners, and below them the way out of a sharp basin, or the floor against α."""
    race = replace(race, lanes=race.lanes[: charts.MOST], noise=settings.number(NOISE.name))
    if charts.nobody(race):
        return
    found = computed(("noise", noise_at_rates.about(race)), lambda progress: _studies(race, progress))
    noise = at_rates(race)
    charts.lines(
        race, [_said(race, part, spec, noise, k) for k, (part, spec) in enumerate(zip(found, race.runs(), strict=True))]
    )
    charts.show(
        "noise",
        race,
        [_bands(race, found, noise), _cloud(race, found), *noise_at_rates.panels(race, noise)],
        lambda pick, point: _offer(race, found, noise, pick, point),
        identity=[race.landscape, sorted(race.shape.items()), noise.asked if noise.scale.basin else None],
        hint=_("Click an end, or a point or cell below, to open its run in the race."),
        situations=("sharp", "floor"),
    )


def _studies(race: Race, progress: Progress) -> list[Ensemble]:
    return charts.each(lambda spec, _part: call(ensemble, spec), race.runs(), progress)


def _said(race: Race, found: Ensemble, spec: RunSpec, noise: AtRates, lane: int) -> str:
    lost = float((found.diverged_at >= 0).mean())
    if lost == 1:
        return _("diverges with every seed")
    lowest = landscapes.find(race.landscape).minimum(**race.shape) or 0.0
    low, _q1, middle, _q3, high = (_brief(float(q) - lowest) for q in found.quantiles()[:, -1])
    said = [_("median {median} at the end, 90 % from {low} to {high}").format(median=middle, low=low, high=high)]
    if lost:
        return " · ".join([*said, _("{share} diverge").format(share=f"{100 * lost:.0f} %")])
    law = None if noise.scale.basin else noise_at_rates.theory(race, spec)
    if law is not None and np.isfinite(law):
        mean = float(found.loss[:, -1].mean()) - lowest
        said.append(_("mean {mean}, at rest by theory {theory}").format(mean=_brief(mean), theory=_brief(float(law))))
    return " · ".join([*said, *noise_at_rates.said(race, spec, noise.found[noise.of[lane]])])


def _brief(value: float) -> str:
    return text(float(f"{value:.2g}"))


def _bands(race: Race, found: Sequence[Ensemble], noise: AtRates) -> charts.Panel:
    landscape = landscapes.find(race.landscape)
    lowest = landscape.minimum(**race.shape)
    over = [part.quantiles() - (lowest or 0.0) for part in found]
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
    several = noise.scale.basin is not None  # theory is that of one minimum
    for quantiles, spec, name, style in zip(over, race.runs(), lane_names(race), styles(race), strict=True):
        law = None if several else noise_at_rates.theory(race, spec)
        lanes.append(Tube(name, style, quantiles, None if law is None else float(law)))
    x = Axis(_("step"), 0.0, float(max(race.steps, 1)))
    figure = tubes(found[0].step, lanes, x, y, theory=_("floor by theory"))
    alt = _("Median, quartiles and 5 to 95 % of the loss over {count} seeds, against the step").format(count=SEEDS)
    return charts.Panel("bands", figure, alt, 11, UPPER)


def _cloud(race: Race, found: Sequence[Ensemble]) -> charts.Panel:
    landscape = landscapes.find(race.landscape)
    (x0, x1), (y0, y1) = landscape.domain
    lanes = []
    for lane, (part, name, style) in enumerate(zip(found, lane_names(race), styles(race), strict=True)):
        ends = part.position
        within = (x0 <= ends[:, 0]) & (ends[:, 0] <= x1) & (y0 <= ends[:, 1]) & (ends[:, 1] <= y1)
        told = _("{optimizer}, seed {seed}")
        said = [told.format(optimizer=name, seed=seed) for seed in part.seeds]
        lanes.append(Ends(name, style, np.where(within[:, None], ends, np.nan), said, ["end", lane]))
    alt = _("Where the runs of {count} seeds end, on the contour of {landscape}").format(
        count=SEEDS, landscape=_(landscape.name)
    )
    return charts.Panel("cloud", cloud(lanes), alt, 9, UPPER, lambda: _ground(race))


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


def _offer(race: Race, found: Sequence[Ensemble], noise: AtRates, pick: Any, point: Any) -> charts.Offer:
    """The run of a seed's end, or of a point below."""
    what, lane = pick
    if what != "end":
        return noise_at_rates.offer(race, noise, lane, point)
    seed = int(found[lane].seeds[int(point)])
    label = _("Open in the race: {optimizer} with seed {seed}").format(optimizer=lane_names(race)[lane], seed=seed)
    return charts.Offer(label, Race.of([replace(race.runs()[lane], seed=seed)]))


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
