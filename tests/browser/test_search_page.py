"""The search page in a real browser: pictures, lessons, the address, and what other screens and themes make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tools.race_page import IDLE

# Streamlit looks for itself below the page's own address first. It does so in every app that has more than one page.
PROBES = r"/search/_stcore/(health|host-config)\b"
READY = ".descent-stage[data-ready=all]"
LAYOUTS = ["grid", "random", "sobol", "expected", "chances"]


@pytest.fixture
def open_search(new_page: Callable[..., Any], app_url: str) -> Callable[..., Page]:
    """Call it with a query ("?...") for a search in a fresh browser profile; options as for `new_page`."""

    def open_page(query: str = "", **options: Any) -> Page:
        page = new_page(**options)
        page.problems.allow(PROBES)
        page.goto(f"{app_url}/search{query}")
        return settled(page)

    return open_page


def settled(page: Page) -> Page:
    page.wait_for_selector(READY)
    page.wait_for_selector(IDLE, state="attached")
    return page


def query(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.evaluate("location.href")).query))


def names(page: Page) -> list[str]:
    return page.locator(".plate").evaluate_all("all => all.map(plate => plate.dataset.picture)")


def trials(page: Page, name: str) -> list[list[float]]:
    """The places of a layout's trials, as they are drawn."""
    find = "([name]) => document.querySelector(`[data-picture=${name}] .plot`).data.filter(t => t.text).at(-1)"
    return page.evaluate(f"(name) => {{ const t = ({find})([name]); return [[...t.x], [...t.y]]; }}", name)


def test_the_pictures_are_above_the_fold_and_another_seed_moves_random_trials_only(open_search: Callable[..., Page]):
    page = open_search()
    assert names(page) == LAYOUTS
    for name in LAYOUTS[:3]:
        box = page.locator(f"[data-picture={name}]").bounding_box()
        assert box and box["y"] + box["height"] < 900 and box["width"] > 250
    assert len(set(trials(page, "grid")[0])) == 3 and len(set(trials(page, "random")[0])) == 9
    expect(page.locator("table").first).to_contain_text("Random")
    before = {name: trials(page, name) for name in LAYOUTS[:3]}
    seed = int(query(page)["seed"])
    page.get_by_role("button", name="Another seed").click()
    page.wait_for_function(f"location.search.includes('seed={seed + 1}')")
    settled(page)
    page.wait_for_function(
        "(x) => document.querySelector('[data-picture=random] .plot').data.filter(t => t.text).at(-1).x[0] !== x",
        arg=before["random"][0][0],
    )
    assert trials(page, "grid") == before["grid"]
    page.go_back()
    page.wait_for_function(f"location.search.includes('seed={seed}')")
    page.wait_for_function(
        "(x) => document.querySelector('[data-picture=random] .plot').data.filter(t => t.text).at(-1).x[0] === x",
        arg=before["random"][0][0],
    )


def test_from_layouts_to_halving_and_a_link_restores_it(open_search: Callable[..., Page]):
    page = open_search("?show=layouts&response=additive")
    page.get_by_text("Successive halving").click()
    page.wait_for_selector("[data-picture=learning] .plot .main-svg")
    page.wait_for_function("location.search.includes('show=halving')")
    settled(page)
    assert names(page) == ["learning", "where", "duel"]
    told = page.locator("table").first.inner_text()
    there = urlsplit(page.evaluate("location.href")).query
    again = open_search(f"?{there}")
    assert again.locator("table").first.inner_text() == told


def test_halving_in_chinese_in_the_dark_on_a_phone(open_search: Callable[..., Page]):
    page = open_search(
        "?lesson=halving_pays", locale="zh-CN", color_scheme="dark", viewport={"width": 400, "height": 850}
    )
    expect(page.get_by_text("差的运行很早就看得出来").first).to_be_visible()
    widths = page.locator(".plate").evaluate_all("all => all.map(plate => plate.getBoundingClientRect().width)")
    assert all(300 < width <= 400 for width in widths)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    ink = page.evaluate("getComputedStyle(document.querySelector('[data-picture=learning] .xtick text')).fill")
    assert min(int(part) for part in ink.removeprefix("rgb(").removesuffix(")").split(",")) > 150
    assert not page.locator("[data-testid=stException]").count()


def click_trial(page: Page, picture: str, number: int) -> None:
    """Click a point of the last trace that can be picked."""
    x, y = page.evaluate(
        """([picture, number]) => {
          const plot = document.querySelector(`[data-picture=${picture}] .plot`);
          const { x, y } = plot.data.filter((trace) => trace.meta?.pick !== undefined && trace.x.length).at(-1);
          const { xaxis, yaxis } = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(x[number]), box.top + yaxis._offset + yaxis.d2p(y[number])];
        }""",
        [picture, number],
    )
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def test_a_trial_opens_in_the_race(open_search: Callable[..., Page]):
    page = open_search("?lesson=adam_epsilon")
    click_trial(page, "random", 3)
    button = page.get_by_role("button", name="Open in the race: Learning rate")
    expect(button).to_contain_text("Epsilon")
    rate = float(button.inner_text().split("Learning rate ")[1].split(",")[0])
    button.click()
    page.wait_for_function("location.search.includes('o1=adam')")
    assert float(query(page)["o1.learning_rate"]) == pytest.approx(rate, rel=1e-3)
    assert query(page)["landscape"] == "rosenbrock" and query(page)["steps"] == "100"


def test_tuned_runners_race(new_page: Callable[..., Any], app_url: str):
    page = new_page()
    page.problems.allow(r"/maps/_stcore/(health|host-config)\b")
    page.goto(f"{app_url}/maps?map=fair&landscape=rosenbrock&o1=momentum&o2=sam&map.trials=16")
    settled(page)
    assert names(page) == ["trials", "budget"]
    best = page.locator("tbody tr", has_text="Momentum").locator("td").last.inner_text()
    click_trial(page, "trials", 0)
    expect(page.get_by_role("button", name="Open in the race: SAM with")).to_be_visible()
    page.get_by_role("button", name="Race all with their best settings").click()
    page.wait_for_function("location.pathname.endsWith('/') || location.pathname.includes('race')")
    page.wait_for_function("location.search.includes('o1.learning_rate')")
    there = query(page)
    assert (there["o1"], there["o2"], there["steps"]) == ("momentum", "sam", "200")
    assert f"α = {float(there['o1.learning_rate']):.3g}".replace("e-0", "e-") in best


def test_what_is_chosen_after_a_lesson_stays(open_search: Callable[..., Page]):
    page = open_search("?lesson=distinct_values")
    page.get_by_role("combobox", name="What is searched").click()
    page.keyboard.type("An optimizer on")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('response=runs')")
    settled(page)
    page.get_by_role("button", name="Another seed").click()
    page.wait_for_function("location.search.includes('seed=5')")
    settled(page)
    there = query(page)
    assert there["response"] == "runs" and "lesson" not in there
    expect(page.get_by_text("Three values against nine")).to_have_count(0)
