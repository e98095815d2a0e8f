"""The race page as a whole, run by Streamlit's AppTest: what people do with it, and what comes of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from descent.compilation import counting
from descent.spec import Values
from landscapes import FAMILIES, LANDSCAPES
from lessons.situations import SITUATIONS, run
from optimizers import OPTIMIZERS
from schedules import SCHEDULES
from tests.session import opened, settled, stage
from ui.language import catalogue
from ui.race import MAX_LANES, Lane, Race, to_json
from ui.race_controls import DEFAULT
from ui.runner import warm_up

ADAM = {"landscape": "ellipse", "o1": "adam", "o1.learning_rate": "0.1"}


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Let the background finish what the first session makes it compile: some tests count compilations."""
    warm_up(DEFAULT).join()


def race(session: AppTest) -> Race:
    return session.session_state["race"]


def runners(session: AppTest) -> list[str]:
    return [lane["name"] for lane in stage(session)["runs"]["lanes"]]


def assert_drawn(session: AppTest) -> None:
    """The stage shows exactly the session's race."""
    message, trajectories = stage(session), [run(spec) for spec in race(session).runs()]
    steps = message["runs"]["steps"]
    assert steps == race(session).steps and len(message["runs"]["lanes"]) == len(trajectories)
    assert message["start"] == list(race(session).begin)
    x, y, losses = (message["runs"][name].reshape(-1, steps + 1) for name in ("x", "y", "losses"))
    assert len(x) == len(y) == len(losses) == len(trajectories)
    for n, t in enumerate(trajectories):
        np.testing.assert_array_equal(np.stack([x[n], y[n]], -1), t.position)
        np.testing.assert_array_equal(losses[n], t.loss)
    # Reported points are sent of those that average, in the order of the lanes.
    averaged = [
        t for t, lane in zip(trajectories, race(session).lanes, strict=True) if OPTIMIZERS[lane.optimizer].report
    ]
    places = [lane["reported"] for lane in message["runs"]["lanes"]]
    assert [place for place in places if place is not None] == list(range(len(averaged)))
    x, y, losses = (message["runs"]["reported"][name].reshape(-1, steps + 1) for name in ("x", "y", "losses"))
    assert len(x) == len(y) == len(losses) == len(averaged)
    for n, t in enumerate(averaged):
        np.testing.assert_array_equal(np.stack([x[n], y[n]], -1), t.reported)
        np.testing.assert_array_equal(losses[n], t.reported_loss)


def what_is_shown(session: AppTest) -> list[tuple[str, str, str | None]]:
    return [(type(e).__name__, e.type, getattr(e, "key", None)) for e in session._tree]


# Opening ---------------------------------------------------------------------------------------------------------


def test_the_page_opens_with_its_usual_race() -> None:
    session = opened()
    assert [lane.optimizer for lane in race(session).lanes] == [lane.optimizer for lane in DEFAULT.lanes]
    assert race(session).runs() and race(session).landscape == DEFAULT.landscape
    assert runners(session) == ["SGD", "Momentum", "RMSprop", "Adam"]
    assert_drawn(session)
    message = stage(session)
    assert message["still"]["name"] == DEFAULT.landscape
    assert [len(message["still"][picture]["data"]) for picture in ("contour", "surface", "loss")] == [3, 1, 0]
    assert all(lane["verdict"]["text"] for lane in message["runs"]["lanes"])
    assert not session.warning and not session.info


@pytest.mark.parametrize("script", ["app.py", "pages/race.py"])
def test_the_frame_and_the_page_survive_later_runs(script: str) -> None:
    """Whichever file a server runs first: see ui/frame.py."""
    session = opened(script=script)
    first = what_is_shown(session)
    assert ("UnknownElement", "bidi_component", "stage") in first
    assert ("ButtonGroup", "button_group", "language_widget") in first
    assert any("stMainBlockContainer" in html.proto.body for html in session.get("html")), "the frame's style"
    for _ in range(2):
        assert what_is_shown(settled(session.run())) == first


def test_what_rests_is_sent_once() -> None:
    session = opened(**ADAM)
    assert "still" in stage(session)
    assert "still" not in stage(settled(session.slider(key="race.steps").set_value(50).run()))
    assert "still" in stage(settled(session.select_slider(key="race.ellipse.kappa").set_value(5.0).run()))


