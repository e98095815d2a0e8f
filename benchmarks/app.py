"""The app beside the barest Streamlit app that does something like it, in the same browser on the same machine."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import streamlit as st
from playwright.sync_api import Browser, Page, sync_playwright
from streamlit.testing.v1 import AppTest

from benchmarks.table import Row
from landscapes import LANDSCAPES
from tools.app_server import ROOT, serve
from tools.chromium import ARGUMENTS, find_chromium
from tools.race_page import IDLE, RacePage
from ui import stage

ROUNDS = 15
REST = 500  # milliseconds
SIX = (
    "?landscape=rosenbrock&steps=500&o1=sgd&o1.learning_rate=0.001&o2=momentum&o2.learning_rate=0.001"
    "&o3=nesterov&o3.learning_rate=0.001&o4=rmsprop&o5=adam&o5.learning_rate=0.05&o6=adamw&o6.learning_rate=0.05"
)
SLIDERS = {"4.adam.learning_rate": "a learning rate", "steps": "the steps", "rosenbrock.b": "the landscape's knob"}
ELSEWHERE = ("Beale", "Himmelblau", "Ackley", "Monkey saddle", "Rastrigin")

BARE_SLIDER = """
import streamlit as st
st.write(f"it is {st.slider('a number', 0, 100, 50)}")
"""
BARE_CONTOUR = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st
x, y = np.meshgrid(np.linspace(-2, 2, 101), np.linspace(-1, 3, 101))
st.plotly_chart(go.Figure(go.Contour(z=np.log((1 - x) ** 2 + 100 * (y - x**2) ** 2 + 1))))
"""
# Milliseconds from the last thing that the user did to the first change of `what`, on the browser's own clock.
STOPWATCH = """(what) => {
    let from = null;
    const seen = () => document.querySelector(what.selector)?.[what.property ?? "textContent"];
    const value = () => what.data ? document.querySelector(what.selector)?.dataset[what.data] : seen();
    window.took = null;
    let before = value();
    for (const kind of ["keydown", "pointerup"]) {
        addEventListener(kind, () => ([from, window.took, before] = [performance.now(), null, value()]), true);
    }
    new MutationObserver(() => {
        if (from !== null && window.took === null && value() !== before) window.took = performance.now() - from;
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""
DRAWN = {"selector": ".descent-stage", "data": "paths"}
RESTS = "stage.dataset.ready === 'all' && stage.dataset.draws === stage.dataset.paths"
TEXT = {"selector": "[data-testid=stMarkdown] p"}
SAID = "document.querySelector('[data-testid=stSpinner]')"


def rows() -> Iterator[Row]:
    """All of them."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        os.environ["DESCENT_CACHE_DIR"] = str(folder / "cache")  # empty at first, and not the user's
        yield from another_landscape(folder, browser)
        yield from slider(folder, browser)
        yield from playing(folder, browser)
        yield from dragging(folder, browser)
        yield from starting(folder, browser)
        yield from catalogue(folder, browser)
        yield from server_time()
        yield from memory()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """A page in a fresh profile."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-US").new_page()
    page.set_default_timeout(60_000)
    return page


def wait_took(page: Page) -> float:
    """What the stopwatch says, once it has stopped and the server is done."""
    page.wait_for_function("window.took !== null")
    page.wait_for_selector(IDLE, state="attached")
    return page.evaluate("window.took")


def bare(folder: Path, name: str, source: str) -> Path:
    """The script of a bare app."""
    script = folder / name
    script.write_text(source)
    return script


# ---- sliders -----------------------------------------------------------------------------------------------------


def slider(folder: Path, browser: Browser) -> Iterator[Row]:
    """From a key on a slider to changed paths, and what was sent for that."""
    script = bare(folder, "slider.py", BARE_SLIDER)
    with serve(folder / "log.txt") as ours, serve(folder / "log.txt", script) as theirs:
        race, peer = RacePage(new_page(browser)).open(f"{ours.url}/{SIX}"), new_page(browser)
        peer.goto(theirs.url)
        peer.wait_for_selector(TEXT["selector"])
        race.page.evaluate(STOPWATCH, DRAWN)
        peer.evaluate(STOPWATCH, TEXT)
        most = 0
        for key, name in SLIDERS.items():
            times, peers = [], []
            for turn in range(ROUNDS + 2):
                arrow = "ArrowLeft" if turn % 2 else "ArrowRight"
                before = race.received
                for page, handle, found in (
                    (race.page, race.slider(key), times),
                    (peer, peer.get_by_role("slider"), peers),
                ):
                    page.bring_to_front()
                    page.wait_for_timeout(REST)  # a page that comes to the front is painted anew
                    handle.press(arrow)
                    found.append(wait_took(page))
                    race.wait(RESTS)  # what is still drawn of one must not slow the next
                most = max(most, race.received - before)
            ratio = statistics.median(a / b for a, b in zip(times[2:], peers[2:], strict=True))
            a, b = statistics.median(times[2:]), statistics.median(peers[2:])
            yield Row(f"{name} → changed paths", a, "ms", b, "bare slider → text", ratio, at_most=1.5)
        yield Row("sent for a slider's move, at most", most / 1000, "kB", at_most=64)
        for page in (race.page, peer):
            page.context.close()


def session() -> AppTest:
    """The page in this process, with 6 optimizers."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params.update(pair.split("=") for pair in SIX[1:].split("&"))
    return app.run()


