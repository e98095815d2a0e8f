"""The frame around every page.

A folder named pages/ beside the entry script makes Streamlit run a page's file *without* the entry script when
its address is the first that a new server hears. So each page begins with `if framed():`, which hands such
a run over to app.py; app.py runs the page again, this time within `page_run`.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

from ui.controls import begin, forget
from ui.language import LANGUAGES, _, language

ROOT = Path(__file__).resolve().parent.parent
_within: ContextVar[bool] = ContextVar("within_frame", default=False)

STYLE = """
<style>
[data-testid="stMainBlockContainer"] { padding: 2.6rem 1.4rem 0.5rem; max-width: none; }
[data-testid="stSidebarContent"] [data-testid="stVerticalBlock"] { gap: 0.35rem; }
[data-testid="stSidebarHeader"] { height: 2.2rem; min-height: 0; padding-block: 0.2rem; margin: 0; }
[data-testid="stSidebarUserContent"] { padding: 0 1rem 1.5rem; }
[data-testid="stHeader"] { height: 2.4rem; min-height: 0; }
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] { gap: 0.35rem; }
[data-testid="stSidebar"] [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
[data-testid="stSidebar"] [data-testid="stColumn"] { min-width: 0; }
[data-testid="stDialog"] [data-testid="stVerticalBlock"] { gap: 0.4rem; }
[data-testid="stDialog"] [data-testid="stHorizontalBlock"] { row-gap: 0; }
[data-testid="stDialog"] [data-testid="stBaseButton-tertiary"] { min-height: 0; text-decoration: underline; }
[data-testid="stDialog"] .katex-display { padding-block: 0.4em; overflow: auto hidden; font-size: 0.86em; }
[data-testid="stDialog"] [data-testid="stImage"] img { aspect-ratio: 3 / 2; width: 100%; }
[data-testid="stDialog"] td:nth-child(3) { white-space: nowrap; }
[data-testid="stLayoutWrapper"]:has(> .st-key-language) {
  position: fixed; top: 0.25rem; right: 0.8rem; z-index: 999990; width: auto;
}
.st-key-language button { min-height: 1.9rem; height: 1.9rem; padding: 0 0.55rem; font-size: 0.8rem; }
/* Formulas and sentences with numbers that the stage writes: unseen until it does, and no wider than their column. */
body:not(.descent-filled) [class*="st-key-slots"] { visibility: hidden; }
[class*="st-key-slots"] p, .st-key-claims p { font-size: 0.86rem; }
.st-key-formulas .katex-display { margin: 0; overflow: auto hidden; padding: 0.4rem 0 0.8rem; font-size: 0.9em; }
[class*="st-key-slots"] .katex { font-size: 1rem; }
[class*="st-key-slots"] .katex-display { margin: 0 0 0.6rem; overflow: auto hidden; padding: 0.2rem 0; }
/* What a study says of each runner: as many lines side by side as there is room for. */
.st-key-study_lines { row-gap: 0 !important; }
.st-key-study_lines p, .st-key-study_says p { font-size: 0.9rem; }
.st-key-bench { display: grid; grid-template: auto 1fr / minmax(20rem, 3fr) minmax(0, 7fr); gap: 0.35rem 1.2rem; }
.st-key-bench > :nth-child(2) { grid-area: 1 / 2 / 3 / 3; }
.st-key-bench > * { min-width: 0; }
.st-key-bench_waiting { position: absolute; z-index: 2; }
.st-key-bench_understood { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 0.5rem;
  min-height: 4.2rem; max-height: 16rem; padding: 0.5rem 0.8rem; overflow: auto; justify-content: center; }
.st-key-bench_understood p { font-size: 0.9rem; }
.st-key-bench_understood .katex-display { margin: 0 0 1rem; } /* Streamlit's text ends that much too early */
.st-key-bench_below table { font-size: 0.84rem; margin: 0 0 1rem; }
.st-key-bench_below :is(th, td) { padding: 0.25rem 0.5rem; white-space: nowrap; }
.st-key-bench_below th:last-child { white-space: normal; }
@media (max-width: 900px) { .st-key-bench { display: flex; } }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 2.6rem 0.6rem 1rem; } }
</style>
"""


@contextmanager
def page_run() -> Iterator[None]:
    """Around the router's running of a page."""
    token = _within.set(True)
    try:
        yield
    finally:
        _within.reset(token)


def framed() -> bool:
    """Is this page run by the router? If not, let the router run it, and return False."""
    if _within.get():
        return True
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    return False


WIDGETS = ("race.", "scope.", "plan.", "map.", "search.", "build.", "catalogue.")  # of all widgets


def language_switch() -> None:
    """The choice of the language, on every page in the same place."""
    begin("language_widget", language())

    def switch() -> None:
        st.session_state.language = st.session_state.language_widget
        # A browser names a choice by its label; labels in another language are of other widgets.
        for key in WIDGETS:
            forget(key)

    with st.container(key="language"):
        st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            key="language_widget",
            format_func=lambda i: LANGUAGES[i],
            required=True,
            on_change=switch,
            label_visibility="collapsed",
        )


def style() -> None:
    """Streamlit's margins, made small: the picture belongs above the fold."""
    st.html(STYLE)
