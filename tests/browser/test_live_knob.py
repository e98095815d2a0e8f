"""The live knob as its users meet it: everything follows the handle, nobody is asked, and letting go is exact."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tools.race_page import RacePage

CHINESE = re.compile("[\u4e00-\u9fff]")
TWO = "/?landscape=ellipse&o1=sgd&o1.learning_rate=0.02&o2=adam&o2.learning_rate=0.1&steps=200"
PICTURES = ("contour", "surface", "loss")


@pytest.fixture
def open_race(new_page: Callable[..., Any], app_url: str) -> Callable[..., RacePage]:
    """Call it with an address ("/?...") for a race in a fresh browser profile; options as for `new_page`."""

    def open_it(address: str = TWO, **options: Any) -> RacePage:
        return RacePage(new_page(**options)).open(f"{app_url}{address}")

    return open_it


def at(race: RacePage, share: float) -> tuple[float, float]:
    """Where on the screen the live slider's handle is at a share of its length."""
    box = race.live.bounding_box()
    assert box
    return box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2


def grab(race: RacePage) -> None:
    """Press the mouse on the handle, once its stops are there."""
    here, last = float(race.live.input_value()), float(race.live.get_attribute("max") or 1)
    race.page.mouse.move(*at(race, here / last))
    race.wait_live()
    race.page.mouse.down()


def let_go(race: RacePage) -> None:
    """Release the mouse, and wait for the exact runs, the address and the sidebar."""
    before, address = race.draws, race.page.evaluate("location.search")
    race.page.mouse.up()
    race.wait_draws(before)
    race.wait("location.search !== argument", address)
    race.settle()
    race.wait("stage.dataset.ready === 'all'")


