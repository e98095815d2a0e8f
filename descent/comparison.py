"""Comparing optimizers fairly: each gets the same budget to be tuned with, in gradient evaluations.

References: Sivaprasad et al. (2020), Optimizer benchmarking needs to account for hyperparameter tuning; Choi et al.
(2019), On empirical comparisons of optimizers for deep learning; Schmidt et al. (2021), Descending through a crowded
valley.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import qmc

from descent.engine import Progress, check_start, check_whole
from descent.hyper import Hyper
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.tuning import trials

FRESH = 64
BINS = 8  # of a knob's range, for how much it decides


class Tuned(NamedTuple):
    """What tuning an optimizer came to. n trials, each run from all starts with all seeds."""

    knobs: tuple[Hyper, ...]  # those that were tuned
    shares: np.ndarray  # (n, knobs) where in its range each was
    settings: dict[str, np.ndarray]  # (n,) their values
    loss: np.ndarray  # (n, starts, seeds) at the end, NaN where a run diverged
    diverged_at: np.ndarray  # (n, starts, seeds) first step that was not finite, or −1
    steps: np.ndarray  # (n, starts, seeds) whole steps that each run's part of the budget paid for
    spent: int  # gradient evaluations in all
    again: float | None  # the best setting's score on `FRESH` noises that tuning had not seen; None without noise

    @property
    def score(self) -> np.ndarray:
        """The median loss (n,) of each setting over its runs; inf where half of them or more diverged."""
        return score(self.loss)

    @property
    def best(self) -> int:
        """The setting with the lowest score; −1 where none is finite."""
        return int(self.score.argmin()) if np.isfinite(self.score).any() else -1

    @property
    def diverged(self) -> float:
        """The share of runs that diverged."""
        return float((self.diverged_at >= 0).mean())

    def setting(self, number: int) -> dict[str, float]:
        """The values of the tuned knobs in one trial."""
        return {name: float(values[number]) for name, values in self.settings.items()}

    def good(self, lowest: float, tolerance: float, factor: float = 10.0) -> float:
        """The share of settings that come as low as the best of them, up to a factor, or to the tolerance."""
        above = self.score - lowest
        if self.best < 0:
            return 0.0
        return float((above <= max(factor * above[self.best], tolerance)).mean())


def score(loss: np.ndarray) -> np.ndarray:
    """The median (n,) of losses (n, starts, seeds); inf where half of them or more are not finite."""
    return np.median(np.where(np.isfinite(loss), loss, np.inf), axis=(1, 2)).astype(np.float64)


def tune(
    landscape: Landscape,
    optimizer: Optimizer,
    knobs: Sequence[Hyper],
    layout: str,
    count: int,
    starts: np.ndarray,
    evaluations: int,
    *,
    seeds: int = 1,
    seed: int = 0,
    hyper: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    **conditions: Any,
) -> Tuned:
    """Try ``count`` settings of the knobs, each with ``evaluations`` gradient evaluations from every start and seed.

    That is count × starts × seeds × evaluations in all, for every optimizer: who needs two gradients a step makes half
    as many steps. A rule without knobs is run as often, and always gives the same. `Tuned.again` comes on top.

    Args:
        knobs: what is tuned, between their low and high; ``hyper`` sets the others.
        layout: "grid", "random" or "sobol" (`settings_of`).
        conditions: as of `trials`.

    Raises:
        ValueError: as `trials` does.
    """
    count = check_whole("count", count, 1, 4_096)
    knobs = tuple(knobs)
    shares = settings_of(layout, knobs, count, seed)
    settings = {knob.name: knob.at(shares[:, k]) for k, knob in enumerate(knobs)}
    told = {"seeds": seeds, "seed": seed, "hyper": hyper, "progress": progress, **conditions}
    # All trials of a rule without knobs are the same run.
    found = trials(landscape, optimizer, settings, starts, evaluations, **told)
    loss, diverged_at, steps = (
        np.broadcast_to(part, (count, *part.shape[1:])) for part in (found.loss, found.diverged_at, found.steps)
    )
    spent = count * len(starts) * seeds * evaluations
    tuned = Tuned(knobs, shares, settings, loss, diverged_at, steps, spent, None)
    if not conditions.get("noise") or tuned.best < 0:
        return tuned
    # The best of many was lucky as well as good: this is what it comes to without the luck.
    chosen = {name: values[[tuned.best]] for name, values in settings.items()}
    told |= {"seeds": FRESH, "seed": seed + 1_000_000, "progress": None}
    return tuned._replace(again=float(score(trials(landscape, optimizer, chosen, starts, evaluations, **told).loss)[0]))


def settings_of(layout: str, knobs: Sequence[Hyper], count: int, seed: int) -> np.ndarray:
    """Where in the knobs' ranges each of ``count`` trials is: shares (count, knobs) of them.

    A grid has exactly that many trials, too (`sides`); a knob of which it has one value stays at its default.
    """
    rng = np.random.default_rng(seed)
    if not knobs:
        return np.zeros((count, 0))
    if layout == "random":
        return rng.random((count, len(knobs)))
    if layout == "sobol":
        return qmc.Sobol(len(knobs), rng=rng).random_base2(max(count - 1, 0).bit_length())[:count]
    axes = [
        (np.arange(side) + 0.5) / side if side > 1 else np.array([float(knob.share(knob.default))])
        for side, knob in zip(sides(count, len(knobs)), knobs, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(knobs))


def sides(count: int, knobs: int) -> list[int]:
    """How many values of each knob a grid of exactly ``count`` trials has: as alike as its prime factors allow.

    The first knob, which is the learning rate where there is one, has the most.
    """
    factors, rest, prime = [], count, 2
    while rest > 1:
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
        prime += 1
    out = [1] * knobs
    for factor in reversed(factors):
        out[out.index(min(out))] *= factor
    return sorted(out, reverse=True)


def starting_points(landscape: Landscape, begin: Sequence[float], count: int, seed: int) -> np.ndarray:
    """So many starts (count, 2) for all: the given one, and others drawn evenly over the domain."""
    (x0, x1), (y0, y1) = landscape.domain
    count = check_whole("count", count, 1, 256)
    others = qmc.Sobol(2, rng=np.random.default_rng((seed, 1))).random_base2(count.bit_length())[: count - 1]
    points = np.array([x0, y0]) + others * np.array([x1 - x0, y1 - y0])
    return check_start(np.concatenate([[begin], points]).astype(np.float32))


def decides(shares: np.ndarray, values: np.ndarray) -> float:
    """How much of the variance of the values (n,) one knob decides alone, whose shares (n,) of its range are given.

    The correlation ratio over bins of equal width, less what bins that were filled at random would have (Kelley's ε²,
    1935); within [0, 1].
    """
    bins = np.minimum((shares * BINS).astype(int), BINS - 1)
    there, bins = np.unique(bins, return_inverse=True)
    n, groups = len(values), len(there)
    variance = values.var()
    if n <= groups or not variance > 1e-12:
        return 0.0
    counts = np.bincount(bins)
    means = np.bincount(bins, values) / counts
    between = float((counts * (means - values.mean()) ** 2).sum() / (n * variance))
    return float(np.clip(1 - (1 - between) * (n - 1) / (n - groups), 0, 1))
