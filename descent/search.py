"""Searching two knobs with a budget of trials: where a layout puts them, and how well it can expect to do.

References: Bergstra & Bengio (2012), Random search for hyper-parameter optimization; Sobol' (1993), Sensitivity
estimates for nonlinear mathematical models; Dodge et al. (2019), Show your work: improved reporting of experimental
results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from scipy.stats import qmc

from descent.engine import Progress
from descent.hyper import Hyper
from descent.text import _

MOST_TRIALS = 144


class Response(Protocol):
    """What a search looks for the bottom of: a loss that depends on two knobs, seen on the unit square.

    A share of 0 … 1 of each axis stands for a value of its knob (`Hyper.at`), so that a layout need not know about
    logarithms.
    """

    @property
    def axes(self) -> tuple[Hyper, Hyper]:
        """The two knobs; low and high are the ends of the axes."""
        ...

    @property
    def logarithmic(self) -> bool:
        """Do the losses span decades?"""
        ...

    def loss(self, points: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """The losses (n,) at points (n, 2) of the unit square, NaN where a trial diverged."""
        ...


# ---- layouts ---------------------------------------------------------------------------------------------------------


def side(trials: int) -> int:
    """How many values of each knob a square grid of at most so many trials has."""
    return math.isqrt(trials)


def grid(trials: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """The largest square grid of at most so many trials; where there is ``rng``, shifted at random within its cells.

    Without it each trial sits in the middle of its cell.
    """
    k = side(trials)
    shift = np.full(2, 0.5) if rng is None else rng.random(2)
    one, other = ((np.arange(k) + s) / k for s in shift)
    return np.stack(np.meshgrid(one, other, indexing="ij"), -1).reshape(-1, 2)


def random(trials: int, rng: np.random.Generator) -> np.ndarray:
    """Independent trials, uniform over the square."""
    return rng.random((trials, 2))


def sobol(trials: int, rng: np.random.Generator) -> np.ndarray:
    """The first points of a scrambled Sobol' sequence (Owen, 1998): random, but evenly spread."""
    return qmc.Sobol(2, rng=rng).random_base2(max(trials - 1, 0).bit_length())[:trials]


# Each takes the number of trials and a generator, and returns points (trials, 2); the grid may return fewer.
LAYOUTS: Mapping[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "grid": grid,
    "random": random,
    "sobol": sobol,
}
LAYOUT_NAMES: Mapping[str, str] = {"grid": _("Grid"), "random": _("Random"), "sobol": _("Sobol sequence")}


def distinct(points: np.ndarray, axes: tuple[Hyper, Hyper]) -> tuple[int, int]:
    """How many different values of each knob the trials (n, 2) test: of a whole number there may be few."""
    one, other = (len(np.unique(axis.at(points[:, k]))) for k, axis in enumerate(axes))
    return one, other


# ---- what matters ----------------------------------------------------------------------------------------------------


class Importance(NamedTuple):
    """Shares of the variance of a response over the square: what each knob does alone, and what only both do together.

    They are its first-order Sobol' indices and the rest, and sum up to 1; all are 0 where the response is constant.
    """

    first: float
    second: float
    together: float


def importance(values: np.ndarray) -> Importance:
    """Of values (n, m) at the middles of the cells of a grid over the square, the first knob along the first axis."""
    values = np.asarray(values, np.float64)
    variance = values.var()
    if not variance > 1e-24 * max(np.abs(values).max() ** 2, 1e-300):
        return Importance(0.0, 0.0, 0.0)
    first, second = (float(values.mean(axis).var() / variance) for axis in (1, 0))
    return Importance(first, second, max(0.0, 1 - first - second))


def squared(response: Response, resolution: int, progress: Progress | None = None) -> np.ndarray:
    """Losses (resolution, resolution) at the middles of the cells of a grid, the first knob along the first axis."""
    return response.loss(grid(resolution**2), progress).reshape(resolution, resolution)


# ---- what to expect --------------------------------------------------------------------------------------------------


def chance_of_a_hit(share: float, trials: np.ndarray) -> np.ndarray:
    """1 − (1 − p)ⁿ: how probably one of n random trials is among the best p of the square (Bergstra & Bengio, §2)."""
    return 1 - (1 - share) ** np.asarray(trials, np.float64)


class Repeats(NamedTuple):
    """The best loss of many searches against the trials spent; inf where all trials so far diverged."""

    trials: np.ndarray  # (m,) increasing
    best: np.ndarray  # (repeats, m)

    def hits(self, threshold: float) -> np.ndarray:
        """The share (m,) of searches whose best is at most this."""
        return (self.best <= threshold).mean(0)

    def quantiles(self, *shares: float) -> np.ndarray:
        """Quantiles (len(shares), m) of the best loss, each that of an actual search."""
        return np.quantile(self.best, shares, axis=0, method="inverted_cdf")


def repeat(
    response: Response,
    layout: str,
    trials: int,
    repeats: int,
    seed: int,
    progress: Progress | None = None,
) -> Repeats:
    """Search ``repeats`` times with 1 … ``trials`` trials.

    The first n trials of a random or Sobol' search are a search with n trials. A grid has to be laid anew for each
    number, and is so for each square number, shifted at random each time.
    """
    rng = np.random.default_rng((seed, list(LAYOUTS).index(layout)))
    if layout == "grid":
        counts = np.arange(1, side(trials) + 1) ** 2
        points = [np.stack([grid(int(count), rng) for _ in range(repeats)]) for count in counts]
    else:
        counts = np.arange(1, trials + 1)
        points = [np.stack([LAYOUTS[layout](trials, rng) for _ in range(repeats)])]
    losses = response.loss(np.concatenate([part.reshape(-1, 2) for part in points]), progress)
    losses = np.where(np.isfinite(losses), losses, np.inf)
    ends = np.cumsum([part.shape[0] * part.shape[1] for part in points])[:-1]
    parts = [part.reshape(repeats, -1) for part in np.split(losses, ends)]
    if layout == "grid":
        return Repeats(counts, np.stack([part.min(1) for part in parts], 1))
    return Repeats(counts, np.minimum.accumulate(parts[0], 1))


def expected_best(losses: np.ndarray, trials: np.ndarray, share: float = 0.5) -> np.ndarray:
    """A quantile of the best of n trials drawn, with replacement, from the losses of a finished search.

    The best of n is at most the k-th lowest of N with the probability 1 − (1 − k/N)ⁿ (Dodge et al., 2019, §3). What is
    not finite counts as inf. ``losses`` (N,), ``trials`` (m,); returns (m,).
    """
    ordered = np.sort(np.where(np.isfinite(losses), losses, np.inf))
    below = 1 - (1 - np.arange(1, len(ordered) + 1) / len(ordered)) ** np.asarray(trials)[:, None]
    return ordered[np.minimum((below < share - 1e-12).sum(1), len(ordered) - 1)]
