"""Knob maps: what every setting of two knobs gives, for up to four optimizers side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent import text as marked
from descent.engine import Progress
from descent.hyper import Hyper, fill
from descent.maps import KnobMap, sweep
from descent.spec import Values
from figures.outcomes import OTHERS, VALUES
from lessons import stability
from ui import race_controls
from ui.controls import text
from ui.language import _, language
from ui.maps import picture
from ui.maps.kind import Choice, Kind, Settings
from ui.maps.work import computed, several
from ui.race import RATE, Lane, Race, with_knob
from ui.race_controls import SIGNS, lane_names, styles

MOST = 4  # side by side
RESOLUTION = 128
SIDES = ("across", "up")
SCALES = {"usual": marked._("as usual for the knob"), "log": marked._("logarithmic"), "linear": marked._("linear")}
COLOURS = {"loss": marked._("final loss"), "steps": marked._("steps to tolerance")}
RATE_AT, MEMORIES = "learning_rate", ("momentum", "b1", "decay")
FLOOR = 1e-12  # what is nearer to the minimum than this is drawn alike


@dataclass(frozen=True)
class Side:
    """One axis: a knob, from where to where."""

    hyper: Hyper
    low: float
    high: float
    log: bool

    def values(self) -> np.ndarray:
        """What the knob is set to, a value a cell: at the middle of each."""
        shares = (np.arange(RESOLUTION) + 0.5) / RESOLUTION
        values = self.low * (self.high / self.low) ** shares if self.log else self.low + (self.high - self.low) * shares
        return np.round(values) if self.hyper.whole else values


# ---- what can be set -------------------------------------------------------------------------------------------------


def _knobs(race: Race) -> dict[str, Hyper]:
    """All knobs that the landscape or one of the runners has; of those of one name the first runner's."""
    owners = [*(optimizers.find(lane.optimizer) for lane in race.lanes[:MOST]), landscapes.find(race.landscape)]
    found: dict[str, Hyper] = {}
    for owner in owners:
        for hyper in owner.hypers:
            if hyper.scale != "switch":
                found.setdefault(hyper.name, hyper)
    return found


def _choices(race: Race) -> tuple[Choice, ...]:
    knobs = _knobs(race)
    names = {name: title(hyper) for name, hyper in knobs.items()}
    if len(names) < 2:
        return ()
    counts = {name: len(_with(race, [name])) for name in names}
    first = RATE_AT if RATE_AT in names else next(iter(names))
    landscape = {hyper.name for hyper in landscapes.find(race.landscape).hypers}
    # A second knob that as many runners as possible have; of the landscape's, that they all run on, only if none has.
    others = [name for name in names if name != first]
    second = max(others, key=lambda name: (name in MEMORIES, name not in landscape, counts[name]))
    return (
        Choice("across", marked._("Across"), marked._("The knob of the horizontal axis."), names, first),
        Choice("across.scale", marked._("Horizontal axis"), "", SCALES, "usual"),
        Choice("up", marked._("Up"), marked._("The knob of the vertical axis."), names, second),
        Choice("up.scale", marked._("Vertical axis"), "", SCALES, "usual"),
        Choice("colour", marked._("Colour"), marked._("What the colours tell."), COLOURS, "loss"),
    )


def _ranges(race: Race, chosen: Mapping[str, str]) -> tuple[Hyper, ...]:
    """Low and high end of both axes, as wide as the knobs themselves."""
    knobs, found = _knobs(race), []
    for side in SIDES if chosen else ():
        hyper = knobs[chosen[side]]
        low, high = _usual(hyper)
        if hyper.name == RATE_AT:
            hyper = replace(hyper, low=min(hyper.low, RATE.low), high=max(hyper.high, RATE.high))
        for end, value in (("low", low), ("high", high)):
            label = marked._("{knob} from") if end == "low" else marked._("{knob} to")
            symbol = _(label).format(knob=title(hyper))
            found.append(
                replace(hyper, name=f"{side}.{end}", symbol="", label=symbol, help="", default=value, alias="")
            )
    return tuple(found)


def _usual(hyper: Hyper) -> tuple[float, float]:
    """The range that an axis begins with."""
    if hyper.name == RATE_AT:
        return max(hyper.default / 100, hyper.low), min(hyper.default * 1000, hyper.high)
    return hyper.low, hyper.high


