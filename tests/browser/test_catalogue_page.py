"""The catalogue in a real browser: cards, tree, search, opened cards, and links into the race."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tools.race_page import IDLE, RacePage

# Streamlit looks for itself below the page's own address first. It does so in every app that has more than one page.
PROBES = r"/(catalogue|race)/_stcore/(health|host-config)\b"
ALL_THERE = ".descent-thumbnails[data-missing='0']"


@pytest.fixture
def open_catalogue(new_page: Callable[..., Any], app_url: str) -> Callable[..., Page]:
    """Call it with a query ("?...") for a catalogue in a fresh browser profile; options as for `new_page`."""

    def open_page(query: str = "", **options: Any) -> Page:
        page = new_page(**options)
        page.problems.allow(PROBES)
        page.goto(f"{app_url}/catalogue{query}")
        page.wait_for_selector(".descent-gallery[data-ready]")
        page.wait_for_selector(IDLE, state="attached")
        return page

    return open_page


def query(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.evaluate("location.href")).query))


def cards(page: Page) -> Any:
    return page.locator(".descent-gallery article")


def drawer(page: Page) -> Any:
    return page.get_by_role("dialog")


def test_searching_opening_and_following_a_link_into_the_race(open_catalogue: Callable[..., Page]):
    page = open_catalogue()
    expect(cards(page)).to_have_count(len(LANDSCAPES))
    page.wait_for_selector(ALL_THERE, state="attached")
    stamps = page.locator(".descent-gallery .stamp").evaluate_all(
        "all => all.map(stamp => getComputedStyle(stamp).backgroundImage.startsWith('url(\"data:image/png'))"
    )
    assert len(stamps) == len(LANDSCAPES) and all(stamps)

    page.get_by_placeholder("Name, idea").fill("valley bend")
    expect(cards(page)).to_have_count(1)
    expect(cards(page)).to_contain_text("Rosenbrock")
    page.wait_for_function("location.search.includes('search=valley')")

    cards(page).locator(".open").click()
    expect(drawer(page)).to_contain_text("automatic method")
    expect(drawer(page)).to_contain_text("(1, 1): 0")
    expect(drawer(page).locator(".katex").first).to_be_visible()
    page.wait_for_function("location.search.includes('item=rosenbrock')")
    page.keyboard.press("Escape")
    expect(drawer(page)).to_have_count(0)
    page.wait_for_function("!location.search.includes('item')")
    expect(cards(page)).to_have_count(1)

    cards(page).locator(".race").click()
    page.wait_for_selector(".descent-stage[data-ready=all]")
    race = RacePage(page).settle()
    assert race.query()["landscape"] == "rosenbrock" and race.query()["o1"] == "sgd"
    assert not page.get_by_role("alert").count()
    page.go_back()
    expect(cards(page)).to_have_count(1)


def test_the_way_to_the_race_and_back_keeps_the_view(open_catalogue: Callable[..., Page]):
    """Within one session: the pages' own links."""
    page = open_catalogue("?show=optimizers&search=nesterov")
    found = cards(page).count()
    assert 1 < found < len(OPTIMIZERS)
    for _ in range(2):
        page.get_by_role("link", name="Race", exact=True).click()
        page.wait_for_selector(".descent-stage[data-ready=all]")
        page.get_by_role("link", name="Catalogue").click()
        expect(cards(page)).to_have_count(found)
    expect(page.get_by_placeholder("Name, idea")).to_have_value("nesterov")
    page.wait_for_function("location.search.includes('search=nesterov')")


def test_thumbnails_follow_the_theme(open_catalogue: Callable[..., Page]):
    page = open_catalogue()
    page.wait_for_selector(ALL_THERE, state="attached")
    stamp = page.locator(".descent-gallery .stamp").first
    picture = "stamp => getComputedStyle(stamp).backgroundImage"
    light = stamp.evaluate(picture)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".descent-gallery[data-dark]")).to_have_count(1)
    page.wait_for_function(
        "before => { const now = getComputedStyle(document.querySelector('.stamp')).backgroundImage;"
        " return now !== before && now !== 'none'; }",
        arg=light,
    )
    page.wait_for_selector(ALL_THERE, state="attached")


def test_the_tree_leads_from_a_rule_to_its_relatives(open_catalogue: Callable[..., Page]):
    page = open_catalogue("?show=optimizers")
    rows = page.locator(".descent-gallery .tree li")
    expect(rows).to_have_count(len(OPTIMIZERS))
    boxes = rows.locator("a").evaluate_all("all => all.map(a => [a.scrollWidth, a.clientWidth])")
    assert all(needed <= room for needed, room in boxes), "a row of the tree is cut off"
    lines = page.locator(".tree li a").evaluate_all(
        "all => all.map(a => { const { left, top } = a.getBoundingClientRect(); return [left, top]; })"
    )
    assert len({round(top) for _, top in lines}) == len(OPTIMIZERS)

    row = page.locator(".tree li[data-id=adamw] a")
    row.hover()
    lit = page.locator(".tree li.lit").evaluate_all("all => all.map(row => row.dataset.id)")
    assert lit == ["sgd", "adagrad", "rmsprop", "adam", "adam_l2", "adamw"]
    row.click()
    expect(drawer(page)).to_contain_text("Loshchilov")
    drawer(page).get_by_role("button", name="LAMB").click()
    expect(drawer(page)).to_contain_text("76 minutes")
    assert query(page) == {"item": "lamb"}
    page.go_back()
    expect(drawer(page)).to_contain_text("Decoupled Weight Decay")
    page.go_back()
    expect(drawer(page)).to_have_count(0)
    expect(rows).to_have_count(len(OPTIMIZERS))


def test_a_deep_link_opens_a_card_in_the_language_and_theme_of_the_reader(open_catalogue: Callable[..., Page]):
    page = open_catalogue("?item=himmelblau", locale="zh-CN", color_scheme="dark")
    expect(drawer(page)).to_contain_text("最小值")
    expect(page.locator(".descent-gallery[data-dark]")).to_have_count(1)
    assert drawer(page).locator("a", has_text="竞速").get_attribute("href").startswith("race?landscape=himmelblau")


@pytest.mark.parametrize("address", ["", "?show=optimizers", "?item=shampoo", "?item=goldstein_price"])
def test_nothing_is_cut_off_on_a_phone(open_catalogue: Callable[..., Page], address: str):
    page = open_catalogue(address, viewport={"width": 400, "height": 800})
    if "item" in address:
        expect(drawer(page)).to_contain_text(re.compile("Reference"))
    wide = "all => Math.max(...all.map(e => e.scrollWidth - e.clientWidth))"
    for place in ("html", "[data-testid=stMain]", "[role=dialog]"):
        assert page.locator(f"{place}, html").evaluate_all(wide) <= 0, place
