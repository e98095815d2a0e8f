"""The schedules page as its users meet it: demonstrations, the horizon on the curve, the range test, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tools.race_page import RacePage

SMALL = "/schedules?landscape=ellipse&steps=100&rate=0.05&o1=sgd&o1.schedule=constant&o2=sgd&o2.schedule=cosine"
PROBES = r"/schedules/_stcore/(health|host-config)\b|status of 404"  # Streamlit looks for itself there first


class SchedulesPage(RacePage):
    """A page that shows runs under their schedules."""

    prefix = "plan"


@pytest.fixture
def open_plan(new_page: Callable[..., Any], app_url: str) -> Callable[..., SchedulesPage]:
    """Call it with an address for schedules in a fresh browser profile; options as for `new_page`."""

    def open_it(address: str = SMALL, **options: Any) -> SchedulesPage:
        page = new_page(**options)
        page.problems.allow(PROBES)
        return SchedulesPage(page).open(f"{app_url}{address}")  # type: ignore[return-value]

    return open_it


def test_the_horizon_is_dragged_on_the_curve_and_a_link_restores_it(open_plan: Callable[..., SchedulesPage]):
    plan = open_plan()
    foot = plan.picture("loss").bounding_box()
    assert foot and foot["y"] + foot["height"] <= 900, "the curves are above the fold"
    handle, rates = plan.stage.locator(".horizon"), plan.ink("rates")
    assert handle.get_attribute("aria-valuetext") == "T = 100"
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    left, _top = plan.in_plot("rates", 0, 0)
    plan.page.mouse.move(x, y)
    plan.page.mouse.down()
    plan.page.mouse.move(left + (x - left) / 2, y, steps=5)
    plan.wait("stage.querySelector('.clock').textContent === 'step 50 / 50'")
    assert plan.ink("rates") != rates, "the curve follows while it is dragged"
    plan.page.mouse.up()
    expect(plan.slider("steps")).to_have_attribute("aria-valuetext", "50")
    plan.page.wait_for_function("location.search.includes('steps=50')")
    handle.press("ArrowRight")
    plan.page.wait_for_function("location.search.includes('steps=51')")
    again = open_plan("/schedules" + plan.page.evaluate("location.search"))
    assert again.clock.inner_text() == "step 51 / 51"
    assert again.page.get_by_test_id("stException").count() == 0


def test_a_demonstration_is_one_click_and_the_back_button_leads_back(open_plan: Callable[..., SchedulesPage]):
    plan = open_plan()
    before = plan.draws
    plan.page.get_by_role("radio", name="Reduce on plateau").click()
    plan.wait_draws(before)
    plan.wait("stage.querySelectorAll('tbody tr').length === 2 && stage.textContent.includes('Reduce on plateau')")
    plan.page.wait_for_function("location.search.includes('situation=plateau')")
    expect(plan.page.get_by_text("steps of one length bounce")).to_be_visible()
    expect(plan.page.get_by_text("α was lowered 11 times, at steps 56,")).to_be_visible()
    plan.page.go_back()
    plan.wait("stage.textContent.includes('SGD Cosine')")
    plan.page.wait_for_function("!location.search.includes('situation')")


def test_the_rate_that_the_range_test_suggests_is_used_at_a_click(open_plan: Callable[..., SchedulesPage]):
    plan = open_plan()
    plan.page.get_by_role("radio", name="Range test").click()
    button = plan.page.get_by_role("button", name="lowest loss / 10")
    rate = button.inner_text().split()[3]
    plan.page.wait_for_selector("[data-picture=sweep] .js-line")
    plan.page.wait_for_function("location.search.includes('view=range')")
    plan.page.go_back()
    expect(plan.stage.locator(".horizon")).to_be_visible()
    plan.page.get_by_role("radio", name="Range test").click()
    button.click()
    plan.page.wait_for_selector(".descent-stage[data-ready=all]")
    plan.settle()
    plan.page.wait_for_function("(rate) => location.search.includes(`rate=${rate}`)", arg=rate)


def test_the_page_fits_a_phone_and_speaks_chinese(open_plan: Callable[..., SchedulesPage]):
    plan = open_plan(SMALL, viewport={"width": 400, "height": 850}, locale="zh-CN", color_scheme="dark")
    width = plan.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 400
    for name in ("rates", "contour", "loss"):
        box = plan.picture(name).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400
    expect(plan.page.get_by_text("余弦衰减").first).to_be_visible()