def colours(race: RacePage, name: str) -> np.ndarray:
    """A picture as people see it, (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(race.picture(name).screenshot())).convert("RGB"), float)


def test_everything_follows_the_handle_and_nobody_is_asked(open_race: Callable[..., RacePage]):
    race = open_race()
    assert race.stage.locator(".live select").input_value() == "factor", "all learning rates at first"
    race.choose_live("0.sgd.learning_rate")
    expect(race.live).to_have_attribute("aria-label", re.compile("Learning rate.*SGD"))
    expect(race.live).to_have_attribute("aria-valuetext", "0.02")
    grab(race)
    race.page.wait_for_timeout(500)
    heard, said = race.received, race.sent
    seen = [{name: race.ink(name) for name in PICTURES} | {"table": race.table.inner_text()}]
    for share in (0.5, 0.62, 0.68, 0.75):
        before = int(race.says("previews") or 0)
        race.page.mouse.move(*at(race, share), steps=4)
        race.wait("Number(stage.dataset.previews) > argument", before)
        seen.append({name: race.ink(name) for name in PICTURES} | {"table": race.table.inner_text()})
    for part in (*PICTURES, "table"):
        assert len({now[part] for now in seen}) == len(seen), f"{part} does not follow"
    assert (race.received, race.sent) == (heard, said), "the server heard of it"

    value, dragged = race.live.get_attribute("aria-valuetext") or "", seen[-1]
    let_go(race)
    assert float(race.query()["o1.learning_rate"]) == float(value) > 0.02
    expect(race.slider("0.sgd.learning_rate")).to_have_attribute("aria-valuetext", value)
    expect(race.live).to_have_attribute("aria-valuetext", value)
    exact = open_race(race.page.url[race.page.url.index("/?") :])
    assert exact.table.inner_text() == race.table.inner_text()
    assert exact.ink() == race.ink(), "the runs themselves are shown again"
    verdicts = [re.split(r"\t", row)[3:] for row in (dragged["table"], race.table.inner_text())]
    assert verdicts[0] == verdicts[1]

    race.page.go_back()
    race.wait("new URLSearchParams(location.search).get('o1.learning_rate') === '0.02'")
    expect(race.slider("0.sgd.learning_rate")).to_have_attribute("aria-valuetext", "0.02")
    expect(race.live).to_have_attribute("aria-valuetext", "0.02")


def test_nothing_jumps_when_it_is_let_go(open_race: Callable[..., RacePage]):
    """Of a knob that moves the surface, too: what was drawn while dragging looks like what is then computed."""
    race = open_race()
    race.choose_live("ellipse.theta")
    before = {name: colours(race, name) for name in PICTURES}
    grab(race)
    race.page.mouse.move(*at(race, 0.33), steps=5)
    race.page.wait_for_timeout(2_500)  # the perspective follows when the knob rests
    dragged = {name: colours(race, name) for name in PICTURES}
    let_go(race)
    assert float(race.query()["theta"]) == pytest.approx(30, abs=1)
    expect(race.slider("ellipse.theta")).to_have_attribute("aria-valuetext", race.query()["theta"])
    for name in PICTURES:
        after = colours(race, name)
        moved, jumped = (np.abs(other - after).mean() for other in (before[name], dragged[name]))
        assert jumped < min(moved / 3, 6), f"{name}: {jumped:.2f} beside {moved:.2f}"


def test_all_learning_rates_at_once(open_race: Callable[..., RacePage]):
    race = open_race()
    grab(race)
    race.page.mouse.move(*at(race, 0.65), steps=3)
    value = float((race.live.get_attribute("aria-valuetext") or "").removeprefix("× "))
    assert value > 1
    let_go(race)
    rates = [float(race.query()[f"o{n}.learning_rate"]) for n in (1, 2)]
    assert rates == pytest.approx([0.02 * value, 0.1 * value], rel=1e-3)
    expect(race.slider("1.adam.learning_rate")).to_have_attribute("aria-valuetext", f"{rates[1]:.4g}")
    expect(race.live).to_have_attribute("aria-valuetext", "× 1")


def test_keys_move_it_and_escape_takes_it_back(open_race: Callable[..., RacePage]):
    race = open_race()
    race.choose_live("1.adam.learning_rate")
    race.live.focus()
    table, draws = race.table.inner_text(), race.draws
    race.live.press("ArrowRight")
    race.wait("stage.dataset.previews === '1'")
    assert race.table.inner_text() != table
    race.live.press("Escape")
    race.wait("Number(stage.dataset.draws) > argument", draws)
    assert race.table.inner_text() == table
    expect(race.live).to_have_attribute("aria-valuetext", "0.1")
    race.page.wait_for_timeout(600)
    assert race.query()["o2.learning_rate"] == "0.1"

    race.wait_live()
    draws = race.draws
    for _ in range(3):
        race.live.press("ArrowRight")
    race.wait_draws(draws)
    race.wait("new URLSearchParams(location.search).get('o2.learning_rate') === '0.2'")
    expect(race.live).to_be_focused()
    assert race.step == 200, "the keys are the knob's"


def test_without_a_line_of_its_own_it_asks_through_streamlit(new_page: Callable[..., Any], app_url: str):
    page = new_page()
    page.problems.allow(r"WebSocket")
    page.add_init_script(
        "const Real = WebSocket; window.WebSocket = class extends Real {"
        " constructor(url, ...more) { super(String(url).replace('/ask/', '/nowhere/'), ...more); } };"
    )
    race = RacePage(page).open(f"{app_url}{TWO}")
    race.choose_live("0.sgd.learning_rate")
    table = race.table.inner_text()
    grab(race)
    race.page.mouse.move(*at(race, 0.7), steps=3)
    race.wait("Number(stage.dataset.previews) > 0")
    assert race.table.inner_text() != table
    let_go(race)
    assert float(race.query()["o1.learning_rate"]) > 0.02


def test_on_a_phone_in_chinese_in_the_dark(open_race: Callable[..., RacePage]):
    race = open_race(
        f"{TWO}&lang=zh", viewport={"width": 400, "height": 800}, color_scheme="dark", locale="zh-CN", has_touch=True
    )
    expect(race.live).to_have_attribute("aria-label", CHINESE)
    expect(race.stage.locator(".live label span")).to_have_text("实时")
    assert race.page.evaluate("document.documentElement.scrollWidth") <= 400
    race.live.scroll_into_view_if_needed()
    race.page.touchscreen.tap(*at(race, 0.7))
    race.wait("new URLSearchParams(location.search).get('o1.learning_rate') !== '0.02'")
    assert float(race.query()["o1.learning_rate"]) > 0.02


def test_where_nobody_runs_there_is_nothing_to_turn(open_race: Callable[..., RacePage]):
    race = open_race("/?landscape=ellipse&o1=none")
    expect(race.stage.locator(".live")).to_be_hidden()
