"""The maps as their users meet them: pointing, clicking, keys, both themes, in Chinese, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tools.race_page import RacePage

PROBES = r"/maps/_stcore/(health|host-config)\b|status of 404"  # Streamlit looks for itself there first
BASINS = "?landscape=himmelblau&o1=sgd&o2=adam&o2.learning_rate=0.1&steps=100"
KNOBS = "?map=knobs&landscape=ellipse&o1=momentum&steps=100"


@pytest.fixture
def open_maps(new_page: Callable[..., Any], app_url: str) -> Callable[..., RacePage]:
    """Open the maps at an address; options are those of `new_page`."""

    def open_at(query: str, **options: Any) -> RacePage:
        page = new_page(**options)
        page.problems.allow(PROBES)
        return RacePage(page).open(f"{app_url}/maps{query}")

    return open_at


def canvas(maps: RacePage, number: int = 0) -> Locator:
    """What moves on a map, and takes the pointer."""
    return maps.stage.locator(".map canvas:last-child").nth(number)


def rest(maps: RacePage, number: int = 0) -> str:
    """What rests on a map, every pixel."""
    return maps.stage.locator(".map canvas:first-child").nth(number).evaluate("canvas => canvas.toDataURL()")


def at(maps: RacePage, x: float, y: float, number: int = 0) -> tuple[float, float]:
    """A point of a map on the screen, in shares from the left and from the top."""
    box = canvas(maps, number).bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_pointing_reads_a_map_and_a_click_starts_the_runs_there_and_in_the_race(open_maps: Callable[..., RacePage]):
    maps = open_maps(BASINS)
    said = maps.stage.locator(".said")
    maps.page.mouse.move(*at(maps, 0.75, 0.3))
    expect(said).to_have_text(re.compile(r"SGD: from \(2\.\d+, [12]\.?\d*\) – global minimum \(3, 2\)"))
    maps.page.mouse.move(*at(maps, 0.3, 0.3, 1))
    expect(said).to_have_text(re.compile(r"Adam: from \(-[23]\.\d+, [12]\.?\d*\) – global minimum \(-2\.805, 3\.131\)"))

    before, drawn, resting = maps.draws, maps.received, rest(maps)
    maps.page.mouse.click(*at(maps, 0.3, 0.3))
    maps.wait_draws(before)
    maps.wait("new URLSearchParams(location.search).get('x') !== null")
    maps.settle()
    x, y = (float(maps.query()[axis]) for axis in "xy")
    assert -3.5 < x < -1.5 and 1 < y < 3
    assert maps.received - drawn < 40_000, "the maps are not sent again"
    assert rest(maps) == resting

    maps.page.get_by_role("button", name="Open in the race").first.click()
    maps.page.wait_for_selector(".descent-stage:not(.maps)[data-ready=all]")
    maps.settle()
    assert [float(maps.query()[axis]) for axis in "xy"] == [x, y]
    expect(maps.table).to_contain_text("global minimum (-2.805, 3.131)")


def test_keys_do_what_the_pointer_does(open_maps: Callable[..., RacePage]):
    maps = open_maps(BASINS)
    canvas(maps).focus()
    for _ in range(3):
        maps.page.keyboard.press("Shift+ArrowLeft")
    expect(maps.stage.locator(".said")).to_contain_text("SGD: from (-3.6, 0)")
    before = maps.draws
    maps.page.keyboard.press("Enter")
    maps.wait_draws(before)
    maps.wait("new URLSearchParams(location.search).get('x') === '-3.6'")


def test_a_click_on_a_knob_map_sets_both_knobs(open_maps: Callable[..., RacePage]):
    maps = open_maps(KNOBS)
    before = maps.draws
    maps.page.mouse.move(*at(maps, 0.5, 0.5))
    expect(maps.stage.locator(".said")).to_contain_text(re.compile(r"α = 0\.0\d+, ρ = 0\.[45]\d* – loss"))
    maps.page.mouse.click(*at(maps, 0.5, 0.5))
    maps.wait_draws(before)
    maps.wait("new URLSearchParams(location.search).get('o1.momentum') !== null")
    maps.settle()
    assert 0.4 < float(maps.query()["o1.momentum"]) < 0.65
    assert 0.01 < float(maps.query()["o1.learning_rate"]) < 0.1


def test_the_theme_repaints_the_maps(open_maps: Callable[..., RacePage]):
    maps = open_maps(BASINS, color_scheme="dark")
    dark = rest(maps)
    maps.page.emulate_media(color_scheme="light")
    maps.page.wait_for_function(
        "(dark) => document.querySelector('.map canvas').toDataURL() !== dark && document.querySelector('.said')",
        arg=dark,
    )


def test_on_a_phone_in_chinese_nothing_is_wider_than_the_screen(open_maps: Callable[..., RacePage]):
    maps = open_maps(BASINS, viewport={"width": 400, "height": 800}, locale="zh-CN")
    expect(maps.stage.locator(".said")).to_have_text("把指针移到图上即可读数。")
    assert maps.page.evaluate("document.documentElement.scrollWidth") <= 400
    for number in (0, 1):
        box = canvas(maps, number).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 400 and box["height"] > 250


def test_choices_and_the_back_button(open_maps: Callable[..., RacePage]):
    maps = open_maps(BASINS)
    maps.page.get_by_role("radio", name="Knobs").click()
    maps.wait("new URLSearchParams(location.search).get('map') === 'knobs'")
    maps.settle()
    maps.page.go_back()
    maps.page.wait_for_selector(".descent-stage.maps figure:nth-child(2)")
    maps.wait("new URLSearchParams(location.search).get('map') === null")
