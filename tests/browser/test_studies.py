"""The studies of the maps page as their users meet them: read, click, turn a knob; in both themes, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tools.race_page import RacePage

PROBES = r"/maps/_stcore/(health|host-config)\b|status of 404"  # Streamlit looks for itself there first
MOST_BYTES = 64_000  # that a slider may make the server send
RUNNERS = "&o1=sgd&o1.learning_rate=0.018&o2=momentum&o3=adam&o3.learning_rate=0.1"
STUDIES = {
    "sensitivity": f"landscape=ellipse&kappa=100&steps=400{RUNNERS}",
    "rotation": f"landscape=ellipse&kappa=100&theta=45&steps=800{RUNNERS}",
    "escape": f"landscape=bounded_saddle&steps=300{RUNNERS}",
    "noise": f"landscape=sharp_and_flat&steps=200{RUNNERS}",
}


@pytest.fixture
def open_study(new_page: Callable[..., Any], app_url: str) -> Callable[..., RacePage]:
    """Call it with a study for its page in a fresh browser profile; options as for `new_page`."""

    def open_it(kind: str, more: str = "", **options: Any) -> RacePage:
        page = new_page(**options)
        page.problems.allow(PROBES)
        return RacePage(page).open(f"{app_url}/maps?map={kind}&{STUDIES[kind]}{more}")

    return open_it


def middle_of(study: RacePage, chart: str, trace: int, point: int) -> tuple[float, float]:
    """Where a point of a chart's trace is on the screen."""
    x, y = study.page.evaluate(
        """([chart, trace, point]) => {
          const plot = document.querySelector(`[data-picture="${chart}"] .plot`);
          const { xaxis, yaxis } = plot._fullLayout, { x, y } = plot._fullData[trace];
          const box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(x[point]), box.top + yaxis._offset + yaxis.d2p(y[point])];
        }""",
        [chart, trace, point],
    )
    return x, y


@pytest.mark.parametrize("kind", STUDIES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_a_study_is_above_the_fold_and_stands_out(open_study: Callable[..., RacePage], kind: str, scheme: str):
    study = open_study(kind, color_scheme=scheme)
    foot = study.stage.bounding_box()
    assert foot and foot["y"] + foot["height"] <= 900
    colours = study.page.evaluate(
        """() => [...document.querySelectorAll(".plate .plot")].flatMap(({ _fullData }) =>
          _fullData.filter((t) => t.meta?.colour).map((t) => [t.line?.color ?? t.marker?.color, t.meta.colour]))"""
    )
    assert colours and all(shown == both[scheme] for shown, both in colours if shown)
    assert study.page.evaluate("document.documentElement.scrollWidth") == 1400


def test_a_clicked_point_is_opened_in_the_race_as_it_was(open_study: Callable[..., RacePage]):
    study = open_study("rotation")
    study.page.mouse.move(*middle_of(study, "rotation", 0, 30))
    study.page.mouse.click(*middle_of(study, "rotation", 0, 30))
    button = study.page.get_by_role("button", name="the valley at 30°")
    expect(button).to_be_visible()
    button.click()
    study.page.wait_for_selector(".descent-stage .ring, .descent-stage .start")
    study.settle()
    study.page.wait_for_function("new URL(location.href).searchParams.get('theta') === '30'")
    assert study.query()["o3.learning_rate"] == "0.1"


def test_a_clicked_cell_of_a_map_is_opened_too(open_study: Callable[..., RacePage]):
    study = open_study("noise")
    plot = study.page.locator('[data-picture="escapes0"] .nsewdrag').bounding_box()
    assert plot
    study.page.mouse.move(plot["x"] + plot["width"] * 0.99, plot["y"] + plot["height"] * 0.02)
    study.page.mouse.click(plot["x"] + plot["width"] * 0.99, plot["y"] + plot["height"] * 0.02)
    expect(study.page.get_by_role("button", name=re.compile("SGD with α = 0.3.* and σ = 9."))).to_be_visible()


def test_turning_a_knob_moves_the_curves_and_sends_little(open_study: Callable[..., RacePage]):
    study = open_study("sensitivity")
    before = study.page.evaluate(
        "document.querySelector('[data-picture=momentum] .plot')._fullData[0].y.slice(0, 9).join()"
    )
    draws, received = study.draws, study.received
    study.press("1.momentum.learning_rate", "ArrowRight")
    study.wait_draws(draws)
    study.settle()
    after = study.page.evaluate(
        "document.querySelector('[data-picture=momentum] .plot')._fullData[0].y.slice(0, 9).join()"
    )
    assert after != before
    assert study.received - received < MOST_BYTES


def test_another_study_is_a_click_away_and_the_address_follows(open_study: Callable[..., RacePage]):
    study = open_study("escape")
    study.page.get_by_role("radio", name="Noise").or_(
        study.page.get_by_role("button", name="Noise", exact=True)
    ).first.click()
    study.page.wait_for_selector('[data-picture="bands"]')
    study.page.wait_for_function("new URL(location.href).searchParams.get('map') === 'noise'")
    study.page.get_by_role("button", name="Show: Noise: a floor set by α").click()
    study.page.wait_for_selector('[data-picture="floors"]')
    study.page.wait_for_function("new URL(location.href).searchParams.get('landscape') === 'sphere_weighted'")
    expect(study.page.get_by_text(re.compile("at rest by theory")).first).to_be_visible()


def test_on_a_phone_in_chinese_nothing_is_wider_than_the_screen(open_study: Callable[..., RacePage]):
    for kind in STUDIES:
        study = open_study(kind, viewport={"width": 400, "height": 800}, locale="zh-CN")
        assert study.page.evaluate("document.documentElement.scrollWidth") == 400
        boxes = [box.bounding_box() for box in study.page.locator(".plate").all()]
        assert boxes and all(box and box["x"] >= 0 and box["x"] + box["width"] <= 400 for box in boxes)
        study.page.context.close()
