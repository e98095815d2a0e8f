"""The microscope page: its state and URL, and the page as a whole, run by Streamlit's AppTest."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from descent.compilation import counting
from descent.microscope import MOST_STEPS, Anatomy
from descent.spec import Values
from figures import shares as shares_chart
from figures import trace_axes
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tests.session import opened as opened_at
from tests.session import settled, stage
from ui.language import catalogue
from ui.microscope import Fork, Scope, anatomy, first_fork, fork_at, from_query, to_query
from ui.microscope_controls import DEFAULT
from ui.microscope_runner import random_hessians
from ui.microscope_stage import moving
from ui.race import Lane, Race
from ui.race_controls import DEFAULT as RACE
from ui.runner import warm_up
from ui.stage.payload import pack

opened = partial(opened_at, "microscope")
ADAM = {"landscape": "ellipse", "steps": "60", "o1": "adam", "o1.learning_rate": "0.1"}


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Let the background finish what the first session makes it compile: some tests count compilations."""
    warm_up(RACE).join()


# ---- state -----------------------------------------------------------------------------------------------------------


def scope(**query: str) -> Scope:
    found, notes = from_query(query, DEFAULT)
    assert not notes
    return found


FULL = ADAM | {"kappa": "5", "x": "1.5", "y": "-2", "noise": "0.5", "schedule": "cosine", "clip": "norm"}
FULL |= {"fork": "b1", "fork.at": "12", "fork.to": "0.5", "o1.eps": "0.001"}


def test_the_url_holds_the_state() -> None:
    found = scope(**FULL)
    assert found.fork == Fork(12, "b1", 0.5) and found.race.steps == 60
    assert found.lane == Lane("adam", Values(learning_rate=0.1, eps=0.001))
    assert from_query(to_query(found), DEFAULT) == (found, [])
    assert to_query(found) == FULL | {"clip_at": "1"} or to_query(found) == FULL
    assert from_query({}, DEFAULT) == (DEFAULT, [])


def test_a_race_can_be_looked_at() -> None:
    race = Race(landscape="beale", lanes=(Lane("sgd"), Lane("adam", Values(b1=0.5))), steps=3_000, rate=0.25)
    found = Scope.of(race, 1)
    assert found.lane == Lane("adam", Values(b1=0.5, learning_rate=0.25)) and found.race.steps == MOST_STEPS
    assert found.race.rate is None, "its learning rate is now its own"
    found, notes = from_query({"landscape": "beale", "o1": "sgd", "o2": "adam", "steps": "3000"}, DEFAULT)
    assert found.lane.optimizer == "sgd" and [note.key for note in notes] == ["o2", "steps"]


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"fork": "warmth"}, "fork"),
        ({"fork.at": "3"}, "fork"),
        ({"fork": "b1", "fork.at": "60"}, "fork.at"),
        ({"fork": "b1", "fork.at": "-1"}, "fork.at"),
        ({"fork": "b1", "fork.at": "2.5"}, "fork.at"),
        ({"fork": "b1", "fork.to": "7"}, "fork.to"),
        ({"fork": "b1", "fork.to": "nan"}, "fork.to"),
        ({"fork": "learning_rate", "fork.to": "1e999"}, "fork.to"),
        ({"o1.b1": "x"}, "o1.b1"),
        ({"landscape": "moon"}, "landscape"),
        ({"nothing": "1"}, "nothing"),
    ],
)
def test_what_cannot_be_used_is_noted(query: dict[str, str], key: str) -> None:
    found, notes = from_query(ADAM | query, DEFAULT)
    assert [note.key for note in notes] == [key]
    anatomy(found)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_first_fork_is_another_value_within_reach(name: str) -> None:
    here = Scope(Race(lanes=(Lane(name),)))
    for knob in here.hypers:
        fork = first_fork(here, knob, 3)
        assert fork.to != knob.default and knob.check_range(fork.to, name) == fork.to
    assert fork_at(here, 9_999).fork == first_fork(here, here.hypers[0], 499)
    moved = fork_at(replace(here, fork=Fork(3, here.hypers[-1].name, 0.5)), 7)
    assert moved.fork == Fork(7, here.hypers[-1].name, 0.5)


# ---- the page --------------------------------------------------------------------------------------------------------


def now(session: AppTest) -> Scope:
    return session.session_state["scope"]


