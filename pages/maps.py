"""Maps: from one run to the whole picture. Controls, computation, picture."""

from __future__ import annotations

import streamlit as st

from ui import race_controls, words
from ui.frame import framed
from ui.maps import find
from ui.maps.controls import current, heading, kinds, scene, settings, share, went


def main() -> None:
    view = current()
    race = st.session_state.race = race_controls.read(st.session_state.race)
    view = kinds(view)
    with st.container():
        if notes := st.session_state.get("map_notes"):
            st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    with st.sidebar:
        st.session_state.view = settings(view, race)
        scene(race)
    heading(view)
    picture()
    share()


@st.fragment
def picture() -> None:
    """The map, in a fragment: moving the start on it reruns nothing else."""
    if went():
        st.rerun()
    race, view = st.session_state.race, st.session_state.view
    find(view.kind).show(race, view.settings(race))
    if st.session_state.pop("maps.anew", False):
        st.rerun()


if framed():
    main()
