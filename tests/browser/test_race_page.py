"""The race page as its users meet it: a mouse, a keyboard, links, files, a phone, two tabs, a lost connection."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from lessons.situations import SITUATIONS
from optimizers import OPTIMIZERS
from tools.app_server import ROOT, free_port, serve
from tools.race_page import RacePage

MOST_BYTES = 64_000  # that a slider may make the server send
CHINESE = re.compile("[\u4e00-\u9fff]")
SIX = (
    "/?landscape=rosenbrock&o1=sgd&o1.learning_rate=0.001&o2=momentum&o2.learning_rate=0.001"
    "&o3=nesterov&o3.learning_rate=0.001&o4=rmsprop&o5=adam&o5.learning_rate=0.05&o6=adamw&o6.learning_rate=0.05"
)
TWO = "/?landscape=ellipse&o1=sgd&o1.learning_rate=0.02&o2=adam&o2.learning_rate=0.1&steps=200"

# Streamlit looks for itself below the page's own address first. It does so in every app that has more than one page.
PROBES = r"/race/_stcore/(health|host-config)\b"


@pytest.fixture
def open_race(new_page: Callable[..., Any], app_url: str) -> Callable[..., RacePage]:
    """Call it with an address ("/?...") for a race in a fresh browser profile; options as for `new_page`."""

    def open_it(address: str = "/", **options: Any) -> RacePage:
        return RacePage(new_page(**options)).open(f"{app_url}{address}")

    return open_it


def start(race: RacePage) -> tuple[float, float]:
    """The start point in the sidebar."""
    x, y = (float(race.widget(axis).locator("input").input_value()) for axis in "xy")
    return x, y


def middle(locator: Locator) -> tuple[float, float]:
    """Where on the screen the middle of an element is."""
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def switch(race: RacePage, language: str) -> None:
    """Choose a language."""
    before = race.draws
    race.page.get_by_text(language, exact=True).click()
    race.wait_draws(before)


def brightness(colour: str) -> float:
    """Of a CSS colour as browsers compute it, or #rrggbb: 0 is black, 1 is white."""
    if colour.startswith("#"):
        return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) / 3 / 255
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3 / 255


# ---- arriving --------------------------------------------------------------------------------------------------------


def test_the_first_page_shows_a_race_above_the_fold(open_race: Callable[..., RacePage]):
    race = open_race()
    assert race.query()["landscape"] == "rosenbrock"
    expect(race.table.locator("tr")).to_have_count(4)
    foot = race.stage.bounding_box()
    assert foot and foot["y"] + foot["height"] <= 900
    drawn = race.ink()
    race.do("first").click()
    race.wait_step(0)
    assert race.ink() != drawn

    # For those who do not see it.
    for name in ("contour", "surface", "loss"):
        canvas = race.canvas(name)
        expect(canvas).to_have_role("img")
        expect(canvas).to_have_attribute("aria-label", re.compile(r"\w+ .*Adam|perspective"))
    controls = race.page.locator("body").aria_snapshot()
    nameless = re.findall(
        r"^ *- (?:button|slider|spinbutton|combobox|switch|checkbox|textbox)(?: \[.*\])?:?$", controls, re.M
    )
    assert not nameless, f"{len(nameless)} controls have no name: {nameless}"


SOCKETS = """
    const all = [];
    window.WebSocket = class extends WebSocket { constructor(...about) { super(...about); all.push(this); } };
    window.sockets = (name) => all.filter((socket) => socket.url.includes(name));
"""


def test_pictures_come_through_a_wire_of_their_own_and_through_streamlit_without_it(
    new_page: Callable[..., Any], app_url: str
):
    page = new_page()
    page.add_init_script(SOCKETS)
    race = RacePage(page).open(f"{app_url}{TWO}")
    page.wait_for_function("sockets('/wire/').length === 1 && sockets('/wire/')[0].readyState === 1")
    page.evaluate("sockets('/wire/')[0].addEventListener('message', () => (window.heard = true))")
    for wired in (True, False):
        if not wired:
            page.evaluate("window.heard = false; sockets('/wire/')[0].close()")
            page.wait_for_function("sockets('/wire/')[0].readyState === 3")
        ink = race.ink()
        race.press("0.sgd.learning_rate", "ArrowRight")
        assert race.ink() != ink
        assert bool(page.evaluate("window.heard")) == wired
    page.wait_for_function("sockets('/wire/').length === 2 && sockets('/wire/')[1].readyState === 1")


