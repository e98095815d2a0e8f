"""The fair comparison among the maps: its budget, its table, and the way to the race."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.session import opened, settled, stage

SCENE = {"map": "fair", "landscape": "rosenbrock", "o1": "momentum", "o2": "sam", "map.trials": "12"}
SCENE |= {"map.evaluations": "40", "map.starts": "2"}


def fair(**query: str) -> AppTest:
    return opened("maps", **SCENE | query)


def table(session: AppTest) -> list[list[str]]:
    (found,) = (m.value for m in session.markdown if m.value.startswith("| Optimizer"))
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.split("\n")]


def charts(session: AppTest) -> dict[str, Any]:
    return {chart["name"]: chart for chart in stage(session)["charts"]}


def test_every_runner_spends_the_stated_budget() -> None:
    session = fair()
    assert any("spent 960 gradient evaluations: 12 trials × 2 starts × 40" in c.value for c in session.caption)
    rows = table(session)
    steps = rows[0].index("Steps a run")
    assert [row[steps] for row in rows[2:]] == ["40", "20"]
    drawn = charts(session)["trials"]["data"]
    assert sum(len(trace["text"]) for trace in drawn if trace["meta"].get("pick") == 0) == 12


def test_noise_brings_seeds() -> None:
    session = fair(noise="0.1", **{"map.seeds": "3"})
    assert any("12 trials × 2 starts × 3 seeds × 40" in c.value for c in session.caption)
    assert "map.seeds" not in fair(noise="0").query_params


@pytest.mark.parametrize("layout", ["grid", "sobol"])
def test_layouts_and_what_is_tuned_are_in_the_address(layout: str) -> None:
    session = fair(**{"map.layout": layout, "map.tuned": "rate"})
    assert session.query_params["map.layout"] == layout
    rows = table(session)
    assert all("ρ" not in row[-1] and "α = " in row[-1] for row in rows[2:])


def test_the_tuned_runners_race() -> None:
    session = fair()
    best = table(session)[2][-1]
    session.button(key="map.fair.race").click()
    settled(session.run())
    race = session.session_state.race
    assert [lane.optimizer for lane in race.lanes] == ["momentum", "sam"] and race.steps == 40
    told = float(best.removeprefix("α = ").split(",")[0])
    assert race.lanes[0].hyper["learning_rate"] == pytest.approx(told, rel=1e-2)


def test_the_same_draw_gives_the_same_table() -> None:
    assert table(fair()) == table(fair()) != table(fair(**{"map.draw": "1"}))


def test_nobody_and_nothing_lowest_are_said() -> None:
    assert "Nobody is running" in opened("maps", map="fair", landscape="sphere", o1="none").info[0].value
    assert "falls for ever" in opened("maps", map="fair", landscape="textbook_saddle", o1="sgd").info[0].value


def test_where_all_diverge_the_page_says_so() -> None:
    # A rule without knobs that leaves for good.
    session = fair(landscape="zakharov", o1="=delta: 1e30*(1 + 0*g)", o2="none")
    assert any("Every setting of every optimizer diverged" in i.value for i in session.info)
    assert table(session)[2][1] == "diverged"


@pytest.mark.parametrize(("tolerance", "said"), [("1e-12", "comes lowest"), ("100", "nothing is between them")])
def test_who_is_within_the_tolerance_of_the_lowest_did_not_lose(tolerance: str, said: str) -> None:
    assert any(said in m.value for m in fair(tolerance=tolerance).markdown)
