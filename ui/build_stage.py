"""The build page's picture, its address, and the way from it into the race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent.field import field
from descent.formula import FormulaError
from descent.recipe import is_recipe
from descent.verdict import local
from landscapes.formula import FormulaLandscape
from optimizers.templates import TEMPLATES
from ui import address, build, formulas, race_stage, stage
from ui.frame import ROOT
from ui.language import _
from ui.race import Note, Race
from ui.race_controls import put
from ui.runner import run_all

Kind = Literal["landscape", "optimizer"]


def show(key: str, race: Race) -> None:
    """The stage with a race on it: of a new formula, the surface and the paths first, and then what is found there."""
    race = _from_there(race)
    landscape = landscapes.find(race.landscape)
    identity = race_stage.identity(race)
    with ThreadPoolExecutor(3) as pool:
        # All of this is compiled anew for every formula, side by side.
        pool.submit(field, landscape, race.shape)
        runs = run_all(race, st.empty())
        if isinstance(landscape, FormulaLandscape) and not landscape.is_surveyed:
            pool.submit(landscape.survey, race.shape)
            pool.submit(local, landscape, np.array([race.begin]), race.shape)
            still, moving = race_stage.ahead(race, runs)
            stage.send_ahead(key, still, identity, moving)
    moving = race_stage.moving(race, runs)
    stage.show(key, lambda: race_stage.still(race), identity, moving, partial(_dragged, key), _nothing)


def _from_there(race: Race) -> Race:
    """The race from where the ring was dragged, as long as it is within the domain."""
    point = st.session_state.get("building.start")
    if point is None:
        return race
    inside = all(low <= v <= high for v, (low, high) in zip(point, landscapes.find(race.landscape).domain, strict=True))
    return replace(race, start=point) if inside else race


def _dragged(key: str) -> None:
    x, y = (float(v) for v in st.session_state[key].start["point"])
    st.session_state["building.start"] = (x, y)


def _nothing() -> None:
    """The address says what is built, not how the browser came there."""


def open_in_race(kind: Kind, race: Race, disabled: bool) -> None:
    """A button that takes what was built into the race."""
    if st.button(
        _("Open in the race"), icon=":material/sprint:", key=f"build.open.{kind}", disabled=disabled, type="primary"
    ):
        race = _from_there(race)
        formulas.remember("landscape", race.landscape)
        for lane in race.lanes:
            formulas.remember("optimizer", lane.optimizer)
        put(race)
        st.session_state.notes = []
        st.switch_page(ROOT / "pages" / "race.py")


def share(kind: Kind, race: Race) -> None:
    """Write what is built into the address, and list it among the session's formulas."""
    id = race.landscape if kind == "landscape" else race.lanes[0].optimizer
    formulas.working_on(kind, id)
    address.share("build", {kind: id})


def follow() -> None:
    """Take a formula from the address, which a new session or a link brings."""
    asked = {kind: st.query_params[kind] for kind in ("landscape", "optimizer") if kind in st.query_params}
    if not asked or asked == st.session_state.get("building.followed") or asked == address.shared("build"):
        return
    st.session_state["building.followed"] = asked
    notes = []
    for kind, id in asked.items():
        try:
            _take(kind, id)
            st.session_state["building.what"] = kind
            st.session_state.pop("build.what", None)
        except FormulaError as error:
            notes.append(Note(kind, id[:40], error.message, error.fields, error.column))
        except ValueError:
            notes.append(Note(kind, id[:40], build.WANTED))
    st.session_state["building.notes"] = notes


def _take(kind: str, id: str) -> None:
    """Make a formula the session's draft. Raises ``ValueError``."""
    if kind == "landscape" and is_recipe(id):
        landscapes.find(id)
        build.begin_with(landscape=build.draft_of(id))
    elif kind == "optimizer" and (is_recipe(id) or id in TEMPLATES):
        optimizers.find(id)
        build.begin_with(optimizer=build.rule_of(id))
    else:
        raise ValueError(id)


def share_without_value(z: np.ndarray) -> str:
    """How much of a grid has no finite value, in percent; empty if all of it has."""
    missing = 1 - float(np.isfinite(z).mean())
    return "" if missing == 0 else "< 1 %" if missing < 0.01 else f"{missing:.0%}".replace("%", " %")
