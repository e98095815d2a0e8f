"""The race as plain values: through the URL, files and exports and back, whatever people put there."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import RunSpec
from descent.hyper import Hyper
from descent.spec import Values
from landscapes import LANDSCAPES
from lessons.situations import SITUATIONS, run
from optimizers import OPTIMIZERS
from schedules import SCHEDULES
from ui import words
from ui.export import python_script, trajectories_csv
from ui.race import (
    AXES,
    CLIP_AT,
    CLIPS,
    FAR,
    IGNORED,
    MAX_FILE,
    MAX_LANES,
    NUMBERS,
    RATE,
    Lane,
    Note,
    Race,
    from_json,
    from_query,
    setting,
    to_json,
    to_query,
    with_knob,
)

ROOT = Path(__file__).resolve().parent.parent
NAMES = [situation.id for situation in SITUATIONS]
FALLBACK = Race(landscape="beale", lanes=(Lane("sgd", Values(learning_rate=0.5)), Lane("lion")))


# Random races ----------------------------------------------------------------------------------------------------


def numbers(hyper: Hyper) -> st.SearchStrategy[float]:
    if hyper.whole:
        return st.integers(int(hyper.low), int(hyper.high)).map(float)
    return st.floats(hyper.low, hyper.high)


@st.composite
def knobs(draw: Any, hypers: tuple[Hyper, ...]) -> Values:
    values = Values()
    for hyper in hypers:
        if draw(st.booleans()):
            values = with_knob(values, hyper, draw(numbers(hyper)))
    return values


@st.composite
def own_schedules(draw: Any) -> tuple[str, Values]:
    """A lane's own schedule with its knobs, or none."""
    name = draw(st.just("") | st.sampled_from(list(SCHEDULES)))
    return name, draw(knobs(SCHEDULES[name].hypers)) if name else Values()


@st.composite
def races(draw: Any, fewest: int = 0) -> Race:
    landscape = LANDSCAPES[draw(st.sampled_from(list(LANDSCAPES)))]
    schedule = SCHEDULES[draw(st.sampled_from(list(SCHEDULES)))]
    optimizers = draw(st.lists(st.sampled_from(list(OPTIMIZERS.values())), min_size=fewest, max_size=5))
    start = draw(st.none() | st.tuples(st.floats(-FAR, FAR), st.floats(-FAR, FAR)))
    own = {hyper.name: draw(numbers(hyper)) for hyper in NUMBERS}
    return Race(
        landscape=landscape.id,
        shape=draw(knobs(landscape.hypers)),
        start=None if start == landscape.start else start,
        lanes=tuple(Lane(o.id, draw(knobs(o.hypers)), draw(st.booleans()), *draw(own_schedules())) for o in optimizers),
        **own | {"steps": int(own["steps"]), "seed": int(own["seed"])},
        clip=draw(st.sampled_from(list(CLIPS))),
        rate=draw(st.none() | numbers(RATE)),
        schedule=schedule.id,
        schedule_hyper=draw(knobs(schedule.hypers)),
        axis=draw(st.sampled_from(list(AXES))),
        projector=draw(st.booleans()),
        situation=draw(st.sampled_from(["", *NAMES])),
    )


# URL -------------------------------------------------------------------------------------------------------------


@given(races())
def test_a_race_comes_back_from_its_url(race: Race) -> None:
    query = to_query(race)
    assert all(type(key) is str and type(value) is str for key, value in query.items())
    assert from_query(query, FALLBACK, NAMES) == (race, [])


def test_a_race_of_as_many_runners_as_there_may_be_comes_back() -> None:
    race = Race(lanes=tuple(Lane("sgd", Values(learning_rate=(n + 2) / 100)) for n in range(MAX_LANES)))
    assert from_query(to_query(race), FALLBACK) == (race, [])


@given(races())
def test_the_url_leaves_out_what_is_at_its_default(race: Race) -> None:
    query = to_query(race)
    plain = to_query(Race(landscape=race.landscape, lanes=race.lanes))
    for hyper in NUMBERS:
        assert (hyper.name in query) == (getattr(race, hyper.name) != hyper.default)
    assert ("x" in query) == ("y" in query) == (race.start is not None)
    assert plain.items() <= query.items() | {("o1", "none")}