def test_an_empty_race_says_how_to_begin() -> None:
    session = opened(o1="none")
    assert race(session).lanes == () and runners(session) == []
    assert stage(session)["still"]["words"]["nobody"] == "Nobody is running. Add an optimizer on the left."
    assert not session.get("download_button"), "there is nothing to take away"
    settled(session.selectbox(key="race.add").select("lion").run())
    assert runners(session) == ["Lion"] and session.query_params["o1"] == "lion"
    assert session.get("download_button")


def full_races() -> list[list[str]]:
    """All optimizers, as many at once as there may be."""
    return [list(OPTIMIZERS)[first : first + MAX_LANES] for first in range(0, len(OPTIMIZERS), MAX_LANES)]


@pytest.mark.parametrize("names", full_races(), ids=lambda names: names[0])
def test_many_long_runs_are_drawn(names: list[str]) -> None:
    session = opened(landscape="ellipse", steps="5000", **{f"o{n}": name for n, name in enumerate(names, 1)})
    assert len(runners(session)) == len(names)
    assert_drawn(session)


# Choosing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.id)
def test_a_preset_shows_its_race_and_its_sentence(situation: Any) -> None:
    expected = Race.of(situation.runs, situation=situation.id, **situation.view)
    session = opened(o1="none")
    settled(session.selectbox(key="race.situation").select(situation.id).run())
    assert race(session) == expected
    assert any(situation.look_for in text.value for text in session.markdown)
    assert len(set(runners(session))) == len(situation.runs), "each runner has a name that sets it apart"
    assert_drawn(session)
    assert race(settled(session.run())) == expected
    assert race(opened(situation=situation.id)) == expected, "its id alone is a link"
    assert race(opened(**session.query_params)) == expected


def test_every_landscape_can_be_chosen() -> None:
    """By somebody who runs nothing yet: compiling a run on each would take most of the time."""
    session = opened(o1="none", x="1.5", kappa="5", landscape="ellipse")
    for landscape in [*LANDSCAPES.values()][::-1]:
        settled(session.selectbox(key="race.landscape").select(landscape.id).run())
        now = race(session)
        assert (now.landscape, now.shape, now.start) == (landscape.id, {}, None)
        assert session.query_params["landscape"] == landscape.id and "x" not in session.query_params
        assert session.number_input(key="race.x").value == landscape.start[0]
        assert stage(session)["still"]["name"] == landscape.id
        assert any(landscape.teaches in caption.value for caption in session.sidebar.caption)
        knobs = [w.key for w in (*session.select_slider, *session.slider)]
        assert [f"race.{landscape.id}.{h.name}" in knobs for h in landscape.hypers] == [True] * len(landscape.hypers)
        assert_drawn(session)


def test_the_runners_stay_when_the_landscape_changes() -> None:
    session = opened(o1="sgd", **{"o1.learning_rate": "0.0001"}, landscape="ellipse")
    for family in FAMILIES:
        landscape = family.members[-1]
        settled(session.selectbox(key="race.landscape").select(landscape.id).run())
        assert race(session).landscape == landscape.id
        assert race(session).lanes == (Lane("sgd", Values(learning_rate=0.0001)),)
        assert_drawn(session)


@pytest.mark.parametrize("names", full_races(), ids=lambda names: names[0])
def test_every_optimizer_can_be_added_and_removed(names: list[str]) -> None:
    session = opened(landscape="ellipse", o1="none")
    for count, name in enumerate(names, 1):
        adding = session.selectbox(key="race.add")
        assert adding.value is None and not adding.disabled, "ready for another"
        settled(adding.select(name).run())
        assert [lane.optimizer for lane in race(session).lanes] == names[:count]
    assert session.selectbox(key="race.add").disabled == (len(names) == MAX_LANES)
    assert_drawn(session)
    assert race(settled(session.run())).lanes == tuple(Lane(name) for name in names)
    for name in names:
        session.session_state[f"race.0.{name}.more"] = True
        settled(session.run())
        assert any(OPTIMIZERS[name].equations in latex.value for latex in session.latex)
        settled(session.button(key=f"race.0.{name}.remove").click().run())
    assert race(session).lanes == () and session.query_params == {"landscape": "ellipse", "o1": "none"}


def test_a_runner_can_run_twice() -> None:
    session = opened(**ADAM)
    session.session_state["race.0.adam.more"] = True
    settled(session.run())
    settled(session.button(key="race.0.adam.twice").click().run())
    assert race(session).lanes == (Lane("adam", Values(learning_rate=0.1)),) * 2
    settled(session.select_slider(key="race.1.adam.learning_rate").set_value(0.5).run())
    assert [lane.hyper["learning_rate"] for lane in race(session).lanes] == [0.1, 0.5]
    assert runners(session) == ["Adam α=0.1", "Adam α=0.5"]
    assert_drawn(session)


