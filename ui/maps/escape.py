"""Escape: steps to leave a saddle against the distance from its stable manifold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent import RunSpec
from descent import text as marked
from descent.engine import Progress
from descent.escape import Escape, escape, law, saddle_near
from descent.hyper import fill
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

LAWFUL = {
    "sgd": None,
    "momentum": "momentum",
}  # rules whose growth at a saddle is known, and the knob of their velocity
CLOSE = 1e-3  # the slope is measured at distances below


def show(race: Race, settings: Settings) -> None:
    """Steps against the distance, for all runners."""
    race = replace(race, lanes=race.lanes[: charts.MOST])
    if charts.nobody(race):
        return
    landscape = landscapes.find(race.landscape)
    if saddle_near(landscape, race.begin, race.shape) is None:
        st.info(_("This landscape has no known saddle from which one direction leads down and another up."))
        charts.suggest(race, ("saddle",))
        return
    found = computed(("escape", replace(charts.about(race), tolerance=1.0)), lambda progress: _studies(race, progress))
    charts.lines(race, [_said(study, spec) for study, spec in zip(found, race.runs(), strict=True)])
    lawful = any(_theory(study, spec) is not None for study, spec in zip(found, race.runs(), strict=True))
    charts.says(_where(found[0], lawful))

    def offer(pick: Any, point: Any) -> charts.Offer:
        distance = float(found[0].distance[int(point)])
        x, y = np.array(found[0].foot) + distance * np.array(found[0].saddle.down)
        label = _("Open in the race: all runners, {distance} beside the manifold")
        begun = replace(race, start=(float(x), float(y)), situation="")
        return charts.Offer(label.format(distance=text(distance)), begun)

    alt = _("Steps to leave the saddle against the distance from its stable manifold, for {runners}").format(
        runners=words.join(lane_names(race))
    )
    panel = charts.Panel("escape", _figure(race, found), alt)
    hint = _("Click a point to see the runs from its distance in the race.")
    charts.show("escape", race, [panel], offer, hint=hint, situations=("saddle",))


def _studies(race: Race, progress: Progress) -> list[Escape]:
    return charts.each(lambda spec, _part: call(escape, spec), race.runs(), progress)


def _theory(study: Escape, spec: RunSpec) -> np.ndarray | None:
    """Steps by the saddle's linearization, for rules of which it is known."""
    changed = spec.schedule != "constant" or any(spec.schedule_hyper.values()) or spec.noise
    if spec.optimizer not in LAWFUL or changed or spec.clip_value is not None or spec.clip_norm is not None:
        return None
    hyper = fill(optimizers.find(spec.optimizer).hypers, spec.hyper, spec.optimizer)
    velocity = LAWFUL[spec.optimizer]
    rho = hyper[velocity] if velocity else 0.0
    return law(study.saddle, study.distance, hyper["learning_rate"], rho) if rho < 1 else None


def _slope(distance: np.ndarray, steps: np.ndarray) -> float:
    """Steps more for each power of ten closer."""
    return float(-np.polyfit(np.log10(distance), steps, 1)[0])


def _said(study: Escape, spec: RunSpec) -> str:
    left = (study.reached_at >= 0) & (study.distance < CLOSE)
    if left.sum() < 2:
        return _("does not get away") if not (study.reached_at >= 0).any() else _("gets away from afar only")
    slope = _slope(study.distance[left], study.reached_at[left])
    if abs(slope) < 0.5:
        return _("{steps} steps, however close").format(steps=int(np.median(study.reached_at[left])))
    said = _("{slope} steps more for each power of ten closer").format(slope=f"{slope:.1f}")
    theory = _theory(study, spec)
    return said if theory is None else f"{said} ({_('theory')}: {_slope(study.distance, theory):.1f})"


def _where(study: Escape, lawful: bool) -> str:
    saddle = study.saddle
    said = _(
        "Saddle at {point}, λ = {curvature} downwards. Runs start beside {foot} "
        "and have left once they are {radius} off."
    )
    said = said.format(
        point=words.point(saddle.point),
        curvature=text(saddle.curvature),
        foot=words.point(study.foot),
        radius=text(saddle.radius),
    )
    if not lawful:
        return said
    exact = _("The surface is a quadratic, so the law is exact.")
    near = _("The law is that of the surface’s quadratic part, which rules close to the saddle.")
    return f"{said} {exact if saddle.quadratic else near}"


def _figure(race: Race, found: Sequence[Escape]) -> dict[str, Any]:
    most = max(float(study.reached_at.max(initial=1)) for study in found)
    lines, laws = [], []
    own = abs(float((np.array(race.begin) - np.array(found[0].foot)) @ np.array(found[0].saddle.down)))
    for lane, (study, spec, name, style) in enumerate(
        zip(found, race.runs(), lane_names(race), styles(race), strict=True)
    ):
        steps = np.where(study.reached_at >= 0, study.reached_at, np.nan)
        said = [
            f"{name}, {text(float(d))}<br>{_left(int(r), int(n))}"
            for d, r, n in zip(study.distance, study.reached_at, study.diverged_at, strict=True)
        ]
        within = study.distance[0] <= own <= study.distance[-1]
        mark = int(np.abs(np.log(study.distance / own)).argmin()) if within else -1
        lines.append(Curve(name, style, study.distance, steps, said, study.reached_at < 0, mark, [lane]))
        theory = _theory(study, spec)
        if theory is not None:
            laws.append((_("theory"), style, study.distance, theory))
    x = Axis(_("distance from the stable manifold"), found[0].distance[0] * 0.8, found[0].distance[-1] * 1.25, log=True)
    high = most * 1.12 + 2
    y = Axis(_("steps until the saddle is left"), 0.0, math.ceil(high))
    return curves(lines, x, y, theory=laws)


def _left(reached: int, diverged: int) -> str:
    if reached >= 0:
        return _("{steps} steps").format(steps=reached)
    return _("diverged at step {step}").format(step=diverged) if diverged >= 0 else _("still there at the end")


KIND = Kind(
    "escape",
    marked._("Escape"),
    marked._(
        "How long runs stay at the saddle nearest to the start, against how far beside its stable manifold they begin. "
        "Distances grow by a factor a step, so gradient descent takes ln(r/d) / ln(1 + α|λ|) steps (dots: theory); who "
        "divides by the gradient’s size hardly waits. Crosses: still there after the last step."
    ),
    show,
)
