"""Maps on the stage: cells over two axes, what lies below them, and paths above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

import landscapes
from descent import RunSpec, Trajectory
from descent.field import field
from descent.hyper import fill
from figures import Height
from schedules import SCHEDULES
from ui import stage
from ui.language import _
from ui.race import Race


def show(
    key: str, still: Callable[[], dict[str, Any]], identity: Any, moving: dict[str, Any], on_pick: Callable[[], None]
) -> None:
    """Draw maps.

    Args:
        key: of the component, and of its state in the session.
        still: makes the maps; called only when the browser has not got them.
        identity: plain values that determine ``still``.
        moving: what comes and goes above them.
        on_pick: called when a point was chosen; `st.session_state[key].start` has "panel", "point" and "done", which
            is false while it is dragged.
    """

    def picked() -> None:
        on_pick()
        st.session_state["maps.anew"] = bool(st.session_state[key].start["done"])

    def went() -> None:
        st.session_state["maps.went"] = st.session_state[key].address

    stage.show(key, still, identity, moving, picked, went, kind="maps")


def first_few(race: Race, most: int) -> Race:
    """The race with no more runners than have room, and a word on it."""
    if len(race.lanes) > most:
        st.caption(_("The first {count} runners are shown.").format(count=most))
    return replace(race, lanes=race.lanes[:most])


def conditions(spec: RunSpec) -> dict[str, Any]:
    """What a run goes through, as `descent.basins` and the like take it."""
    return {
        "schedule": SCHEDULES[spec.schedule],
        "schedule_hyper": spec.schedule_hyper,
        "noise": spec.noise,
        "seed": spec.seed,
        "clip_value": spec.clip_value,
        "clip_norm": spec.clip_norm,
    }


def ground(race: Race) -> dict[str, Any]:
    """The landscape below a map over its domain: axes, contour lines, minima and saddles."""
    landscape = landscapes.find(race.landscape)
    shape = fill(landscape.hypers, race.shape, landscape.id)
    surface = field(landscape, shape)
    height = Height.of(surface.z, landscape.height == "log", landscape.minimum(**shape))
    points = landscape.critical_points(**shape)
    return {
        "x": {"low": landscape.domain[0][0], "high": landscape.domain[0][1]},
        "y": {"low": landscape.domain[1][0], "high": landscape.domain[1][1]},
        "heights": height(surface.z[::2, ::2]).astype(np.float32),
        "minima": [m.point for m in points.minima],
        "saddles": points.saddles,
        "look": {"projector": race.projector},
    }


def paths(runs: Sequence[Trajectory], panels: Sequence[int]) -> dict[str, Any]:
    """Runs to be drawn, and on which panel each."""
    return {
        "steps": runs[0].steps if runs else 0,
        "panels": list(panels),
        "diverged": [int(run.diverged_at) for run in runs],
        "x": np.concatenate([run.position[:, 0] for run in runs]) if runs else np.zeros(0, np.float32),
        "y": np.concatenate([run.position[:, 1] for run in runs]) if runs else np.zeros(0, np.float32),
    }
