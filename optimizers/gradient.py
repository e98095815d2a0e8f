"""Rules that follow the gradient as it is, without memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from jax import tree

from descent.optimizer import Optimizer, Params, Problem
from descent.text import _
from optimizers import knobs

FAMILY = _("Gradient")


class NoState(NamedTuple):
    """Nothing is carried from step to step."""


def init_nothing(params: Params) -> NoState:
    """A rule without memory starts from nothing."""
    return NoState()


def sgd_update(grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem) -> tuple[Params, NoState]:
    r"""A step straight down the slope.

    $\Delta\theta_t = -\alpha_t g_t$

    On a quadratic with curvatures up to $\lambda_{\max}$ it converges for $\alpha < 2/\lambda_{\max}$ and diverges
    above. In the unified form $M_t = g_t$ and $G_t = 1$. "Stochastic" is the gradient it is handed, not the
    rule: with exact gradients this is gradient descent (Cauchy, 1847).

    Reference: Robbins & Monro (1951), A Stochastic Approximation Method.
    """
    return tree.map(lambda g: -hyper.learning_rate * g, grads), state


SGD = Optimizer(
    id="sgd",
    name=_("SGD"),
    year=1951,
    reference="Robbins & Monro (1951), A Stochastic Approximation Method",
    summary=_("Steps straight down the slope, in proportion to its steepness."),
    hypers=(
        knobs.learning_rate(
            0.01,
            low=1e-7,
            help=_("The step is α times the gradient. Above 2/λ, where λ is the largest curvature, it diverges."),
        ),
    ),
    equations=r"\Delta\theta_t = -\alpha_t\, g_t",
    init=init_nothing,
    update=sgd_update,
)

MEMBERS = (SGD,)
