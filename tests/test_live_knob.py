"""The live knob: the stops are the slider's, what is sent are the runs at them, and it is never too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.websockets import WebSocket

from descent.compilation import counting
from descent.hyper import Hyper
from descent.spec import Values
from landscapes import LANDSCAPES
from lessons.situations import run
from optimizers import OPTIMIZERS
from tests.stage_message import unpack
from ui import live, live_stage, race_stage
from ui.controls import grain, ladder
from ui.live_stage import BYTES, DOUBLING, EDGE, LAST, packet
from ui.race import MAX_LANES, Lane, Race, from_query, to_query
from ui.stage import desk

THREE = Race(
    "rosenbrock",
    lanes=(Lane("sgd", Values(learning_rate=0.001)), Lane("adam", Values(learning_rate=0.05)), Lane("polyak_average")),
    steps=60,
)
HYPERS = {
    f"{owner.id}.{hyper.name}": hyper
    for owner in (*OPTIMIZERS.values(), *LANDSCAPES.values())
    for hyper in owner.hypers
    if hyper.scale != "switch"
}


def sent(race: Race, id: str) -> dict[str, Any]:
    """What the browser is sent of a knob, within the bar."""
    found = packet(race, id)
    assert found
    assert len(found[1]) <= BYTES
    return unpack(found[1])["live"]


def seen(tree: dict[str, Any], path: dict[str, Any], stop: int, race: Race) -> tuple[np.ndarray, ...]:
    """Steps, positions (steps, 2) in shares of the picture's half width, and losses at a stop, as live.js has them."""
    count, scale = len(tree["steps"]), 1 << tree["coarser"]

    def read(name: str) -> np.ndarray:
        return path[name].reshape(-1, count)[stop].astype(float)

    def place(level: np.ndarray) -> np.ndarray:
        size = np.abs(level)
        return np.sign(level) * np.where(size <= EDGE, size / EDGE, 2 ** ((size - EDGE) / DOUBLING))

    low, high = tree["range"]
    level = read("loss")
    share = (np.abs(level) - 1) / ((LAST >> tree["coarser"]) - 1)
    losses = tree["references"][stop] + np.sign(level) * 2 ** (low + share * (high - low))
    return tree["steps"].astype(int), np.stack([place(read("x") * scale), place(read("y") * scale)], -1), losses


def shares(race: Race, position: np.ndarray) -> np.ndarray:
    """Positions as shares of the picture's half width and height from its centre."""
    low, high = np.array(LANDSCAPES[race.landscape].domain).T
    return (2 * position.astype(float) - low - high) / (high - low)


# ---- stops and knobs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hyper", HYPERS.values(), ids=HYPERS)
def test_stops_are_settings_of_the_slider(hyper: Hyper):
    stops = live.stops(hyper, hyper.default)
    assert list(stops) == sorted(set(stops)) and hyper.default in stops
    assert stops[0] == hyper.low
    assert hyper.high - stops[-1] <= (hyper.high - hyper.low) / 50
    assert min(20, hyper.high - hyper.low + 1) <= len(stops) <= live.MOST_STOPS + 1
    if hyper.scale == "log":
        assert set(stops) <= set(ladder(hyper.low, hyper.high, hyper.default))
    else:
        settings = (np.array([stop for stop in stops if stop != hyper.default]) - hyper.low) / grain(hyper)
        np.testing.assert_allclose(settings, settings.round(), atol=1e-6)


def test_every_knob_turns_what_it_names_and_nothing_else():
    race = replace(THREE, schedule="cosine", clip="norm", noise=0.5)
    knobs = live.knobs(race)
    assert len({knob.id for knob in knobs}) == len(knobs) == len(live.menu(race))
    assert {"factor", "rosenbrock.b", "noise", "clip_at"} < {knob.id for knob in knobs}
    for knob in knobs:
        assert knob.turn(knob.value) == race
        value = knob.stops[0] if knob.stops[0] != knob.value else knob.stops[-1]
        turned = knob.turn(value)
        before, after = to_query(race), to_query(turned)
        differ = {key for key in before | after if before.get(key) != after.get(key)}
        assert len(differ) == len(knob.widgets), knob.id
        assert {key.split(".")[-1] for key in differ} == {widget.split(".")[-1] for widget in knob.widgets}
        assert from_query(after, Race()) == (turned, []), "a link to where the knob was let go shows the same race"
        if knob.id != "factor":
            found = live.find(turned, knob.id)
            assert found and found.value == value


