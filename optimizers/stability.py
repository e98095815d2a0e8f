r"""How sharp a quadratic may be before a rule diverges on it: c of $\lambda_{\max} < c/\alpha$.

On a quadratic each eigenvector moves on its own, by a linear recurrence of two numbers, the distance x and the velocity
$\bar v$. With

$\bar v_t = \rho \bar v_{t-1} + (1-\rho)\lambda x, \qquad \Delta x = -\alpha((1-\nu)\lambda x + \nu\bar v_t)$

an eigenvalue of the recurrence leaves the unit circle at −1, where

$\alpha\lambda = \frac{2(1+\rho)}{1 + \rho - 2\nu\rho}$.

ν = 0 is gradient descent, ν = 1 the average of gradients that Adam takes; a velocity that sums instead of averaging is
1/(1 − ρ) times longer. For rules that divide by a metric, λ is measured in that metric.

References: Polyak (1964); Ma & Yarats (2019); Cohen et al. (2021), Gradient Descent on Neural Networks Typically Occurs
at the Edge of Stability; Cohen et al. (2022), Adaptive Gradient Methods at the Edge of Stability.
"""

from __future__ import annotations

from typing import Any


def quasi_hyperbolic(rho: Any, nu: Any) -> Any:
    """c of a mean of the gradient and its average, of which the average has the weight ν."""
    return 2 * (1 + rho) / (1 + rho - 2 * nu * rho)


def plain(hyper: Any) -> Any:
    """c of gradient descent: 2."""
    return 2.0


def heavy_ball(hyper: Any) -> Any:
    """c of a velocity that sums gradients: 2(1 + ρ)."""
    return (1 - hyper.momentum) * quasi_hyperbolic(hyper.momentum, 1)


def nesterov(hyper: Any) -> Any:
    """c of Nesterov's method: 2(1 + ρ)/(1 + 2ρ)."""
    return (1 - hyper.momentum) * quasi_hyperbolic(hyper.momentum, hyper.momentum)


def averaged(hyper: Any) -> Any:
    """c of a step along the running average of gradients: 2(1 + β₁)/(1 − β₁), 38 at β₁ = 0.9."""
    return quasi_hyperbolic(hyper.b1, 1)
