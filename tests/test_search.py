"""Layouts of trials, what they can expect to find, and which knob matters: against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from descent.hyper import Hyper
from descent.search import (
    LAYOUTS,
    chance_of_a_hit,
    distinct,
    expected_best,
    grid,
    importance,
    random,
    repeat,
    side,
    sobol,
    squared,
)
from lessons.responses import FAMILIES, MadeUp
from optimizers import OPTIMIZERS

RESPONSES = {family.id: family for family in FAMILIES}
UNIFORM = MadeUp(lambda x, y: x)  # the loss is the share of the square that is better


# Knobs as shares of their ranges -------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_share_of_a_range_is_a_value_and_back(optimizer) -> None:
    shares = np.linspace(0, 1, 11)
    for hyper in optimizer.hypers:
        values = hyper.at(shares)
        assert values[0] == pytest.approx(hyper.low) and values[-1] == pytest.approx(hyper.high)
        assert (np.diff(values) >= 0).all()
        assert np.allclose(hyper.at(hyper.share(values)), values)
        if not hyper.whole:
            assert np.allclose(hyper.share(values), shares)


def test_scales_are_even_in_what_they_say() -> None:
    log = Hyper("a", "", "", "", 1, 1e-4, 1e2, "log")
    assert np.allclose(log.at(np.array([0, 0.5, 1])), [1e-4, 1e-1, 1e2])
    memory = Hyper("b", "", "", "", 0.9, 0, 0.9999, memory=True)
    assert np.allclose(memory.at(np.arange(5) / 4), [0, 0.9, 0.99, 0.999, 0.9999])
    whole = Hyper("k", "", "", "", 1, 1, 3, "integer")
    assert np.bincount(whole.at(np.linspace(0, 1, 3_000, endpoint=False)).astype(int)).tolist() == [0, 1000, 1000, 1000]


def test_a_range_of_zero_width_is_one_value() -> None:
    for scale in ("log", "linear", "integer"):
        hyper = Hyper("a", "", "", "", 3, 3, 3, scale)
        assert (hyper.at(np.linspace(0, 1, 5)) == 3).all()
        assert np.isfinite(hyper.share(3)).all()


# Layouts -------------------------------------------------------------------------------------------------------------


def test_a_grid_of_nine_tests_three_values_and_random_search_nine() -> None:
    assert distinct(grid(9), UNIFORM.axes) == (3, 3)
    assert distinct(random(9, np.random.default_rng(0)), UNIFORM.axes) == (9, 9)
    assert distinct(sobol(9, np.random.default_rng(0)), UNIFORM.axes) == (9, 9)


def test_of_a_whole_number_or_a_single_value_there_are_no_more_values_than_there_are() -> None:
    memory, fixed = Hyper("m", "", "", "", 10, 1, 10, "integer"), Hyper("a", "", "", "", 1e-12, 1e-12, 1e-12, "log")
    assert distinct(random(100, np.random.default_rng(0)), (memory, fixed)) == (10, 1)


@given(st.integers(1, 144), st.integers(0, 1000))
def test_a_grid_takes_the_largest_square_and_stays_inside_when_shifted(trials: int, seed: int) -> None:
    points = grid(trials, np.random.default_rng(seed))
    assert len(points) == side(trials) ** 2 <= trials < (side(trials) + 1) ** 2
    assert (points >= 0).all() and (points < 1).all()
    assert distinct(points, UNIFORM.axes) == (side(trials), side(trials))


def test_sobol_points_are_those_of_scipy_and_better_spread() -> None:
    points = sobol(64, np.random.default_rng(5))
    assert np.array_equal(points, qmc.Sobol(2, rng=np.random.default_rng(5)).random_base2(6))
    assert qmc.discrepancy(points) < 0.2 * qmc.discrepancy(random(64, np.random.default_rng(5)))


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_trial_is_a_layout_too(name: str) -> None:
    assert LAYOUTS[name](1, np.random.default_rng(0)).shape == (1, 2)


# What matters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.5, 0.7, 0.95, 1.0])
def test_the_share_of_each_knob_of_a_sum_is_that_of_its_variance(weight: float) -> None:
    found = importance(squared(RESPONSES["additive"].make(importance=weight), 200))
    exact = weight**2 / (weight**2 + (1 - weight) ** 2)  # both valleys have one variance
    assert found.first == pytest.approx(exact, abs=2e-3)
    assert found.second == pytest.approx(1 - exact, abs=2e-3)
    assert found.together == pytest.approx(0, abs=1e-9)


def test_a_turned_valley_is_the_work_of_both() -> None:
    at = {angle: importance(squared(RESPONSES["rotated"].make(angle=angle), 200)) for angle in (0, 45, 90)}
    assert at[0].first == pytest.approx(1) and at[90].second == pytest.approx(1)
    assert at[45].together > 0.9


def test_importance_agrees_with_sobol_indices_of_a_known_function() -> None:
    # Of x + 2y + 3xy: 2.5 (x − ½), 3.5 (y − ½) and 3 (x − ½)(y − ½), of which each is worked out by hand.
    first, second, both = (1 + 1.5) ** 2 / 12, (2 + 1.5) ** 2 / 12, 9 / 144
    found = importance(squared(MadeUp(lambda x, y: x + 2 * y + 3 * x * y), 400))
    assert np.allclose(found, np.array([first, second, both]) / (first + second + both), atol=1e-4)


def test_a_level_response_has_nothing_that_matters() -> None:
    assert importance(np.full((8, 8), 3.7)) == (0, 0, 0)


# What to expect ------------------------------------------------------------------------------------------------------


def test_random_search_hits_the_best_as_often_as_it_must() -> None:
    found = repeat(UNIFORM, "random", 60, 4_000, 0)
    for share in (0.01, 0.05, 0.2):
        exact = chance_of_a_hit(share, found.trials)
        error = np.sqrt(exact * (1 - exact) / 4_000)
        assert (np.abs(found.hits(share) - exact) < 4.5 * error + 1e-12).all()
    assert chance_of_a_hit(0.05, np.array([59]))[0] > 0.95 > chance_of_a_hit(0.05, np.array([58]))[0]


def test_the_best_of_n_uniform_losses_is_one_over_n_plus_one() -> None:
    found = repeat(UNIFORM, "random", 40, 4_000, 1)
    n = found.trials
    error = np.sqrt(n / ((n + 1) ** 2 * (n + 2)) / 4_000)
    assert (np.abs(found.best.mean(0) - 1 / (n + 1)) < 4.5 * error).all()


def test_a_shifted_grid_of_a_single_knob_is_uniform_in_its_cell() -> None:
    found = repeat(UNIFORM, "grid", 36, 4_000, 2)
    assert found.trials.tolist() == [1, 4, 9, 16, 25, 36]
    k = np.sqrt(found.trials)
    assert np.allclose(found.best.mean(0), 1 / (2 * k), rtol=0.04)  # the first value lies anywhere in the first cell


def test_a_search_only_gets_better_and_divergence_is_worst() -> None:
    lost = MadeUp(lambda x, y: np.where(x < 0.5, np.nan, x))
    for name in LAYOUTS:
        found = repeat(lost, name, 16, 50, 3)
        assert not np.isnan(found.best).any() and (found.best[:, 0] == np.inf).any()
        if name != "grid":
            assert (found.best[:, 1:] <= found.best[:, :-1]).all()


def test_the_same_seed_gives_the_same_searches() -> None:
    one, same, other = (repeat(UNIFORM, "sobol", 9, 20, seed).best for seed in (7, 7, 8))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_the_expected_best_of_a_finished_search_is_that_of_drawing_from_it() -> None:
    losses = np.array([5.0, 1.0, np.nan, 3.0, 2.0])
    drawn = np.random.default_rng(0).choice(np.where(np.isnan(losses), np.inf, losses), (20_000, 8))
    for n in (1, 2, 4, 8):
        measured = np.quantile(drawn[:, :n].min(1), 0.4, method="inverted_cdf")
        assert expected_best(losses, np.array([n]), 0.4)[0] == measured
    assert expected_best(np.full(3, np.nan), np.array([1, 5])).tolist() == [np.inf, np.inf]