def assert_shown(session: AppTest) -> Anatomy:
    """The stage has exactly the numbers of the run, and the text has a slot for none that it does not send."""
    here, message = now(session), stage(session)
    found = anatomy(replace(here, fork=None))
    run, series = found.trajectory, message["series"]
    for name, values in {
        "x": run.position[:, 0],
        "y": run.position[:, 1],
        "loss": run.loss,
        "gx": run.gradient[:, 0],
        "ux": run.update[:, 0],
        "uy": run.update[:, 1],
        "alpha": run.learning_rate,
    }.items():
        np.testing.assert_array_equal(series[name][: len(values)], values, err_msg=name)
    if message["unified"]:
        np.testing.assert_array_equal(series["mx"][:-1], run.direction[:, 0])
        np.testing.assert_array_equal(series["sy"][:-1], run.scale[:, 1])
    made = {"glosses", "k", "t", "gnorm", "kappa", "stable", "kind", "shape", "side", "side2", "phi"}
    said = " ".join(e.value for e in (*session.latex, *session.markdown, *session.caption))
    slots = set(re.findall(r"@([a-z]\w*)@", said))
    assert {"ux", "uy", "k", "t", "loss", "gnorm", "kappa"} <= slots <= made | series.keys()
    for chart in message["charts"]:
        for line in chart["lines"]:
            assert line["series"] in series.keys() | {"ex", "ey", "ratio"}
    if here.fork:
        other = anatomy(here, forked=True).trajectory
        np.testing.assert_array_equal(message["ghost"]["x"], other.position[here.fork.at :, 0])
    else:
        assert message["ghost"] is None
    return found


def test_the_page_opens() -> None:
    session = opened()
    assert now(session) == DEFAULT and not session.warning
    assert_shown(session)
    assert "still" in stage(session)
    first = [(type(e).__name__, e.type, getattr(e, "key", None)) for e in session._tree]
    settled(session.run())
    assert [(type(e).__name__, e.type, getattr(e, "key", None)) for e in session._tree] == first


def test_every_optimizer_can_be_looked_at() -> None:
    session = opened(**ADAM)
    for name in [*OPTIMIZERS][::-1]:
        settled(session.selectbox(key="scope.optimizer").select(name).run())
        assert now(session).lane == Lane(name) and session.query_params["o1"] == name
        assert any(OPTIMIZERS[name].equations in latex.value for latex in session.latex)
        unified = any(r"M_t" in latex.value and r"\alpha_t" in latex.value for latex in session.latex)
        nothing = any("no unified form" in caption.value for caption in session.caption)
        assert nothing == (OPTIMIZERS[name].terms is None) and (unified or nothing)
        assert_shown(session)


def test_every_landscape_can_be_looked_at() -> None:
    session = opened(**ADAM)
    for landscape in [*LANDSCAPES.values()][::-1]:
        settled(session.selectbox(key="scope.landscape").select(landscape.id).run())
        assert now(session).race.landscape == landscape.id == stage(session)["still"]["name"]
        assert session.number_input(key="scope.x").value == landscape.start[0]
        assert_shown(session)


def test_a_fork_shows_the_other_future() -> None:
    session = opened(**ADAM)
    settled(session.selectbox(key="scope.fork.knob").select("learning_rate").run())
    assert now(session).fork == Fork(20, "learning_rate", 0.2)
    settled(session.number_input(key="scope.fork.at").set_value(33).run())
    settled(session.select_slider(key="scope.fork.adam.learning_rate").set_value(0.5).run())
    assert now(session).fork == Fork(33, "learning_rate", 0.5)
    assert_shown(session)
    assert session.query_params == ADAM | {"fork": "learning_rate", "fork.at": "33", "fork.to": "0.5"}
    assert now(opened(**session.query_params)) == now(session)
    assert any("in the other future" in text.value for text in session.markdown)
    settled(session.slider(key="scope.steps").set_value(10).run())
    assert now(session).fork == Fork(9, "learning_rate", 0.5), "a fork stays within the run"
    assert_shown(session)
    settled(session.selectbox(key="scope.fork.knob").select("").run())
    assert now(session).fork is None and "fork" not in session.query_params
    assert_shown(session)


def test_a_fork_begins_at_the_step_shown() -> None:
    session = opened(**ADAM, step="41")
    assert stage(session)["step"] == 41
    settled(session.selectbox(key="scope.fork.knob").select("b2").run())
    assert now(session).fork is not None and now(session).fork.at == 41  # type: ignore[union-attr]


def test_claims_turn_with_their_knobs() -> None:
    session = opened(**ADAM)

    def said(part: str) -> str:
        return next(text.value for text in session.markdown if part in text.value)

    assert "check_circle" in said("The first step is as long as α")
    settled(session.toggle(key="scope.adam.bias_correction").set_value(False).run())
    assert "cancel" in said("The first step is as long as α") and "3.162 α" in said("The first step is as long as α")
    assert "check_circle" in said("ε is too small")
    settled(session.select_slider(key="scope.adam.eps").set_value(1.0).run())
    assert "cancel" in said("ε is too small")


