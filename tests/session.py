"""Sessions of the app for tests, run by Streamlit's AppTest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.stage_message import unpack

ROOT = Path(__file__).resolve().parent.parent


def opened(page: str = "", context: dict[str, Any] | None = None, script: str = "app.py", **query: str) -> AppTest:
    """A new session at this address of a page; of the default page if none is named."""
    session = AppTest.from_file(ROOT / script, default_timeout=60)
    if page:
        session.switch_page(f"pages/{page}.py")
    session.query_params.update(query)
    session.context.update(context or {})
    return settled(session.run())


def settled(session: AppTest) -> AppTest:
    """The same session, which nothing went wrong in."""
    assert not session.exception, [e.value for e in session.exception]
    assert not session.error
    return session


def stage(session: AppTest) -> Any:
    """What the browser is sent to draw."""
    (component,) = session.get("bidi_component")
    return unpack(component.proto.bytes)
