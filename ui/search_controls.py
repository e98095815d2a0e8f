"""The search page's controls in the sidebar, and the session's state behind them and the URL."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

import streamlit as st

import optimizers
from descent.hyper import Hyper
from descent.spec import Values
from lessons.responses import searched
from lessons.searches import LESSONS
from ui import address
from ui.controls import begin, forget, knob, knobs, ladder, pick, text
from ui.formulas import landscape_names, optimizer_names
from ui.language import _
from ui.search import (
    CONFIGURATIONS,
    ETA,
    EVALUATIONS,
    FIRST,
    RESPONSES,
    RUNS,
    SEED,
    SHARE,
    SHOWN,
    TRIALS,
    Search,
    family,
    from_query,
    of_lesson,
    on_optimizer,
    searchable,
    to_query,
)

KEY = "search."  # of every widget here
MEMORIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)


# ---- state -----------------------------------------------------------------------------------------------------------


def current() -> Search:
    """The session's search, which a new session reads from the URL."""
    if "search" not in st.session_state:
        follow(address.asked("search"))
    return st.session_state.search


def follow(query: Mapping[str, str]) -> None:
    """Take the search from a URL's query."""
    search, notes = from_query(query) if query else (of_lesson(next(iter(LESSONS))), [])
    put(search)
    st.session_state.search_notes = notes


def put(search: Search) -> None:
    """Make ``search`` the session's, whatever the widgets say."""
    st.session_state.search = search
    st.session_state.search_notes = []
    st.session_state.search_turn = st.session_state.get("search_turn", 0) + 1
    forget(KEY)


def share() -> None:
    """Write the session's search into the address."""
    address.share("search", to_query(st.session_state.search))


def another_seed() -> None:
    """Draw everything anew."""
    search = st.session_state.search
    put(replace(search, seed=(search.seed + 1) % int(SEED.high + 1)))


def _newly(key: str, allowed: Container[str], before: str) -> str:
    """What a widget was set to, if that is anything new.

    A run that overtakes another is told again what that one was told, and by then its widgets may be forgotten.
    """
    chosen = st.session_state.get(key, before)
    return chosen if chosen in allowed and chosen != before else ""


def look_for(search: Search) -> str:
    """The lesson that the search began as, and what to look for in it; empty if it began as none."""
    found = LESSONS.get(search.lesson)
    return f"**{_(found.name)}**  {_(found.look_for)}" if found else ""


# ---- above the picture -----------------------------------------------------------------------------------------------


def shown(search: Search) -> None:
    """Which half of the page."""
    names = {key: _(name) for key, name in SHOWN.items()}

    def change() -> None:
        chosen = _newly(f"{KEY}show", SHOWN, st.session_state.search.show)
        if chosen:
            put(replace(st.session_state.search, show=chosen, lesson=""))

    begin(f"{KEY}show", search.show)
    st.segmented_control(
        _("Show"),
        list(SHOWN),
        key=f"{KEY}show",
        format_func=lambda i: names[i],
        required=True,
        on_change=change,
        label_visibility="collapsed",
    )


# ---- the sidebar -----------------------------------------------------------------------------------------------------


def controls(search: Search) -> Search:
    """All controls; returns the search as they now stand."""
    _lessons(search)
    search = _layout_budget(search) if search.show == "layouts" else _halving_budget(search)
    begin(f"{KEY}seed", search.seed)
    drawn = st.number_input(_(SEED.label), int(SEED.low), int(SEED.high), key=f"{KEY}seed", help=_(SEED.help))
    st.button(_("Another seed"), icon=":material/casino:", key=f"{KEY}again", on_click=another_seed, width="stretch")
    search = replace(search, seed=int(drawn))
    st.divider()
    search = _what(search)
    begin(f"{KEY}projector", search.projector)
    return replace(search, projector=st.toggle(_("Projector: thick lines, large type"), key=f"{KEY}projector"))


def _lessons(search: Search) -> None:
    names = {lesson.id: _(lesson.name) for lesson in LESSONS.values()}
    key = f"{KEY}lesson"

    def choose() -> None:
        if chosen := _newly(key, LESSONS, st.session_state.search.lesson):
            put(of_lesson(chosen))
        elif st.session_state.get(key) is None:
            st.session_state.search = replace(st.session_state.search, lesson="")

    begin(key, search.lesson or None)
    st.selectbox(
        _("Preset"),
        list(names),
        index=None,
        placeholder=_("Choose a situation"),
        format_func=lambda i: names[i],
        key=key,
        on_change=choose,
        help=_("Each shows one thing, with a sentence on what to look for."),
    )


def _layout_budget(search: Search) -> Search:
    trials = knob(TRIALS, search.trials, f"{KEY}trials")
    share = knob(SHARE, search.share, f"{KEY}share")
    return replace(search, trials=int(trials), share=share)


