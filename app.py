"""The router: page list, language, theme. Nothing else."""

from __future__ import annotations

import streamlit as st

from ui.frame import ROOT, page_run, style
from ui.language import _, choose_language


def main() -> None:
    st.set_page_config(page_title="Descent Lab", page_icon="⛰️", layout="wide", initial_sidebar_state="auto")
    choose_language()
    style()
    race = st.Page(ROOT / "pages" / "race.py", title=_("Race"), icon=":material/sprint:", default=True)
    page = st.navigation([race], position="top")
    with page_run():
        page.run()


if __name__ == "__main__":
    main()
