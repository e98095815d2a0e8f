"""The build page as its users meet it: typing, mistakes, links, the way into the race, in Chinese, dark, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tools.race_page import READY, BuildPage

FORMULA = "Loss as a formula of x and y"
WELLS = "=(x^2 - 1)^2 + c*y^2; y=-2..2.5; start=0.9,1.5; c=1 in 0.5..4"
# Streamlit looks for itself below the page's own address first.
PROBES = r"/(build|race)/_stcore/(health|host-config)\b|status of 404"


@pytest.fixture
def open_build(new_page: Callable[..., Any], app_url: str) -> Callable[..., BuildPage]:
    """Call it with what the address asks for; ``options`` as for `new_page`."""

    def open_it(query: dict[str, str] | None = None, /, **options: Any) -> BuildPage:
        page = new_page(**options)
        page.problems.allow(PROBES)
        return BuildPage(page).open(f"{app_url}/build?{urlencode(query or {})}")  # type: ignore[return-value]

    return open_it


def test_a_typed_formula_is_drawn_and_a_mistake_keeps_the_picture(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build()
    scene, ink = bench.says("scene"), bench.ink()
    bench.type(FORMULA, "(x^2 - 1)^2 + y^2 + tilt*x")
    expect(bench.understood.locator(".katex-display")).to_be_visible()
    expect(bench.understood).to_contain_text("tilt")
    assert bench.says("scene") != scene and bench.ink() != ink
    assert bench.query()["landscape"].startswith("=(x^2 - 1)^2 + y^2 + tilt*x")
    expect(bench.page.locator("td", has_text="saddle point")).to_be_visible()
    expect(bench.page.locator("[class*='landscape-slider-tilt']").get_by_role("slider")).to_have_count(1)

    scene, ink = bench.says("scene"), bench.ink()
    bench.field(FORMULA).fill("(x^2 - 1)^2 + y^")
    expect(bench.understood).to_contain_text("Column 17")
    bench.settle()
    assert (bench.says("scene"), bench.ink()) == (scene, ink)
    expect(bench.page.get_by_role("button", name="Open in the race")).to_be_disabled()


def test_the_surface_comes_before_what_is_found_on_it(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build()
    bench.page.evaluate(
        """() => {
            const stage = document.querySelector(".descent-stage");
            window.scenes = [];
            new MutationObserver(() => {
                const said = [stage.dataset.scene, stage.classList.contains("ahead")];
                if (window.scenes.at(-1)?.[0] !== said[0]) window.scenes.push(said);
            }).observe(stage, { attributes: true });
        }"""
    )
    bench.type(FORMULA, "x^2 + 2*y^2 + 0.5*sin(4*x)")
    (_first, ahead), (_second, complete) = bench.page.evaluate("window.scenes.slice(-2)")
    assert ahead and not complete


def test_examples(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build()
    for name, formula in (("Egg box", "sin(k*x)*cos(k*y) + 0.1*(x^2 + y^2)"), ("A kink", "abs(x) + b*abs(y - x/2)")):
        bench.choose("landscape.example", name)
        expect(bench.field(FORMULA)).to_have_value(formula)
    expect(bench.page.get_by_text("minimum on a kink")).to_be_visible()


def test_a_link_brings_back_sliders_and_start_and_so_does_the_race(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build({"landscape": WELLS})
    slider = bench.page.locator("[class*='landscape-slider-c']").get_by_role("slider")
    before = bench.draws
    slider.press("ArrowRight")
    bench.wait_draws(before)
    bench.page.mouse.move(*middle(bench.ring.bounding_box()))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.in_plot("contour", 0.25, 0.75), steps=4)
    bench.page.mouse.up()
    bench.page.wait_for_function("location.search.includes('x=')")
    bench.settle()
    bench.wait("stage.dataset.draws === stage.dataset.paths")
    query, table = bench.query(), bench.table.inner_text()
    assert query["landscape"] == WELLS and float(query["shape.c"]) > 1
    assert (float(query["x"]), float(query["y"])) == pytest.approx((-1, 1.375), abs=0.05)

    again = open_build(query)
    assert again.query() == query and again.table.inner_text() == table

    again.page.get_by_role("button", name="Open in the race").click()
    again.page.wait_for_function("!location.pathname.includes('build')")
    again.page.wait_for_selector(READY)
    again.settle()
    asked = again.query()
    assert {key: asked[key] for key in query} == query and asked["o1"] == "sgd"
    assert again.table.inner_text() == table

    again.page.get_by_role("link", name="Build").click()
    again.page.wait_for_selector(f".st-key-bench {READY}")
    again.settle()
    assert again.query() == query and again.table.inner_text() == table


def test_the_catalogue_shows_the_formulas_of_a_session(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build({"landscape": WELLS})
    bench.page.get_by_role("link", name="Catalogue").click()
    own = bench.page.locator(".descent-gallery section").first
    expect(own).to_contain_text("My formulas 1")
    assert own.locator(".stamp").evaluate("stamp => getComputedStyle(stamp).backgroundImage").startswith('url("data:')
    expect(own).to_contain_text("many minima")
    assert f"landscape={urlencode({'': WELLS})[1:]}" in str(own.locator(".race").get_attribute("href"))
    own.locator("a.open").click()
    bench.page.wait_for_selector(f".st-key-bench {READY}")
    expect(bench.field(FORMULA)).to_have_value(WELLS[1:].partition(";")[0])


def test_the_settings_change_domain_and_ranges(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build({"landscape": WELLS})
    drawer = bench.settings()
    before = bench.draws
    low = drawer.get_by_role("spinbutton").first
    low.fill("-3")
    low.press("Enter")
    bench.wait_draws(before)
    assert "; x=-3..2;" in bench.query()["landscape"]
    low.fill("5")
    low.press("Enter")
    expect(bench.understood).to_contain_text("must begin below its end")


def test_an_optimizer_races_the_rule_that_it_was(open_build: Callable[..., BuildPage]) -> None:
    bench = open_build({"optimizer": "adam"})
    mine, theirs = bench.table.locator("tr").all_inner_texts()
    assert mine.split("\t")[1:] == theirs.split("\t")[1:]
    colours = bench.page.evaluate(
        """() => [...document.querySelectorAll(".descent-stage tbody canvas")].map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const solid = [...data.keys()].filter((i) => i % 4 === 0 && data[i + 3] === 255 && data[i] < 200);
            return [0, 1, 2].map((c) => solid.reduce((sum, i) => sum + data[i + c], 0) / solid.length);
        })"""
    )
    assert sum(abs(a - b) for a, b in zip(*colours, strict=True)) > 120, "nobody could tell them apart"

    bench.type("Formula of delta", "-lr * m / (sqrt(v) + k)")
    mine, theirs = bench.table.locator("tr").all_inner_texts()
    assert mine.split("\t")[1:] != theirs.split("\t")[1:]
    drawer = bench.settings()
    before = bench.draws
    high = drawer.get_by_role("spinbutton").nth(10)  # of k: behind b1, b2 and lr, each with three fields
    high.fill("4")
    high.press("Enter")
    bench.wait_draws(before)
    query = bench.query()
    assert "; k=0.5 in 0..4" in query["optimizer"] and float(query["optimizer.learning_rate"]) > 0
    again = open_build(query)
    assert again.table.locator("tr").first.inner_text().split("\t")[1:] == mine.split("\t")[1:]

    bench.field("Formula of delta").fill("-lr * m / (sqrt(v)")
    expect(bench.understood).to_contain_text("Column 11")


@pytest.mark.parametrize("what", [{}, {"optimizer": "lion"}])
def test_on_a_dark_phone_in_chinese(open_build: Callable[..., BuildPage], what: dict[str, str]) -> None:
    bench = open_build(what, viewport={"width": 400, "height": 800}, locale="zh-CN", color_scheme="dark")
    assert bench.page.evaluate("document.documentElement.scrollWidth") <= 400
    expect(bench.page.get_by_text("自建").first).to_be_attached()
    stage, fields = bench.stage.bounding_box(), bench.understood.bounding_box()
    assert stage and fields and stage["y"] > fields["y"] + fields["height"] and stage["width"] > 360
    if not what:
        assert stage["y"] < 450, "the picture begins on the first screen"
    overflowing = bench.page.evaluate(
        """() => [...document.querySelectorAll(".st-key-bench :is(input[type=text], button, p)")]
            .filter((element) => element.getBoundingClientRect().right > 401)
            .map((element) => element.outerHTML.slice(0, 80))"""
    )
    assert overflowing == []


def middle(box: Any) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