def _halving_budget(search: Search) -> Search:
    values = {h.name: int(knob(h, getattr(search, h.name), KEY + h.name)) for h in (CONFIGURATIONS, FIRST, ETA)}
    return replace(search, **values)


def _what(search: Search) -> Search:
    """What is searched."""
    if search.show == "layouts":
        names = {key: _(name) for key, name in RESPONSES.items()}

        def change() -> None:
            chosen = _newly(f"{KEY}response", RESPONSES, st.session_state.search.response)
            if chosen:
                put(replace(st.session_state.search, response=chosen, knobs=Values(), lesson=""))

        begin(f"{KEY}response", search.response)
        st.selectbox(
            _("What is searched"),
            list(RESPONSES),
            key=f"{KEY}response",
            format_func=lambda i: names[i],
            on_change=change,
        )
        if search.response != RUNS:
            declared = family(search.response)
            st.caption(_(declared.about))
            return replace(search, knobs=knobs(declared.hypers, search.knobs, f"{KEY}{declared.id}"))
    return _runs(search)


def _runs(search: Search) -> Search:
    """Landscape, optimizer, its two knobs with their ranges, and the length of a run."""
    grounds = landscape_names(search.landscape)

    def move() -> None:
        chosen = _newly(f"{KEY}landscape", grounds, st.session_state.search.landscape)
        if chosen:
            put(replace(st.session_state.search, landscape=chosen, lesson=""))

    begin(f"{KEY}landscape", search.landscape)
    st.selectbox(_("Landscape"), list(grounds), key=f"{KEY}landscape", format_func=lambda i: grounds[i], on_change=move)
    rules = {key: name for key, name in optimizer_names(search.optimizer).items() if searchable(key)}

    def change() -> None:
        chosen = _newly(f"{KEY}optimizer", rules, st.session_state.search.optimizer)
        if chosen:
            put(on_optimizer(st.session_state.search, chosen))

    begin(f"{KEY}optimizer", search.optimizer)
    st.selectbox(_("Optimizer"), list(rules), key=f"{KEY}optimizer", format_func=lambda i: rules[i], on_change=change)
    search = _axes(search)
    if search.show == "layouts":
        search = replace(search, evaluations=int(knob(EVALUATIONS, search.evaluations, f"{KEY}evaluations")))
    return search


def _axes(search: Search) -> Search:
    declared = {h.name: h for h in searched(optimizers.find(search.optimizer))}
    labels = {name: _(h.label) for name, h in declared.items()}
    ends: dict[str, float] = {}
    chosen = []
    for k, (label, name) in enumerate(
        ((_("First knob"), search.first_knob), (_("Second knob"), search.second_knob)), 1
    ):
        key = f"{KEY}{search.optimizer}.knob{k}"
        options = [option for option in declared if option not in chosen]
        if st.session_state.get(key) not in options:  # the other knob has taken it
            st.session_state.pop(key, None)
        name = pick(label, options, labels, name if name in options else options[0], key)
        chosen.append(name)
        axis = declared[name]
        same = name == (search.first_knob, search.second_knob)[k - 1]
        low = search.ends.get(f"low{k}", axis.low) if same else axis.low
        high = search.ends.get(f"high{k}", axis.high) if same else axis.high
        low, high = _range(axis, low, high, f"{KEY}{search.optimizer}.{name}.range")
        ends |= {f"low{k}": low} if low != axis.low else {}
        ends |= {f"high{k}": high} if high != axis.high else {}
    return replace(search, first_knob=chosen[0], second_knob=chosen[1], ends=Values(ends))


def _range(axis: Hyper, low: float, high: float, key: str) -> tuple[float, float]:
    """The widget of a range within a knob's own."""
    if axis.scale == "log":
        stops = ladder(axis.low, axis.high, low) + ladder(axis.low, axis.high, high)
    elif axis.memory:
        stops = [value for value in MEMORIES if axis.low <= value <= axis.high]
    elif axis.whole:
        stops = [float(value) for value in range(int(axis.low), int(axis.high) + 1)]
    else:
        stops = [axis.low + (axis.high - axis.low) * k / 50 for k in range(51)]
    # A slider only knows that it has two handles from the value that it is handed, which the session must not have set:
    # to set it anew takes another key.
    key = f"{key}.{st.session_state.get('search_turn', 0)}"
    low, high = (float(f"{value:.12g}") for value in (low, high))
    stops = sorted({float(f"{value:.12g}") for value in (*stops, low, high, *st.session_state.get(key, ()))})
    label = _("Range of {knob}").format(knob=f"${axis.symbol}$" if axis.symbol else _(axis.label))
    ends: tuple[float, float] = st.select_slider(  # type: ignore[assignment]  # two handles, two values
        label, stops, (low, high), key=key, format_func=text, label_visibility="collapsed"
    )
    return float(ends[0]), float(ends[1])