def _side(race: Race, settings: Settings, side: str) -> Side:
    hyper = _knobs(race)[settings.choice(side)]
    scale = settings.choice(f"{side}.scale")
    low, high = settings.number(f"{side}.low"), settings.number(f"{side}.high")
    log = scale == "log" or (scale == "usual" and hyper.scale == "log")
    if log and low <= 0:  # as far down as a logarithmic axis can be read
        low = high * 1e-4 if high > 0 else low
    return Side(hyper, low, high, log)


def title(hyper: Hyper) -> str:
    """A knob's name with its sign."""
    return f"{_(hyper.label)} {SIGNS[hyper.name]}" if hyper.name in SIGNS else _(hyper.label)


def sign(hyper: Hyper) -> str:
    """A knob in a word."""
    return SIGNS.get(hyper.name, _(hyper.label))


def _with(race: Race, names: list[str]) -> list[int]:
    """The runners that have all of these knobs, or run on a landscape that has them."""
    ground = {hyper.name for hyper in landscapes.find(race.landscape).hypers}
    owned = [{hyper.name for hyper in optimizers.find(lane.optimizer).hypers} for lane in race.lanes[:MOST]]
    return [k for k, own in enumerate(owned) if all(name in own | ground for name in names)]


# ---- the picture -----------------------------------------------------------------------------------------------------


def show(race: Race, settings: Settings) -> None:
    """The maps of those of the first four runners that have both knobs."""
    if not race.lanes:
        st.info(_("Nobody is running. Add an optimizer on the left."))
        return
    if not settings:
        st.info(_("There is only one knob here. Add an optimizer that has more, or choose a landscape that has some."))
        return
    race = picture.first_few(race, MOST)
    across, up = (_side(race, settings, side) for side in SIDES)
    if across.hyper.name == up.hyper.name:
        st.info(_("Both axes have the same knob. Choose two."))
        return
    for side in (across, up):
        if not side.low < side.high:
            said = _("From {low} to {high} there is nothing to see: the range of {knob} must grow.")
            st.info(said.format(low=text(side.low), high=text(side.high), knob=title(side.hyper)))
            return
    lanes = _with(race, [across.hyper.name, up.hyper.name])
    if not lanes:
        st.info(_("None of the runners has both knobs. Choose others."))
        return
    key = ("knobs", _swept(race, across, up), tuple(lanes), across, up)
    found = computed(key, lambda progress: _maps(race, lanes, across, up, progress), st.empty())
    st.caption(_caption(race, lanes[0], across, up, found[0]))
    moving = {"starts": [[_value(race, race.lanes[k], side.hyper) for side in (across, up)] for k in lanes]}
    identity = ["knobs", key[1], lanes, across, up, settings, race.projector, language()]

    def still() -> dict[str, Any]:
        return _still(race, lanes, across, up, settings.choice("colour"), found)

    picture.show("knobs", still, identity, moving, lambda: _picked(lanes, across, up))


def _swept(race: Race, across: Side, up: Side) -> Race:
    """The race without what its maps do not depend on."""
    names = (across.hyper.name, up.hyper.name)

    def without(values: Values) -> Values:
        return Values({name: value for name, value in values.items() if name not in names})

    lanes = tuple(replace(lane, hyper=without(lane.hyper)) for lane in race.lanes)
    rate = None if RATE_AT in names else race.rate
    return replace(race, shape=without(race.shape), lanes=lanes, rate=rate, situation="", axis="log", projector=False)


def _maps(race: Race, lanes: list[int], across: Side, up: Side, progress: Progress) -> list[KnobMap]:
    landscape = landscapes.find(race.landscape)
    part, specs = several(len(lanes), progress), race.runs()
    found = []
    for number, lane in enumerate(lanes):
        spec = specs[lane]
        axes = {up.hyper.name: up.values(), across.hyper.name: across.values()}  # rows first
        more = picture.conditions(spec) | {"tolerance": race.tolerance, "progress": part(number)}
        rule = optimizers.find(spec.optimizer)
        found.append(sweep(landscape, rule, axes, spec.start, spec.steps, spec.hyper, spec.shape, **more))
    return found


