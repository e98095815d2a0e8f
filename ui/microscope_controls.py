"""The microscope's controls in the sidebar, and the session's state behind them and the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

import landscapes
import optimizers
from descent.landscape import TAGS
from descent.spec import Values
from schedules import SCHEDULES
from ui import race_controls
from ui.controls import begin, knob, knobs, pick
from ui.formulas import landscape_names, optimizer_names
from ui.language import LANGUAGES, _, language, preferred
from ui.microscope import HOME, STEPS, Fork, Scope, first_fork, fork_at, from_query, to_query, with_hyper
from ui.race import CLIP_AT, CLIPS, FAR, NOISE, SEED, Lane, Race

KEY = "scope."  # of every widget here
DEFAULT = Scope(Race(landscape="rosenbrock", lanes=(Lane("adam", Values(learning_rate=0.05)),)))
RACE = "pages/race.py"


# ---- state -----------------------------------------------------------------------------------------------------------


def current() -> Scope:
    """The session's scope, which a new session reads from the URL; or what another page asks to be looked at."""
    if "scope_asked" in st.session_state:
        follow(st.session_state.pop("scope_asked"))
    elif "scope" not in st.session_state:
        follow(st.query_params.to_dict())
    return st.session_state.scope


def follow(query: Mapping[str, str]) -> None:
    """Take the scope from a URL's query."""
    asked = {key: value for key, value in query.items() if key not in ("lang", "step")}
    scope, notes = from_query(asked, DEFAULT)
    put(scope)
    st.session_state.scope_notes = notes


def put(scope: Scope) -> None:
    """Make ``scope`` the session's, whatever the widgets say."""
    st.session_state.scope = scope
    st.session_state.scope_notes = []
    for key in [key for key in st.session_state if str(key).startswith(KEY)]:
        del st.session_state[key]


def move_start(point: tuple[float, float]) -> None:
    """Set the start alone; all other widgets stay as they are."""
    scope = st.session_state.scope
    st.session_state.scope = replace(scope, race=replace(scope.race, start=point))
    for axis in ("x", "y"):
        st.session_state.pop(f"{KEY}{axis}", None)


def share() -> None:
    """Write the session's scope into the URL when it has changed."""
    query = to_query(st.session_state.scope)
    here = st.query_params.to_dict()
    if "lang" in here or language() != preferred():
        query["lang"] = language()
    if query != st.session_state.get("scope_query") or "landscape" not in here:  # or after another page
        st.session_state.scope_query = query
        st.query_params.from_dict(query | ({"step": here["step"]} if "step" in here else {}))


# ---- the sidebar -----------------------------------------------------------------------------------------------------


def controls(scope: Scope) -> Scope:
    """All controls but the fork's; returns the scope as they now stand."""
    race = _landscape(scope.race)
    st.divider()
    scope = _optimizer(replace(scope, race=race))
    race = replace(scope.race, steps=int(knob(STEPS, scope.race.steps, f"{KEY}steps")))
    race = _conditions(race)
    if st.button(_("Open in the race"), icon=":material/sprint:", key=f"{KEY}race", width="stretch"):
        race_controls.put(race)
        st.session_state.notes = []
        st.switch_page(RACE)
    scope = replace(scope, race=_view(race))
    fork = scope.fork
    if fork is not None and fork.at >= race.steps:
        scope = fork_at(scope, race.steps - 1)
        st.session_state.pop(f"{KEY}fork.at", None)
    return scope


def _landscape(race: Race) -> Race:
    names = landscape_names(race.landscape)

    def change() -> None:
        chosen = st.session_state[f"{KEY}landscape"]
        if chosen in names:
            scope = st.session_state.scope
            put(replace(scope, race=replace(scope.race, landscape=chosen, shape=Values(), start=None)))

    begin(f"{KEY}landscape", race.landscape)
    st.selectbox(_("Landscape"), [*names], key=f"{KEY}landscape", format_func=lambda i: names[i], on_change=change)
    landscape = landscapes.find(race.landscape)
    tags = " · ".join(_(TAGS[tag]) for tag in TAGS if tag in landscape.tags)
    st.caption(f"{_(landscape.teaches)}  \n*{tags}*" if tags else _(landscape.teaches))
    shape = knobs(landscape.hypers, race.shape, f"{KEY}{landscape.id}")
    point = []
    for column, axis, value in zip(st.columns(2), ("x", "y"), race.begin, strict=True):
        begin(f"{KEY}{axis}", float(value))
        label, help_text = _("Start {axis}").format(axis=axis), _("Or drag the ring on the contour.")
        point.append(column.number_input(label, -FAR, FAR, key=f"{KEY}{axis}", step=0.1, format="%.6g", help=help_text))
    start = None if tuple(point) == landscape.start else (point[0], point[1])
    return replace(race, shape=shape, start=start)


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


def _conditions(race: Race) -> Race:
    """What the run goes through: noise, clipping, schedule."""
    drawer = st.expander(_("Noise, clipping, schedule"), key=f"{KEY}more", on_change="rerun")
    if not drawer.open:
        return race
    with drawer:
        noise = knob(NOISE, race.noise, f"{KEY}noise")
        seed = knob(SEED, race.seed, f"{KEY}seed")
        clips = {key: _(name) for key, name in CLIPS.items()}
        clip = pick(_("Gradient clipping"), list(CLIPS), clips, race.clip, f"{KEY}clip")
        clip_at = knob(CLIP_AT, race.clip_at, f"{KEY}clip_at", disabled=clip == "off")
        schedules = {key: _(schedule.name) for key, schedule in SCHEDULES.items()}
        schedule = pick(_("Learning-rate schedule"), list(SCHEDULES), schedules, race.schedule, f"{KEY}schedule")
        same = schedule == race.schedule
        values = knobs(SCHEDULES[schedule].hypers, race.schedule_hyper if same else Values(), f"{KEY}{schedule}")
    return replace(
        race, noise=noise, seed=int(seed), clip=clip, clip_at=clip_at, schedule=schedule, schedule_hyper=values
    )


def _view(race: Race) -> Race:
    begin(f"{KEY}projector", race.projector)
    projector = st.toggle(_("Projector: thick lines, large type"), key=f"{KEY}projector")
    begin("language_widget", language())

    def switch() -> None:
        st.session_state.language = st.session_state.language_widget
        put(st.session_state.scope)  # a browser names a choice by its label: the widgets must begin anew

    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        key="language_widget",
        format_func=lambda i: LANGUAGES[i],
        required=True,
        on_change=switch,
        label_visibility="collapsed",
    )
    return replace(race, projector=projector)


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
        step = fork.at if fork else asked_step()
        step = HOME if step is None else step
        fork = first_fork(scope, hyper, max(0, min(step, scope.race.steps - 1)))
    begin(f"{KEY}fork.at", fork.at)
    with at:
        step = st.number_input(_("from step"), 0, max(scope.race.steps - 1, 0), key=f"{KEY}fork.at")
    with to:
        value = knob(hyper, fork.to, f"{KEY}fork.{scope.lane.optimizer}.{name}", label=names[name])
    return replace(scope, fork=Fork(int(step), name, value))


def asked_step() -> int | None:
    """The step in the URL, which is the one shown; None where that is the usual one."""
    asked = st.query_params.get("step", "")
    return int(asked) if asked.isdecimal() and len(asked) < 6 else None


def fork_here(step: int) -> None:
    """The stage asked for a fork at the step that it shows."""
    scope = fork_at(st.session_state.scope, step)
    st.session_state.scope = scope
    for key in [key for key in st.session_state if str(key).startswith(f"{KEY}fork.")]:
        del st.session_state[key]
