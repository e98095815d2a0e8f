"""The router: page list, language, theme. Nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from ui.frame import ROOT, language_switch, page_run, style
from ui.language import _, choose_language
from ui.race_controls import DEFAULT
from ui.runner import warm_up
from ui.stage import desk, wire


def main() -> None:
    """One run of a session."""
    st.set_page_config(page_title="Descent Lab", page_icon="⛰️", layout="wide", initial_sidebar_state="auto")
    warm_up(DEFAULT)
    choose_language()
    style()
    st.logo(ROOT / "ui" / "logo.svg", size="large")
    race = ROOT / "pages" / "race.py"
    pages = [
        # The default page lives at / only and still keeps its name from others, so it gives its name away: /race
        # leads to the same file.
        st.Page(race, title=_("Race"), icon=":material/sprint:", default=True, url_path="home"),
        st.Page(race, title=_("Race"), url_path="race", visibility="hidden"),
        st.Page(ROOT / "pages" / "microscope.py", title=_("Microscope"), icon=":material/biotech:"),
        st.Page(ROOT / "pages" / "schedules.py", title=_("Schedules"), icon=":material/trending_down:"),
        st.Page(ROOT / "pages" / "maps.py", title=_("Maps"), icon=":material/map:"),
        st.Page(ROOT / "pages" / "search.py", title=_("Knob search"), icon=":material/tune:"),
        st.Page(ROOT / "pages" / "build.py", title=_("Build"), icon=":material/construction:"),
        st.Page(ROOT / "pages" / "catalogue.py", title=_("Catalogue"), icon=":material/grid_view:"),
    ]
    page = st.navigation(pages, position="top")
    language_switch()
    with page_run():
        page.run()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """From the server's start to its end: the first race is compiled while the first browser is on its way."""
    warm_up(DEFAULT)
    yield


if __name__ == "__main__":
    main()
else:  # `streamlit run` looks for an `App` in this module, and serves it; its sessions run the file as a script
    app = st.App(__file__, lifespan=lifespan, routes=[wire.route, desk.route])