def test_no_knob_of_a_landscape_is_called_like_something_else_in_the_url() -> None:
    race = Race(shape=Values(kappa=3), start=(0.0, 0.0), lanes=(Lane("sgd"),), clip="norm", rate=0.1, axis="linear")
    race = replace(race, steps=1, noise=1.0, seed=1, clip_at=2.0, tolerance=1.0, projector=True, situation="edge")
    race = replace(race, schedule="cosine", schedule_hyper=Values(end=0.5))
    taken = set(to_query(race)) - {"kappa"} | IGNORED
    for landscape in LANDSCAPES.values():
        for hyper in landscape.hypers:
            assert hyper.name not in taken and not re.fullmatch(r"o\d+", hyper.name)
    for optimizer in OPTIMIZERS.values():
        assert not {"optimizer", "clip", "schedule"} & {hyper.name for hyper in optimizer.hypers}


def test_without_a_word_in_the_url_the_race_is_the_usual_one() -> None:
    assert from_query({}, FALLBACK) == (FALLBACK, [])


def test_without_runners_in_the_url_the_usual_ones_run() -> None:
    race, notes = from_query({"landscape": "ellipse", "steps": "7"}, FALLBACK)
    assert race == Race(landscape="ellipse", steps=7, lanes=FALLBACK.lanes) and not notes


def test_what_others_put_into_urls_is_none_of_our_business() -> None:
    assert from_query({"landscape": "beale", **dict.fromkeys(IGNORED, "x")}, FALLBACK) == (FALLBACK, [])


@pytest.mark.parametrize("spelling", ["250", " 250 ", "+250", "250.0", "2.5e2", "2.5E+2", ".25e3"])
def test_numbers_may_be_spelled_in_many_ways(spelling: str) -> None:
    race, notes = from_query({"steps": spelling}, FALLBACK)
    assert race.steps == 250 and type(race.steps) is int and not notes


NO_NUMBERS = (
    *("", " ", "abc", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "1_000", "0x10", "1,5", "1/2", "١٢"),
    *("１２", "²", "1e", "e1", ".", "--1", "1 2", "9" * 400, "0." + "1" * 10_000, "True", "None", "\x00", "１e１"),
)
SOME_NUMBERS = ("steps", "x", "kappa", "o1.learning_rate", "schedule.end")
NO_KEYS = (
    *("lr", "b", "o1.lr", "o1.eps", "o2.learning-rate", "schedule.start", "o", "o1x", "O1", "", "o1.", "o1234", "o-1"),
    *("o１", "__class__", "shape.kappa", "k" * 1_000),
)
# key, what is given, and the name in the note (None: the key)
MALFORMED: list[tuple[str, str, str | None]] = [
    *((key, given, None) for key in SOME_NUMBERS for given in NO_NUMBERS),
    *(("steps", given, None) for given in ("0", "-1", "5001", "10.5", "1e3.5")),
    *(("seed", given, None) for given in ("-1", "10000", "0.5")),
    *(("noise", given, None) for given in ("-0.1", "10.01")),
    *(("clip_at", given, None) for given in ("0", "-1", "1001")),
    *(("tolerance", given, None) for given in ("0", "101")),
    *(("rate", given, None) for given in ("0", "11", "nan")),
    *(("kappa", given, None) for given in ("0.99", "1001", "-20")),
    *(("x", given, None) for given in ("1000001", "-1e7")),
    *(("y", given, None) for given in ("1000001", "up")),
    *(("schedule.end", given, None) for given in ("-0.1", "1.1")),
    *(("o1.learning_rate", given, None) for given in ("0", "-0.1", "11")),
    *(("o2.bias_correction", given, None) for given in ("0.5", "2", "yes")),
    *(("o2.clip", given, None) for given in ("2", "no", "")),
    *(("landscape", given, None) for given in ("", "nothing", "Ellipse", "ellipse ", "e" * 100_000)),
    *(("schedule", given, None) for given in ("", "nothing")),
    *(("clip", given, None) for given in ("", "maybe", "0")),
    *(("axis", given, None) for given in ("", "square")),
    *(("projector", given, None) for given in ("", "2", "on")),
    *(("situation", given, None) for given in ("", "nothing")),
    *(("o3", given, None) for given in ("", "nothing", "SGD", "none ")),
    *((key, "1", None) for key in NO_KEYS),
    ("o7.learning_rate", "0.1", "o7"),  # a knob of a runner that there is not
]


