"""Situations: each shows what its sentence says, and the claim that checks it could also fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import pytest

from descent import RunSpec
from descent.hyper import fill
from landscapes import LANDSCAPES
from lessons.situations import SITUATIONS, Situation
from optimizers import OPTIMIZERS
from schedules import SCHEDULES
from ui.race import NUMBERS, Race, from_query, to_query

BY_ID = {situation.id: situation for situation in SITUATIONS}
EVERY = pytest.mark.parametrize("situation", SITUATIONS, ids=BY_ID)


def at(runs: Sequence[RunSpec], *rates: float) -> list[RunSpec]:
    """The runs at other learning rates."""
    pairs = zip(runs, rates * (len(runs) // len(rates)), strict=True)
    return [replace(run, hyper={**run.hyper, "learning_rate": rate}) for run, rate in pairs]


def turned(runs: Sequence[RunSpec]) -> list[RunSpec]:
    return list(runs[::-1])


def elsewhere(runs: Sequence[RunSpec], *start: float) -> list[RunSpec]:
    return [replace(run, start=start) for run in runs]


def knobs(runs: Sequence[RunSpec], **hyper: float) -> list[RunSpec]:
    return [replace(run, hyper={**run.hyper, **hyper}) for run in runs]


# Races like the situation's, of which its sentence is not true.
UNTRUE = {
    "zigzag, gently": ("zigzag", lambda runs: at(runs, 0.009)),  # below 1/λ, nothing bounces
    "zigzag, runners swapped": ("zigzag", turned),
    "zigzag, without momentum": ("zigzag", lambda runs: [runs[0], *knobs(runs[1:], momentum=0.0)]),
    "saddle, far from the ridge": ("saddle", lambda runs: elsewhere(runs, -2.0, 0.9)),
    "saddle, on the ridge": ("saddle", lambda runs: elsewhere(runs, -2.0, 0.0)),
    "saddle, slow Adam": ("saddle", lambda runs: [*runs[:3], *at(runs[3:], 1e-4)]),
    "overshoot, the other way": ("overshoot", turned),
    "overshoot, without velocity": ("overshoot", lambda runs: knobs(runs, momentum=0.0)),
    "rotated, a round bowl": ("rotated", lambda runs: [replace(run, shape={"kappa": 1.0}) for run in runs]),
    "rotated, too slow": ("rotated", lambda runs: at(runs, 1e-4)),
    "sharp, small steps": ("sharp", lambda runs: at(runs, 0.02)),
    "sharp, from the flat side": ("sharp", lambda runs: elsewhere(runs, 2.0, 1.0)),
    "cliff, both clipped": ("cliff", lambda runs: [runs[1], runs[1]]),
    "cliff, none clipped": ("cliff", lambda runs: [runs[0], runs[0]]),
    "cliff, swapped": ("cliff", turned),
    "basins, far from the ridge": ("basins", lambda runs: elsewhere(runs, 3.0, 2.5)),
    "edge, all below": ("edge", lambda runs: at(runs, 0.08, 0.09, 0.095)),
    "edge, swapped": ("edge", turned),
    "edge, of a steeper bowl": ("edge", lambda runs: [replace(run, shape={"kappa": 25.0}) for run in runs]),
    "matrix, nothing turned": ("matrix", lambda runs: [replace(r, shape={"rows": 0.0, "columns": 0.0}) for r in runs]),
    "matrix, a round bowl": ("matrix", lambda runs: [replace(run, shape={"kappa": 1.0}) for run in runs]),
    "matrix, vector methods": ("matrix", lambda runs: [runs[0], *(replace(r, optimizer="rmsprop") for r in runs[1:])]),
    "matrix, too slow": ("matrix", lambda runs: at(runs, 1e-4)),
    "correction, swapped": ("correction", turned),
    "correction, on for both": ("correction", lambda runs: knobs(runs, bias_correction=1.0)),
    "plateau, on the slope": ("plateau", lambda runs: elsewhere(runs, -1.0, 1.0)),
    "plateau, swapped": ("plateau", turned),
    "floor, without noise": ("floor", lambda runs: [replace(run, noise=0.0) for run in runs]),
    "floor, swapped": ("floor", turned),
    "floor, of one height": ("floor", lambda runs: at(runs, 0.1)),
    "adagrad, swapped": ("adagrad", turned),
    "adagrad, both slow": ("adagrad", lambda runs: at(runs, 1e-4)),
}


@EVERY
def test_what_is_said_is_so(situation: Situation) -> None:
    assert situation.claim(situation.runs)


@pytest.mark.parametrize(("name", "change"), UNTRUE.values(), ids=UNTRUE)
def test_the_claim_fails_where_it_is_not_so(name: str, change) -> None:
    assert not BY_ID[name].claim(change(BY_ID[name].runs))


def test_every_claim_was_seen_to_fail() -> None:
    assert {name for name, _ in UNTRUE.values()} == set(BY_ID)


def test_there_are_at_least_eight_and_each_has_a_name_of_its_own() -> None:
    assert len(SITUATIONS) == len(BY_ID) >= 8
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS)
    assert all(s.id.isidentifier() and s.name and s.look_for.endswith(".") for s in SITUATIONS)


@EVERY
def test_the_race_page_can_show_it(situation: Situation) -> None:
    """Its runs share all but optimizer and clipping, so as a race and through the URL they stay the same."""
    race = Race.of(situation.runs, situation=situation.id, **situation.view)
    own = {"optimizer", "hyper", "clip_value", "clip_norm"}
    for field in {f.name for f in fields(RunSpec)} - own:
        assert len({getattr(run, field) for run in situation.runs}) == 1, field
    thresholds = {(run.clip_value, run.clip_norm) for run in situation.runs} - {(None, None)}
    assert len(thresholds) <= 1

    def whole(run: RunSpec) -> RunSpec:
        optimizer, landscape = OPTIMIZERS[run.optimizer], LANDSCAPES[run.landscape]
        return replace(
            run,
            hyper=fill(optimizer.hypers, run.hyper, optimizer.id),
            shape=fill(landscape.hypers, run.shape, landscape.id),
        )

    assert list(map(whole, race.runs())) == list(map(whole, situation.runs))
    assert from_query(to_query(race), Race(), list(BY_ID)) == (race, [])


@EVERY
def test_its_knobs_are_within_reach_of_the_sliders(situation: Situation) -> None:
    for run in situation.runs:
        owners = (
            (OPTIMIZERS[run.optimizer], run.hyper),
            (LANDSCAPES[run.landscape], run.shape),
            (SCHEDULES[run.schedule], run.schedule_hyper),
        )
        for owner, values in owners:
            declared = {hyper.name: hyper for hyper in owner.hypers}
            for name, value in values.items():
                declared[name].check_range(value, owner.id)
        for hyper in NUMBERS:
            if hasattr(run, hyper.name):
                hyper.check_range(getattr(run, hyper.name), situation.id)
        inside = zip(LANDSCAPES[run.landscape].domain, run.start, strict=True)
        assert all(low <= value <= high for (low, high), value in inside)


@EVERY
def test_no_two_runners_are_the_same(situation: Situation) -> None:
    assert len(set(situation.runs)) == len(situation.runs) >= 2
