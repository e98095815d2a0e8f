"""The build page's picture, its address, and the way from it into the race."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

import landscapes
from descent.field import field
from descent.recipe import is_recipe
from descent.verdict import prepare_to_judge
from landscapes.formula import FormulaLandscape
from optimizers.templates import TEMPLATES
from ui import address, build, formulas, race_stage, stage
from ui.build import Kind
from ui.frame import ROOT
from ui.language import _
from ui.race import IGNORED, SHAPE, Note, Race, from_query, to_query
from ui.race_controls import put
from ui.runner import run_all
from ui.scene_controls import forget_start


def show(kind: Kind, race: Race) -> None:
    """The stage with a race on it: of a new formula, the surface and the paths first, and then what is found there."""
    key = f"build.stage.{kind}"
    landscape = landscapes.find(race.landscape)
    identity = race_stage.identity(race)
    with st.container(key="bench_waiting"):
        waiting = st.empty()
    with ThreadPoolExecutor(3) as pool:
        # All of this is compiled anew for every formula, side by side.
        pool.submit(field, landscape, race.shape)
        runs = run_all(race, waiting)
        if isinstance(landscape, FormulaLandscape) and not landscape.is_surveyed:
            pool.submit(landscape.survey, race.shape)
            pool.submit(prepare_to_judge, landscape, race.shape)
            still, moving = race_stage.ahead(race, runs)
            stage.send_ahead(key, still, identity, moving)
    moving = race_stage.moving(race, runs)
    if (step := address.asked_step()) is not None:
        moving["step"] = step
    told = partial(_dragged, kind, key), partial(_went, key)
    stage.show(key, lambda: race_stage.still(race), identity, moving, *told)


def _dragged(kind: Kind, key: str) -> None:
    told = st.session_state[key].start
    x, y = (float(v) for v in told["point"])
    st.session_state[f"building.{kind}.start"] = (x, y)
    forget_start(f"build.{kind}.start.")
    st.session_state["building.dragged"] = not told["done"]


def _went(key: str) -> None:
    """The browser went back or forth."""
    take(address.returned("build", st.session_state[key].address))
    st.session_state["building.anew"] = True


def open_in_race(kind: Kind, race: Race, disabled: bool) -> None:
    """A button that takes what was built into the race."""
    if st.button(
        _("Open in the race"), icon=":material/sprint:", key=f"build.open.{kind}", disabled=disabled, type="primary"
    ):
        formulas.remember("landscape", race.landscape)
        for lane in race.lanes:
            formulas.remember("optimizer", lane.optimizer)
        put(race)
        st.session_state.notes = []
        st.switch_page(ROOT / "pages" / "race.py")


# ---- address -------------------------------------------------------------------------------------------------------


def share(kind: Kind, race: Race) -> None:
    """Write what is built into the address, and list it among the session's formulas."""
    formulas.working_on(kind, race.landscape if kind == "landscape" else race.lanes[0].optimizer)
    if st.session_state.pop("building.dragged", False):
        return  # the address waits until the drag is over
    said = to_query(race)
    query = {key: value for key, value in said.items() if key in PLACE or key.startswith(SHAPE)}
    if kind == "optimizer":
        query |= {_called(LANE, kind, key): value for key, value in said.items() if key.partition(".")[0] == LANE}
        if (base := build.rule().base) != build.BASE:
            query["against"] = base
    address.share("build", query)


PLACE = ("landscape", "x", "y")
LANE = "o1"  # what a race's address calls the runner that is the optimizer here


def _called(old: str, new: str, key: str) -> str:
    """``key`` with another name before its first dot, if it is that one."""
    return new + key.removeprefix(old) if key.partition(".")[0] == old else key


def follow() -> None:
    """Take what the address asks for, which a new session or a link brings."""
    asked = {key: value for key, value in st.query_params.items() if key not in IGNORED}
    if asked and asked not in (st.session_state.get("building.followed"), address.shared("build")):
        st.session_state["building.followed"] = asked
        take(asked)


def take(asked: Mapping[str, str]) -> None:
    """Put on the page what an address asks for, and note what cannot be used."""
    kind: Kind = "optimizer" if "optimizer" in asked else "landscape"
    notes = st.session_state["building.notes"] = []
    id, against = asked.get(kind, ""), asked.get("against", "")
    if not (is_recipe(id) or (kind == "optimizer" and id in TEMPLATES)):
        notes.append(Note(kind, id[:40], build.WANTED))
        return
    query = {_called("optimizer", LANE, key): value for key, value in asked.items() if key != "against"}
    race, found = from_query(query, Race(landscape=build.GROUND))
    notes += [note._replace(key=_called(LANE, "optimizer", note.key)) for note in found]
    if kind == "landscape" and is_recipe(race.landscape):
        build.begin_with(kind, build.draft_of(race.landscape), race.shape, race.start)
    elif kind == "optimizer" and race.lanes:
        rule, values = build.rule_of(id), race.lanes[0].hyper
        if against in TEMPLATES:
            rule = replace(rule, base=against)
        elif against:
            notes.append(Note("against", against[:40], _("one of {choices}"), {"choices": ", ".join(TEMPLATES)}))
        build.begin_with(kind, rule, values or (None if id in TEMPLATES else values), race.start, race.landscape)
    else:
        return
    st.session_state["building.what"] = kind
    st.session_state.pop("build.what", None)


def share_without_value(z: np.ndarray) -> str:
    """How much of a grid has no finite value, in percent; empty if all of it has."""
    missing = 1 - float(np.isfinite(z).mean())
    return "" if missing == 0 else "< 1 %" if missing < 0.01 else f"{missing:.0%}".replace("%", " %")
