"""Schedules at work: what the demonstrations state, and the learning-rate range test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from descent import descend
from descent.compilation import counting
from descent.range_test import SMOOTHING, range_test
from landscapes import LANDSCAPES
from lessons.rates import DEMONSTRATIONS, INSIDE
from lessons.situations import Situation, run
from optimizers import OPTIMIZERS, find
from ui.race import Race, from_query, to_query

IDS = [d.id for d in DEMONSTRATIONS]


@pytest.mark.parametrize("demonstration", DEMONSTRATIONS, ids=IDS)
def test_what_a_demonstration_says_is_so(demonstration: Situation) -> None:
    assert demonstration.claim(demonstration.runs)


@pytest.mark.parametrize("demonstration", DEMONSTRATIONS, ids=IDS)
def test_a_demonstration_is_a_race_with_an_address(demonstration: Situation) -> None:
    race = Race.of(demonstration.runs, situation=demonstration.id, **demonstration.view)
    assert replace(Race.of(race.runs(), situation=demonstration.id), axis=race.axis) == race
    for ours, told in zip(race.runs(), demonstration.runs, strict=True):
        np.testing.assert_array_equal(run(ours).position, run(told).position)
    assert from_query(to_query(race), Race(), IDS) == (race, [])


def test_under_a_constant_rate_alpha_may_stand_inside_or_outside() -> None:
    outside, inside = (
        descend(LANDSCAPES["ellipse"], find(name), (-3.5, 2.0), 120, {"learning_rate": 0.02}).position
        for name in ("momentum", INSIDE)
    )
    np.testing.assert_allclose(inside, outside, atol=1e-5)


# ---- range test ------------------------------------------------------------------------------------------------------

ELLIPSE, SGD = LANDSCAPES["ellipse"], OPTIMIZERS["sgd"]


def test_the_range_test_sweeps_the_rate_by_equal_factors() -> None:
    found = range_test(ELLIPSE, SGD, 1e-3, 0.05, steps=60)
    np.testing.assert_allclose(found.learning_rate, np.geomspace(1e-3, 0.05, 60), rtol=1e-12)
    point, curvature = np.array(ELLIPSE.start), np.array([1.0, 20.0])
    for t, rate in enumerate(found.learning_rate):  # the ellipse with κ = 20 as one would write it
        point = point * (1 - rate * curvature)
        assert abs(found.loss[t] - 0.5 * (curvature * point**2).sum()) < 1e-4
    weights = (1 - SMOOTHING) * SMOOTHING ** np.arange(60)[::-1]
    np.testing.assert_allclose(found.smoothed[-1], (weights * found.loss).sum() / weights.sum(), rtol=1e-9)


def test_what_the_range_test_suggests_is_stable_and_is_told_by_its_rules() -> None:
    found = range_test(ELLIPSE, SGD, 1e-5, 10.0, steps=300)
    edge = 2 / 20
    lowest = found.learning_rate[np.nanargmin(found.smoothed)]
    assert found.below_lowest == pytest.approx(lowest / 10) and edge / 20 < found.below_lowest < edge
    slope = np.diff(found.smoothed) / np.diff(np.log(found.learning_rate))
    assert found.steepest == pytest.approx(found.learning_rate[np.nanargmin(slope)], rel=0.2)
    assert found.steepest < lowest < found.learning_rate[-1]
    for rate in (found.below_lowest, found.steepest):
        t = descend(ELLIPSE, SGD, steps=500, hyper={"learning_rate": rate})
        assert t.loss[-1] < 0.2 * t.loss[0]


def test_where_the_loss_never_falls_nothing_is_suggested() -> None:
    flat = range_test(ELLIPSE, SGD, start=(0.0, 0.0), steps=50)
    lost = range_test(ELLIPSE, SGD, 1e3, 1e4, steps=50)
    assert np.isnan([flat.below_lowest, flat.steepest, lost.below_lowest, lost.steepest]).all()
    assert flat.diverged_at == -1 and lost.diverged_at > 0 and np.isnan(lost.loss[-1])


def test_another_range_compiles_nothing() -> None:
    range_test(ELLIPSE, SGD, steps=50)
    with counting() as programs:
        range_test(ELLIPSE, SGD, 1e-4, 1.0, (1.0, 1.0), 70, noise=0.0, shape={"kappa": 3.0})
    assert not programs


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 1.0, "high": 1.0}, {"high": np.inf}, {"steps": 1}], ids=str)
def test_a_range_that_is_none_is_an_error(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"learning rates must go from|steps must be a whole number"):
        range_test(ELLIPSE, SGD, **wrong)  # type: ignore[arg-type]


def test_every_run_of_a_demonstration_follows_its_schedule() -> None:
    (constant, reduced) = (run(spec) for spec in DEMONSTRATIONS[-1].runs)
    assert len(np.unique(constant.learning_rate)) == 1 < len(np.unique(reduced.learning_rate))
