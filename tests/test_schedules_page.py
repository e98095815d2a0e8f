"""The schedules page: its state and URL, and the page as a whole, run by Streamlit's AppTest."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from descent.compilation import counting
from descent.schedule import multipliers
from descent.spec import Values
from lessons.rates import DEMONSTRATIONS
from lessons.situations import run
from schedules import SCHEDULES
from tests.session import opened as opened_at
from tests.session import settled, stage
from ui import schedules
from ui.language import catalogue
from ui.race import Lane
from ui.schedules import DEFAULT, Plan, events, from_query, rates, to_query, with_rate
from ui.stage.payload import pack

opened = partial(opened_at, "schedules")
SMALL = {"landscape": "ellipse", "steps": "60", "rate": "0.05", "o1": "sgd", "o1.schedule": "constant"}
TWO = SMALL | {"o2": "sgd", "o2.schedule": "cosine"}


def plan(session: AppTest) -> Plan:
    return session.session_state["plan"]


def assert_drawn(session: AppTest) -> None:
    """What the browser is sent are the runs of the plan, and their rates."""
    race, runs = plan(session).race, stage(session)["runs"]
    expected = [run(spec) for spec in race.runs()]
    np.testing.assert_array_equal(runs["x"], np.concatenate([t.position[:, 0] for t in expected]))
    np.testing.assert_array_equal(runs["rates"], np.concatenate([t.learning_rate for t in expected]))


# ---- state -----------------------------------------------------------------------------------------------------------


def test_the_url_holds_the_plan() -> None:
    query = TWO | {"o2.schedule.warmup": "20", "view": "range", "range.low": "0.001", "range.length": "50"}
    found, notes = from_query(query)
    assert not notes and found.view == "range" and found.sweep == Values(low=1e-3, length=50)
    assert found.race.lanes[1] == Lane("sgd", schedule="cosine", schedule_hyper=Values(warmup=20))
    assert from_query(to_query(found)) == (found, []) and from_query(to_query(DEFAULT)) == (DEFAULT, [])
    assert from_query({}) == (DEFAULT, [])


def test_what_cannot_be_used_is_noted() -> None:
    bad = {"view": "nothing", "range.low": "2", "range.far": "1", "o1.schedule.end": "0", "situation": "zigzag"}
    found, notes = from_query(SMALL | bad)
    assert {note.key for note in notes} == set(bad)
    assert found == from_query(SMALL)[0]
    assert from_query(SMALL | {"o1": "none"})[0].race.lanes == DEFAULT.race.lanes


def test_rates_of_a_run_that_diverged_are_what_they_would_have_been() -> None:
    race = from_query(TWO | {"rate": "10", "landscape": "rosenbrock"})[0].race
    for lane, spec in zip(race.lanes, race.runs(), strict=True):
        t = run(spec)
        assert 0 < t.diverged_at < 10
        expected = 10 * multipliers(SCHEDULES[lane.schedule], 60)
        np.testing.assert_allclose(rates(race, lane, t), expected, rtol=1e-6)
        assert not events(race, lane, t)


def test_a_suggested_rate_is_for_all_and_has_two_digits() -> None:
    found = with_rate(from_query(TWO | {"view": "range"})[0], 0.012345)
    assert found.view == "runs" and found.race.rate == 0.012


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_all_runs_with_their_rates() -> None:
    session = opened(**TWO)
    assert_drawn(session)
    assert [lane["name"] for lane in stage(session)["runs"]["lanes"]] == ["SGD Constant", "SGD Cosine"]
    formulas = [element.value for element in session.latex]
    assert len(formulas) == 2 and SCHEDULES["cosine"].formula in formulas[1]
    assert session.query_params == TWO


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_each_demonstration_is_one_click_away(language: str) -> None:
    session = opened(lang=language, **SMALL)
    for demonstration in DEMONSTRATIONS:
        settled(session.button_group(key="plan.situation").set_value(demonstration.id).run())
        assert any(catalogue(language).gettext(demonstration.look_for) in m.value for m in session.markdown)
        assert [spec.schedule for spec in plan(session).race.runs()] == [r.schedule for r in demonstration.runs]
        assert plan(session).race.situation == demonstration.id == session.query_params["situation"]
    again = opened(situation="plateau")
    constant, reduced = stage(again)["runs"]["lanes"]
    assert not constant["events"] and len(reduced["events"]) > 5
    assert any(f"at steps {reduced['events'][0]}," in caption.value for caption in again.caption)


def test_schedules_come_and_go() -> None:
    session = opened(**TWO)
    settled(session.selectbox(key="plan.add").select("wsd").run())
    assert [lane.schedule for lane in plan(session).race.lanes] == ["constant", "cosine", "wsd"]
    settled(session.slider(key="plan.2.wsd.warmup").set_value(10).run())
    assert session.query_params["o3.schedule.warmup"] == "10"
    settled(session.selectbox(key="plan.1.schedule").select("linear").run())
    settled(session.button(key="plan.0.remove").click().run())
    assert [lane.schedule for lane in plan(session).race.lanes] == ["linear", "wsd"]
    settled(session.selectbox(key="plan.optimizer").select("momentum").run())
    assert {lane.optimizer for lane in plan(session).race.lanes} == {"momentum"}
    settled(session.slider(key="plan.momentum.momentum").set_value(0.5).run())
    assert [lane.hyper for lane in plan(session).race.lanes] == [{"momentum": 0.5}] * 2
    assert_drawn(session)


def test_moving_a_knob_compiles_nothing_and_sends_little() -> None:
    session = opened(**TWO | {"o3": "sgd", "o3.schedule": "reduce_on_plateau"})
    with counting() as programs:
        for kind, key, value in (
            ("slider", "plan.1.cosine.warmup", 30),
            ("slider", "plan.1.cosine.end", 0.5),
            ("slider", "plan.2.reduce_on_plateau.patience", 3),
            ("slider", "plan.0.constant.warmup", 30),
            ("slider", "plan.steps", 500),
            ("select_slider", "plan.rate", 0.1),
        ):
            settled(getattr(session, kind)(key=key).set_value(value).run())
    assert not programs
    assert_drawn(session)
    message = stage(session)
    assert "still" not in message and len(pack(message)) < 64_000


def test_the_race_takes_the_schedules_over() -> None:
    session = opened(**TWO)
    settled(session.button(key="plan.race").click().run())
    assert session.session_state["race"].runs() == plan(session).race.runs()


def test_the_range_test_suggests_a_rate_that_can_be_used() -> None:
    session = opened(**TWO | {"view": "range"})
    found = schedules.tested(plan(session))
    (chart,) = stage(session)["charts"]
    np.testing.assert_allclose(chart["data"][0]["x"], found.learning_rate, rtol=1e-6)
    np.testing.assert_allclose(chart["data"][1]["y"], found.smoothed, rtol=1e-6)
    np.testing.assert_allclose(chart["data"][2]["x"], [found.below_lowest, found.steepest], rtol=1e-6)
    button = session.button(key="plan_use_0")
    assert f"{found.below_lowest:.2g}" in button.label
    settled(button.click().run())
    assert plan(session).race.rate == float(f"{found.below_lowest:.2g}") and plan(session).view == "runs"
    assert_drawn(session)
    turned = opened(**TWO | {"view": "range", "range.low": "1", "range.high": "0.1"})
    assert "lower than the last" in turned.info[0].value
    own = opened(**TWO | {"view": "range", "o1": "=delta: -0.1*g"})
    assert "has no learning rate to test" in own.info[0].value
    flat = opened(**TWO | {"view": "range", "x": "0", "y": "0"})
    assert "does not fall" in flat.info[0].value


def test_runs_that_diverge_are_shown_with_their_rates() -> None:
    session = opened(**TWO | {"rate": "10", "o3": "sgd", "o3.schedule": "reduce_on_plateau"})
    runs = stage(session)["runs"]
    assert all(lane["diverged"] > 0 for lane in runs["lanes"])
    assert np.isfinite(runs["rates"][:120]).all()