@pytest.mark.parametrize(("key", "given", "name"), MALFORMED, ids=[f"{k[:20]}={g[:12]!a}" for k, g, _ in MALFORMED])
def test_what_is_malformed_is_left_out_and_named(key: str, given: str, name: str | None) -> None:
    """One thing in an otherwise good URL: the default stands in, and one note says so."""
    schedule = {"schedule": "cosine"} if key.startswith("schedule.") else {}
    good = {"landscape": "ellipse", "o1": "sgd", "o2": "adam", "noise": "0.25"} | schedule
    expected, notes = from_query({k: v for k, v in good.items() if k != key}, FALLBACK, NAMES)
    assert not notes and expected.landscape == ("beale" if key == "landscape" else "ellipse")
    race, notes = from_query(good | {key: given}, FALLBACK, NAMES)
    assert race == expected
    assert [note.key for note in notes] == [(name or key)[:39] + "…" if len(name or key) > 40 else name or key]
    assert len(notes[0].given) <= 40 and notes[0].given[:39] == ("" if name else given[:39])


def test_a_note_says_what_was_given_and_what_is_allowed() -> None:
    _, notes = from_query({"steps": "10.5", "o1": "nobody", "colour": "red"}, FALLBACK)
    colour, lane, steps = sorted(map(words.note, notes))
    assert steps == "`steps` = `10.5` was ignored; allowed: a whole number from 1 to 5000"
    assert lane.startswith("`o1` = `nobody` was ignored; allowed: one of sgd, sgdw, ")
    assert colour == "`colour` = `red` was ignored; allowed: nothing of this name is known"


@pytest.mark.parametrize(
    "given", ["![](http://example.org/x.png)", "$x$ and `code`", ":red[x]", "a\n\n# b", "{key}", "<b>"]
)
def test_a_note_shows_what_was_given_and_does_nothing_else(given: str) -> None:
    """It is shown as Markdown: all that comes from outside stays inside a code span, on one line."""
    _, notes = from_query({"steps": given, given: "1"}, FALLBACK)
    for text in map(words.note, notes):
        assert re.fullmatch(r"`[^`\n]+` = `[^`\n]+` was ignored; allowed: [^`\n]+", text)


def test_too_many_runners_are_left_out_with_one_note() -> None:
    race, notes = from_query({f"o{n}": "adam" for n in range(1, 101)}, FALLBACK)
    assert race.lanes == (Lane("adam"),) * MAX_LANES
    assert notes == [Note(f"o{MAX_LANES + 1}", "adam", "at most {count} runners", {"count": str(MAX_LANES)})]


def test_unknown_runners_take_nobodys_place() -> None:
    query = {f"o{n}": "nobody" if n % 2 else "adam" for n in range(1, 2 * MAX_LANES + 1)}
    race, notes = from_query(query, FALLBACK)
    assert race.lanes == (Lane("adam"),) * MAX_LANES and len(notes) == MAX_LANES


@pytest.mark.parametrize("query", [{"o1": "none"}, {"o1": "nobody"}, {"o1": "none", "o2": "none"}], ids=str)
def test_a_race_may_have_no_runners(query: dict[str, str]) -> None:
    race, notes = from_query(query, FALLBACK)
    assert race.lanes == () and len(notes) == (query["o1"] == "nobody")


def test_runners_stand_in_the_order_of_their_numbers() -> None:
    race, notes = from_query({"o10": "adam", "o2": "sgd", "o2.learning_rate": "0.3", "o3": "none"}, FALLBACK)
    assert race.lanes == (Lane("sgd", Values(learning_rate=0.3)), Lane("adam")) and not notes


KEYS = [*to_query(replace(FALLBACK, start=(0, 0), clip="norm", rate=0.1)), "kappa", "steps", "schedule", "schedule.end"]
KEYS += ["o1.schedule", "o1.schedule.end", "o2.schedule.warmup"]
TEXT = st.sampled_from(["ellipse", "sgd", "cosine", "1", "0.5", "none", "norm", *NO_NUMBERS]) | st.text(max_size=70)