def test_all_learning_rates_are_multiplied_and_stay_on_their_sliders():
    knob = live.knobs(THREE)[0]
    assert (knob.id, knob.text(2.0)) == ("factor", "× 2")
    rates = [lane.hyper.get("learning_rate") for lane in knob.turn(2.0).lanes]
    assert rates == [0.002, 0.1, 0.02]
    high = next(h for h in OPTIMIZERS["adam"].hypers if h.name == "learning_rate").high
    fast = replace(THREE, lanes=(Lane("adam", Values(learning_rate=high)), THREE.lanes[0]))
    assert live.knobs(fast)[0].turn(10.0).lanes[0].hyper["learning_rate"] == high


def test_the_first_knob_is_the_learning_rate_and_without_runners_there_is_none():
    assert [knob.id for knob in live.knobs(replace(THREE, rate=0.01))][:2] == ["rate", "rosenbrock.b"]
    assert live.knobs(replace(THREE, lanes=THREE.lanes[1:2]))[0].id == "0.adam.learning_rate"
    assert live.menu(replace(THREE, lanes=())) == []


# ---- what is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["factor", "1.adam.learning_rate", "noise", "rosenbrock.b"])
def test_the_stops_are_the_runs(id: str):
    knob = live.find(THREE, id)
    assert knob
    tree = sent(THREE, id)
    assert tree["values"] == list(knob.stops) and tree["values"][tree["at"]] == knob.value
    assert [lane["lane"] for lane in tree["lanes"]] == ([1] if id.startswith("1.") else [0, 1, 2])
    for stop in (0, tree["at"], len(knob.stops) // 2, len(knob.stops) - 1):
        race = knob.turn(tree["values"][stop])
        for lane in tree["lanes"]:
            real = run(race.run(race.lanes[lane["lane"]]))
            assert lane["diverged"][stop] == real.diverged_at
            averages = OPTIMIZERS[race.lanes[lane["lane"]].optimizer].report is not None
            assert (lane["reported"] is not None) == averages
            outcome = race_stage.outcomes(race, [real])[0]
            assert {**lane["verdicts"][stop], "help": ""} == {**outcome, "help": ""}
            for path, position, loss in (
                (lane["path"], real.position, real.loss),
                *([(lane["reported"], real.reported, real.reported_loss)] if averages else []),
            ):
                steps, places, losses = seen(tree, path, stop, race)
                np.testing.assert_array_equal(steps, np.arange(61))
                until = 61 if real.diverged_at < 0 else max(int(real.diverged_at), 1)
                expected = shares(race, position)
                size = np.abs(expected)
                near = size.max(-1) < 1000
                near[until:] = False
                tolerance = np.where(size < 1, 1 / 16_000, 3e-4 * size)
                assert (np.abs(places - expected) <= tolerance)[near].all()
                above = loss.astype(float) - tree["references"][stop]
                large = (above > 1e-13) & (np.arange(61) < until)
                np.testing.assert_allclose((losses - tree["references"][stop])[large], above[large], rtol=3e-3)


def test_a_knob_of_the_landscape_brings_its_surface():
    race = replace(THREE, landscape="ellipse", lanes=THREE.lanes[:1])
    tree = sent(race, "ellipse.kappa")
    knob = live.find(race, "ellipse.kappa")
    assert knob and len(tree["grounds"]) == len(knob.stops)
    for stop in (0, 30):
        still = race_stage.still(knob.turn(tree["values"][stop]))
        ground = tree["grounds"][stop]
        np.testing.assert_allclose(ground["z"], still["contour"]["data"][0]["z"][::2, ::2], atol=2e-4)
        assert ground["height"] == still["height"] and ground["minimum"] == still["minimum"]
        assert ground["minima"] == [list(p) for p in zip(*(still["contour"]["data"][1][a] for a in "xy"), strict=True)]
    assert not sent(race, "0.sgd.learning_rate")["grounds"]


def test_long_runs_keep_their_beginning_and_their_zigzag():
    for count in (3, 100, 501, 5_001):
        for wanted in (8, 200, 600):
            steps = live_stage.some(count, wanted)
            assert len(steps) <= max(wanted, 2) and steps[-1] == count - 1
            assert list(steps[: min(count, wanted) // 2]) == list(range(min(count, wanted) // 2))
            later = steps[wanted // 2 :]
            if count > wanted:
                assert (np.diff(later) == 1).sum() >= len(later) // 3, "pairs"


MANY = tuple(Lane("adam", Values(learning_rate=0.01 * (n + 1))) for n in range(MAX_LANES))


@pytest.mark.parametrize(
    ("race", "id"),
    [
        (Race("rosenbrock", lanes=MANY, rate=0.01), "rate"),
        (Race("rosenbrock", lanes=MANY, steps=5_000, noise=10.0), "factor"),
        (Race("=sin(9000*a*x*y)*x; a=1 in 0.1..5", lanes=MANY[:6], noise=10.0), "=sin(9000*a*x*y)*x; a=1 in 0.1..5.a"),
    ],
    ids=["24 runners", "24 noisy runners × 5,000 steps", "a surface of noise"],
)
def test_never_more_than_400_kB(race: Race, id: str):
    if id not in {knob.id for knob in live.knobs(race)}:
        id = next(knob.id for knob in live.knobs(race) if knob.id.startswith("="))
    tree = sent(race, id)
    assert len(tree["values"]) >= 16 and len(tree["steps"]) >= 60


def test_the_last_plan_fits_whatever_the_numbers(monkeypatch: pytest.MonkeyPatch):
    """Even if nothing deflates."""
    dice = np.random.default_rng(0)
    monkeypatch.setattr(live_stage, "levels", lambda x, coarser: dice.integers(-2048, 2048, x.shape).astype(np.int16))
    sent(replace(THREE, lanes=MANY, steps=2_000, noise=10.0, rate=0.01), "rate")


def test_what_the_browser_has_is_not_sent_again():
    knob = live.find(THREE, "1.adam.learning_rate")
    assert knob
    key = sent(THREE, knob.id)["key"]
    for race in (THREE, knob.turn(knob.stops[5]), replace(THREE, axis="linear", projector=True)):
        found = packet(race, knob.id, key)
        assert found and len(found[1]) < 200
        assert unpack(found[1])["live"] == {"knob": knob.id, "key": key}
    for race in (replace(THREE, steps=61), replace(THREE, start=(0.0, 0.0)), live.knobs(THREE)[1].turn(0.01)):
        found = packet(race, knob.id, key)
        assert found and found[0]["key"] != key and "values" in found[0]


def test_turning_compiles_nothing():
    race = replace(THREE, schedule="cosine", clip="norm")
    for one in (race, replace(race, noise=0.1)):
        race_stage.moving(one, [run(spec) for spec in one.runs()])
    with counting() as compiled:
        for knob in live.knobs(race):
            assert packet(race, knob.id)
    assert not compiled


def test_nothing_is_answered_about_what_is_not_there_or_no_longer_asked():
    assert packet(THREE, "ellipse.kappa") is None
    assert packet(THREE, "factor", "", lambda: True) is None


# ---- the desk --------------------------------------------------------------------------------------------------------


def asked(name: str, *messages: str) -> list[dict[str, Any]]:
    """What a browser hears that says these things and then leaves."""
    heard: list[dict[str, Any]] = []
    says: list[dict[str, Any]] = [{"type": "websocket.connect"}]
    says += [{"type": "websocket.receive", "text": message} for message in messages]

    async def talk() -> None:
        async def receive() -> dict[str, Any]:
            if says:
                return says.pop(0)
            for _ in range(200):
                await asyncio.sleep(0.01)
                if any(m["type"] in ("websocket.send", "websocket.close") for m in heard):
                    break
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            heard.append(message)

        scope = {"type": "websocket", "path_params": {"name": name}, "headers": [], "subprotocols": []}
        await desk._serve(WebSocket(scope, receive, send))

    asyncio.run(talk())
    return heard[1:]  # the first accepts


def question(number: int, **more: str) -> str:
    return json.dumps({"number": number, "knob": "factor", "have": ""} | more)


def test_the_desk_answers_the_newest_question():
    def answer(question: dict[str, Any], cancelled: Callable[[], bool]) -> bytes | None:
        return None if question["knob"] == "nothing" else question["knob"].encode()

    kept = desk.open_desk("secret", answer)
    heard = asked("secret", question(1), question(2, knob="b"))
    assert heard[-1] == {"type": "websocket.send", "bytes": b"\x02\x00\x00\x00b"}
    del kept
    assert [m["type"] for m in asked("secret", question(3))] == ["websocket.close"], "the session is gone"


@pytest.mark.parametrize("message", ["", "{", "[]", "{}", '{"number": "x"}', '{"number": null}'])
def test_the_desk_hangs_up_on_nonsense(message: str):
    kept = desk.open_desk("secret", lambda question, cancelled: b"!")
    assert [m["type"] for m in asked("secret", message)] == ["websocket.close"]
    del kept