def test_a_cold_deep_link_and_a_lost_connection_show_the_same_race(new_page: Callable[..., Any], tmp_path: Path):
    """The link is the first thing that its server ever hears; later that server is replaced by another."""
    port, log = free_port(), tmp_path / "log.txt"
    page = new_page()
    page.problems.allow(PROBES)
    page.add_init_script(SOCKETS)
    race = RacePage(page)
    with serve(log, port=port) as server:
        race.open(f"{server.url}/race?landscape=beale&o1=adam&o1.learning_rate=0.05&steps=300&x=2&y=1.5")
        expect(race.sidebar).to_be_visible()
        assert race.clock.inner_text() == "step 300 / 300"
        race.press("0.adam.learning_rate", "ArrowRight")
        expect(race.sidebar).to_be_visible()
        expect(race.widget("0.adam.learning_rate")).to_be_visible()
        assert not page.get_by_test_id("stSidebarNav").count(), "Streamlit's own menu of pages/ is there"

        page.evaluate("window.old = sockets('stream').at(-1); old.close()")
        page.wait_for_function("sockets('stream').at(-1) !== old && sockets('stream').at(-1).readyState === 1")
        race.settle()
        race.press("0.adam.learning_rate", "ArrowRight")
        asked, seen, ink = race.query(), race.table.inner_text(), race.ink()
        assert asked["o1.learning_rate"] != "0.05"
        page.problems.allow(
            r"ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|WebSocket connection to|not responding|No response"
        )

    page.wait_for_selector("[data-test-connection-state]:not([data-test-connection-state=CONNECTED])", state="attached")
    with serve(log, port=port) as server:
        race.settle()
        race.wait("stage.dataset.ready === 'all'")
        expect(race.table).to_have_text(re.compile(re.escape(seen.split("\t")[0])))
        assert (race.query(), race.table.inner_text()) == (asked, seen)
        assert race.ink() == ink
        # The new server knows the address only: the first move tells it that there is a page at all.
        race.press("0.adam.learning_rate", "ArrowLeft")
        race.press("0.adam.learning_rate", "ArrowLeft")
        assert float(race.query()["o1.learning_rate"]) < float(asked["o1.learning_rate"])
        assert not server.tracebacks()


def test_a_copied_link_shows_the_same_race(open_race: Callable[..., RacePage]):
    here = open_race(TWO)
    here.press("0.sgd.learning_rate", "ArrowRight")
    here.choose("landscape", "Himmelblau")
    here.press("steps", "ArrowRight", "ArrowRight")
    here.stage.locator(".scrub").fill("120")
    here.wait("new URLSearchParams(location.search).get('step') === '120'")
    address = here.page.url
    there = open_race(address[address.index("/?") :])
    assert there.query() == here.query()
    assert there.step == 120
    assert there.table.inner_text() == here.table.inner_text()
    assert there.ink() == here.ink()
    assert "Himmelblau" in there.widget("landscape").get_by_role("combobox").input_value()


# ---- sliders ---------------------------------------------------------------------------------------------------------


def test_a_slider_moves_the_paths_with_few_bytes(open_race: Callable[..., RacePage]):
    """Of 6 optimizers × 500 steps. The surface in the browser stays, with its camera and zoom."""
    race = open_race(SIX)
    for key in ("4.adam.learning_rate", "steps", "rosenbrock.b", "4.adam.learning_rate"):
        for where in ("contour", "loss"):
            before, heard = race.ink(where), race.received
            race.press(key, "ArrowRight")
            assert race.ink(where) != before, f"{key} moved and the paths in {where} did not"
            assert 1_000 < race.received - heard <= MOST_BYTES, f"{key}: {race.received - heard} bytes"