@given(st.dictionaries(st.sampled_from(KEYS) | st.from_regex(r"o\d{1,4}(\.\w{1,9})?") | st.text(max_size=50), TEXT))
def test_any_url_gives_a_race_that_can_be_run(query: dict[str, str]) -> None:
    race, notes = from_query(query, FALLBACK, NAMES)
    assert_can_be_run(race)
    for note in notes:
        assert len(words.note(note)) < 2_000
    again, none = from_query(to_query(race), FALLBACK, NAMES)
    assert again == race and not none


def assert_can_be_run(race: Race) -> None:
    """Its knobs exist and lie within their sliders."""
    assert type(race.steps) is int and type(race.seed) is int and len(race.lanes) <= MAX_LANES
    assert race.clip in CLIPS and race.axis in AXES and all(abs(v) <= FAR for v in race.begin)
    for hyper in NUMBERS:
        hyper.check_range(getattr(race, hyper.name), "race")
    owners = [
        (LANDSCAPES[race.landscape], race.shape),
        (SCHEDULES[race.schedule], race.schedule_hyper),
        *((OPTIMIZERS[lane.optimizer], lane.hyper) for lane in race.lanes),
        *((SCHEDULES[lane.schedule], lane.schedule_hyper) for lane in race.lanes if lane.schedule),
    ]
    for owner, values in owners:
        declared = {hyper.name: hyper for hyper in owner.hypers}
        for name, value in values.items():
            hyper = declared[name]
            if name == "learning_rate" and RATE.low <= value <= RATE.high:
                hyper = RATE  # what the one for all may be, each may be
            assert hyper.check_range(value, owner.id) != declared[name].default
    assert [spec.optimizer for spec in race.runs()] == [lane.optimizer for lane in race.lanes]


# RunSpecs --------------------------------------------------------------------------------------------------------


def shown(race: Race) -> Race:
    """The race without what its RunSpecs cannot say."""
    clipping = race.clip != "off" and any(lane.clipped for lane in race.lanes)
    schedules = [race.schedule_of(lane) for lane in race.lanes]
    shared = schedules[0] if schedules.count(schedules[0]) == len(schedules) else ("constant", Values())
    lanes = []
    for lane, schedule in zip(race.lanes, schedules, strict=True):
        rate = next(h for h in OPTIMIZERS[lane.optimizer].hypers if h.name == "learning_rate")
        hyper = lane.hyper if race.rate is None else with_knob(lane.hyper, rate, race.rate)
        own = ("", Values()) if schedule == shared else schedule
        lanes.append(Lane(lane.optimizer, hyper, lane.clipped or not clipping, *own))
    clip = {} if clipping else {"clip": "off", "clip_at": CLIP_AT.default}
    return replace(
        race,
        lanes=tuple(lanes),
        rate=None,
        schedule=shared[0],
        schedule_hyper=shared[1],
        axis="log",
        projector=False,
        situation="",
        tolerance=1e-3,
        **clip,
    )


@given(races(fewest=1))
def test_a_race_comes_back_from_its_runs(race: Race) -> None:
    assert Race.of(race.runs()) == shown(race)
    assert Race.of(race.runs()).runs() == shown(race).runs()


def test_runs_are_what_the_race_says() -> None:
    lanes = (Lane("sgd", Values(learning_rate=0.5)), Lane("adam", Values(b1=0.5), clipped=False))
    race = Race("ellipse", Values(kappa=3), (1.0, 2.0), lanes, 7, 0.5, 9, "value", 2.0, schedule="cosine")
    shared = {"shape": {"kappa": 3.0}, "schedule": "cosine", "noise": 0.5, "seed": 9}
    assert race.runs() == [
        RunSpec("ellipse", "sgd", (1, 2), 7, {"learning_rate": 0.5}, clip_value=2.0, **shared),
        RunSpec("ellipse", "adam", (1, 2), 7, {"b1": 0.5}, **shared),
    ]
    everybody = replace(race, rate=0.25, clip="norm", start=None).runs()
    assert [spec.hyper for spec in everybody] == [{"learning_rate": 0.25}, {"b1": 0.5, "learning_rate": 0.25}]
    assert [(spec.clip_norm, spec.clip_value) for spec in everybody] == [(2.0, None), (None, None)]
    assert everybody[0].start == LANDSCAPES["ellipse"].start