def test_a_runner_may_have_a_schedule_of_its_own() -> None:
    lanes = {"o1": "adam", "o2": "adam", "o2.schedule": "step", "o3": "adam", "o3.schedule": "step"}
    session = opened(landscape="ellipse", steps="60", **lanes | {"o3.schedule.warmup": "20"})
    assert runners(session) == ["Adam Constant", "Adam Step decay Warm-up steps 0", "Adam Step decay Warm-up steps 20"]
    settled(drawers_open(session).slider(key="race.1.adam.step.step_size").set_value(30).run())
    assert session.query_params["o2.schedule.step_size"] == "30"
    settled(drawers_open(session).selectbox(key="race.1.adam.schedule").select("").run())
    assert race(session).lanes[:2] == (Lane("adam"),) * 2 and not session.query_params.get("o2.schedule")
    assert_drawn(session)


def test_every_schedule_can_be_chosen() -> None:
    session = opened(landscape="ellipse", steps="30", o1="sgd")
    for name, schedule in SCHEDULES.items():
        settled(drawers_open(session).selectbox(key="race.schedule").select(name).run())
        assert race(session).schedule == name
        assert {h.name for h in schedule.hypers} <= {
            w.key.split(".")[-1] for w in (*session.slider, *session.select_slider)
        }
    assert_drawn(session)


# Moving ----------------------------------------------------------------------------------------------------------


def drawers_open(session: AppTest) -> AppTest:
    """With all knobs in sight."""
    for number, lane in enumerate(race(session).lanes):
        session.session_state[f"race.{number}.{lane.optimizer}.more"] = True
    session.session_state["race.run.more"] = True
    return settled(session.run())


MOVES: list[tuple[str, str, Any, dict[str, Any], dict[str, str]]] = [
    ("slider", "race.steps", 77, {"steps": 77}, {"steps": "77"}),
    ("select_slider", "race.ellipse.kappa", 5.0, {"shape": {"kappa": 5}}, {"kappa": "5"}),
    ("slider", "race.ellipse.theta", 30.0, {"shape": {"theta": 30}}, {"theta": "30"}),
    ("number_input", "race.x", 1.25, {"start": (1.25, -1.4497)}, {"x": "1.25", "y": "-1.4497"}),
    ("number_input", "race.y", -2.0, {"start": (-3.5, -2)}, {"x": "-3.5", "y": "-2"}),
    ("slider", "race.noise", 0.5, {"noise": 0.5}, {"noise": "0.5"}),
    ("slider", "race.seed", 12, {"seed": 12}, {"seed": "12"}),
    ("selectbox", "race.clip", "norm", {"clip": "norm"}, {"clip": "norm"}),
    ("select_slider", "race.clip_at", 2.0, {"clip_at": 2.0}, {"clip_at": "2"}),
    ("selectbox", "race.schedule", "cosine", {"schedule": "cosine"}, {"schedule": "cosine"}),
    ("select_slider", "race.tolerance", 1e-6, {"tolerance": 1e-6}, {"tolerance": "1e-06"}),
    ("button_group", "race.axis", "linear", {"axis": "linear"}, {"axis": "linear"}),
    ("toggle", "race.projector", True, {"projector": True}, {"projector": "1"}),
    ("select_slider", "race.0.adam.learning_rate", 0.5, {}, {"o1.learning_rate": "0.5"}),
    ("slider", "race.0.adam.b1", 0.5, {}, {"o1.b1": "0.5"}),
    ("toggle", "race.0.adam.bias_correction", False, {}, {"o1.bias_correction": "0"}),
    ("selectbox", "race.0.adam.schedule", "step", {"schedule": "constant"}, {"o1.schedule": "step"}),
]


@pytest.mark.parametrize(("kind", "key", "value", "fields", "query"), MOVES, ids=[move[1] for move in MOVES])
def test_a_control_moves_the_race_the_url_and_the_picture(
    kind: str, key: str, value: Any, fields: dict[str, Any], query: dict[str, str]
) -> None:
    here = ADAM | {"noise": "0.25", "clip": "value"}  # without them, some sliders are off
    session = drawers_open(opened(**here))
    settled(getattr(session, kind)(key=key).set_value(value).run())
    for name, expected in fields.items():
        assert getattr(race(session), name) == expected
    assert session.query_params == here | query
    assert_drawn(session)
    assert getattr(session, kind)(key=key).value == value, "the control stays where it was put"
    before = race(session)
    assert race(settled(session.run())) == before
    assert race(opened(**session.query_params)) == before, "the link shows the same"


