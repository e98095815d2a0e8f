"""The maps page as a whole, run by Streamlit's AppTest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from descent import basins, sweep
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tests.session import opened, settled, stage
from ui.maps.address import from_query, to_query
from ui.maps.knobs import set_knob
from ui.race import Lane, Race

ADAM = {"landscape": "himmelblau", "o1": "adam", "o1.learning_rate": "0.1", "steps": "60"}


def maps(**query: str) -> AppTest:
    return opened("maps", **query)


def test_the_map_is_sent_as_it_was_computed() -> None:
    (panel,) = stage(maps(**ADAM))["still"]["panels"]
    found = basins(LANDSCAPES["himmelblau"], OPTIMIZERS["adam"], 256, 60, {"learning_rate": 0.1})
    minima = len(LANDSCAPES["himmelblau"].minima)
    expected = np.where(found.minimizer >= 0, found.minimizer, minima + found.verdict)
    np.testing.assert_array_equal(panel["cells"], expected.ravel())
    np.testing.assert_array_equal(panel["values"], found.steps.ravel())


def test_up_to_four_runners_are_shown_side_by_side() -> None:
    five = {f"o{n}": name for n, name in enumerate(("sgd", "momentum", "adam", "sgd", "adam"), 1)}
    session = maps(landscape="himmelblau", steps="2", **five)
    assert len(stage(session)["still"]["panels"]) == 4
    assert any("first 4 runners" in caption.value for caption in session.caption)


def test_without_a_runner_the_page_says_so() -> None:
    session = maps(landscape="himmelblau", o1="none")
    assert not session.get("bidi_component")
    assert "Nobody is running" in session.info[0].value


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"map": "treasure"}, "`map` = `treasure`"),
        ({"map.x": "1"}, "`map.x` = `1`"),
        ({"steps": "-1"}, "`steps` = `-1`"),
    ],
    ids=str,
)
def test_what_an_address_cannot_mean_is_ignored_and_said(query: dict[str, str], said: str) -> None:
    session = maps(**ADAM | query)
    assert said in session.warning[0].value


def test_the_scene_is_the_session_s_race() -> None:
    session = maps(**ADAM, x="1.5", y="-2")
    assert session.session_state["race"].begin == (1.5, -2.0)
    session.number_input(key="race.x").set_value(2.5)
    settled(session.run())
    message: Any = stage(session)
    assert message["start"] == [2.5, -2.0] and message["paths"]["x"][0] == 2.5
    assert session.query_params["x"] == "2.5"


# Knob maps -------------------------------------------------------------------------------------------------------

KNOBS = {"map": "knobs", "landscape": "ellipse", "steps": "60"}


def test_the_knob_map_is_what_its_sweep_gives_and_theory_is_drawn_over_it() -> None:
    session = maps(**KNOBS, o1="sgd", **{"map.up": "kappa"})
    message = stage(session)
    (panel,) = message["still"]["panels"]
    x, y = message["still"]["x"], message["still"]["y"]
    shares = (np.arange(128) + 0.5) / 128
    rates, kappas = (side["low"] * (side["high"] / side["low"]) ** shares for side in (x, y))
    found = sweep(
        LANDSCAPES["ellipse"],
        OPTIMIZERS["sgd"],
        {"kappa": kappas, "learning_rate": rates},
        LANDSCAPES["ellipse"].start,
        60,
    )
    lost = found.diverged_at.ravel() >= 0
    np.testing.assert_array_equal(panel["cells"] == 2, lost)
    np.testing.assert_allclose(panel["values"][~lost], found.loss.ravel()[~lost], rtol=1e-6)
    edge, fastest = panel["curves"]
    np.testing.assert_allclose(edge["xs"], 2 / kappas, rtol=1e-4)
    np.testing.assert_allclose(fastest["xs"], 2 / (1 + kappas), rtol=1e-4)
    assert message["starts"] == [[0.01, 20.0]]
    assert any("too high diverges" in caption.value and "theory: 0.1" in caption.value for caption in session.caption)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"o1": "none"}, "Nobody is running"),
        ({"o1": "sgd", "landscape": "himmelblau"}, "only one knob"),
        ({"o1": "sgd", "map.up": "learning_rate"}, "same knob"),
        ({"o1": "sgd", "o2": "adam", "map.across": "momentum"}, "ignored"),
        ({"o1": "momentum", "o2": "adam", "map.across": "b1", "map.up": "momentum"}, "None of the runners"),
        ({"o1": "momentum", "map.up.low": "0.5", "map.up.high": "0.5"}, "must grow"),
        ({"o1": "momentum", "map.across.low": "1", "map.across.high": "0.01"}, "must grow"),
        ({"o1": "momentum", "map.up.high": "nan"}, "ignored"),
    ],
    ids=str,
)
def test_what_makes_no_knob_map_is_said(query: dict[str, str], said: str) -> None:
    session = maps(**KNOBS | query)
    told = [element.value for element in [*session.info, *session.warning]]
    assert any(said in text for text in told), told


def test_a_start_without_a_value_makes_a_map_that_diverges_everywhere() -> None:
    hole = "=sqrt(x) + y^2; x=-1..3; y=-1..1"
    session = maps(map="knobs", landscape=hole, x="-0.5", y="0", o1="momentum", steps="20")
    (panel,) = stage(session)["still"]["panels"]
    assert (panel["cells"] == 2).all()
    assert any("diverges wherever" in caption.value for caption in session.caption)


def test_a_link_brings_back_map_and_scene() -> None:
    query = KNOBS | {
        "o1": "momentum",
        "o1.momentum": "0.5",
        "map.colour": "steps",
        "map.across": "momentum",
        "map.up": "kappa",
        "map.up.low": "3",
        "map.across.scale": "linear",
    }
    race, view, notes = from_query(query, Race())
    assert not notes and to_query(race, view) == query
    session = maps(**query)
    assert {key: value for key, value in session.query_params.items() if key != "lang"} == query
    session.switch_page("pages/race.py").run()
    assert session.session_state["race"] == race


def test_a_knob_is_set_where_it_belongs_and_within_its_range() -> None:
    race, _, _ = from_query(KNOBS | {"o1": "sgd", "o2": "adam"}, Race())
    assert set_knob(race, 1, "kappa", 33.333333).shape == {"kappa": 33.33}
    assert set_knob(race, 1, "learning_rate", 0.12345678).lanes[1].hyper == {"learning_rate": 0.1235}
    assert set_knob(race, 1, "learning_rate", 1e9).lanes[1].hyper == {"learning_rate": 10.0}
    assert set_knob(replace(race, rate=0.1), 1, "learning_rate", 0.5).rate == 0.5


def test_another_runner_or_surface_drops_what_the_map_was_set_to_before() -> None:
    session = maps(**KNOBS, o1="momentum", **{"map.up": "momentum"})
    session.selectbox(key="race.landscape").select("himmelblau").run()
    settled(session)
    assert stage(session)["still"]["y"]["name"].startswith("Momentum")
    session.session_state["race"] = replace(session.session_state["race"], lanes=(Lane("adam"),))
    settled(session.run())
    assert "β" in stage(session)["still"]["y"]["name"]
