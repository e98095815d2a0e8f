"""Sensitivity: the final loss against each knob of the runners, all others as they are set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
from descent import text as marked
from descent.engine import Progress
from descent.hyper import Hyper
from descent.sensitivity import DECADES, Profile, Sensitivity, sensitivity
from figures.studies import Axis, Curve, curves
from lessons.situations import call
from ui.controls import text
from ui.language import _
from ui.maps import charts
from ui.maps.kind import Kind, Settings
from ui.maps.work import computed
from ui.race import Race
from ui.race_controls import SIGNS, lane_names, styles

HEADROOM = 0.6  # decades above the start
MEMORIES = (0.0, 0.9, 0.99, 0.999, 0.9999)
FOOTROOM = 0.3  # decades below the lowest that is told apart


def show(race: Race, settings: Settings) -> None:
    """A chart for each knob, with the curves of all runners that have it."""
    race = replace(race, lanes=race.lanes[: charts.MOST])
    if charts.nobody(race):
        return
    if landscapes.find(race.landscape).unbounded:
        st.info(
            _("This surface falls for ever: there is no lowest loss to measure others by. Choose another landscape.")
        )
        return
    found = computed(("sensitivity", charts.about(race)), lambda progress: _studies(race, progress))
    charts.lines(race, [_said(study) for study in found])
    if not np.isfinite(found[0].first):
        st.info(_("The surface has no value at the start."))
        return
    if found[0].lowest >= found[0].first:
        st.info(_("The start lies as low as the surface goes: there is nothing to gain by any knob."))
        return
    charts.says(_claim(race, found))
    panels = _panels(race, found)
    if not panels:
        st.info(_("None of these optimizers has a knob."))
        return
    specs = race.runs()

    def offer(pick: Any, point: Any) -> charts.Offer:
        lane, knob = pick
        profile = next(p for p in found[lane].profiles if p.hyper.name == knob)
        value = float(profile.values[int(point)])
        turned = replace(specs[lane], hyper={**specs[lane].hyper, knob: value})
        label = _("Open in the race: {optimizer} with {knob} = {value}, beside the one that is set")
        named = label.format(optimizer=lane_names(race)[lane], knob=sign(profile.hyper), value=text(value))
        return charts.Offer(named, Race.of([specs[lane], turned], tolerance=race.tolerance))

    charts.show("sensitivity", race, panels, offer, hint=_("Click a point to open its run in the race."))


def _studies(race: Race, progress: Progress) -> list[Sensitivity]:
    return charts.each(lambda spec, _part: call(sensitivity, spec, tolerance=race.tolerance), race.runs(), progress)


def sign(hyper: Hyper) -> str:
    """A knob's sign, or its name where it has none that text can show."""
    return SIGNS.get(hyper.name, _(hyper.label))


def decades(swing: float) -> str:
    """How much is at stake, in powers of ten."""
    return f"{swing:.1f}"


def _said(study: Sensitivity) -> str:
    ranked = study.ranked()
    if not ranked:
        return _("has no knobs")
    most, least = ranked[0], ranked[-1]
    if study.swing(most) == 0:
        return _("ends alike whatever knob is turned")
    if len(ranked) == 1:
        return _("{knob}: {decades} decades").format(knob=sign(most.hyper), decades=decades(study.swing(most)))
    said = _("{knob} matters most ({decades} decades), {other} least ({fewer})")
    return said.format(
        knob=sign(most.hyper),
        decades=decades(study.swing(most)),
        other=sign(least.hyper),
        fewer=decades(study.swing(least)),
    )


def _claim(race: Race, found: Sequence[Sensitivity]) -> str:
    """Whether the learning rate is the most sensitive knob, of those rules that have another."""
    asked = [
        (name, study)
        for name, study in zip(lane_names(race), found, strict=True)
        if len(study.profiles) > 1 and study.profiles[0].hyper.name == "learning_rate"
    ]
    if not asked:
        return ""
    holds = [
        name
        for name, study in asked
        if study.ranked()[0].hyper.name == "learning_rate" and study.swing(study.ranked()[0])
    ]
    mark = ":green[:material/check_circle:]" if len(holds) == len(asked) else ":orange[:material/cancel:]"
    claim = _("“The learning rate is the most sensitive knob”: true here of {count} of {all}.")
    return f"{mark} {claim.format(count=len(holds), all=len(asked))}"


