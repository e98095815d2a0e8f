"""The studies of the maps page, run by Streamlit's AppTest: what is said and sent is what was computed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from descent.escape import escape
from descent.noise import ensemble
from descent.rotation import rotation
from descent.sensitivity import sensitivity
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tests.session import opened, settled, stage
from ui.maps.charts import GivenUp, each
from ui.race import from_query, to_query
from ui.race_controls import DEFAULT

VALLEY = {
    "landscape": "ellipse",
    "kappa": "100",
    "theta": "45",
    "o1": "sgd",
    "o1.learning_rate": "0.018",
    "o2": "adam",
    "o2.learning_rate": "0.1",
}
WELLS = {"landscape": "sharp_and_flat", "o1": "sgd", "o1.learning_rate": "0.1", "o2": "adam", "steps": "120"}
SADDLE = {"landscape": "bounded_saddle", "o1": "sgd", "o1.learning_rate": "0.05", "o2": "adam"}
STUDIES = ("sensitivity", "rotation", "escape", "noise")


def study(kind: str, **query: str) -> AppTest:
    return opened("maps", map=kind, **query)


def charts(session: AppTest) -> dict[str, Any]:
    """Each chart, with what rests below it."""
    message = stage(session)
    below = message["still"]["figures"]
    return {
        chart["name"]: {
            **chart,
            "data": below.get(chart["rest"], {"data": []})["data"] + chart["data"],
            "layout": below.get(chart["rest"], {"layout": {}})["layout"] | chart["layout"],
        }
        for chart in message["charts"]
    }


def said(session: AppTest) -> str:
    return " ".join(element.value for element in session.markdown)


def clicked(session: AppTest, kind: str, pick: Any, point: Any) -> Any:
    """The race behind the button that a click on a point brings."""
    session.session_state["maps.picked"] = (kind, shown(session, kind), pick, point)
    session = settled(session.run())
    (button,) = [b for b in session.button if b.key == "map.picked"]
    settled(button.click().run())
    return session.session_state["race"]


def shown(session: AppTest, kind: str) -> Any:
    """The race that a study is about."""
    race = session.session_state["race"]
    if kind != "noise":
        return race
    return type(race)(**{**race.__dict__, "noise": 1.0})


def test_plotly_accepts_what_is_sent() -> None:
    for kind, query in (("sensitivity", VALLEY), ("rotation", VALLEY), ("escape", SADDLE), ("noise", WELLS)):
        for chart in charts(study(kind, **query)).values():
            for trace in chart["data"]:
                if "z" in trace:
                    side = int(np.sqrt(trace["z"].size))
                    trace["z"] = trace["z"].reshape(side, side)
            go.Figure({"data": chart["data"], "layout": chart["layout"]})
            assert chart["alt"]


def test_a_chart_for_each_knob_and_a_line_for_each_optimizer() -> None:
    session = study("sensitivity", **VALLEY, steps="200")
    sent = charts(session)
    assert list(sent) == ["learning_rate", "b1", "b2", "eps", "bias_correction"]
    found = sensitivity(
        LANDSCAPES["ellipse"], OPTIMIZERS["adam"], None, 200, {"learning_rate": 0.1}, {"kappa": 100.0, "theta": 45.0}
    )
    (line,) = [t for t in sent["b1"]["data"] if "text" in t and t["mode"] == "lines+markers"]
    profile = next(p for p in found.profiles if p.hyper.name == "b1")
    np.testing.assert_allclose(line["x"], 1 / (1 - profile.values), rtol=1e-5)  # a memory lasts so many steps
    floor = found.first * 1e-8
    np.testing.assert_allclose(line["y"], np.maximum(profile.loss, floor), rtol=1e-5)
    most, least = found.ranked()[0], found.ranked()[-1]
    assert f"{found.swing(most):.1f} decades" in said(session) and f"({found.swing(least):.1f})" in said(session)
    holds = most.hyper.name == "learning_rate"
    assert f"true here of {int(holds)} of 1" in said(session)


def test_a_point_of_a_knob_opens_its_run_beside_the_one_that_is_set() -> None:
    race = clicked(study("sensitivity", **VALLEY), "sensitivity", [1, "b1"], 60)
    assert [lane.optimizer for lane in race.lanes] == ["adam", "adam"]
    assert [lane.hyper.get("b1") for lane in race.lanes] == [None, 0.9999]
    assert from_query(to_query(race), DEFAULT) == (race, [])


def test_the_valley_is_turned_from_0_degrees_on_and_its_present_angle_is_marked() -> None:
    session = study("rotation", **VALLEY, steps="600")
    data = charts(session)["rotation"]["data"]
    found = rotation(
        LANDSCAPES["ellipse"],
        OPTIMIZERS["sgd"],
        (-3.5 * np.cos(np.pi / 4) - 1.4497 * np.sin(np.pi / 4), 3.5 * np.sin(np.pi / 4) - 1.4497 * np.cos(np.pi / 4)),
        600,
        {"learning_rate": 0.018},
        {"kappa": 100.0},
    )
    assert found.invariant and f"{found.reached_at[0]} steps at every angle" in said(session)
    assert data[0]["y"].tolist() == found.reached_at.tolist()
    marks = [t["x"].tolist() for t in data if t["marker"].get("size") == 11]
    assert marks == [[45.0], [45.0]]
    assert "Do not notice the turn: SGD. Depend on the axes: Adam." in said(session)
    race = clicked(session, "rotation", [1], 30)
    assert race.shape["theta"] == 30.0 and len(race.lanes) == 2
    assert np.hypot(*race.begin) == pytest.approx(np.hypot(3.5, 1.4497), rel=1e-5)


def test_the_law_of_escape_is_drawn_and_said() -> None:
    session = study("escape", **SADDLE)
    data = charts(session)["escape"]["data"]
    assert [t["line"]["dash"] for t in data if t["name"] == "theory"] == ["dot"]
    found = escape(LANDSCAPES["bounded_saddle"], OPTIMIZERS["sgd"], None, 500, {"learning_rate": 0.05})
    assert data[1]["y"].tolist() == found.reached_at.tolist()
    slope = np.log(10) / np.log(1 + 0.05 * 2)
    assert f"{slope:.1f} steps more for each power of ten closer (theory: {slope:.1f})" in said(session)
    assert "quadratic part" in said(session)
    noisy = study("escape", **SADDLE, noise="0.001")
    assert "theory" not in said(noisy) and "quadratic" not in said(noisy)
    race = clicked(session, "escape", [0], 16)
    assert race.begin == pytest.approx((-2.0, found.saddle.down[1] * 1e-8), rel=1e-6)


def test_bands_and_ends_are_those_of_the_seeds_and_a_click_opens_that_seed() -> None:
    session = study("noise", **WELLS)
    sent = charts(session)
    assert list(sent) == ["bands", "cloud", "escapes0", "escapes1"]
    found = ensemble(LANDSCAPES["sharp_and_flat"], OPTIMIZERS["sgd"], None, 120, {"learning_rate": 0.1}, noise=1.0)
    lowest = LANDSCAPES["sharp_and_flat"].minimum()
    assert lowest is not None
    median = next(t for t in sent["bands"]["data"] if t["line"]["width"] > 2)
    np.testing.assert_allclose(median["y"], found.quantiles()[2] - lowest, rtol=1e-4)
    seeds = next(t for t in sent["cloud"]["data"] if t["name"] == "SGD")
    ends = np.stack([seeds["x"], seeds["y"]], -1)
    within = np.isfinite(ends[:, 0])
    np.testing.assert_allclose(ends[within], found.position[within], atol=1e-6)
    shares = sent["escapes0"]["data"][0]["z"]
    assert shares.size == 24 * 24 and shares.min() == 0 and shares.max() == 1
    race = clicked(session, "noise", ["end", 0], 17)
    assert (race.seed, race.noise, race.lanes[0].optimizer) == (17, 1.0, "sgd")


def test_a_cell_opens_its_own_run_in_the_sharp_basin() -> None:
    race = clicked(study("noise", **WELLS), "noise", ["cell", 0], [23, 0])
    assert race.begin == pytest.approx((-1.496, 0.0), abs=1e-3)
    assert 9 < race.noise < 10 and race.lanes[0].hyper["learning_rate"] == pytest.approx(2 / 31.7 / 30, rel=0.15)


def test_without_a_sharp_basin_the_floor_is_drawn_against_the_learning_rate() -> None:
    session = study("noise", landscape="sphere_weighted", noise="1", o1="sgd", **{"o1.learning_rate": "0.1"})
    sent = charts(session)
    assert list(sent) == ["bands", "cloud", "floors"]
    theory, measured = sent["floors"]["data"][:2]
    near = (measured["x"] > 0.05) & (measured["x"] < 0.4)
    np.testing.assert_allclose(measured["y"][near], theory["y"][near], rtol=0.3)
    assert "twice α: 2" in said(session)
    race = clicked(session, "noise", ["floor", 0], 0)
    assert race.lanes[0].hyper["learning_rate"] == pytest.approx(float(measured["x"][0]), rel=1e-3)


@pytest.mark.parametrize("kind", STUDIES)
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"landscape": "ellipse", "o1": "none"}, "Nobody is running"),
        ({"landscape": "linear_layer", "o1": "sgd", "steps": "20"}, ""),
        ({"landscape": "hyperbolic_saddle", "o1": "sgd", "steps": "20"}, ""),
        ({"landscape": "quartic", "o1": "polyak", "steps": "20"}, ""),
        ({"landscape": "ellipse", "o1": "sgd", "rate": "10", "kappa": "1000", "steps": "2000"}, ""),
        ({"landscape": "ellipse", "o1": "sgd", "x": "0", "y": "0", "steps": "20"}, ""),
        ({"landscape": "=sqrt(x) + y^2", "o1": "sgd", "x": "-1", "steps": "20"}, ""),
        ({"landscape": "ellipse", "o1": "sgd", "steps": "1"}, ""),
    ],
    ids=["nobody", "slice", "unbounded", "no knob", "all diverge", "at the minimum", "in a hole", "one step"],
)
def test_whatever_the_scene_is_a_study_shows_or_says_something(kind: str, query: dict[str, str], message: str) -> None:
    session = study(kind, **query)
    if message:
        assert message in session.info[0].value
    else:
        assert session.get("bidi_component") or session.info


@pytest.mark.parametrize("kind", STUDIES)
def test_an_address_with_a_study_says_the_same_when_it_is_read_again(kind: str) -> None:
    session = study(kind, **VALLEY)
    query = {key: value[0] if isinstance(value, list) else value for key, value in session.query_params.items()}
    assert query["map"] == kind
    again = opened("maps", **query)
    assert again.session_state["race"] == session.session_state["race"]
    assert again.session_state["view"] == session.session_state["view"]


def test_work_that_nobody_waits_for_any_more_ends() -> None:
    begun, ended = [], []

    def work(item: int, told: Any) -> int:
        begun.append(item)
        try:
            for k in range(1_000):
                time.sleep(0.01)
                told(k / 1_000)
        except GivenUp:
            ended.append(item)
            raise
        return item

    def overtaken(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(work, range(8), overtaken)
    assert len(begun) <= 2 and sorted(begun) == sorted(ended)


def test_several_works_are_done_in_order_and_tell_their_mean() -> None:
    shares: list[float] = []

    def work(item: int, told: Any) -> int:
        told(0.5)
        time.sleep(0.12)
        return item

    assert each(work, [3, 1, 2], shares.append) == [3, 1, 2]
    assert shares[0] <= 0.5 and max(shares) <= 1 and shares == sorted(shares)


def test_the_noise_of_a_study_stands_in_the_address() -> None:
    session = study("noise", **WELLS, **{"map.noise": "3"})
    assert session.session_state["view"].said == {"noise": 3.0}
    assert "`map.noise` = `-1`" in study("noise", **WELLS, **{"map.noise": "-1"}).warning[0].value