def test_camera_and_zoom_survive(open_race: Callable[..., RacePage]):
    race = open_race("/?landscape=rosenbrock&o1=momentum&o1.learning_rate=0.001")
    eye = "stage.querySelector('.surface .plot')._fullLayout.scene._scene.getCamera().eye"
    ranges = "['xaxis', 'yaxis'].map((a) => stage.querySelector('.contour .plot')._fullLayout[a].range)"
    # Plotly's own arithmetic moves the last digits.
    view = f"[...Object.values({eye}), ...{ranges}.flat()].map((value) => value.toFixed(6)).join()"

    def changed(before: str) -> str:
        race.wait(f"{view} !== argument", before)
        while (now := race.stage.evaluate(f"stage => {view}")) != before:  # it comes to rest
            before = now
            race.page.wait_for_timeout(300)  # Plotly ends a zoom by the wheel a moment after its last turn
        return now

    whole = race.stage.evaluate(f"stage => {view}")
    x, y = middle(race.picture("surface"))
    race.page.mouse.move(x, y)
    race.page.mouse.down()
    race.page.mouse.move(x + 60, y + 15, steps=4)
    turned = changed(whole)  # Plotly keeps the view that it has when the button is let go, not what is on its way
    race.page.mouse.up()
    race.page.mouse.move(*race.in_plot("contour", 0.3, 0.6))
    race.page.mouse.wheel(0, -120)
    zoomed = changed(turned)

    keys = ("0.momentum.learning_rate", "steps", "rosenbrock.b")
    for move in [*(lambda key=key: race.press(key, "ArrowLeft") for key in keys), lambda: switch(race, "中文")]:
        move()
        race.wait("stage.dataset.ready === 'all'")
        assert race.stage.evaluate(f"stage => {view}") == zoomed
    race.choose("landscape", "Beale")
    assert race.stage.evaluate(f"stage => {ranges}") == [[-4.5, 4.5], [-4.5, 4.5]], "another landscape is shown whole"