def _still(race: Race, lanes: list[int], across: Side, up: Side, colour: str, maps: list[KnobMap]) -> dict[str, Any]:
    landscape = landscapes.find(race.landscape)
    names, looks = lane_names(replace(race, rate=None)), styles(race)
    minimum = landscape.minimum(**fill(landscape.hypers, race.shape, landscape.id))
    panels, seen = [], []
    for lane, found in zip(lanes, maps, strict=True):
        diverged = found.diverged_at >= 0
        if colour == "steps":
            cells = np.where(diverged, 2, np.where(found.reached_at < 0, 1, 0))
            values = np.where(diverged, found.diverged_at, found.reached_at).astype(np.int32)
        else:
            cells = np.where(diverged, 2, 0)
            values = np.where(diverged, found.diverged_at, found.loss).astype(np.float32).ravel()
        seen.append(found.loss[~diverged])
        name = _(optimizers.find(race.lanes[lane].optimizer).name) if len(lanes) == 1 else names[lane]
        panels.append(
            {
                "name": name,
                "style": asdict(looks[lane]),
                "rows": RESOLUTION,
                "columns": RESOLUTION,
                "alt": _("Knob map of {optimizer}: arrow keys move a cross, Enter sets both knobs.").format(
                    optimizer=name
                ),
                "cells": cells.astype(np.uint8),
                "values": values,
                "curves": _theory(race, race.lanes[lane], across, up),
            }
        )
    bright, low, high = _scale(np.concatenate(seen), minimum, race, colour)
    told = _("there after {value} steps") if colour == "steps" else _("{value}")
    missed = _("not there after {steps} steps").format(steps=race.steps)
    return {
        "x": _axis(across),
        "y": _axis(up),
        "minima": [],
        "saddles": [],
        "look": {"projector": race.projector},
        "panels": panels,
        "outcomes": [
            {"name": _("reached") if colour == "steps" else _("loss"), "says": told, **VALUES},
            {"name": missed, "says": "", **OTHERS["moving"]},
            {"name": _("diverged"), "says": _("at step {value}"), **OTHERS["diverged"]},
        ],
        "bright": bright,
        "legend": {"low": low, "high": high, "others": _("{count} others")},
        "where": f"{sign(across.hyper)} = {{x}}, {sign(up.hyper)} = {{y}}",
        "hint": _("Point at a map to read it; click to set both knobs."),
    }


def _axis(side: Side) -> dict[str, Any]:
    return {"low": side.low, "high": side.high, "log": side.log, "name": title(side.hyper)}


def _scale(losses: np.ndarray, minimum: float | None, race: Race, colour: str) -> tuple[dict[str, Any], str, str]:
    """What is brightest and what darkest, and how that is written."""
    if colour == "steps":
        high = max(race.steps, 2)
        return {"low": 1.0, "high": float(high), "log": True}, _("1 step"), _("{steps} steps").format(steps=high)
    finite = losses[np.isfinite(losses)].astype(np.float64)
    low, high = (float(finite.min()), float(np.quantile(finite, 0.95))) if finite.size else (0.0, 1.0)
    if minimum is None:
        return {"low": low, "high": max(high, low + 1e-9), "log": False}, text(low), text(high)
    low = max(low - minimum, FLOOR)
    high = max(high - minimum, 10 * low)
    written = (text(minimum + low) if low > FLOOR or minimum else f"≤ {text(low)}"), f"≥ {text(minimum + high)}"
    return {"low": low, "high": high, "log": True, "from": minimum}, *written


# ---- theory ----------------------------------------------------------------------------------------------------------


def _value(race: Race, lane: Lane, hyper: Hyper) -> float:
    """What a knob is set to, of the landscape or of a runner."""
    spec = race.run(lane)
    return float({**spec.shape, **spec.hyper}.get(hyper.name, _own(race, lane)[hyper.name].default))


def _own(race: Race, lane: Lane) -> dict[str, Hyper]:
    owners = (landscapes.find(race.landscape), optimizers.find(lane.optimizer))
    return {hyper.name: hyper for owner in owners for hyper in owner.hypers}


