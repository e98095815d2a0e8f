"""A run in plain values: there and back through JSON, a key for caches, and picky about what it takes."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import RunSpec, descend
from landscapes import LANDSCAPES
from lessons.situations import run
from optimizers import OPTIMIZERS

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
KNOBS = st.dictionaries(st.text(max_size=10), NUMBERS, max_size=4)
SPECS = st.builds(
    RunSpec,
    landscape=st.text(max_size=20),
    optimizer=st.text(max_size=20),
    start=st.tuples(NUMBERS, NUMBERS),
    steps=st.integers(),
    hyper=KNOBS,
    shape=KNOBS,
    schedule=st.text(max_size=20),
    schedule_hyper=KNOBS,
    noise=NUMBERS,
    relative_noise=NUMBERS,
    clip_value=st.none() | NUMBERS,
    clip_norm=st.none() | NUMBERS,
    seed=st.integers(),
)
SPEC = RunSpec("ellipse", "sgd", (-3.0, 1.5), 50, {"learning_rate": 0.03}, {"kappa": 7.0}, noise=0.1, clip_norm=2.0)


@given(SPECS)
def test_json_and_back_is_the_same_run(spec: RunSpec) -> None:
    text = json.dumps(spec.to_json(), allow_nan=False)
    for form in (spec.to_json(), json.loads(text), text, text.encode()):
        again = RunSpec.from_json(form)
        assert again == spec and hash(again) == hash(spec)


@given(SPECS)
def test_json_is_plain_values_only(spec: RunSpec) -> None:
    def plain(value: Any) -> bool:
        if isinstance(value, (list, tuple)):
            return all(map(plain, value))
        if type(value) is dict:
            return all(type(key) is str and plain(inner) for key, inner in value.items())
        return value is None or type(value) in (str, int, float)

    assert plain(spec.to_json())


def test_a_run_read_from_json_runs_the_same() -> None:
    first, second = run(SPEC), run(RunSpec.from_json(json.dumps(SPEC.to_json())))
    np.testing.assert_array_equal(first.position, second.position)
    np.testing.assert_array_equal(
        first.position,
        descend(
            LANDSCAPES["ellipse"],
            OPTIMIZERS["sgd"],
            (-3.0, 1.5),
            50,
            {"learning_rate": 0.03},
            shape={"kappa": 7.0},
            noise=0.1,
            clip_norm=2.0,
        ).position,
    )


CHANGES: dict[str, Any] = {
    "landscape": "beale",
    "optimizer": "adam",
    "start": (-3.0, 1.6),
    "steps": 51,
    "hyper": {"learning_rate": 0.04},
    "shape": {},
    "schedule": "cosine",
    "schedule_hyper": {"end": 0.0},
    "noise": 0.2,
    "relative_noise": 0.1,
    "clip_value": 2.0,
    "clip_norm": None,
    "seed": 1,
}


def test_every_field_tells_runs_apart() -> None:
    assert set(CHANGES) == set(RunSpec.__dataclass_fields__)
    others = [replace(SPEC, **{name: value}) for name, value in CHANGES.items()]
    assert len({SPEC, *others}) == 1 + len(others)


def test_a_run_is_a_key() -> None:
    """Equal runs are one key, in whatever order or type their numbers come."""
    one = replace(SPEC, hyper={"b1": 1, "b2": 0.5}, start=[1, 2])
    two = replace(SPEC, hyper={"b2": 0.5, "b1": 1.0}, start=(1.0, 2.0))
    assert {one: "kept"}[two] == "kept"
    with pytest.raises(FrozenInstanceError):
        one.steps = 3  # type: ignore[misc]


def test_numbers_of_numpy_become_plain_ones() -> None:
    spec = RunSpec(
        "ellipse", "sgd", np.float32([1, 2]), np.int64(7), {"learning_rate": np.float32(0.5)}, seed=np.int8(3)
    )
    assert spec == RunSpec("ellipse", "sgd", (1.0, 2.0), 7, {"learning_rate": 0.5}, seed=3)
    assert [type(v) for v in (*spec.start, spec.steps, spec.hyper["learning_rate"])] == [float, float, int, float]


FINITE = "must be a finite number"
MISUSE: list[tuple[dict[str, Any], str]] = [
    *(({"start": v}, "start must be two numbers") for v in (1.0, (1.0,), (1.0, 2.0, 3.0), "ab", None, [], {})),
    *(({"start": (v, 0.0)}, f"start {FINITE}") for v in (math.nan, math.inf, "1", None, True, [1.0], 10**400)),
    *(({name: 1}, f"{name} must be an id in quotes; 1 was given") for name in ("landscape", "optimizer", "schedule")),
    *(({"steps": v}, "steps must be a whole number") for v in (1.0, "1", None, True, math.nan)),
    *(({"seed": v}, "seed must be a whole number") for v in (1.5, "1", None, False)),
    *(({name: v}, f"{name} {FINITE}") for name in ("noise", "relative_noise") for v in (None, "0", math.nan, True)),
    *(({name: v}, f"{name} {FINITE}") for name in ("clip_value", "clip_norm") for v in ("1", math.inf, [1.0], 1j)),
    *(
        ({name: v}, f"{name} must map names to numbers")
        for name in ("hyper", "shape", "schedule_hyper")
        for v in (None, 1.0, [("a", 1.0)], "ab")
    ),
    *(
        ({name: {"b1": v}}, f"b1 {FINITE}; .* was given")
        for name in ("hyper", "shape", "schedule_hyper")
        for v in (math.nan, -math.inf, "0.1", None, True, [0.1])
    ),
]


@pytest.mark.parametrize(("wrong", "message"), MISUSE, ids=lambda value: str(value)[:50])
def test_misuse_raises_and_says_what_was_given(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RunSpec(**{"landscape": "ellipse", "optimizer": "sgd", "start": (1.0, 2.0)} | wrong)


MALFORMED: list[tuple[Any, str]] = [
    ("", "this is not JSON"),
    ("{", "this is not JSON"),
    (b"\xff\xfe", "this is not JSON"),
    ("[" * 100_000, "this is not JSON"),
    ("[]", "a run is an object with the keys landscape, optimizer, start.*; list was given"),
    ("null", "NoneType was given"),
    (3, "int was given"),
    ({"landscape": "ellipse", "optimizer": "sgd"}, "the key 'start' is missing"),
    ({"optimizer": "sgd", "start": [1, 2]}, "the key 'landscape' is missing"),
    ({"landscape": "ellipse", "start": [1, 2]}, "the key 'optimizer' is missing"),
    (SPEC.to_json() | {"lr": 1}, "unknown key 'lr'; a run has landscape, optimizer"),
    ('{"landscape": "ellipse", "optimizer": "sgd", "start": [NaN, 0]}', f"start {FINITE}"),
    ('{"landscape": "ellipse", "optimizer": "sgd", "start": [1e999, 0]}', f"start {FINITE}"),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED, ids=lambda value: str(value)[:30])
def test_malformed_json_raises_and_says_why(text: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RunSpec.from_json(text)


@pytest.mark.parametrize("name", ["landscape", "optimizer", "schedule"])
def test_an_id_that_does_not_exist_is_told_where_it_is_looked_up(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown id 'nothing'; there are .*, "):
        run(replace(SPEC, **{name: "nothing"}))
