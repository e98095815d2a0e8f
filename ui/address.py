"""The address of a page: what it shows is written there when it changes, and read when somebody comes by a link.

An address alone is not the state: a run that was asked for before the browser had heard of the last change still
has the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import streamlit as st

from ui.language import spoken
from ui.race import IGNORED


def asked(page: str) -> dict[str, str]:
    """What the address asks a page to show."""
    return _taken(page, st.query_params.to_dict())


def returned(page: str, address: object) -> dict[str, str]:
    """What the address asks for to which the browser's back or forward button led."""
    return _taken(page, dict(parse_qsl(str(address).removeprefix("?"))))


def asked_step() -> int | None:
    """The step in the address, which is the one shown; None where that is the usual one."""
    step = st.query_params.get("step", "")
    return int(step) if step.isdecimal() and len(step) < 6 else None


def share(page: str, query: Mapping[str, str]) -> None:
    """Write what a page shows into the address when it has changed, or when the address has nothing of it: it was
    another page's. The step stays, which the stage writes on its own."""
    here = st.query_params.to_dict()
    told = {**query, **spoken()}
    if told != st.session_state.get(_last(page)) or (query and not query.keys() & here.keys()):
        st.session_state[_last(page)] = told
        st.query_params.from_dict(told | ({"step": here["step"]} if "step" in here else {}))


def shared(page: str) -> dict[str, str]:
    """What the address says of a page: it wrote that, or was asked for it."""
    return _shown(st.session_state.get(_last(page), {}))


def _taken(page: str, query: Mapping[str, str]) -> dict[str, str]:
    st.session_state[_last(page)] = {key: value for key, value in query.items() if key != "step"}
    return _shown(query)


def _last(page: str) -> str:
    return f"{page}.address"


def _shown(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key not in IGNORED}
