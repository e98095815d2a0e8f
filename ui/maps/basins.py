"""Basins: where every start ends, for up to four optimizers side by side."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent import text as marked
from descent.engine import Progress
from descent.hyper import fill
from descent.maps import BasinMap, basins
from descent.verdict import KINDS
from figures.outcomes import OTHERS, minima_colours
from ui import race_controls, words
from ui.language import _, language
from ui.maps import picture
from ui.maps.kind import Kind, Settings
from ui.maps.work import computed, several
from ui.race import Race
from ui.race_controls import lane_names, styles
from ui.runner import run_all

MOST = 4  # side by side
RESOLUTION = 256


class Outcome(NamedTuple):
    """What a start can come to: its name, its colours, and what the number of steps means."""

    name: str
    colours: dict[str, Any]
    steps: str


def show(race: Race, settings: Settings) -> None:
    """The maps of the first four runners, and the paths from the start."""
    race = picture.first_few(race, MOST)
    if not race.lanes:
        st.info(_("Nobody is running. Add an optimizer on the left."))
        return
    place = st.empty()
    ground = replace(race, start=None, situation="", axis="log", tolerance=1.0, projector=False)
    found = computed(("basins", ground), lambda progress: _maps(race, progress), place)
    runs = run_all(race, place)
    moving = {
        "start": list(race.begin),
        "paths": picture.paths(runs, range(len(runs))),
    }
    picture.show("basins", lambda: _still(race, found), [ground, race.projector, language()], moving, _picked)


def _maps(race: Race, progress: Progress) -> list[BasinMap]:
    landscape = landscapes.find(race.landscape)
    part = several(len(race.lanes), progress)
    found = []
    for number, spec in enumerate(race.runs()):
        rule, told = optimizers.find(spec.optimizer), part(number)
        conditions = picture.conditions(spec)
        found.append(
            basins(landscape, rule, RESOLUTION, spec.steps, spec.hyper, spec.shape, progress=told, **conditions)
        )
    return found


def _outcomes(race: Race) -> list[Outcome]:
    """A start's outcomes: the landscape's minima, then a minimum that is not declared, then the rest of `KINDS`."""
    landscape = landscapes.find(race.landscape)
    minima = landscape.critical_points(**fill(landscape.hypers, race.shape, landscape.id)).minima
    lowest = min((m.value for m in minima), default=0.0)
    within = _("there after {value} steps")
    found = []
    for minimum, colours in zip(minima, minima_colours([m.point for m in minima], landscape.domain), strict=True):
        least = minimum.value - lowest <= 1e-9 and not landscape.unbounded
        name = _("global minimum") if least else _("local minimum")
        found.append(Outcome(f"{name} {words.point(minimum.point)}", colours, within))
    names = {
        "minimum": (_("another minimum"), within),
        "saddle": (_("saddle point"), within),
        "maximum": (_("maximum"), within),
        "plateau": (_("plateau"), within),
        "cycling": (_("cycling"), ""),
        "moving": (_("still moving"), ""),
        "diverged": (_("diverged"), _("at step {value}")),
    }
    return [*found, *(Outcome(names[kind][0], OTHERS[kind], names[kind][1]) for kind in KINDS)]


def _still(race: Race, maps: list[BasinMap]) -> dict[str, Any]:
    outcomes = _outcomes(race)
    minima = len(outcomes) - len(KINDS)
    panels = []
    for found, name, style in zip(maps, lane_names(race), styles(race), strict=True):
        cells = np.where(found.minimizer >= 0, found.minimizer, minima + found.verdict)
        panels.append(
            {
                "name": name,
                "style": asdict(style),
                "rows": RESOLUTION,
                "columns": RESOLUTION,
                "alt": _("Basins of {optimizer}: arrow keys move a cross, Enter starts the runs there.").format(
                    optimizer=name
                ),
                "cells": cells.astype(np.uint8 if len(outcomes) <= 256 else np.int32),
                "values": found.steps.astype(np.int32),
            }
        )
    return {
        **picture.ground(race),
        "panels": panels,
        "outcomes": [{"name": o.name, "says": o.steps, **o.colours} for o in outcomes],
        "bright": {"low": 1.0, "high": float(max(race.steps, 2)), "log": True},
        "legend": {
            "low": _("1 step"),
            "high": _("{steps} steps").format(steps=race.steps),
            "others": _("{count} others"),
        },
        "where": _("from ({x}, {y})"),
        "hint": _("Point at a map to read it."),
    }


def _picked() -> None:
    told = st.session_state.basins.start
    x, y = (float(value) for value in told["point"])
    race_controls.move_start((x, y))


KIND = Kind(
    "basins",
    marked._("Basins"),
    marked._(
        "Every point is a start, coloured by where its run ends; the brighter, the sooner. "
        "Click or drag on a map to see the paths from there."
    ),
    show,
)
