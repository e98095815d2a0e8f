"""The catalogue's controls, and its view in the session and in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from descent.landscape import TAGS
from ui import address
from ui.catalogue import FAMILIES, ITEMS, LONGEST, SHOWN, Browse, built, from_address, opened, to_address
from ui.controls import begin
from ui.language import _

KEY = "catalogue."  # of every widget here
GALLERY = "gallery"  # key of the cards


def current() -> Browse:
    """The session's view. Who comes to the page reads it from the URL, if that says anything."""
    if f"{KEY}show" not in st.session_state:  # the widgets of a page that was left are forgotten
        query = address.asked("catalogue")
        if query or "catalogue" not in st.session_state:
            follow(query)
    return st.session_state.catalogue


def follow(query: Mapping[str, str]) -> None:
    """Take the view from a URL's query."""
    browse, st.session_state.catalogue_notes = from_address(query)
    put(browse)


def put(browse: Browse) -> None:
    """Make ``browse`` the session's view, whatever the widgets say."""
    st.session_state.catalogue = browse
    for name, value in (("show", browse.show), ("search", browse.search), ("tag", browse.tag or None)):
        st.session_state[f"{KEY}{name}"] = value
    st.session_state[f"{KEY}family.{browse.show}"] = browse.family or None


def share() -> None:
    """Write the session's view into the address."""
    address.share("catalogue", to_address(st.session_state.catalogue))


def look_at(item: str) -> None:
    """Open an item's card, or close it."""
    browse = st.session_state.catalogue
    if item and opened(browse, item).show != browse.show:
        put(opened(browse, item))
    st.session_state.catalogue = opened(browse, item)


def clicked() -> None:
    """A card was clicked: it opens, or, if it is a formula's, the page where that is built."""
    item = st.session_state[GALLERY].open
    if item in ITEMS:
        look_at(item)
    elif item:
        st.session_state.catalogue_build = built(st.session_state.catalogue, item)


def went() -> None:
    """The browser went back or forth."""
    follow(address.returned("catalogue", st.session_state[GALLERY].address))


def controls(browse: Browse) -> Browse:
    """Which half, what to search for, which tag and which family; returns the view as it now stands."""

    def other_half() -> None:
        chosen = st.session_state[f"{KEY}show"]
        put(Browse(chosen, st.session_state.catalogue.search))

    names = {key: _(name) for key, name in SHOWN.items()}
    families = {family.id: _(family.name) for family in FAMILIES[browse.show]}
    half, words, of = st.columns([1.1, 2, 1], vertical_alignment="bottom")
    with half:
        begin(f"{KEY}show", browse.show)
        st.segmented_control(
            _("Show"),
            list(SHOWN),
            key=f"{KEY}show",
            format_func=lambda i: names[i],
            required=True,
            on_change=other_half,
            label_visibility="collapsed",
        )
    with words:
        begin(f"{KEY}search", browse.search)
        search = st.text_input(
            _("Search"),
            key=f"{KEY}search",
            type="search",
            live=True,
            max_chars=LONGEST,
            icon=":material/search:",
            placeholder=_("Name, idea, author, year …"),
            label_visibility="collapsed",
        )
    with of:
        key = f"{KEY}family.{browse.show}"
        begin(key, browse.family or None)
        family = st.selectbox(
            _("Family"),
            list(families),
            key=key,
            format_func=lambda i: families[i],
            placeholder=_("All families"),
            label_visibility="collapsed",
        )
    tag = None
    if browse.show == "landscapes":
        tags = {key: _(name) for key, name in TAGS.items()}
        begin(f"{KEY}tag", browse.tag or None)
        tag = st.pills(
            _("Tag"), list(tags), key=f"{KEY}tag", format_func=lambda i: tags[i], label_visibility="collapsed"
        )
    return replace(browse, search=search or "", tag=tag or "", family=family or "")
