"""Successive halving: many configurations get a little budget each, the better ones get more.

References: Jamieson & Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization; Li et
al. (2018), Hyperband: a novel bandit-based approach to hyperparameter optimization, of which this is the inner loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


class Rung(NamedTuple):
    """How many configurations get there, and what each of them has spent in all when it is judged there."""

    configurations: int
    resource: int


class Halving(NamedTuple):
    """What became of the configurations of some searches."""

    reached: np.ndarray  # (searches, n) the last rung that each configuration was judged at
    winner: np.ndarray  # (searches,) index of the best at the last rung
    loss: np.ndarray  # (searches,) its loss there; inf if it diverged


def rungs(configurations: int, first: int, eta: int, most: int) -> tuple[Rung, ...]:
    """⌊n η⁻ⁱ⌋ configurations reach rung i, with r ηⁱ spent: as long as one is left, and ``most`` is not exceeded.

    Raises:
        ValueError: fewer than one configuration, a first rung of nothing, η below 2, or ``most`` below ``first``.
    """
    if configurations < 1 or first < 1 or eta < 2 or most < first:
        given = f"{configurations}, {first}, {eta}, {most}"
        raise ValueError(f"needed are n ≥ 1, r ≥ 1, η ≥ 2 and most ≥ r; {given} were given")
    out = []
    i = 0
    while configurations // eta**i >= 1 and first * eta**i <= most:
        out.append(Rung(configurations // eta**i, first * eta**i))
        i += 1
    return tuple(out)


def spending(ladder: Sequence[Rung]) -> list[int]:
    """What each rung costs: runs go on from where they were stopped, so that only what is new counts."""
    before = [0, *(rung.resource for rung in ladder[:-1])]
    return [rung.configurations * (rung.resource - spent) for rung, spent in zip(ladder, before, strict=True)]


def halve(ladder: Sequence[Rung], searches: int, losses: Callable[[np.ndarray, int], np.ndarray]) -> Halving:
    """Run so many searches side by side.

    ``losses(alive, resource)`` gives the losses (searches, k) of the configurations ``alive`` (searches, k), indices
    below n, when each has spent ``resource``. What diverged comes last; of equals the first goes on.
    """
    n = ladder[0].configurations
    alive = np.tile(np.arange(n), (searches, 1))
    reached = np.zeros((searches, n), int)
    best = np.full(searches, np.inf)
    following = [*(rung.configurations for rung in ladder[1:]), 1]
    for number, (rung, left) in enumerate(zip(ladder, following, strict=True)):
        np.put_along_axis(reached, alive, number, 1)
        now = losses(alive, rung.resource)
        now = np.where(np.isfinite(now), now, np.inf)
        order = np.argsort(now, 1, kind="stable")[:, :left]
        alive, best = np.take_along_axis(alive, order, 1), np.take_along_axis(now, order[:, :1], 1)[:, 0]
        alive = np.sort(alive, 1) if left > 1 else alive
    return Halving(reached, alive[:, 0], best)


def plain(spent: int, most: int) -> list[int]:
    """What plain random search does with the same budget: as many whole runs as it pays for, and one with the rest."""
    whole, rest = divmod(spent, most)
    return [most] * whole + [rest] * (rest > 0)