def test_a_slider_leaves_a_value_that_is_not_among_its_stops() -> None:
    session = opened(**ADAM | {"o1.learning_rate": "0.0123456", "kappa": "17.3"})
    assert session.select_slider(key="race.0.adam.learning_rate").value == 0.0123456
    settled(session.select_slider(key="race.0.adam.learning_rate").set_value(0.1).run())
    settled(session.select_slider(key="race.ellipse.kappa").set_value(20.0).run())
    for _ in range(2):
        settled(session.run())
        assert race(session).lanes == (Lane("adam", Values(learning_rate=0.1)),) and race(session).shape == {}


def test_knobs_out_of_sight_keep_their_values() -> None:
    query = {"noise": "0.5", "seed": "7", "clip": "value", "clip_at": "3", "o1.b1": "0.5", "o1.clip": "0"}
    query |= {"schedule": "cosine", "schedule.end": "0.5", "tolerance": "0.1"}
    session = opened(**ADAM | query)
    settled(session.slider(key="race.steps").set_value(60).run())
    assert session.query_params == ADAM | query | {"steps": "60"}
    drawers_open(session)
    assert session.slider(key="race.noise").value == 0.5
    assert session.slider(key="race.0.adam.b1").value == 0.5
    assert session.toggle(key="race.0.adam.clipped").value is False
    settled(session.toggle(key="race.0.adam.clipped").set_value(True).run())
    assert race(session).runs()[0].clip_value == 3


def test_one_learning_rate_for_all() -> None:
    lanes = {"o1": "sgd", "o1.learning_rate": "0.03", "o2": "adam", "o2.learning_rate": "0.2"}
    session = opened(landscape="ellipse", **lanes)
    settled(session.toggle(key="race.shared").set_value(True).run())
    assert [w.key for w in session.select_slider if "learning_rate" in w.key] == []
    settled(session.select_slider(key="race.rate").set_value(0.05).run())
    assert [spec.hyper["learning_rate"] for spec in race(session).runs()] == [0.05, 0.05]
    assert session.query_params["rate"] == "0.05"
    assert_drawn(session)
    assert race(opened(**session.query_params)) == race(session)
    settled(session.toggle(key="race.shared").set_value(False).run())
    assert [spec.hyper["learning_rate"] for spec in race(session).runs()] == [0.03, 0.2], "each has its own back"
    assert session.query_params == {"landscape": "ellipse", **lanes}