def test_a_knob_at_its_default_is_not_kept() -> None:
    rate = OPTIMIZERS["sgd"].hypers[0]
    values = with_knob(Values(), rate, 0.3)
    assert values == {"learning_rate": 0.3} and setting(values, rate) == 0.3
    assert with_knob(values, rate, rate.default) == {} and setting(Values(), rate) == rate.default


# Files -----------------------------------------------------------------------------------------------------------


@given(races(fewest=1))
def test_a_race_comes_back_from_its_file(race: Race) -> None:
    text = to_json(race)
    assert [RunSpec.from_json(item) for item in json.loads(text)] == race.runs()
    assert from_json(text.encode(), FALLBACK) == (shown(race), [])


def test_one_learning_rate_for_all_comes_back_beyond_the_range_of_each() -> None:
    race = Race(lanes=(Lane("adadelta"), Lane("adam")), rate=RATE.low)
    read, notes = from_json(to_json(race).encode(), FALLBACK)
    assert not notes and read.runs() == race.runs()
    assert from_query(to_query(read), FALLBACK) == (read, [])


def test_a_single_runspec_is_a_file_too() -> None:
    race, notes = from_json(json.dumps(FALLBACK.runs()[0].to_json()).encode(), Race())
    assert race == replace(FALLBACK, lanes=FALLBACK.lanes[:1]) and not notes


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"",
            b" ",
            b"{",
            b"abc",
            b"null",
            b"3",
            b'"x"',
            b"[]",
            b"[1]",
            b"[{}, 1]",
            b"\xff\xfe\x00",
            b"NaN",
            b"[[{}]]",
        ),
        *(b"[" * 200_000, b"9" * 10_000, b" " * (MAX_FILE + 1), "größe".encode("utf-16")),
    ],
    ids=lambda text: str(text[:12]),
)
def test_what_is_no_race_leaves_things_as_they_are_and_says_so(text: bytes) -> None:
    race, notes = from_json(text, FALLBACK)
    assert race is FALLBACK and [note.key for note in notes] == ["file"]
    assert words.note(notes[0]).endswith("allowed: a RunSpec as this page exports it, or a list of them")


RUN = RunSpec("ellipse", "sgd", (1.0, 2.0), 100, {"learning_rate": 0.5}, {"kappa": 3.0}).to_json()
FILE_CASES: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({"landscape": "nowhere"}, ["landscape", "shape.kappa"], {"landscape": "beale", "shape": Values()}),
    ({"landscape": None}, ["landscape", "shape.kappa"], {"landscape": "beale", "shape": Values()}),
    ({"steps": 0}, ["steps"], {"steps": 500}),
    ({"steps": "ten"}, ["steps"], {"steps": 500}),
    ({"steps": True}, ["steps"], {"steps": 500}),
    ({"steps": None}, ["steps"], {"steps": 500}),
    ({"steps": 10**400}, ["steps"], {"steps": 500}),
    ({"noise": [1]}, ["noise"], {}),
    ({"noise": math.nan}, ["noise"], {}),
    ({"seed": {"a": 1}}, ["seed"], {}),
    ({"start": [1]}, ["start"], {"start": None}),
    ({"start": "here"}, ["start"], {"start": None}),
    ({"start": [1e9, 2.0]}, ["x"], {"start": (-3.5, 2.0)}),
    ({"start": [[], {}]}, ["x", "y"], {"start": None}),
    ({"shape": [1]}, ["shape"], {"shape": Values()}),
    ({"shape": {"kappa": 0.5, "b": 1}}, ["shape.kappa", "shape.b"], {"shape": Values()}),
    ({"shape": {"steps": 7, "x": 3}}, ["shape.steps", "shape.x"], {"shape": Values()}),
    ({"schedule": "nothing"}, ["schedule"], {}),
    ({"schedule_hyper": {"end": 0.5}}, ["schedule.end"], {}),  # the constant one has no such knob
    ({"hyper": {"lr": 1}}, ["o1.lr"], {"lanes": (Lane("sgd"),)}),
    ({"hyper": [1]}, ["o1.hyper"], {"lanes": (Lane("sgd"),)}),
    ({"hyper": {"learning_rate": 99}}, ["o1.learning_rate"], {"lanes": (Lane("sgd"),)}),
    ({"hyper": {"optimizer": "adam", "clip": "0"}}, ["o1.optimizer", "o1.clip"], {"lanes": (Lane("sgd"),)}),
    ({"hyper": {"schedule": 1, "schedule.end": 0}}, ["o1.schedule", "o1.schedule.end"], {"lanes": (Lane("sgd"),)}),
    ({"optimizer": "nobody"}, ["o1"], {"lanes": ()}),
    ({"optimizer": 3}, ["o1"], {"lanes": ()}),
    ({"clip_norm": "much"}, ["clip_at"], {"clip": "norm"}),
    ({"clip_norm": 1e9}, ["clip_at"], {"clip": "norm"}),
    ({"clip_norm": 2.0, "clip_value": 3.0}, ["o1.clip_value"], {"clip": "norm", "clip_at": 2.0}),
    ({"relative_noise": 0.5}, ["relative_noise"], {}),
    ({"relative_noise": 0.0}, [], {}),
    ({"colour": "red"}, ["colour"], {}),
    ({"x": 3, "axis": "linear", "rate": 1}, ["x", "axis", "rate"], {}),
    ({"\ud800": "\udfff"}, ["?"], {}),  # halves of characters, which no browser can be sent
]


