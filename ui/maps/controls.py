"""The maps' controls, and the session's state behind them and the address. The scene is the race's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from descent.spec import Values
from ui import address, race_controls
from ui.controls import begin, forget, knob, pick
from ui.language import _
from ui.maps import KINDS, find
from ui.maps.address import View, from_query, made, to_query
from ui.maps.kind import Settings
from ui.race import Lane, Race
from ui.scene_controls import projector

KEY = "map."  # of the widgets that are not the race's
DEFAULT = Race(
    landscape="himmelblau",
    lanes=(
        Lane("sgd"),
        Lane("momentum"),
        Lane("rmsprop", Values(learning_rate=0.05)),
        Lane("adam", Values(learning_rate=0.1)),
    ),
    steps=300,
)


def current() -> View:
    """What the session looks at. Who comes by a link reads it from the address; who comes from the race, the scene."""
    if "view" not in st.session_state:
        asked = address.asked("maps")
        if asked or "race" not in st.session_state:
            follow(asked)
        else:
            put(View())
    return st.session_state.view


def follow(query: Mapping[str, str]) -> None:
    """Take scene and map from an address."""
    race, view, notes = from_query(query, DEFAULT)
    race_controls.put(race)
    put(view)
    st.session_state.map_notes = notes


def put(view: View) -> None:
    """Make ``view`` the session's, whatever the widgets say."""
    st.session_state.view = view
    st.session_state.map_notes = []
    forget(KEY)


def kinds(view: View) -> View:
    """The choice of the kind of map. What another kind was set to is kept."""
    names = {kind.id: _(kind.name) for kind in KINDS}
    begin(f"{KEY}kind", view.kind)
    chosen = st.segmented_control(
        _("Map"),
        list(names),
        key=f"{KEY}kind",
        format_func=lambda i: names[i],
        required=True,
        label_visibility="collapsed",
    )
    if chosen is None or chosen == view.kind:
        return view
    others: dict[str, Settings] = st.session_state.setdefault("map_settings", {})
    others[view.kind] = view.said
    return View(chosen, others.get(chosen, Settings()))


def settings(view: View, race: Race) -> View:
    """The widgets of the map's own settings."""
    kind, now = find(view.kind), view.settings(race)
    chosen, numbers = {}, {}
    for choice in kind.choices(race):
        key = f"{KEY}{kind.id}.{choice.name}"
        if st.session_state.get(key) not in choice.options:  # what was chosen in another scene
            st.session_state.pop(key, None)
        names = {option: _(name) for option, name in choice.options.items()}
        chosen[choice.name] = pick(
            _(choice.label), list(names), names, now.choice(choice.name), key, help=_(choice.help)
        )
    for hyper in kind.knobs(race, chosen):
        key = ".".join([f"{KEY}{kind.id}", *chosen.values(), hyper.name])
        numbers[hyper.name] = knob(hyper, float(now.get(hyper.name, hyper.default)), key)
    return replace(view, said=made(kind, Settings({**chosen, **numbers}), race))


def scene(race: Race) -> None:
    """The scene, which is the race's."""
    st.divider()
    race_controls.scene(race)
    projector(race_controls.KEY, race)


def heading(view: View) -> None:
    """What the map shows, and the way to the race."""
    row = st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}heading")
    row.caption(_(find(view.kind).explains), width="stretch")
    if row.button(_("Open in the race"), icon=":material/sprint:", key=f"{KEY}race"):
        st.session_state.notes = []
        st.switch_page("pages/race.py")


def share() -> None:
    """Write scene and map into the address."""
    address.share("maps", to_query(st.session_state.race, st.session_state.view))


def went() -> bool:
    """Has the browser gone back or forth? Then scene and map are those of the address."""
    if "maps.went" not in st.session_state:
        return False
    follow(address.returned("maps", st.session_state.pop("maps.went")))
    return True
