"""Successive halving: published schedules, exact budgets, and who survives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descent.halving import halve, plain, rungs, spending

# Li et al. (2018), Table 1: the brackets for R = 81 and η = 3, as (configurations, resource of each).
PUBLISHED = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(27, 3), (9, 9), (3, 27), (1, 81)],
    [(9, 9), (3, 27), (1, 81)],
    [(6, 27), (2, 81)],
    [(5, 81)],
]


@pytest.mark.parametrize("bracket", PUBLISHED, ids=["s=4", "s=3", "s=2", "s=1", "s=0"])
def test_schedules_are_those_of_hyperband(bracket: list[tuple[int, int]]) -> None:
    (configurations, first), *_rest = bracket
    assert [tuple(rung) for rung in rungs(configurations, first, 3, 81)] == bracket


def test_runs_that_go_on_cost_only_what_is_new() -> None:
    assert spending(rungs(81, 1, 3, 81)) == [81, 27 * 2, 9 * 6, 3 * 18, 54]
    assert sum(spending(rungs(81, 1, 3, 81))) == 297


@given(st.integers(1, 300), st.integers(1, 50), st.integers(2, 5))
def test_plain_search_spends_the_same_to_the_last_evaluation(n: int, first: int, eta: int) -> None:
    ladder = rungs(n, first, eta, 5_000)
    lengths = plain(sum(spending(ladder)), ladder[-1].resource)
    assert sum(lengths) == sum(spending(ladder))
    assert lengths[:-1] == [ladder[-1].resource] * (len(lengths) - 1) and 0 < lengths[-1] <= ladder[-1].resource


@pytest.mark.parametrize("given", [(0, 1, 3, 9), (9, 0, 3, 9), (9, 1, 1, 9), (9, 10, 3, 9)])
def test_an_impossible_schedule_is_refused(given: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="were given"):
        rungs(*given)


def test_a_third_survives_each_rung_and_the_best_wins() -> None:
    quality = np.random.default_rng(0).permutation(27).astype(float)
    ladder = rungs(27, 1, 3, 27)
    asked: list[tuple[int, int]] = []

    def losses(alive: np.ndarray, resource: int) -> np.ndarray:
        asked.append((alive.shape[1], resource))
        return quality[alive]

    found = halve(ladder, 1, losses)
    assert asked == [(27, 1), (9, 3), (3, 9), (1, 27)]
    assert found.winner[0] == quality.argmin() and found.loss[0] == 0
    assert np.bincount(found.reached[0]).tolist() == [18, 6, 2, 1]
    assert (found.reached[0][quality < 9] >= 1).all()


def test_a_slow_starter_is_eliminated_and_divergence_comes_last() -> None:
    ladder = rungs(9, 1, 3, 9)
    curves = np.full((9, 10), 5.0)
    curves[4] = [8, *[9.0] * 3, *[0.0] * 6]  # would be the best, but starts badly
    curves[2] = np.nan
    curves[7] = 1.0
    found = halve(ladder, 2, lambda alive, resource: curves[alive, resource])
    assert found.reached[:, 4].tolist() == [0, 0] and found.reached[:, 2].tolist() == [0, 0]
    assert found.winner.tolist() == [7, 7]


def test_where_everything_diverges_there_is_still_an_end() -> None:
    found = halve(rungs(9, 1, 3, 9), 1, lambda alive, resource: np.full(alive.shape, np.nan))
    assert found.loss[0] == np.inf