@pytest.mark.parametrize(
    ("change", "named", "expected"), FILE_CASES, ids=[str(c)[:40].encode() for c, *_ in FILE_CASES]
)
def test_what_is_malformed_in_a_file_is_left_out_and_named(
    change: dict[str, Any], named: list[str], expected: dict[str, Any]
) -> None:
    good = Race("ellipse", Values(kappa=3.0), (1.0, 2.0), (Lane("sgd", Values(learning_rate=0.5)),), 100)
    race, notes = from_json(json.dumps([RUN | change]).encode(), FALLBACK)
    assert [note.key for note in notes] == named
    assert race == replace(good, **expected)
    assert all(words.note(note).encode() for note in notes)


def test_what_differs_between_the_runs_of_a_file_is_named() -> None:
    other = RUN | {"optimizer": "adam", "steps": 99, "start": [0.0, 0.0], "shape": {}, "clip_norm": 2.0}
    clipped = RUN | {"clip_norm": 1.0}
    race, notes = from_json(json.dumps([RUN, clipped, other]).encode(), FALLBACK)
    assert [note.key for note in notes] == ["o3.clip_norm", "o3.start", "o3.steps", "o3.shape"]
    assert {note.allowed for note in notes} == {"the same for all runners"}
    assert (race.steps, race.start, race.clip, race.clip_at) == (100, (1.0, 2.0), "norm", 1.0)
    assert [lane.clipped for lane in race.lanes] == [False, True, True]


def test_the_runs_of_a_file_may_differ_in_their_schedule() -> None:
    cosine = RUN | {"schedule": "cosine", "schedule_hyper": {"end": 0.5, "colour": 1}}
    race, notes = from_json(json.dumps([RUN, cosine, RUN | {"schedule": ["step"]}]).encode(), FALLBACK)
    assert [note.key for note in notes] == ["o2.schedule.colour", "o3.schedule"]
    assert race.schedule_of(race.lanes[0]) == race.schedule_of(race.lanes[2]) == ("constant", {})
    assert race.schedule_of(race.lanes[1]) == ("cosine", {"end": 0.5})


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
BRANCH = st.lists(LEAF, max_size=3) | st.dictionaries(st.text(max_size=8), LEAF, max_size=3)
JSON = LEAF | BRANCH | st.lists(BRANCH, max_size=2)
NEARLY_A_RUN = st.fixed_dictionaries(
    {}, optional={name: st.just(RUN[name]) | JSON for name in RUN} | {"extra": JSON, "x": JSON, "clip": JSON}
)


@given(st.lists(NEARLY_A_RUN, min_size=1, max_size=4))
def test_any_json_gives_a_race_that_can_be_run(runs: list[dict[str, Any]]) -> None:
    race, notes = from_json(json.dumps(runs).encode(), FALLBACK)
    assert_can_be_run(race)
    assert all(words.note(note).encode() for note in notes)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_without_an_error(text: bytes) -> None:
    race, notes = from_json(text, FALLBACK)
    assert_can_be_run(race)
    assert notes or race != FALLBACK


