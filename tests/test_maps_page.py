"""The maps page as a whole, run by Streamlit's AppTest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from descent import basins
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tests.session import opened, settled, stage

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
    panels = stage(maps(landscape="himmelblau", steps="2", **five))["still"]["panels"]
    assert len(panels) == 4


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