def test_no_slider_compiles_anything() -> None:
    session = opened(**ADAM | {"fork": "learning_rate", "clip": "value"})
    session.session_state["scope.more"] = True
    settled(session.run())
    moved = 0
    with counting() as programs:
        for kind in ("select_slider", "slider", "number_input", "toggle"):
            for key in [widget.key for widget in getattr(session, kind) if widget.key.startswith("scope.")]:
                widget = getattr(session, kind)(key=key)
                if kind == "select_slider":
                    widget.set_value(float(widget.options[len(widget.options) // 2]))
                elif kind == "toggle":
                    widget.set_value(not widget.value)
                else:
                    widget.set_value({"scope.steps": 77, "scope.seed": 5, "scope.fork.at": 3}.get(key, 0.5))
                settled(widget.run())
                moved += 1
                assert not programs, f"{key} compiled {programs}"
        settled(session.selectbox(key="scope.clip").select("norm").run())
    assert not programs and moved >= 14
    assert_shown(session)


def test_divergence_is_shown_as_divergence() -> None:
    session = opened(
        landscape="rosenbrock", o1="momentum", **{"o1.learning_rate": "1", "fork": "momentum", "fork.at": "2"}
    )
    found = assert_shown(session)
    assert stage(session)["runs"]["diverged"] == found.trajectory.diverged_at > 0
    assert any("diverged at step" in text.value for text in session.markdown)


@pytest.mark.parametrize("steps", ["1", "2", "500"])
def test_short_and_long_runs(steps: str) -> None:
    session = opened(**ADAM | {"steps": steps, "fork": "b1", "fork.at": "0"}, step="9999")
    assert_shown(session)
    assert not session.warning


def test_bad_addresses_are_noted_and_nothing_else() -> None:
    session = opened(landscape="<script>", o1="`x`", fork="b1\n", step="x", lang="xx", **{"fork.at": "9" * 50})
    (warning,) = session.warning
    assert "was ignored" in warning.value
    assert_shown(session)


def test_it_leads_to_the_race() -> None:
    session = opened(**ADAM | {"kappa": "7", "fork": "b1"})
    settled(session.button(key="scope.race").click().run())
    race = session.session_state["race"]
    assert (race.landscape, dict(race.shape), race.steps) == ("ellipse", {"kappa": 7}, 60)
    assert race.lanes == (Lane("adam", Values(learning_rate=0.1)),)
    assert session.query_params == ADAM | {"kappa": "7"} and "runs" in stage(session)


def test_the_race_leads_to_it() -> None:
    session = opened_at(**ADAM | {"kappa": "7", "o2": "sgd", "o2.learning_rate": "0.02"})
    session.session_state["race.1.sgd.more"] = True
    settled(session.run())
    settled(session.button(key="race.1.sgd.microscope").click().run())
    assert now(session).lane == Lane("sgd", Values(learning_rate=0.02)) and now(session).race.shape == {"kappa": 7}
    assert_shown(session)
    assert session.query_params == ADAM | {"kappa": "7", "o1": "sgd", "o1.learning_rate": "0.02"}


def test_charts_are_valid_figures() -> None:
    found, exact = random_hessians()
    study = go.Figure(shares_chart(*found, exact, words=("n", "share", "measured", "exact", "known")))
    assert [trace.name for trace in study.data] == ["known", "measured", "exact"]
    assert study.layout.yaxis.type == "log" and len(study.data[1].error_y.array) == len(study.data[1].x)
    axes = go.Figure(trace_axes("sharpness", logarithmic=True))
    assert not axes.data and axes.layout.annotations[0].text == "sharpness" and axes.layout.yaxis.type == "log"
    assert go.Figure(trace_axes("M")).layout.yaxis.type == "linear"


def test_why_saddles_is_told_when_asked() -> None:
    session = opened(**ADAM)
    assert not session.get("plotly_chart")
    session.session_state["why_saddles"] = True
    settled(session.run())
    assert session.get("plotly_chart")
    assert any("Dauphin et al. (2014)" in text.value for text in session.markdown)


def test_it_is_in_chinese_too() -> None:
    session = opened(**ADAM | {"fork": "b1", "lang": "zh"})
    texts = stage(session)["still"]["words"]
    session.session_state["why_saddles"] = True
    settled(session.run())
    words = [e.value for e in (*session.markdown, *session.caption)] + [w.label for w in session.selectbox]
    english = catalogue("zh").gettext
    assert english("Every step leads downhill.") in " ".join(words)
    assert all(re.search("[\u4e00-\u9fff]", word) for word in words if re.search("[A-Za-z]{4}", word)), words
    assert texts["fork"] == english("fork") and texts["kinds"]["moving"] == english("on a slope")


@pytest.mark.parametrize("name", ["adam", "bfgs", "ademamix", "schedule_free_adamw", "nesterov"])
def test_a_slider_sends_less_than_64_kilobytes(name: str) -> None:
    here = Scope(Race("rosenbrock", lanes=(Lane(name),), noise=0.1), Fork(5, "learning_rate", 0.003))
    message = pack(moving(here, anatomy(replace(here, fork=None)), anatomy(here, forked=True)))
    assert len(message) < 56_000


def test_what_its_user_built_can_be_looked_at() -> None:
    mine = {"landscape": "=x^2 + a*y^2; a=3 in 1..5", "o1": "=m: b*m + g; delta: -lr*m; lr=0.05; b=0.9", "steps": "40"}
    session = opened(**mine)
    assert not session.warning
    assert session.session_state.scope.lane.optimizer.startswith("=m: ")
    names = session.selectbox(key="scope.landscape").options
    assert any("a y^2" in name or "a*y^2" in name or "a·y^2" in name for name in names[:1]), names[:2]
