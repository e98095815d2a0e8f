"""The search page: its address, what it says, and that its lessons' sentences are so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.delta_generator import DeltaGenerator

from descent.halving import spending
from lessons.searches import LESSONS
from tests.session import opened, settled, stage
from ui import search_runner
from ui.search import RUNS, Search, from_query, of_lesson, to_query

PLACE = DeltaGenerator()


def squared(search: Search) -> search_runner.Square:
    return search_runner.square(search, PLACE)


def hits(search: Search) -> dict[str, float]:
    """How often each layout finds one of the best settings on its budget."""
    threshold = squared(search).best(search.share / 100)
    many = search_runner.repeated(search, PLACE)
    drawn = search_runner.drawn(search, PLACE)
    return {
        name: float(found.hits(threshold)[int(np.searchsorted(found.trials, len(drawn[name][0])))])
        for name, found in many.items()
    }


# Lessons -------------------------------------------------------------------------------------------------------------


def test_distinct_values_help_where_one_knob_matters() -> None:
    search = of_lesson("distinct_values")
    assert squared(search).matters.first > 0.99
    found = hits(search)
    assert found["random"] > found["grid"] + 0.1 and found["sobol"] > found["grid"] + 0.1


def test_epsilon_hardly_matters_and_random_search_finds_twice_as_much() -> None:
    search = of_lesson("adam_epsilon")
    assert squared(search).matters.first > 0.95
    found = hits(search)
    assert found["random"] > 2 * found["grid"]


def test_a_valley_across_is_the_work_of_both_and_the_grid_lines_up() -> None:
    search = of_lesson("valley")
    matters = squared(search).matters
    assert matters.together > 0.9
    found = hits(search)
    assert found["random"] > found["grid"] + 0.1


def test_where_both_knobs_matter_an_even_spread_does_better() -> None:
    search = of_lesson("even_spread")
    matters = squared(search).matters
    assert matters.second > 0.1 and matters.together > 0.1
    found = hits(search)
    assert found["grid"] > found["random"] + 0.05 and found["sobol"] > found["random"] + 0.02


def test_halving_pays_where_bad_runs_show_early() -> None:
    search = of_lesson("halving_pays")
    many = search_runner.duel(search, PLACE)
    assert (many.halving < many.random).mean() > 0.85
    assert -(-sum(spending(search.ladder)) // search.ladder[-1].resource) == 4
    # Most settings are hopeless: they end higher than the start, or diverge.
    assert np.isfinite(squared(search).sample).mean() < 0.75 or (squared(search).heights > 0.5).mean() > 0.5


def test_halving_throws_out_slow_starters() -> None:
    search = of_lesson("slow_starters")
    one = search_runner.halved(search, PLACE)
    best = int(np.nanargmin(one.final))
    assert one.found.reached[0][best] == 0
    many = search_runner.duel(search, PLACE)
    assert (many.halving < many.random).mean() < 0.35
    # Who survives the first rung takes longer steps than who would have been among the best third.
    steps = search.axes[0].at(one.points[:, 0])
    kept, good = one.found.reached[0] > 0, np.argsort(one.final)[:27]
    assert np.median(steps[kept]) > 3 * np.median(steps[good])


# Address -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_its_address(lesson: str) -> None:
    search = of_lesson(lesson)
    assert search.lesson == lesson
    assert from_query(to_query(search)) == (search, [])


def test_a_link_by_hand_may_say_more_than_the_lesson() -> None:
    search, notes = from_query({"lesson": "halving_pays", "seed": "7"})
    assert not notes and search.show == "halving" and search.optimizer == "nesterov" and search.seed == 7


@pytest.mark.parametrize(
    "query",
    [
        {"show": "layouts", "response": "additive", "importance": "0.7", "trials": "25", "share": "10", "seed": "7"},
        {
            "show": "layouts",
            "response": RUNS,
            "landscape": "beale",
            "optimizer": "lion",
            "first_knob": "b1",
            "second_knob": "b2",
            "low1": "0.5",
            "high2": "0.9",
            "evaluations": "50",
        },
        {"show": "halving", "landscape": "=x^2 + y^2", "optimizer": "adam", "eta": "4", "configurations": "64"},
    ],
)
def test_addresses_keep_what_they_say(query: dict[str, str]) -> None:
    search, notes = from_query(query)
    assert not notes
    again = to_query(search)
    assert {key: again.get(key) for key in query} == query
    assert from_query(again) == (search, [])


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"show": "everything"}, "show"),
        ({"response": "none"}, "response"),
        ({"trials": "0"}, "trials"),
        ({"trials": "nine"}, "trials"),
        ({"response": RUNS, "optimizer": "sgd"}, "optimizer"),
        ({"response": RUNS, "first_knob": "rho"}, "first_knob"),
        ({"response": RUNS, "first_knob": "b1", "second_knob": "b1"}, "second_knob"),
        ({"response": RUNS, "low1": "1", "high1": "0.1"}, "low1"),
        ({"response": RUNS, "low1": "0"}, "low1"),
        ({"importance": "2"}, "importance"),
        ({"colour": "red"}, "colour"),
        ({"landscape": "=x^"}, "landscape"),
    ],
)
def test_what_cannot_be_used_is_noted_and_the_rest_holds(query: dict[str, str], key: str) -> None:
    search, notes = from_query({"seed": "3"} | query)
    assert [note.key for note in notes] == [key]
    assert search.seed == 3 and from_query(to_query(search)) == (search, [])


# The page ------------------------------------------------------------------------------------------------------------


def charts(session: Any) -> dict[str, Any]:
    return {chart["name"]: chart for chart in stage(session)["charts"]}


def test_the_page_opens_with_three_values_against_nine() -> None:
    session = opened("search")
    assert session.query_params["lesson"] == "distinct_values"
    assert "distinct values" in session.markdown[0].value
    drawn = charts(session)
    assert list(drawn) == ["grid", "random", "sobol", "expected", "chances"]
    corners = {name: drawn[name]["layout"]["annotations"][1]["text"] for name in ("grid", "random", "sobol")}
    assert "3 × 3" in corners["grid"] and "9 × 9" in corners["random"] and "9 × 9" in corners["sobol"]
    (table,) = (m.value for m in session.markdown if m.value.startswith("| Layout"))
    assert "| **Grid** | 9 | 3 | 3 |" in table and "| **Random** | 9 | 9 | 9 |" in table


def test_another_seed_draws_anew_and_stands_in_the_address() -> None:
    session = opened("search", show="layouts", response="additive")
    before = charts(session)["random"]["data"][-1]
    session.button(key="search.again").click()
    settled(session.run())
    assert session.query_params["seed"] == "1"
    assert not np.array_equal(charts(session)["random"]["data"][-1]["x"], before["x"])
    back = opened("search", show="layouts", response="additive")
    assert np.array_equal(charts(back)["random"]["data"][-1]["x"], before["x"])


def test_a_budget_that_is_no_square_says_what_the_grid_uses() -> None:
    session = opened("search", show="layouts", response="additive", trials="11")
    assert "3 × 3 = 9" in session.info[0].value
    assert not opened("search", show="layouts", response="additive", trials="16").info


def test_halving_shows_its_exact_budget() -> None:
    session = opened("search", lesson="halving_pays")
    search = of_lesson("halving_pays")
    spent = sum(spending(search.ladder))
    (table,) = (m.value for m in session.markdown if m.value.startswith("| Rung"))
    assert f"**{spent}**" in table
    assert any(f"The same {spent} gradient evaluations" in m.value for m in session.markdown)
    learning = charts(session)["learning"]["data"]
    assert len(learning) == len(search.ladder)


BAD = {"response": RUNS, "landscape": "sphere", "optimizer": "momentum", "evaluations": "100", "show": "layouts"}


def test_a_range_of_one_value_is_said() -> None:
    session = opened("search", **BAD, low1="0.01", high1="0.01")
    assert "0.01: only the other knob is searched" in session.info[0].value


def test_where_every_trial_diverges_the_page_says_so() -> None:
    session = opened("search", **BAD | {"evaluations": "2000"}, low1="9", high1="10", low2="0", high2="0.1")
    assert "Every trial diverged" in session.info[0].value
    assert "all diverged" in charts(session)["random"]["layout"]["annotations"][0]["text"]
    where = {"show": "halving", "landscape": "sphere", "optimizer": "momentum", "low1": "9", "high2": "0.1"}
    assert opened("search", **where, first="60").info


def test_a_budget_too_small_for_a_step_is_said() -> None:
    session = opened("search", show="halving", optimizer="newton", first="2", landscape="sphere")
    assert "do not pay for one step" in session.info[0].value


def test_what_an_address_gets_wrong_is_said() -> None:
    session = opened("search", trials="lots")
    assert "lots" in session.warning[0].value


def test_a_range_can_be_narrowed_and_stays_so() -> None:
    session = opened("search", **BAD, low1="0.003")
    (slider,) = (s for s in session.select_slider if ".learning_rate.range" in s.key)
    assert slider.value == (0.003, 10.0)
    slider.set_range(0.003, 1.0)
    settled(session.run())
    assert (session.query_params["low1"], session.query_params["high1"]) == ("0.003", "1")
    settled(session.run())
    assert session.query_params["high1"] == "1"
    session.button(key="search.again").click()
    settled(session.run())
    assert (session.query_params["low1"], session.query_params["high1"]) == ("0.003", "1")
    (slider,) = (s for s in session.select_slider if ".learning_rate.range" in s.key)
    assert slider.value == (0.003, 1.0)


def test_turning_a_knob_turns_the_response() -> None:
    session = opened("search", show="layouts", response="additive", trials="16")
    before = stage(session)["scene"]
    session.slider(key="search.additive.importance").set_value(0.5).run()
    settled(session)
    assert stage(session)["scene"] != before
    assert session.query_params["importance"] == "0.5"
