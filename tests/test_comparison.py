"""A fair comparison: equal budgets to the last evaluation, settings within their ranges, and numbers that are so."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent import descend
from descent.comparison import decides, settings_of, sides, starting_points, tune
from descent.tuning import price
from landscapes import LANDSCAPES
from lessons.responses import searched
from optimizers import OPTIMIZERS

ROSENBROCK = LANDSCAPES["rosenbrock"]
LAYOUTS = ("random", "grid", "sobol")
STARTS = starting_points(ROSENBROCK, (-1.2, 1.0), 3, 0)
RULES = ["momentum", "sam", "lbfgs"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", RULES)
def test_the_stated_budget_is_spent_exactly(name: str, layout: str) -> None:
    rule, count, evaluations = OPTIMIZERS[name], 12, 31
    found = tune(ROSENBROCK, rule, searched(rule), layout, count, STARTS, evaluations)
    assert found.spent == count * len(STARTS) * evaluations
    assert found.loss.shape == (count, len(STARTS), 1) == found.steps.shape
    if rule.evaluations is None:
        # Whole steps, and a last one that the rest did not pay for.
        cost = price(rule.cost) / 3
        assert (found.steps == math.floor(evaluations / cost)).all()


def test_who_needs_two_gradients_makes_half_as_many_steps() -> None:
    steps = [
        tune(ROSENBROCK, OPTIMIZERS[name], [], "random", 1, STARTS, 40).steps.max() for name in ("momentum", "sam")
    ]
    assert steps == [40, 20]


@given(st.integers(1, 256), st.integers(1, 6))
def test_a_grid_has_exactly_as_many_trials_as_any_other_layout(count: int, knobs: int) -> None:
    found = sides(count, knobs)
    assert math.prod(found) == count and found == sorted(found, reverse=True)


def test_sides_are_as_alike_as_factors_allow() -> None:
    assert sides(64, 2) == [8, 8] and sides(64, 4) == [4, 4, 2, 2] and sides(60, 3) == [5, 4, 3]
    assert sides(61, 2) == [61, 1] and sides(1, 3) == [1, 1, 1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["adam", "lbfgs", "lookahead"])
def test_settings_lie_in_their_ranges(name: str, layout: str) -> None:
    knobs = searched(OPTIMIZERS[name])
    shares = settings_of(layout, knobs, 24, 3)
    assert shares.shape == (24, len(knobs)) and (shares >= 0).all() and (shares <= 1).all()
    for k, knob in enumerate(knobs):
        values = knob.at(shares[:, k])
        assert (values >= knob.low).all() and (values <= knob.high).all()
        if knob.whole:
            assert (values == values.round()).all()


def test_a_knob_with_one_value_on_the_grid_stays_at_its_default() -> None:
    knobs = searched(OPTIMIZERS["momentum"])
    shares = settings_of("grid", knobs, 7, 0)
    assert len(np.unique(shares[:, 0])) == 7
    assert np.allclose(knobs[1].at(shares[:, 1]), knobs[1].default)


def test_the_best_setting_is_a_run_of_its_own() -> None:
    rule = OPTIMIZERS["momentum"]
    found = tune(ROSENBROCK, rule, searched(rule), "random", 40, STARTS, 100)
    ends = [descend(ROSENBROCK, rule, start, 100, found.setting(found.best)).loss[-1] for start in STARTS]
    assert np.median(np.nan_to_num(ends, nan=np.inf)) == pytest.approx(found.score[found.best], rel=1e-3)
    assert found.score[found.best] == found.score.min()
    assert 0 < found.diverged < 1
    assert found.good(0.0, 0.0) == (found.score <= 10 * found.score.min()).mean()


def test_all_optimizers_meet_the_same_starts_and_noises() -> None:
    again = starting_points(ROSENBROCK, (-1.2, 1.0), 3, 0)
    assert np.array_equal(STARTS, again) and STARTS[0].tolist() == pytest.approx([-1.2, 1.0])
    (x0, x1), (y0, y1) = ROSENBROCK.domain
    assert (([x0, y0] <= STARTS) & ([x1, y1] >= STARTS)).all()
    assert len(starting_points(ROSENBROCK, (0, 0), 1, 0)) == 1 and len(starting_points(ROSENBROCK, (0, 0), 16, 0)) == 16
    rule = OPTIMIZERS["momentum"]
    noisy = tune(ROSENBROCK, rule, [], "random", 2, STARTS, 30, seeds=3, noise=0.3, hyper={"learning_rate": 1e-5})
    assert noisy.loss.shape == (2, 3, 3) and np.array_equal(noisy.loss[0], noisy.loss[1])
    assert len(np.unique(noisy.loss[0, 0])) == 3


def test_the_best_is_judged_anew_by_noise_that_it_was_not_chosen_by() -> None:
    rule = OPTIMIZERS["sgd"]
    rate = rule.hypers[0]
    cool = type(rate)(**{**vars(rate), "low": 0.2, "default": 0.5, "high": 0.9})
    found = tune(LANDSCAPES["sphere"], rule, [cool], "random", 200, STARTS[:1], 400, noise=3.0)
    # All settings are about as good: the best of 200 was lucky, and a fresh median is not.
    assert found.again is not None and found.score.min() < 0.5 * found.again
    assert tune(ROSENBROCK, rule, [cool], "random", 3, STARTS, 20).again is None


def test_where_everything_diverges_nothing_is_best() -> None:
    rule = OPTIMIZERS["sgd"]
    rate = rule.hypers[0]
    hot = type(rate)(**{**vars(rate), "low": 5.0, "default": 9.0})
    found = tune(ROSENBROCK, rule, [hot], "random", 8, STARTS, 50)
    assert found.best == -1 and found.diverged == 1 and found.good(0, 1) == 0


def test_what_a_knob_decides_is_the_share_of_its_main_effect() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 4_000))
    # Of 3x + y the shares are 9/10 and 1/10; bins of an eighth miss 1/64 of what is within them.
    assert decides(one, 3 * one + other) == pytest.approx(0.9, abs=0.03)
    assert decides(other, 3 * one + other) == pytest.approx(0.1, abs=0.03)
    noise = [decides(rng.random(64), rng.random(64)) for _ in range(200)]
    assert np.mean(noise) < 0.05
    assert decides(one, np.ones_like(one)) == 0 and decides(one[:3], one[:3]) == 0