def server_time() -> Iterator[Row]:
    """From the beginning of a rerun to the call of the component, 6 optimizers × 500 steps."""
    begun, called = [], []
    configure, component = st.set_page_config, stage._component

    def beginning(*args: object, **options: object) -> None:
        begun.append(time.perf_counter())
        configure(*args, **options)  # type: ignore[arg-type]

    def calling(kind: str) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            called.append(time.perf_counter())
            return component(kind)(*args, **options)

        return call

    st.set_page_config, stage._component = beginning, calling  # type: ignore[assignment]
    try:
        app = session()
        times = []
        for turn in range(2 * ROUNDS):
            slider = app.select_slider(key="race.4.adam.learning_rate")
            slider.set_value(float(slider.options[turn])).run()
            times.append((called[-1] - begun[-1]) * 1e3)
        assert not app.exception and len(called) == len(begun) == 2 * ROUNDS + 1
    finally:
        st.set_page_config, stage._component = configure, component
    yield Row("rerun → component call, on the server", statistics.median(times), "ms", at_most=30)


# ---- pictures ----------------------------------------------------------------------------------------------------


def another_landscape(folder: Path, browser: Browser) -> Iterator[Row]:
    """From the click on a landscape to its picture with 6 optimizers: the first time ever, and after a restart."""
    said, times = [], []
    for limit, name in ((5_000, "first ever"), (1_500, "compiled before")):
        times.clear()
        with serve(folder / "log.txt") as server:
            race = RacePage(new_page(browser)).open(f"{server.url}/{SIX}")
            race.page.evaluate(STOPWATCH, DRAWN)
            race.page.evaluate(
                f"""() => {{
                    let from = performance.now();
                    window.said = null;
                    addEventListener("pointerup", () => ([from, window.said] = [performance.now(), null]), true);
                    const look = () => {{ if (!window.said && {SAID}) window.said = performance.now() - from; }};
                    new MutationObserver(look).observe(document.body, {{ subtree: true, childList: true }});
                }}"""
            )
            for landscape in ELSEWHERE:
                box = race.widget("landscape").get_by_role("combobox")
                box.click()
                box.fill(landscape)
                race.page.get_by_role("option").filter(has_text=landscape).first.click()
                times.append(wait_took(race.page))
                if (after := race.page.evaluate("window.said")) is not None and name == "first ever":
                    said.append(after)
            race.page.context.close()
        if name == "first ever":
            yield Row("another landscape, first ever → a word", max(said, default=1e9), "ms", at_most=1_000)
        yield Row(f"another landscape, {name} → picture", statistics.median(times), "ms", at_most=limit)


def starting(folder: Path, browser: Browser, rounds: int = 3) -> Iterator[Row]:
    """From the start of the server to the first picture, not for the first time."""
    script = bare(folder, "contour.py", BARE_CONTOUR)
    times, peers = [], []
    for _ in range(rounds):
        for app, sign, found in (
            (ROOT / "app.py", ".descent-stage[data-ready]", times),
            (script, ".js-plotly-plot .contourlayer path", peers),
        ):
            page, begin = new_page(browser), time.perf_counter()
            with serve(folder / "log.txt", app) as server:
                page.goto(server.url)
                page.wait_for_selector(sign, state="attached")
                found.append(time.perf_counter() - begin)
            page.context.close()
    ratio = statistics.median(a / b for a, b in zip(times, peers, strict=True))
    a, b = statistics.median(times), statistics.median(peers)
    yield Row("second start → first picture", a, "s", b, "bare page, one contour", ratio, at_most=2)