def _panels(race: Race, found: Sequence[Sensitivity]) -> list[charts.Panel]:
    knobs: dict[tuple[str, str], list[tuple[int, Profile]]] = {}
    for lane, study in enumerate(found):
        for profile in study.profiles:
            knobs.setdefault((profile.hyper.name, profile.hyper.scale), []).append((lane, profile))
    first, lowest = found[0].first, min(study.lowest for study in found)
    excess = first - lowest
    y = Axis(_("loss − minimum"), excess * 10 ** -(DECADES + FOOTROOM), excess * 10**HEADROOM, log=True)
    if landscapes.find(race.landscape).minimum(**race.shape) is None:
        y = y._replace(name=_("loss − lowest found"))
    broad = len(knobs) if len(knobs) <= 3 else 3 if len(knobs) in (5, 6) else 4
    rows = -(-len(knobs) // broad) if knobs else 1
    tall = f"max(190px, calc((100vh - 310px) / {rows} - 4px))"
    panels = []
    for number, ((name, _scale), who) in enumerate(knobs.items()):
        hyper = who[0][1].hyper
        low, high = (end(p.values[k] for _lane, p in who) for end, k in ((min, 0), (max, -1)))
        figure = curves(
            [_curve(race, found[lane], lane, profile, lowest, y) for lane, profile in who],
            _axis(hyper, float(low), float(high)),
            y if number % broad == 0 else y._replace(name=""),
            title=f"{sign(hyper)}, {_(hyper.label)}" if hyper.name in SIGNS else _(hyper.label),
        )
        alt = _("Final loss against {knob} of {runners}").format(
            knob=_(hyper.label), runners=", ".join(lane_names(race)[lane] for lane, _profile in who)
        )
        panels.append(charts.Panel(name, figure, alt, charts.spans(broad)[number % broad], tall))
    return panels


def _stretched(hyper: Hyper, values: np.ndarray) -> np.ndarray:
    """Values as they stand on their axis: a memory β as the 1/(1 − β) steps that it lasts."""
    return 1 / (1 - values) if _lasts(hyper, values) else values


def _lasts(hyper: Hyper, values: np.ndarray) -> bool:
    return hyper.memory and bool(values[-1] < 1)


def _axis(hyper: Hyper, low: float, high: float) -> Axis:
    if _lasts(hyper, np.array([low, high])):
        low, high = 1 / (1 - low), 1 / (1 - high)
        room = max((high / low) ** 0.02, 1.05)
        known = [value for value in MEMORIES if low / room <= 1 / (1 - value) <= high * room]
        ticks = (tuple(1 / (1 - value) for value in known), tuple(f"{value:g}" for value in known))
        return Axis("", low / room, high * room, log=True, ticks=ticks)
    if hyper.scale == "switch":
        return Axis("", -0.2, 1.2, ticks=((0, 1), (_("off"), _("on"))))
    if hyper.scale == "log" and low > 0:
        room = max((high / low) ** 0.02, 1.05)
        return Axis("", low / room, high * room, log=True)
    room = 0.02 * (high - low) or 1.0
    return Axis("", low - room, high + room)


def _curve(race: Race, study: Sensitivity, lane: int, profile: Profile, lowest: float, y: Axis) -> Curve:
    name = lane_names(race)[lane]
    over = np.where(np.isfinite(profile.loss), profile.loss.astype(np.float64) - lowest, np.nan)
    lost = profile.diverged_at >= 0
    said = []
    ends = zip(profile.values, over, profile.reached_at, profile.diverged_at, strict=True)
    for value, loss, reached, diverged in ends:
        end = _("diverged at step {step}").format(step=diverged) if diverged >= 0 else f"{y.name}: {text(float(loss))}"
        if reached >= 0:
            end += "<br>" + _("within the tolerance after {steps} steps").format(steps=reached)
        said.append(f"{name}, {sign(profile.hyper)} = {text(float(value))}<br>{end}")
    return Curve(
        name,
        styles(race)[lane],
        _stretched(profile.hyper, profile.values),
        np.clip(over, y.low * 10**FOOTROOM, y.high),
        said,
        lost,
        int((profile.values == profile.current).argmax()),
        [lane, profile.hyper.name],
    )


KIND = Kind(
    "sensitivity",
    marked._("Sensitivity"),
    marked._(
        "The final loss when one knob is turned and all others stay; large markers are current values, crosses runs "
        "that diverged. What is at stake is counted in powers of ten of the loss, from no gain down to 10⁻⁸ of the "
        "start, within a factor of 10 of the current value (of 1 − β where β is a memory; else a quarter of the range)."
    ),
    show,
)
