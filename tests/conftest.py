"""What all tests share: one compilation cache, and browser tests last."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

BROWSER_TESTS = Path(__file__).parent / "browser"

# Apart from the user's, shared by AppTest and the server of the browser tests, and still warm next time.
_user = os.getuid() if hasattr(os, "getuid") else 0
os.environ.setdefault("DESCENT_CACHE_DIR", str(Path(tempfile.gettempdir(), f"descent-lab-tests-{_user}")))


def pytest_configure() -> None:
    """Compiling is most of what the tests do: keep it on disk, as the app does. And let busy machines be slow."""
    from descent.compilation import keep_compilations

    keep_compilations()
    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in browser/, and run them last: they are slow, and Playwright's event loop, once started,
    keeps running in this thread, where ``asyncio.run`` would trip over it."""
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker("browser")
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
