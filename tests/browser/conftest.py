"""The real app, started once, and a real Chromium that watches for errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

from tools.app_server import Server, serve
from tools.chromium import ARGUMENTS, find_chromium

SCREEN = {"width": 1400, "height": 900}
FAILED = pytest.StashKey[bool]()
PATIENCE_MS = 30_000  # for the first compilation on two busy cores; what is late is measured in benchmarks/


class Problems(list[str]):
    """What went wrong in a page: errors on the console, uncaught exceptions, failed requests."""

    def __init__(self) -> None:
        super().__init__()
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect problems that match the regular expression ``pattern``, before or after this call."""
        self._allowed.append(pattern)

    def unexpected(self) -> list[str]:
        """The problems that no allowed pattern matches."""
        return [problem for problem in self if not any(re.search(pattern, problem) for pattern in self._allowed)]

    def watch(self, page: Page) -> None:
        """Write down from now on what goes wrong in ``page``."""

        def failed(request: Request) -> None:
            if request.failure != "net::ERR_ABORTED":  # the page was left, or a video or download took over
                self.append(f"request failed: {request.url}: {request.failure}")

        def answered(response: Response) -> None:
            if response.status >= 400:
                self.append(f"status {response.status}: {response.url}")

        page.on("console", lambda m: self.append(f"console: {m.text} ({m.location})") if m.type == "error" else None)
        page.on("pageerror", lambda error: self.append(f"uncaught: {error}"))
        page.on("requestfailed", failed)
        page.on("response", answered)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know at their end whether the test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The running app; a traceback in its log fails the session at the end, even if no page showed it."""
    with serve(tmp_path_factory.mktemp("server") / "log.txt") as running:
        yield running
    tracebacks = running.tracebacks()
    if tracebacks:
        pytest.fail(f"the server logged an error:\n{tracebacks}", pytrace=False)


@pytest.fixture(scope="session")
def app_url(server: Server) -> str:
    """Where the app is, without a slash at the end."""
    return server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    path = find_chromium()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Call it for a page in a fresh browser profile; options are those of ``Browser.new_context``, such as
    ``locale="zh-CN"``, ``color_scheme="dark"``, ``viewport={"width": 400, "height": 800}``.

    ``page.problems`` collects what goes wrong; the test fails if anything did that ``page.problems.allow`` did not
    expect. Of a failed test a screenshot of each page stays in build/failed/.
    """
    pages: list[Any] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": SCREEN, "locale": "en-US"} | options)
        context.set_default_timeout(PATIENCE_MS)
        page: Any = context.new_page()
        page.problems = Problems()
        page.problems.watch(page)
        pages.append(page)
        return page

    yield open_page
    for number, page in enumerate(pages):
        if request.node.stash.get(FAILED, False):
            page.screenshot(path=request.config.rootpath / "build" / "failed" / f"{request.node.name}-{number}.png")
        page.context.close()
    unexpected = [problem for page in pages for problem in page.problems.unexpected()]
    assert not unexpected, "the browser saw problems:\n" + "\n".join(unexpected)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page at 1400×900 in English; see `new_page` for others and for ``page.problems``."""
    return new_page()
