"""The microscope's controls in the sidebar, and the session's state behind them and the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

import optimizers
from descent.spec import Values
from ui import address, race_controls
from ui.controls import begin, forget, knob, knobs
from ui.formulas import optimizer_names
from ui.language import _
from ui.microscope import HOME, STEPS, Fork, Scope, first_fork, fork_at, from_query, to_query, with_hyper
from ui.race import Lane, Race
from ui.scene_controls import (
    conditions,
    forget_start,
    ground,
    on_landscape,
    projector,
)

KEY = "scope."  # of every widget here
DEFAULT = Scope(Race(landscape="rosenbrock", lanes=(Lane("adam", Values(learning_rate=0.05)),)))
RACE = "pages/race.py"


# ---- state -----------------------------------------------------------------------------------------------------------


def current() -> Scope:
    """The session's scope, which a new session reads from the URL; or what another page asks to be looked at."""
    if "scope_asked" in st.session_state:
        follow(st.session_state.pop("scope_asked"))
    elif "scope" not in st.session_state:
        follow(address.asked("microscope"))
    return st.session_state.scope


def follow(query: Mapping[str, str]) -> None:
    """Take the scope from a URL's query."""
    scope, notes = from_query(query, DEFAULT)
    put(scope)
    st.session_state.scope_notes = notes


def put(scope: Scope) -> None:
    """Make ``scope`` the session's, whatever the widgets say."""
    st.session_state.scope = scope
    st.session_state.scope_notes = []
    forget(KEY)


def move_start(point: tuple[float, float]) -> None:
    """Set the start alone; all other widgets stay as they are."""
    scope = st.session_state.scope
    st.session_state.scope = replace(scope, race=replace(scope.race, start=point))
    forget_start(KEY)


def share() -> None:
    """Write the session's scope into the address."""
    address.share("microscope", to_query(st.session_state.scope))


# ---- the sidebar -----------------------------------------------------------------------------------------------------


def controls(scope: Scope) -> Scope:
    """All controls but the fork's; returns the scope as they now stand."""
    race = ground(KEY, scope.race, _move)
    st.divider()
    scope = _optimizer(replace(scope, race=race))
    race = replace(scope.race, steps=int(knob(STEPS, scope.race.steps, f"{KEY}steps")))
    drawer = st.expander(_("Noise, clipping, schedule"), key=f"{KEY}more", on_change="rerun")
    if drawer.open:
        with drawer:
            race = conditions(KEY, race)
    if st.button(_("Open in the race"), icon=":material/sprint:", key=f"{KEY}race", width="stretch"):
        race_controls.put(race)
        st.session_state.notes = []
        st.switch_page(RACE)
    scope = replace(scope, race=projector(KEY, race))
    fork = scope.fork
    if fork is not None and fork.at >= race.steps:
        scope = fork_at(scope, race.steps - 1)
        st.session_state.pop(f"{KEY}fork.at", None)
    return scope


def _move(landscape: str) -> None:
    """Look at the same optimizer on another landscape."""
    scope = st.session_state.scope
    put(replace(scope, race=on_landscape(scope.race, landscape)))


def _optimizer(scope: Scope) -> Scope:
    names = optimizer_names(scope.lane.optimizer)

    def change() -> None:
        chosen = st.session_state[f"{KEY}optimizer"]
        if chosen in names:
            now = st.session_state.scope
            put(Scope(replace(now.race, lanes=(Lane(chosen),))))

    begin(f"{KEY}optimizer", scope.lane.optimizer)
    st.selectbox(_("Optimizer"), [*names], key=f"{KEY}optimizer", format_func=lambda i: names[i], on_change=change)
    optimizer = optimizers.find(scope.lane.optimizer)
    st.caption(_(optimizer.summary))
    return with_hyper(scope, knobs(optimizer.hypers, scope.lane.hyper, f"{KEY}{optimizer.id}"))


# ---- the fork, beside the picture ------------------------------------------------------------------------------------


def fork_controls(scope: Scope) -> Scope:
    """Where the run forks, which knob turns there, and to what."""
    names = {h.name: rf"{_(h.label)} ${h.symbol}$" if h.symbol else _(h.label) for h in scope.hypers}
    if not names:
        return scope
    plain = {h.name: _(h.label) for h in scope.hypers}
    choice, at, to = st.columns([4, 3, 4], vertical_alignment="bottom")
    key = f"{KEY}fork.knob"
    fork = scope.fork
    begin(key, fork.knob if fork else "")
    with choice:
        name = st.selectbox(
            _("Fork: turn a knob"),
            ["", *plain],
            key=key,
            format_func=lambda i: plain[i] if i else _("none: no fork"),
            help=_("From that step on the other value holds: the dashed path is that other future."),
        )
    if not name:
        return replace(scope, fork=None)
    hyper = next(h for h in scope.hypers if h.name == name)
    if fork is None or fork.knob != name:
        step = fork.at if fork else address.asked_step()
        step = HOME if step is None else step
        fork = first_fork(scope, hyper, max(0, min(step, scope.race.steps - 1)))
    begin(f"{KEY}fork.at", fork.at)
    with at:
        step = st.number_input(_("from step"), 0, max(scope.race.steps - 1, 0), key=f"{KEY}fork.at")
    with to:
        value = knob(hyper, fork.to, f"{KEY}fork.{scope.lane.optimizer}.{name}", label=names[name])
    return replace(scope, fork=Fork(int(step), name, value))


def fork_here(step: int) -> None:
    """The stage asked for a fork at the step that it shows."""
    scope = fork_at(st.session_state.scope, step)
    st.session_state.scope = scope
    forget(f"{KEY}fork.")
