"""The microscope as its users meet it: scrubbing, hovering, forking, in both themes, in Chinese, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from descent.microscope import Fork, dissect
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tools.race_page import MicroscopePage, RacePage

MOST_BYTES = 64_000  # that a slider may make the server send
ADAM = "/microscope?landscape=ellipse&o1=adam&o1.learning_rate=0.1&steps=120"
PROBES = r"/microscope/_stcore/(health|host-config)\b|status of 404"  # Streamlit looks for itself there first


@pytest.fixture
def open_scope(new_page: Callable[..., Any], app_url: str) -> Callable[..., MicroscopePage]:
    """Call it with an address for a microscope in a fresh browser profile; options as for `new_page`."""

    def open_it(address: str = "/microscope", **options: Any) -> MicroscopePage:
        page = new_page(**options)
        page.problems.allow(PROBES)
        return MicroscopePage(page).open(f"{app_url}{address}")  # type: ignore[return-value]

    return open_it


def shown(value: float) -> str:
    """A number as the stage writes it."""
    size = abs(value)
    if size != 0 and (size < 1e-3 or size >= 1e5):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{float(f'{value:.4g}'):.10g}".replace("-", "−")


def test_every_step_is_shown_with_its_numbers_without_asking_the_server(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope(ADAM)
    assert scope.clock.inner_text() == "step 20 / 120" and scope.step == 20
    foot = scope.stage.bounding_box()
    assert foot and foot["y"] + foot["height"] <= 900, "all pictures are above the fold"
    run = dissect(LANDSCAPES["ellipse"], OPTIMIZERS["adam"], steps=120, hyper={"learning_rate": 0.1})
    t, before, ink = run.trajectory, scope.sent, scope.ink()
    assert "@" not in scope.text

    def assert_numbers(step: int) -> None:
        text = scope.text
        for number in (*t.update[step], *t.direction[step], *t.scale[step], *t.gradient[step], t.loss[step]):
            assert shown(float(number)) in text, (step, number)
        assert shown(float(np.hypot(*t.gradient[step]))) in text

    assert_numbers(20)
    scope.do("on").click()
    scope.wait_step(21)
    assert_numbers(21)
    scope.page.keyboard.press("ArrowLeft")
    scope.wait_step(20)
    scope.stage.locator(".scrub").fill("77")
    scope.wait_step(77)
    assert_numbers(77)
    assert scope.ink() != ink
    scope.page.mouse.move(*scope.in_plot("chart2", 0.5, 0.5))
    scope.wait_step(60)
    assert_numbers(60)
    scope.page.mouse.click(*scope.in_plot("chart1", 0.25, 0.5))
    scope.wait_step(30)
    assert scope.sent == before, "the server was asked"
    scope.do("play").click()
    scope.wait("Number(stage.dataset.step) > 40")
    scope.do("play").click()
    scope.do("last").click()
    scope.wait_step(120)
    assert "–" in scope.text
    scope.page.wait_for_function("location.search.includes('step=120')")


def test_a_slider_moves_the_run_in_few_bytes(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope("/microscope?landscape=rosenbrock&o1=adam&o1.learning_rate=0.05")
    before, text = scope.received, scope.text
    scope.press("adam.learning_rate", "ArrowRight")
    assert scope.received - before < MOST_BYTES
    assert scope.text != text and "@" not in scope.text
    ring, ink = scope.ring.bounding_box(), scope.ink()
    assert ring
    scope.page.mouse.move(ring["x"] + 11, ring["y"] + 11)
    scope.page.mouse.down()
    scope.page.mouse.move(ring["x"] + 80, ring["y"] + 60, steps=4)
    scope.page.mouse.up()
    scope.wait("new URLSearchParams(location.search).has('x')")
    scope.settle()
    assert scope.ink() != ink and {"x", "y"} <= scope.query().keys()


def test_a_fork_at_the_step_shown(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope(ADAM)
    scope.stage.locator(".scrub").fill("50")
    scope.wait_step(50)
    ink, draws = scope.ink(), scope.draws
    scope.do("fork").click()
    scope.wait_draws(draws)
    assert scope.step == 50 and scope.ink() != ink
    query = scope.query()
    assert (query["fork"], query["fork.at"], query["fork.to"]) == ("learning_rate", "50", "0.2")
    scope.press("fork.adam.learning_rate", "ArrowRight")
    to = float(scope.query()["fork.to"])
    assert to > 0.2
    adam = OPTIMIZERS["adam"]
    other = dissect(
        LANDSCAPES["ellipse"], adam, None, 120, {"learning_rate": 0.1}, fork=Fork(50, {"learning_rate": to})
    )
    expect(scope.page.locator(".st-key-slots_fork")).to_contain_text(f"{other.trajectory.loss[-1]:.4g}"[:6])
    asked, ink = scope.query(), scope.ink()
    scope.choose("optimizer", "Newton")
    assert "fork" not in scope.query() and "no unified form" in scope.text
    assert scope.ink() != ink
    draws = scope.draws
    scope.page.go_back()
    scope.wait_draws(draws)
    expect(scope.page.locator(".st-key-slots")).not_to_contain_text("Newton")
    assert scope.query() | {"step": ""} == asked | {"step": ""}


def test_ellipses_can_be_put_away(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope(ADAM)
    expect(scope.stage.locator(".key")).to_contain_text("Hessian")
    ink = scope.ink()
    scope.do("ellipses").click()
    assert scope.ink() != ink
    expect(scope.stage.locator(".key")).not_to_contain_text("Hessian")
    expect(scope.do("ellipses")).to_have_attribute("aria-pressed", "false")
    # For those who do not see it.
    for name in ("contour", "chart0", "chart3"):
        expect(scope.canvas(name)).to_have_role("img")
        expect(scope.canvas(name)).to_have_attribute("aria-label", re.compile(r"\w{4}"))


def test_dark_and_in_chinese(open_scope: Callable[..., MicroscopePage]):
    address = "/microscope?landscape=double_well&o1=nesterov&o1.learning_rate=0.02&step=3"
    light = open_scope(address)
    dark = open_scope(address, color_scheme="dark", locale="zh-CN")
    assert light.ink() != dark.ink()
    expect(dark.stage.locator(".key")).to_contain_text("前瞻点")
    expect(light.stage.locator(".key")).to_contain_text("look-ahead point")
    assert "@" not in dark.text and "第 4 步" in dark.text
    numbers = re.compile(r"−?\d+\.\d+")
    assert set(numbers.findall(light.text)) == set(numbers.findall(dark.text))


def test_on_a_phone(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope(ADAM, viewport={"width": 400, "height": 800}, has_touch=True)
    assert scope.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
    scope.do("on").click()
    scope.wait_step(21)
    assert "@" not in scope.text
    too_wide = "e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.katex-display')"
    wide = scope.page.evaluate(f"[...document.querySelectorAll('.st-key-slots *')].filter({too_wide}).length")
    assert wide == 0


def test_divergence_and_bad_addresses(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope("/microscope?landscape=rosenbrock&o1=momentum&o1.learning_rate=1&steps=60&fork=b1&o1.warmth=3")
    expect(scope.page.get_by_text("was ignored").first).to_be_visible()
    expect(scope.stage.locator(".key")).to_contain_text("diverged")
    scope.do("first").click()
    scope.wait_step(0)
    assert "@" not in scope.text and "∞" not in scope.text.split("Hessian")[0]
    expect(scope.stage.locator(".key")).not_to_contain_text("diverged")


def test_the_race_leads_here_and_back(open_scope: Callable[..., MicroscopePage]):
    scope = open_scope(ADAM)
    scope.widget("race").get_by_role("button").click()
    scope.page.wait_for_selector(".descent-stage[data-ready=all] .table")
    scope.settle()
    assert scope.query()["o1.learning_rate"] == "0.1"
    page = scope.page
    race = RacePage(page)
    race.press("0.adam.learning_rate", "ArrowRight")
    changed = race.query()["o1.learning_rate"]
    page.locator(".st-key-race-0-adam-more button").first.click()
    page.locator(".st-key-race-0-adam-microscope button").click()
    page.wait_for_selector(".descent-stage.microscope[data-ready=all]")
    scope.settle()
    assert scope.query()["o1.learning_rate"] == changed != "0.1" and "/microscope" in page.url
    # And by the menu of pages: each page is as it was left, and its address says so.
    page.get_by_test_id("stTopNavLink").filter(has_text="Race").first.click()
    page.wait_for_selector(".descent-stage[data-ready=all] .table")
    page.wait_for_function("location.search.includes('o1.learning_rate')")
