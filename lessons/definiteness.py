r"""Why saddles, not minima, fill high dimensions: how rarely a random symmetric matrix curves up in every direction.

The matrices are of the Gaussian orthogonal ensemble: entries are normal, independent but for the symmetry, with twice the
variance on the diagonal. They are a model of the Hessian at a critical point, not a theorem about networks.

References: Dean & Majumdar (2006), Large deviations of extreme eigenvalues of random matrices; Bray & Dean (2007),
Statistics of critical points of Gaussian fields on large-dimensional spaces; Dauphin et al. (2014), Identifying and
attacking the saddle point problem in high-dimensional non-convex optimization.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

EXACT = {1: 1 / 2, 2: (2 - math.sqrt(2)) / 4, 3: (math.pi - 2 * math.sqrt(2)) / (4 * math.pi)}
MOST_DIMENSIONS = 10


class Shares(NamedTuple):
    """The share of positive definite matrices against dimension, with its standard error, and Dean & Majumdar's."""

    dimension: np.ndarray  # (MOST_DIMENSIONS,) 1, 2, ...
    share: np.ndarray
    error: np.ndarray
    asymptotic: np.ndarray


def asymptotic(dimension: np.ndarray) -> np.ndarray:
    """exp(−(ln 3 / 4) n²), the leading factor for large n (Dean & Majumdar, 2006)."""
    return np.exp(-math.log(3) / 4 * np.asarray(dimension, float) ** 2)


@cache
def shares(batches: int = 16, particles: int = 4_000, seed: int = 0) -> Shares:
    """Monte Carlo with a fixed seed; each estimate is the mean of ``batches``, whose spread gives the error."""
    dimension = np.arange(1, MOST_DIMENSIONS + 1)
    found = np.array(
        [
            [_share(n, particles, np.random.default_rng((seed, n, k))) for k in range(batches)]
            for n in dimension.tolist()
        ]
    )
    return Shares(dimension, found.mean(1), found.std(1, ddof=1) / math.sqrt(batches), asymptotic(dimension))


def _share(n: int, particles: int, rng: np.random.Generator) -> float:
    """One estimate for n × n matrices.

    Rotations bring such a matrix into tridiagonal form with normal entries a on the diagonal (variance 2) and χ entries
    b beside it, of n − 1, n − 2, ... degrees of freedom (Dumitriu & Edelman, 2002). It is positive definite if all its
    pivots a_i − b²_{i−1} / (pivot before) are. Counting whole matrices would need 10⁹ of them at n = 8; instead the
    conditions are met one by one, by particles of which those live on that had a chance (sequential Monte Carlo).
    """
    pivot, share = np.full(particles, np.inf), 1.0
    for i in range(n):
        needed = np.zeros(particles) if i == 0 else rng.chisquare(n - i, particles) / pivot
        chance = ndtr(-needed / math.sqrt(2))
        share *= chance.mean()
        ladder = (np.arange(particles) + rng.random()) / particles
        heirs = np.searchsorted(np.cumsum(chance) / chance.sum(), ladder).clip(max=particles - 1)
        above = -math.sqrt(2) * ndtri((1 - rng.random(particles)) * chance[heirs])
        pivot = np.maximum(above - needed[heirs], np.finfo(float).tiny)
    return share