@pytest.mark.parametrize("depth", [100, 500, 900, 990, 1_000, 5_000])
def test_deeply_nested_json_is_read_without_an_error(depth: int) -> None:
    text = b'[{"steps": ' + b"[" * depth + b"]" * depth + b"}]"
    race, notes = from_json(text, FALLBACK)
    assert race.steps == 500 and notes


# Exports ---------------------------------------------------------------------------------------------------------

EXPORTED = Race(
    landscape="ellipse",
    shape=Values(kappa=7.0),
    start=(0.0, 1.0),
    lanes=(
        Lane("sgd", Values(learning_rate=0.02)),
        Lane("sgd", Values(learning_rate=5.0)),
        Lane("adam", clipped=False),
        Lane("polyak_average"),
    ),
    steps=40,
    noise=0.1,
    seed=3,
    clip="value",
    clip_at=1e3,
    schedule="cosine",
    schedule_hyper=Values(end=0.25),
)


def test_the_csv_holds_every_number_of_the_trajectories() -> None:
    race = replace(EXPORTED, clip="off", schedule="constant", schedule_hyper=Values())
    runs = [run(spec) for spec in race.runs()]
    names = ["SGD α=0.02", 'a "quoted", name', "Adam", "Polyak averaging"]
    table = list(csv.DictReader(io.StringIO(trajectories_csv(names, runs))))
    columns = ["runner", "step", "x", "y", "loss", "gradient_x", "gradient_y", "update_x", "update_y", "learning_rate"]
    columns += ["reported_x", "reported_y", "reported_loss"]
    assert list(table[0]) == columns
    assert runs[1].diverged_at > 0
    assert len(table) == 41 + int(runs[1].diverged_at) + 1 + 41 + 41, "a diverged run ends with the step it was lost at"
    for name, t in zip(names, runs, strict=True):
        rows = [row for row in table if row["runner"] == name]
        assert [int(row["step"]) for row in rows] == list(range(len(rows)))
        states = np.column_stack([t.position, t.loss, t.gradient])[: len(rows)]
        moves = np.full((t.steps + 1, 3), np.nan, np.float32)
        moves[:-1] = np.column_stack([t.update, t.learning_rate])
        values = np.array([[float(row[c] or "nan") for c in columns[2:]] for row in rows])
        result = np.column_stack([t.reported, t.reported_loss])[: len(rows)]
        np.testing.assert_array_equal(np.float32(values), np.hstack([states, moves[: len(rows)], result]))
    lost = [row for row in table if row["runner"] == names[1]][-1]
    assert all(lost[column] == "" for column in columns[2:])


def test_the_script_prints_the_same_end_points() -> None:
    specs = EXPORTED.runs()
    script = python_script(specs, "http://localhost:8501/?landscape=ellipse")
    compile(script, "script", "exec")
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    lines = process.stdout.splitlines()
    assert len(lines) == len(specs)
    for line, spec in zip(lines, specs, strict=True):
        t = run(spec)
        told = (spec.optimizer, dict(spec.hyper), t.position[-1], t.loss[-1], t.diverged_at)
        assert line == " ".join(map(str, told))


@given(races(fewest=1))
def test_the_script_repeats_each_run(race: Race) -> None:
    """It calls `descend` as the runs say (which is replaced by one that only listens)."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    class Heard:
        position = loss = diverged_at = (0,)

    def descend(*args: Any, **kwargs: Any) -> Heard:
        calls.append((args, kwargs))
        return Heard()

    script = python_script(race.runs()).replace("from descent import descend\n", "").replace("print(", "(")
    exec(script, {"descend": descend})
    for spec, ((landscape, optimizer), told) in zip(race.runs(), calls, strict=True):
        assert landscape is LANDSCAPES[spec.landscape] and optimizer is OPTIMIZERS[spec.optimizer]
        assert told.pop("schedule") is SCHEDULES[spec.schedule]
        assert RunSpec(spec.landscape, spec.optimizer, schedule=spec.schedule, **told) == spec


def test_the_script_keeps_what_a_race_page_cannot_set() -> None:
    script = python_script([RunSpec("ellipse", "sgd", (0.0, 0.0), 0, relative_noise=0.5)])
    assert "steps=0," in script and "start=(0.0, 0.0)," in script and "relative_noise=0.5," in script