def test_the_browsers_back_button_undoes(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    states = [(race.table.inner_text(), race.query())]
    race.press("0.sgd.learning_rate", "ArrowRight")
    states.append((race.table.inner_text(), race.query()))
    assert states[0] != states[1]
    for go, (table, query) in ((race.page.go_back, states[0]), (race.page.go_forward, states[1])):
        go()
        expect(race.table).to_have_text(table, use_inner_text=True, timeout=30_000)
        race.settle()
        assert race.query() == query


# ---- the start point -------------------------------------------------------------------------------------------------


def test_the_start_is_dragged_clicked_and_moved_by_keys(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    mouse, seen = race.page.mouse, race.ink()
    before = race.draws
    mouse.move(*middle(race.ring))
    mouse.down()
    for share in (0.3, 0.4, 0.5):
        mouse.move(*race.in_plot("contour", share, 0.75), steps=3)
        # The paths follow while the button is down.
        race.wait("stage.querySelector('.contour > canvas').toDataURL() !== argument", seen)
        seen = race.ink()
    assert race.draws >= before + 3
    mouse.up()
    expect(race.widget("x").locator("input")).to_have_value(re.compile(r"^-?0?\.?0\d*|0$"))
    race.settle()
    assert start(race) == pytest.approx((0, 2), abs=0.05)
    assert (float(race.query()["x"]), float(race.query()["y"])) == pytest.approx((0, 2), abs=0.05)

    before = race.draws
    mouse.click(*race.in_plot("contour", 0.875, 0.25))
    race.wait_draws(before)
    expect(race.widget("x").locator("input")).to_have_value(re.compile("^(2.9|3)"))
    race.settle()
    assert start(race) == pytest.approx((3, -2), abs=0.05)
    assert float(race.query()["x"]) == start(race)[0]
    assert middle(race.ring) == pytest.approx(race.in_plot("contour", 0.875, 0.25), abs=2)

    (x, y), at_rest = start(race), race.ink()
    race.ring.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        race.page.keyboard.press(key)
    expect(race.widget("y").locator("input")).not_to_have_value(f"{y:g}")
    race.wait("new URLSearchParams(location.search).get('y') !== argument", f"{y:g}")
    race.settle()
    assert start(race) == pytest.approx((x - 0.08, y + 0.16), abs=1e-3)
    assert race.ink() != at_rest
    expect(race.ring).to_be_focused()

    race.widget("x").locator("input").fill("-1")
    before = race.draws
    race.page.keyboard.press("Enter")
    race.wait_draws(before)
    assert float(race.query()["x"]) == -1
    assert middle(race.ring)[0] == pytest.approx(race.in_plot("contour", 0.375, 0)[0], abs=2)


# ---- the transport ---------------------------------------------------------------------------------------------------


def test_playing_needs_no_server_and_ends_at_the_end(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    race.page.wait_for_timeout(500)  # whatever the page still says when it has just been opened is not about playing
    heard, said = race.received, race.sent
    assert race.step == 200 and not race.playing
    end = race.ink()
    race.do("play").click()
    race.wait("stage.dataset.playing === 'true' && Number(stage.dataset.step) < 100")
    assert race.ink() != end
    for speed in ("2×", "4×"):
        race.do("speed").click()
        expect(race.do("speed")).to_have_text(speed)
    race.wait("stage.dataset.playing === 'false'")
    assert race.step == 200
    assert race.clock.inner_text() == "step 200 / 200"

    race.do("loop").click()
    expect(race.do("loop")).to_have_attribute("aria-pressed", "true")
    race.do("play").click()
    race.wait("Number(stage.dataset.step) > 150")
    race.wait("Number(stage.dataset.step) < 100")
    assert race.playing, "repeats"
    race.do("play").click()
    race.wait("stage.dataset.playing === 'false'")
    assert race.step < 200
    assert (race.received, race.sent) == (heard, said), "the server heard of it"


def test_every_way_to_a_step(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    race.do("first").click()
    race.do("last").click()
    race.wait_step(200)
    end = race.ink(), race.ink("surface"), race.ink("loss"), race.table.inner_text()
    for action, step in (
        ("first", 0),
        ("on", 1),
        ("on", 2),
        ("back", 1),
        ("back", 0),
        ("back", 0),
        ("last", 200),
        ("on", 200),
    ):
        race.do(action).click()
        race.wait_step(step)
    # A button that was clicked keeps the focus, and does not keep the keys.
    steps = (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 200), ("ArrowLeft", 199))
    for key, step in steps:
        race.page.keyboard.press(key)
        race.wait_step(step)
    race.page.evaluate("document.activeElement.blur()")
    race.page.keyboard.press("Home")
    race.page.keyboard.press(" ")
    race.wait("stage.dataset.playing === 'true'")
    race.page.keyboard.press(" ")
    race.wait("stage.dataset.playing === 'false'")

    scrub = race.stage.locator(".scrub")
    scrub.fill("50")
    race.wait_step(50)
    scrub.press("ArrowRight")
    race.wait_step(51)
    expect(scrub).to_have_attribute("aria-valuetext", "step 51 / 200")
    at_51 = race.ink(), race.table.inner_text()

    race.page.mouse.move(*race.in_plot("loss", 0.5, 0.5))
    race.wait_step(100)
    assert race.clock.inner_text() == "step 100 / 200"
    assert race.ink() != at_51[0] and race.table.inner_text() != at_51[1]
    race.page.mouse.move(*middle(race.sidebar))
    race.wait_step(51)
    assert (race.ink(), race.table.inner_text()) == at_51, "as before the pointer came"

    race.page.mouse.click(*race.in_plot("loss", 0.75, 0.5))
    race.page.mouse.move(*middle(race.sidebar))
    race.wait_step(150)
    race.do("last").click()
    race.wait_step(200)
    assert (race.ink(), race.ink("surface"), race.ink("loss"), race.table.inner_text()) == end


# ---- words and looks -------------------------------------------------------------------------------------------------


def test_chinese_by_switch_by_link_and_by_browser(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    switch(race, "中文")
    for text in (
        race.widget("landscape").locator("label").inner_text(),
        race.stage.locator("thead").inner_text(),
        race.do("play").get_attribute("aria-label") or "",
        race.clock.inner_text(),
        race.canvas("contour").get_attribute("aria-label") or "",
    ):
        assert CHINESE.search(text), text
    assert race.query()["lang"] == "zh"
    race.press("0.sgd.learning_rate", "ArrowRight")
    assert CHINESE.search(race.clock.inner_text()), "it stays"
    address, seen = race.page.url, race.table.inner_text()
    race.open(address)
    assert race.table.inner_text() == seen


def test_a_dark_chinese_browser_gets_a_dark_chinese_page(open_race: Callable[..., RacePage]):
    race = open_race(TWO, color_scheme="dark", locale="zh-CN")
    assert CHINESE.search(race.clock.inner_text())
    assert "lang" not in race.query(), "what the browser prefers need not be said"

    body = race.page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert brightness(body) < 0.2
    assert brightness(race.table.evaluate("e => getComputedStyle(e).color")) > 0.7
    axis = "e => e.querySelector('.plot')._fullLayout.xaxis.color"
    assert brightness(race.picture("contour").evaluate(axis)) > 0.7
    # The curves' own paper: what lies in the middle of the top of the loss picture.
    x, y = race.in_plot("loss", 0.52, 0.97)
    pixel = Image.open(io.BytesIO(race.page.screenshot())).convert("RGB").getpixel((int(x), int(y)))
    assert isinstance(pixel, tuple) and sum(pixel) / 3 < 60

    race.page.emulate_media(color_scheme="light")
    race.page.wait_for_function(
        "getComputedStyle(document.querySelector('.stApp')).backgroundColor === 'rgb(255, 255, 255)'"
    )
    race.press("0.sgd.learning_rate", "ArrowRight")
    assert brightness(race.picture("contour").evaluate(axis)) < 0.3, "the pictures follow"


def test_at_400_pixels_the_contour_comes_first(open_race: Callable[..., RacePage]):
    race = open_race(TWO, viewport={"width": 400, "height": 800}, has_touch=True)
    width = race.page.evaluate("Math.max(document.scrollingElement.scrollWidth, document.body.scrollWidth)")
    assert width <= 400
    tops = [middle(race.picture(name))[1] for name in ("contour", "surface", "loss")]
    assert tops == sorted(tops) and tops[0] < 400
    for name in ("contour", "surface", "loss"):
        box = race.picture(name).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400
    before = race.draws
    race.page.touchscreen.tap(*race.in_plot("contour", 0.25, 0.25))
    race.wait_draws(before)
    race.page.wait_for_url(re.compile(r"[?&]x=-(2|1\.9)"))


# ---- what is asked for -----------------------------------------------------------------------------------------------


def test_a_preset_is_one_click_and_says_what_to_look_for(open_race: Callable[..., RacePage]):
    race = open_race(TWO)
    race.stage.evaluate("stage => (stage.mark = true)")
    situation = next(s for s in SITUATIONS if s.id == "cliff")
    sentence = race.page.get_by_text(situation.look_for[:40])
    race.choose("situation", situation.name)
    expect(sentence).to_be_visible()
    race.page.wait_for_url(re.compile("[?&]situation=cliff"))
    assert race.query()["landscape"] == "cliff"
    expect(race.table.locator("tr")).to_have_count(len(situation.runs))
    race.choose("landscape", "Beale")
    expect(sentence).to_have_count(0)
    assert race.stage.evaluate("stage => stage.mark"), "the sentence must not make the pictures anew, camera and all"
    race.choose("landscape", "Booth")
    race.page.wait_for_url(re.compile("[?&]landscape=booth"))
    assert "situation" not in race.query(), "a preset that was left must not come back"


def test_unusual_races_are_shown_and_what_was_ignored_is_named(open_race: Callable[..., RacePage], app_url: str):
    race = open_race("/?landscape=atlantis&steps=1e99&x=nan&noise=-3&o1=adam&o1.learning_rate=fast&o2=warp&unheard=of")
    warning = race.page.get_by_test_id("stAlert")
    expect(warning).to_have_count(1)
    for name in ("landscape", "steps", "x", "noise", "fast", "warp", "unheard"):
        expect(warning).to_contain_text(name)
    expect(race.table.locator("tr")).to_have_count(1)
    race.press("steps", "ArrowLeft")
    assert race.query()["steps"] == "499"

    race.open(f"{app_url}/?landscape=rosenbrock&o1=sgd&o1.learning_rate=1&o2=adam&o2.learning_rate=0.05")
    expect(race.table.locator("tr").first).to_contain_text("diverged at step")
    expect(race.table.locator("tr").first).to_contain_text("✕")
    expect(race.table.locator("tr").last).not_to_contain_text("✕")

    race.open(f"{app_url}/?o1=none")
    expect(race.table).to_contain_text("Nobody is running")
    assert race.query()["o1"] == "none"
    race.do("play").click()
    race.choose("add", "Adam")
    expect(race.table.locator("tr")).to_have_count(1)
    expect(race.table).to_contain_text("Adam")

    race.open(f"{app_url}/?landscape=ellipse&o1=sgd&x=40&y=3&steps=50")
    expect(race.page.get_by_text("lies outside the plot")).to_be_visible()
    expect(race.table.locator("tr")).to_have_count(1)


def test_averaging_methods_and_matrices_have_a_word_of_their_own(open_race: Callable[..., RacePage]):
    """Two markers need a legend; what leaves the slice that is drawn has a column that says how far."""
    usual = open_race(TWO)
    expect(usual.stage.locator(".legend")).to_be_hidden()
    expect(usual.stage.locator("thead")).not_to_contain_text("off the slice")
    averaging = open_race("/?landscape=rosenbrock&o1=polyak_average&o2=sgd")
    expect(averaging.stage.locator(".legend")).to_contain_text("Hollow markers")
    matrix = open_race("/?situation=matrix")
    expect(matrix.stage.locator("thead th").last).to_have_text("off the slice")
    far = [float(text) for text in matrix.table.locator("td:last-child").all_text_contents()]
    assert far[0] > 0.3 > max(far[1:])


def test_ten_optimizers_for_five_thousand_steps(open_race: Callable[..., RacePage]):
    race = open_race(
        "/?landscape=ellipse&steps=5000&" + "&".join(f"o{k}={name}" for k, name in enumerate(list(OPTIMIZERS)[:10], 1))
    )
    expect(race.table.locator("tr")).to_have_count(10)
    assert race.step == 5000
    ink = race.ink()
    race.do("first").click()
    race.wait_step(0)
    assert race.ink() != ink


# ---- taking it away --------------------------------------------------------------------------------------------------


def test_exports(open_race: Callable[..., RacePage], new_page: Callable[..., Any], tmp_path: Path):
    race = open_race(TWO)
    seen = race.table.inner_text()
    race.page.get_by_role("button", name="Export").click()

    def save(name: str) -> Path:
        with race.page.expect_download() as download:
            race.page.get_by_role("button", name=name).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    rows = list(csv.DictReader(io.StringIO(save("CSV").read_text())))
    assert len(rows) == 2 * 201 and {row["runner"] for row in rows} == {"SGD", "Adam"}
    assert float(rows[0]["x"]) == pytest.approx(start(race)[0])
    final = {row["runner"]: float(row["loss"]) for row in rows if row["step"] == "200"}

    specs = json.loads((file := save("JSON")).read_text())
    assert [spec["optimizer"] for spec in specs] == ["sgd", "adam"]

    script = save("Python")
    ran = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for loss in final.values():
        assert any(float(number) == pytest.approx(loss, rel=1e-5) for number in _numbers(ran.stdout)), ran.stdout

    alone = RacePage(new_page(offline=True))
    alone.page.goto(save("HTML").as_uri())
    alone.wait("stage?.dataset.ready === 'all'")
    assert alone.table.inner_text() == seen
    ink = alone.ink()
    alone.do("speed").click()
    alone.do("speed").click()
    alone.do("play").click()
    alone.wait("Number(stage.dataset.step) < 150")
    assert alone.ink() != ink
    alone.wait("stage.dataset.playing === 'false'")
    assert alone.ink() == ink

    race.page.keyboard.press("Escape")
    with race.page.expect_download() as download:
        race.do("png").click()
    download.value.save_as(tmp_path / "race.png")
    picture = Image.open(tmp_path / "race.png")
    assert picture.format == "PNG" and picture.width > 1000 and picture.height > 700
    assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 1000

    # And back again.
    other = open_race("/?landscape=beale&o1=lion")
    other.page.get_by_text("Open a race from a file").click()
    before = other.draws
    other.page.locator("input[type=file]").set_input_files(file)
    other.wait_draws(before)
    other.wait("stage.querySelectorAll('tbody tr').length === 2")
    assert other.table.inner_text() == seen
    assert other.ink() == race.ink()


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def test_two_tabs_share_nothing(open_race: Callable[..., RacePage], app_url: str):
    one = open_race(TWO)
    page = one.page.context.new_page()
    two = RacePage(page).open(f"{app_url}/?landscape=himmelblau&o1=momentum")
    address, seen, ink = two.page.url, two.table.inner_text(), two.ink()
    one.press("0.sgd.learning_rate", "ArrowRight")
    one.choose("landscape", "Beale")
    two.press("steps", "ArrowRight")
    two.press("steps", "ArrowLeft")
    assert (two.page.url, two.table.inner_text()) == (address, seen)
    assert two.ink() == ink
    assert one.query()["landscape"] == "beale" and one.query()["o2"] == "adam"
