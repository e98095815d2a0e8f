"""What theory says of gradient descent and heavy ball on quadratics: where they are stable, and how they are fastest.

In every eigendirection, with eigenvalue λ, the iteration xₜ₊₁ = (1 + ρ − αλ) xₜ − ρ xₜ₋₁ contracts if and only if
0 < αλ < 2 (1 + ρ); ρ = 0 is gradient descent. (Polyak, 1964; Goh, Why momentum really works, Distill, 2017.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from descent.landscape import Landscape
from descent.verdict import local

RULES = ("sgd", "momentum")  # the ids of those of which this holds


class Spectrum(NamedTuple):
    """The smallest and the largest eigenvalue of a quadratic's Hessian."""

    low: float
    high: float


class Best(NamedTuple):
    """The knobs with which the worst eigendirection contracts fastest, and by how much in a step."""

    learning_rate: float
    momentum: float
    factor: float


def spectrum(landscape: Landscape, shape: Mapping[str, object] | None = None) -> Spectrum | None:
    """Of a landscape that is a convex quadratic at these knobs; None if it is none, or is a slice through more."""
    if landscape.slice:
        return None
    (x0, x1), (y0, y1) = landscape.domain
    probes = np.array([(x0, y0), (x1, y0), (x0 / 3, y1 / 7), (x1 / 5, y0 / 2), (0.3 * x1, 0.9 * y1)])
    around = local(landscape, probes, shape)
    if not np.isfinite(around.eigenvalues).all():
        return None
    low, high = around.eigenvalues[:, 0], around.eigenvalues[:, 1]
    same = np.ptp(around.eigenvalues, axis=0).max() <= 1e-9 * np.abs(high).max()
    # Equal curvature everywhere, and in the same directions: the gradient then is linear.
    gradient = around.gradient - around.gradient[0]
    hessian = np.einsum("ij,j,kj->ik", around.eigenvectors[0], around.eigenvalues[0], around.eigenvectors[0])
    linear = np.allclose((probes - probes[0]) @ hessian, gradient, rtol=1e-9, atol=1e-9 * np.abs(gradient).max())
    return Spectrum(float(low[0]), float(high[0])) if same and linear and low[0] > 0 else None


def edge(found: Spectrum, momentum: float = 0.0) -> float:
    """The learning rate from which on a run diverges: 2 (1 + ρ) / λ_max."""
    return 2 * (1 + momentum) / found.high


def best(found: Spectrum) -> Best:
    """Heavy ball's α = (2 / (√λ₁ + √λₙ))² and ρ = ((√κ − 1) / (√κ + 1))² (Polyak, 1964)."""
    low, high = math.sqrt(found.low), math.sqrt(found.high)
    factor = (high - low) / (high + low)
    return Best((2 / (low + high)) ** 2, factor**2, factor)


def best_rate(found: Spectrum) -> float:
    """Gradient descent's: 2 / (λ₁ + λₙ)."""
    return 2 / (found.low + found.high)
