"""The build page and the race with formulas, run by Streamlit's AppTest."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from descent.spec import Values
from landscapes import LANDSCAPES
from tests.session import opened, settled, stage
from ui import words
from ui.build import EXAMPLES, rule_of
from ui.export import python_script
from ui.race import Lane, Race, from_json, from_query, to_json, to_query

build = partial(opened, "build")
BOWL = "=a*x^2 + y^2; start=1,1.5; a=3 in 1..5"
HEAVY = "=m: b1*m + g; delta: -lr*m; lr=0.05; b1=0.9"
RACE = Race(landscape=BOWL, shape=Values(a=2), lanes=(Lane(HEAVY, Values(b1=0.5)), Lane("adam")))


def test_a_race_of_formulas_comes_back_from_its_url_and_its_file() -> None:
    query = to_query(RACE)
    assert query["landscape"] == BOWL and query["shape.a"] == "2" and query["o1"] == HEAVY and query["o1.b1"] == "0.5"
    assert from_query(query, Race()) == (RACE, [])
    assert from_json(to_json(RACE).encode(), Race()) == (RACE, [])


def test_wrong_formulas_in_a_url_or_file_are_noted_with_the_column() -> None:
    race, notes = from_query({"landscape": "=x^2 + z", "o1": "=delta: -lr*(g", "o2": "adam"}, Race())
    assert race.landscape == Race().landscape and race.lanes == (Lane("adam"),)
    said = [words.note(note) for note in notes]
    assert said[0].startswith("`landscape` = `=x^2 + z` was ignored; column 8: “z” is unknown")
    assert said[1].startswith("`o1` = `=delta: -lr*(g` was ignored; column 10: “lr” is unknown")
    runs = json.loads(to_json(RACE))
    for run in runs:
        run["landscape"] = "=x +"
    _race, notes = from_json(json.dumps(runs).encode(), Race())
    assert notes[0].column == 5


def test_the_race_page_runs_formulas_and_lists_them() -> None:
    session = opened(**to_query(RACE))
    lanes = stage(session)["runs"]["lanes"]
    assert [lane["name"] for lane in lanes] == ["Δ = -lr·m", "Adam"]
    assert lanes[0]["verdict"]["kind"] == "minimum"
    box = session.selectbox(key="race.landscape")
    assert box.options[0] == "a·x^2 + y^2 · My formulas" and box.value == BOWL
    assert "=" not in stage(session)["still"]["name"]


def test_the_exported_script_repeats_a_race_of_formulas() -> None:
    script = python_script(RACE.runs())
    assert "eval" not in script
    names: dict[str, Any] = {"print": lambda *_: None}
    exec(script, names)
    assert names["t"].steps == RACE.steps


def test_a_formula_is_drawn_and_its_critical_points_are_listed() -> None:
    session = build()
    session.text_input(key="build.landscape.formula").set_value("(x^2 - 1)^2 + y^2 + c*x").run()
    settled(session)
    assert stage(session)["runs"]["steps"] == 300
    table = next(m.value for m in session.markdown if m.value.startswith("| Critical point"))
    assert "| minimum |" in table and "| saddle point |" in table
    (slider,) = (s for s in session.slider if s.key.startswith("build.landscape.slider.c"))
    slider.set_value(0.25).run()
    settled(session)
    assert session.query_params["landscape"].startswith("=(x^2 - 1)^2 + y^2 + c*x; y=-1..3")


def test_a_wrong_formula_points_at_the_column_and_keeps_the_picture() -> None:
    session = build(landscape="=x^2 + y^2")
    before = stage(session)["scene"]
    session.text_input(key="build.landscape.formula").set_value("x^2 + y^").run()
    settled(session)
    assert session.code[0].value == "x^2 + y^\n        ^"
    assert any("Column 9" in m.value for m in session.markdown)
    assert stage(session)["scene"] == before
    assert session.button(key="build.open.landscape").disabled


def test_a_hole_is_said() -> None:
    session = build(landscape="=log(x)")
    assert any("no finite value on 50 % of the picture" in m.value for m in session.markdown)


def test_every_example_is_a_landscape() -> None:
    for _name, text in EXAMPLES.values():
        assert not build(landscape=text).warning


def test_a_wrong_formula_in_the_address_is_noted() -> None:
    assert "column 8" in build(landscape="=x^2 + q(x)").warning[0].value
    assert "begins with" in build(optimizer="nobody").warning[0].value


def test_a_template_races_the_rule_it_came_from() -> None:
    session = build(optimizer="adam")
    lanes = stage(session)["runs"]["lanes"]
    assert [lane["name"] for lane in lanes][1] == "Adam"
    assert lanes[0]["verdict"]["final"] == lanes[1]["verdict"]["final"]
    session.selectbox(key="build.optimizer.base").set_value("lion").run()
    settled(session)
    assert [lane["name"] for lane in stage(session)["runs"]["lanes"]][1] == "Lion"
    last = len(rule_of("lion").lines) - 1
    session.text_input(key=f"build.optimizer.{last}.text").set_value("-lr * sign(c + k*g)").run()
    settled(session)
    assert any("knob.k" in s.key for s in session.slider)
    session.text_input(key=f"build.optimizer.{last}.text").set_value("-lr * sign(c").run()
    settled(session)
    assert any("Column 11" in m.value for m in session.markdown)


def test_a_link_to_an_optimizer_says_where_and_against_whom_it_runs() -> None:
    asked = {"optimizer": HEAVY, "optimizer.b1": "0.5", "landscape": "beale", "x": "1", "y": "2", "against": "lion"}
    session = build(**asked)
    drawn = stage(session)
    assert [lane["name"] for lane in drawn["runs"]["lanes"]] == ["Δ = -lr·m", "Lion"] and drawn["start"] == [1, 2]
    assert dict(session.query_params) == asked


def test_what_a_link_says_wrong_is_noted_and_the_rest_is_used() -> None:
    session = build(**{"landscape": BOWL, "shape.a": "9", "x": "0.5", "y": "nowhere"})
    said = session.warning[0].value
    assert "`shape.a` = `9` was ignored; allowed: a number from 1 to 5" in said and "`y` = `nowhere`" in said
    assert stage(session)["start"] == [0.5, 1.5]
    session = build(**{"optimizer": HEAVY, "optimizer.b2": "0.5", "against": "nobody"})
    assert "`optimizer.b2`" in session.warning[0].value and "`against` = `nobody`" in session.warning[0].value


def test_a_rule_begins_with_a_learning_rate_that_suits_the_landscape() -> None:
    session = build(optimizer="sgd")
    (rate,) = (slider for slider in session.select_slider if "learning_rate" in slider.key)
    assert rate.value == LANDSCAPES["rosenbrock"].rate
    assert all(lane["diverged"] == -1 for lane in stage(session)["runs"]["lanes"])
