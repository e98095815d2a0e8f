"""The catalogue: every landscape and every optimizer. Controls, cards, the opened card."""

from __future__ import annotations

import streamlit as st

from ui import build_stage, catalogue_card, gallery, words
from ui.catalogue import ITEMS
from ui.catalogue_controls import GALLERY, clicked, controls, current, look_at, share, went
from ui.frame import ROOT, framed
from ui.language import _


def main() -> None:
    if asked := st.session_state.pop("catalogue_build", None):
        build_stage.take(asked)
        st.switch_page(ROOT / "pages" / "build.py")
    browse = current()
    st.session_state.catalogue_drawn = browse.show, browse.item
    browsing()
    if browse.show == "landscapes":
        st.fragment(gallery.thumbnails)("thumbnails")
    if item := browse.item:
        width = catalogue_card.WIDE
        st.dialog(_(ITEMS[item].name), width=width, position="right", on_dismiss=lambda: look_at(""))(card)(item)


@st.fragment
def browsing() -> None:
    """Controls and cards, in a fragment: searching reruns nothing else."""
    before = st.session_state.catalogue
    browse = st.session_state.catalogue = controls(before)
    share()
    if browse != before:
        st.session_state.catalogue_notes = []
    if notes := st.session_state.get("catalogue_notes"):
        st.warning("  \n".join(words.note(n) for n in notes), icon=":material/info:")
    gallery.show(GALLERY, browse, clicked, went)
    if (browse.show, browse.item) != st.session_state.catalogue_drawn or "catalogue_build" in st.session_state:
        st.rerun()


def card(item: str) -> None:
    """The opened card."""
    if relative := catalogue_card.show(ITEMS[item]):
        look_at(relative)
        st.rerun()


if framed():
    main()