def test_no_slider_compiles_anything() -> None:
    """Neither sliders nor switches, for four optimizers, with all drawers open."""
    session = drawers_open(opened())
    lively = {"race.noise": 1.0, "race.seed": 5, "race.steps": 4_321, "race.x": 0.5, "race.y": 2.5}
    settled(session.run())
    moved = 0
    with counting() as programs:
        settled(session.selectbox(key="race.clip").select("norm").run())
        for kind in ("select_slider", "slider", "number_input", "toggle"):
            for key in [widget.key for widget in getattr(session, kind)]:
                widget = getattr(session, kind)(key=key)
                if kind == "select_slider":
                    widget.set_value(float(widget.options[len(widget.options) // 2]))
                elif kind == "toggle":
                    widget.set_value(not widget.value)
                else:
                    widget.set_value(lively.get(key, 0.5))
                settled(widget.run())
                moved += 1
                assert not programs, f"{key} compiled {programs}"
        settled(session.selectbox(key="race.clip").select("value").run())
    assert not programs and moved >= 20
    assert race(session).noise == 1.0 and race(session).steps == 4_321
    assert_drawn(session)


# Trouble ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_used_in_an_address_is_listed() -> None:
    bad = {"steps": "1e999", "kappa": "nan", "colour": "red", "o2": "nobody", "o1.b1": "2", "x": "", "clip": "![x](y)"}
    session = opened(**ADAM | bad)
    (warning,) = session.warning
    for key in bad:
        assert f"`{key}`" in warning.value
    assert len(warning.value.splitlines()) == len(bad)
    assert race(session) == race(opened(**ADAM))
    assert session.query_params == ADAM, "the address is mended"
    assert_drawn(session)


def test_a_start_outside_the_plot_is_pointed_out() -> None:
    session = opened(**ADAM | {"x": "50", "y": "0"})
    (info,) = session.info
    assert "(50, 0)" in info.value
    assert_drawn(session)


def test_runs_that_diverge_are_shown_as_such() -> None:
    lanes = {"o1": "sgd", "o1.learning_rate": "10", "o2": "adam"}
    session = opened(landscape="rosenbrock", **lanes, x="1000000", y="-1000000")
    lost, other = stage(session)["runs"]["lanes"]
    assert 0 < lost["diverged"] < 5 and lost["verdict"]["text"] == f"diverged at step {lost['diverged']}"
    assert other["diverged"] == -1
    assert_drawn(session)


@pytest.mark.parametrize(("step", "shown"), [("120", 120), ("0", 0), ("abc", None), ("-1", None), ("9" * 50, None)])
def test_the_step_in_the_address_is_shown(step: str, shown: int | None) -> None:
    session = opened(**ADAM, step=step)
    assert stage(session).get("step") == shown


# Sessions --------------------------------------------------------------------------------------------------------


def test_two_sessions_share_nothing() -> None:
    first, second = opened(**ADAM), opened(**ADAM)
    settled(first.slider(key="race.steps").set_value(11).run())
    settled(first.selectbox(key="race.add").select("lion").run())
    settled(second.button_group(key="language_widget").set_value("zh").run())
    assert (race(second).steps, len(race(second).lanes)) == (500, 1)
    assert second.query_params == ADAM | {"lang": "zh"}
    settled(first.run())
    assert race(first).steps == 11 and runners(first) == ["Adam", "Lion"]
    assert first.selectbox(key="race.landscape").label == "Landscape"
    assert "still" in stage(opened(**ADAM)), "what one browser has got, another has not"


def test_a_race_from_a_file_is_taken_over_and_what_it_lacks_is_named() -> None:
    file = Race(landscape="beale", lanes=(Lane("momentum", Values(momentum=0.5)), Lane("lion")), steps=40)
    for change, warnings in (({}, 0), ({"colour": "red"}, 1)):
        session = opened(**ADAM)
        session.session_state["race.file.more"] = True
        settled(session.run())
        runs = [item | change for item in json.loads(to_json(file))]
        uploader = session.file_uploader(key="race.file")
        settled(uploader.set_value(("race.json", json.dumps(runs).encode(), "application/json")).run())
        assert race(session) == file
        assert len(session.warning) == warnings
        assert_drawn(session)


# Language --------------------------------------------------------------------------------------------------------


def assert_chinese(session: AppTest) -> None:
    translate = catalogue("zh").gettext
    for key, label in (("race.landscape", "Landscape"), ("race.situation", "Preset")):
        assert session.selectbox(key=key).label == translate(label) != label
    assert session.toggle(key="race.projector").label == translate("Projector: thick lines, large type")
    assert stage(session)["still"]["words"]["play"] == translate("play (space)") != "play (space)"
    assert any("\u4e00" <= c <= "\u9fff" for c in stage(session)["alt"]["contour"])


def test_the_address_chooses_the_language() -> None:
    session = opened(**ADAM, lang="zh")
    assert_chinese(session)
    assert session.query_params == ADAM | {"lang": "zh"}


def test_the_browser_chooses_the_language_unless_the_address_does() -> None:
    assert_chinese(opened(context={"locale": "zh-CN"}, **ADAM))
    english = opened(context={"locale": "zh-CN"}, **ADAM, lang="en")
    assert english.selectbox(key="race.landscape").label == "Landscape"
    assert opened(context={"locale": "fr"}, **ADAM, lang="xx").selectbox(key="race.landscape").label == "Landscape"


def test_the_language_can_be_switched() -> None:
    session = opened(**ADAM)
    assert "lang" not in session.query_params
    settled(session.button_group(key="language_widget").set_value("zh").run())
    assert_chinese(session)
    assert session.query_params == ADAM | {"lang": "zh"}
    before = race(session)
    settled(session.button_group(key="language_widget").set_value("en").run())
    assert session.selectbox(key="race.landscape").label == "Landscape"
    assert race(session) == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_are_drawn(theme: str) -> None:
    session = opened(context={"theme": theme}, **ADAM)
    (look,) = stage(session)["runs"]["lanes"]
    (style,) = [html.proto.body for html in session.get("html") if "race-look" in html.proto.body]
    assert look["style"][theme] in style and look["style"][{"light": "dark", "dark": "light"}[theme]] not in style