FRAMES = """canvas => {
    const ctx = canvas.getContext("2d");
    canvas.frames = new Set();
    const clear = ctx.clearRect;
    ctx.clearRect = (...box) => {
        canvas.frames.add(document.timeline.currentTime);
        clear.apply(ctx, box);
    };
}"""
RATE = """canvas => {
    const times = [...canvas.frames].sort((a, b) => a - b);
    return (times.length - 1) / (times.at(-1) - times[0]) * 1000;
}"""
# To and fro over all stops, one more in each frame, for four seconds.
DRAG = """async (input) => {
    const begun = performance.now(), last = Number(input.max);
    for (let k = 0; performance.now() < begun + 4000; k++) {
        await new Promise(requestAnimationFrame);
        input.value = Math.abs((k % (2 * last)) - last);
        input.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""
LIVE = {"factor": "all learning rates", "rosenbrock.b": "the landscape's knob"}


def playing(folder: Path, browser: Browser) -> Iterator[Row]:
    """Drawn frames a second of the contour and the curves while 500 steps of 6 optimizers play."""
    with serve(folder / "log.txt") as server:
        race = RacePage(new_page(browser)).open(f"{server.url}/{SIX}")
        for name in ("contour", "loss"):
            race.canvas(name).evaluate(FRAMES)
        race.do("play").click()
        race.wait("stage.dataset.playing === 'true'")
        race.wait("stage.dataset.playing === 'false'")
        rates = [race.canvas(name).evaluate(RATE) for name in ("contour", "loss")]
        assert race.step == 500
        race.page.context.close()
    yield Row("playing 500 steps of 6, frames drawn", min(rates), "a second", at_least=20)


def dragging(folder: Path, browser: Browser) -> Iterator[Row]:
    """The live knob with 500 steps of 6 optimizers: how soon it can be dragged, what that takes, and how it goes."""
    with serve(folder / "log.txt") as server:
        for knob, name in LIVE.items():
            race = RacePage(new_page(browser)).open(f"{server.url}/{SIX}")
            race.page.wait_for_timeout(REST)
            before, begun = race.received, time.perf_counter()
            race.choose_live(knob)
            wait, there, both = time.perf_counter() - begun, race.received, race.received + race.sent
            for picture in ("contour", "loss"):
                race.canvas(picture).evaluate(FRAMES)
            race.live.evaluate(DRAG)
            rate = min(race.canvas(picture).evaluate(RATE) for picture in ("contour", "loss"))
            yield Row(f"live, {name}: until it can be dragged", wait, "s", at_most=1.5)
            yield Row(f"live, {name}: sent for that", (there - before) / 1000, "kB", at_most=400)
            yield Row(f"live, {name}: frames drawn", rate, "a second", at_least=20)
            said = race.received + race.sent - both
            yield Row(f"live, {name}: said by either side meanwhile", said, "bytes", at_most=0)
            race.page.context.close()


def catalogue(folder: Path, browser: Browser, rounds: int = 5) -> Iterator[Row]:
    """From the call of the catalogue to its cards, in a browser that was never there; then what a search sends."""
    texts, stamps, received = [], [], 0
    with serve(folder / "log.txt") as server:
        for _ in range(rounds + 1):
            page, begin = new_page(browser), time.perf_counter()
            race = RacePage(page)
            page.goto(f"{server.url}/catalogue")
            page.wait_for_selector(".descent-gallery article")
            texts.append(time.perf_counter() - begin)
            page.wait_for_selector(".descent-thumbnails[data-missing='0']", state="attached")
            stamps.append(time.perf_counter() - begin)
            race.settle()
            before = race.received
            page.get_by_placeholder("Name").fill("a")
            page.wait_for_function("location.search.includes('search=a')")
            race.settle()
            received = race.received - before
            page.context.close()
    yield Row("catalogue, warm → first paint", statistics.median(texts[1:]), "s", at_most=2)
    yield Row("catalogue, warm → all thumbnails", statistics.median(stamps[1:]), "s", at_most=4)
    yield Row("sent for a search in the catalogue", received / 1000, "kB", at_most=64)


# ---- memory ------------------------------------------------------------------------------------------------------

MOVES = 1_800  # one every other second, for an hour


def memory() -> Iterator[Row]:
    """How much the memory of a server grows in an hour of random moves of the page's controls."""
    command = [sys.executable, "-c", "from benchmarks.app import hour; hour()"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    warm, end = json.loads(ran.stdout.splitlines()[-1])
    name = f"memory after {MOVES:,} random moves"
    yield Row(name, end / 1e6, "MB", warm / 1e6, "after warm-up", end / warm, at_most=1.05)


def hour() -> None:
    """Print the memory of this process in bytes, after a warm-up and after an hour's moves."""
    app, dice = session(), random.Random(0)
    landscapes = app.selectbox(key="race.landscape").options

    def elsewhere(landscape: str) -> None:
        app.selectbox(key="race.landscape").set_value(landscape).run()

    def move() -> None:
        if dice.random() < 0.05:
            return elsewhere(dice.choice(list(LANDSCAPES)))
        slider = dice.choice([*app.select_slider, *app.slider])
        if slider.type == "select_slider":
            value = float(dice.choice(slider.options))
        else:
            value = type(slider.value)(dice.uniform(slider.min, slider.max))
        slider.set_value(value).run()
        assert not app.exception, slider.key
        return None

    def rest() -> int:
        return psutil.Process().memory_info().rss

    assert len(landscapes) == len(LANDSCAPES)
    for landscape in LANDSCAPES:
        elsewhere(landscape)
    for _ in range(MOVES // 2):  # by then the caches are full, and the oldest programs make way for new ones
        move()
    warm = rest()
    for _ in range(MOVES):
        move()
    print(json.dumps([warm, rest()]))