def _theory(race: Race, lane: Lane, across: Side, up: Side) -> list[dict[str, Any]]:
    """Where a quadratic begins to throw gradient descent or heavy ball off, and where they are fastest."""
    names = (across.hyper.name, up.hyper.name)
    plain = race.noise == 0 and race.clip == "off" and race.schedule_of(lane)[0] == "constant"
    if lane.optimizer not in stability.RULES or RATE_AT not in names or not plain:
        return []
    landscape, other = landscapes.find(race.landscape), up if names[0] == RATE_AT else across
    spec = race.run(lane)
    momentum = float(spec.hyper.get("momentum", 0.9)) if lane.optimizer == "momentum" else 0.0
    values, edges, fastest = other.values(), [], []
    for value in values:
        shape = {**spec.shape, other.hyper.name: value} if other.hyper in landscape.hypers else spec.shape
        found = stability.spectrum(landscape, shape)
        if found is None:
            return []
        edges.append(stability.edge(found, value if other.hyper.name == "momentum" else momentum))
        fastest.append(stability.best_rate(found))
        if other.hyper not in landscape.hypers:
            found_once = found
    limit = "2 (1 + ρ) / λ" if lane.optimizer == "momentum" else "2 / λ"
    curves = [_curve(edges, values, names, _("stable up to α = {limit}").format(limit=f"{limit}ₘₐₓ"))]
    if lane.optimizer == "sgd" and other.hyper in landscape.hypers:
        curves.append(_curve(fastest, values, names, _("fastest: α = 2 / (λ₁ + λₙ)"), dashed=True))
    if lane.optimizer == "momentum" and other.hyper.name == "momentum":
        best = stability.best(found_once)
        curves.append(_curve([best.learning_rate], [best.momentum], names, _("fastest (Polyak)")))
    return curves


def _curve(rates: Any, others: Any, names: tuple[str, str], label: str, dashed: bool = False) -> dict[str, Any]:
    """A line through (rates, others), or a point, with α on its own axis."""
    first, second = np.asarray(rates, np.float32), np.asarray(others, np.float32)
    xs, ys = (first, second) if names[0] == RATE_AT else (second, first)
    return {"xs": xs, "ys": ys, "label": label, "dashed": dashed}


def _caption(race: Race, number: int, across: Side, up: Side, found: KnobMap) -> str:
    """From which learning rate on the first map's runner diverges, and below which it does not get there."""
    lane = race.lanes[number]
    name = _(optimizers.find(lane.optimizer).name)
    diverged = found.diverged_at >= 0
    if diverged.all():
        return _("{optimizer} diverges wherever you look.").format(optimizer=name)
    if RATE_AT not in (across.hyper.name, up.hyper.name):
        return _("{optimizer} diverges at {share} of the settings.").format(
            optimizer=name, share=f"{diverged.mean():.1%}"
        )
    rate, other = (across, up) if across.hyper.name == RATE_AT else (up, across)
    at = int(np.abs(other.values() - _value(race, lane, other.hyper)).argmin())
    lost, there = (m[at] if rate is across else m[:, at] for m in (diverged, found.reached_at >= 0))
    rates, parts = rate.values(), []
    where = f"{sign(other.hyper)} = {text(float(other.values()[at]))}"
    if lost.any():
        parts.append(_("too high diverges, from α = {rate} on").format(rate=text(float(rates[lost.argmax()]))))
        curves = _theory(race, lane, across, up)
        if curves:
            exact = float(curves[0]["xs" if rate is across else "ys"][at])
            parts[-1] += " " + _("(theory: {rate})").format(rate=text(exact))
    if there.any():
        said = _("too low crawls: below α = {rate}, {steps} steps do not suffice")
        if there.argmax() > 0:
            parts.append(said.format(rate=text(float(rates[there.argmax()])), steps=race.steps))
    else:
        parts.append(_("nowhere do {steps} steps suffice").format(steps=race.steps))
    return _("{optimizer} at {where}: {what}.").format(optimizer=name, where=where, what="; ".join(parts))


# ---- choosing --------------------------------------------------------------------------------------------------------


def _picked(lanes: list[int], across: Side, up: Side) -> None:
    told, race = st.session_state.knobs.start, st.session_state.race
    number = lanes[int(told["panel"])]
    for side, value in zip((across, up), told["point"], strict=True):
        race = set_knob(race, number, side.hyper.name, float(value))
    race_controls.put(race)


def set_knob(race: Race, number: int, name: str, value: float) -> Race:
    """The race with a knob of its landscape or of a runner set to about ``value``."""
    lane = race.lanes[number]
    hyper = _own(race, lane)[name]
    value = min(max(value, hyper.low), hyper.high)
    value = float(round(value)) if hyper.whole else float(f"{value:.4g}")
    if hyper in landscapes.find(race.landscape).hypers:
        return replace(race, shape=with_knob(race.shape, hyper, value))
    if name == RATE_AT and race.rate is not None:
        return replace(race, rate=value)
    lane = replace(lane, hyper=with_knob(lane.hyper, hyper, value))
    return replace(race, lanes=(*race.lanes[:number], lane, *race.lanes[number + 1 :]))


KIND = Kind(
    "knobs",
    marked._("Knobs"),
    marked._("Every point is a setting of two knobs, coloured by what a run from the start comes to with it."),
    show,
    _choices,
    _ranges,
)
