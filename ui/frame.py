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


def style() -> None:
    """Streamlit's margins, made small: the picture belongs above the fold."""
    st.html(STYLE)
