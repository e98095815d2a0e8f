"""Rotation: steps to the tolerance against the angle of the surface, which turns with its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
from descent import text as marked
from descent.engine import Progress
from descent.rotation import Rotation, rotation, turned_point
from figures.studies import Axis, Curve, curves
from lessons.situations import call
from ui import words
from ui.controls import text
from ui.language import _
from ui.maps import charts
from ui.maps.kind import Kind, Settings
from ui.maps.work import computed
from ui.race import Race
from ui.race_controls import lane_names, styles

OWN = "theta"  # what landscapes that can be turned by a knob of their own call it


def show(race: Race, settings: Settings) -> None:
    """Steps against the angle, for all runners."""
    race = replace(race, lanes=race.lanes[: charts.MOST])
    if charts.nobody(race):
        return
    landscape = landscapes.find(race.landscape)
    if landscape.slice:
        st.info(
            _("The plane of this landscape is a slice through more weights: turning it would turn only two of them.")
        )
        return
    if landscape.minimum(**race.shape) is None:
        st.info(
            _("This surface has no lowest value that is known, so no run arrives anywhere. Choose another landscape.")
        )
        return
    # A landscape with an angle of its own is looked at from angle 0 on.
    angle = next((race.shape.get(h.name, h.default) for h in landscape.hypers if h.name == OWN), None)
    straight = race if angle is None else _turned(race, angle, -angle)
    found = computed(("rotation", charts.about(straight)), lambda progress: _studies(straight, progress))
    charts.lines(race, [_said(study) for study in found])
    charts.says(_verdict(race, found))
    figure = _figure(race, found, 0.0 if angle is None else angle)

    def offer(pick: Any, point: Any) -> charts.Offer:
        degrees = float(found[0].angle[int(point)])
        label = _("Open in the race: all runners, the valley at {angle}°")
        return charts.Offer(label.format(angle=text(degrees)), _turned(straight, 0.0, degrees))

    hint = _("Click a point to see the runs at its angle in the race.") if angle is not None else ""
    alt = _("Steps to the tolerance against the angle of the surface, for {runners}. {verdict}").format(
        runners=words.join(lane_names(race)), verdict=_verdict(race, found)
    )
    panel = charts.Panel("rotation", figure, alt)
    charts.show("rotation", race, [panel], offer, hint=hint, situations=("rotated",))


def _turned(race: Race, angle: float, by: float) -> Race:
    """The race, its valley at ``angle`` turned by so many degrees, and its start with it."""
    shape = {**race.shape, OWN: angle + by}
    x, y = (float(f"{value:.6g}") for value in turned_point(race.begin, by))
    specs = [replace(spec, shape=shape, start=(x, y)) for spec in race.runs()]
    return Race.of(specs, tolerance=race.tolerance, axis=race.axis, projector=race.projector)


def _studies(race: Race, progress: Progress) -> list[Rotation]:
    return charts.each(lambda spec, _part: call(rotation, spec, tolerance=race.tolerance), race.runs(), progress)


def _said(study: Rotation) -> str:
    arrived = study.reached_at[study.reached_at >= 0]
    if not arrived.size:
        return _("never arrives")
    quickest = study.angle[np.where(study.reached_at >= 0, study.reached_at, np.inf).argmin()]
    if study.erratic:
        return _("{least} to {most} steps, but a hair at the start changes them as well").format(
            least=arrived.min(), most=arrived.max()
        )
    if study.invariant:
        return _("{steps} steps at every angle").format(steps=arrived.min())
    if arrived.size < study.angle.size:
        said = _("{least} steps at {angle}°, and at {share} of the angles never there")
        missing = f"{100 * (1 - arrived.size / study.angle.size):.0f} %"
        return said.format(least=arrived.min(), angle=text(float(quickest)), share=missing)
    slowest = study.angle[study.reached_at.argmax()]
    said = _("{least} steps at {angle}°, {most} at {other}°: {times} times as many")
    return said.format(
        least=arrived.min(),
        angle=text(float(quickest)),
        most=arrived.max(),
        other=text(float(slowest)),
        times=f"{arrived.max() / max(arrived.min(), 1):.2g}",
    )


def _verdict(race: Race, found: Sequence[Rotation]) -> str:
    names = lane_names(race)
    same = [name for name, study in zip(names, found, strict=True) if study.invariant]
    other = [name for name, study in zip(names, found, strict=True) if study.invariant is False]
    erratic = [name for name, study in zip(names, found, strict=True) if study.invariant is None and study.erratic]
    parts = []
    if same:
        parts.append(_("Do not notice the turn: {names}.").format(names=words.join(same)))
    if other:
        parts.append(_("Depend on the axes: {names}.").format(names=words.join(other)))
    if erratic:
        parts.append(_("Cannot be told: {names}.").format(names=words.join(erratic)))
    if not parts:
        parts.append(_("No run comes within the tolerance of the minimum. More steps, or a larger tolerance, would."))
    return " ".join(parts)


def _figure(race: Race, found: Sequence[Rotation], angle: float) -> dict[str, Any]:
    arrived = np.concatenate([study.reached_at[study.reached_at >= 0] for study in found])
    low = max(float(arrived.min(initial=race.steps)) * 0.7, 0.8)
    high = max(float(arrived.max(initial=1)) * 1.4, low * 4)
    lines = []
    for lane, (study, name, style) in enumerate(zip(found, lane_names(race), styles(race), strict=True)):
        steps = np.where(study.reached_at >= 0, np.maximum(study.reached_at, 1), np.nan)
        said = [
            f"{name}, {text(float(a))}°<br>{_reached(int(r), int(d))}"
            for a, r, d in zip(study.angle, study.reached_at, study.diverged_at, strict=True)
        ]
        mark = int(np.abs(study.angle - angle).argmin())
        pick = [lane] if any(h.name == OWN for h in landscapes.find(race.landscape).hypers) else None
        lines.append(Curve(name, style, study.angle, steps, said, study.reached_at < 0, mark, pick))
    own = any(h.name == OWN for h in landscapes.find(race.landscape).hypers)
    x = Axis(_("angle of the valley") if own else _("angle by which the surface is turned"), -1.0, 91.0)
    x = x._replace(ticks=(tuple(range(0, 91, 15)), tuple(f"{a}°" for a in range(0, 91, 15))))
    ordinate = _("steps to a loss within {tolerance}").format(tolerance=text(race.tolerance))
    return curves(lines, x, Axis(ordinate, low, high, log=True))


def _reached(reached: int, diverged: int) -> str:
    if reached >= 0:
        return _("{steps} steps").format(steps=reached)
    return _("diverged at step {step}").format(step=diverged) if diverged >= 0 else _("not there at the end")


KIND = Kind(
    "rotation",
    marked._("Rotation"),
    marked._(
        "The surface turns about the origin and the start turns with it, so the way is the same at every angle; only "
        "the axes are others. Whoever treats each coordinate by itself notices. Large markers are the present angle, "
        "crosses runs that do not arrive within the tolerance."
    ),
    show,
)
