"""Rules that follow the gradient as it is, without memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Cost, Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs, stability
from optimizers.line_search import TRIALS, backtrack
from optimizers.moments import scaled
from optimizers.vectors import norm_squared, normal_like

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


def sgdw_update(grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem) -> tuple[Params, NoState]:
    r"""A step down the slope, and a pull towards 0.

    $\Delta\theta_t = -\alpha_t g_t - \alpha_t \lambda \theta_{t-1}$

    Without momentum or scaling, decoupled weight decay is the same as an L2 penalty ½λ‖θ‖² in the loss: the two part
    only in rules that treat gradients (Adam with L2, AdamW). The decay is multiplied by α, as in torch and optax.

    Reference: Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization.
    """
    return tree.map(lambda g, p: -hyper.learning_rate * (g + hyper.weight_decay * p), grads, params), state


def plain_terms(state: NoState, hyper: Any, grads: Params) -> Terms:
    """M_t = g_t and G_t = 1."""
    return Terms()


class SearchState(NamedTuple):
    """What the last line search took."""

    trials: Any  # () int32


def init_search(params: Params) -> SearchState:
    """No search yet."""
    return SearchState(jnp.zeros((), jnp.int32))


def backtracking_update(
    grads: Params, state: SearchState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, SearchState]:
    r"""Steps down the slope, each shortened until the loss has really fallen.

    $\Delta\theta_t = -\alpha_t s^k g_t$ with the first $k = 0, 1, 2, \dots$ for which
    $L(\theta + \Delta\theta) \le L(\theta) + c\, g_t \cdot \Delta\theta$ (Armijo's condition)

    Each search starts from α, as optax's does with an infinite ``increase_factor``. If none of 40 trials passes, as
    happens where rounding hides the descent, the rule stays where it is. (optax then takes the last trial.)

    Reference: Armijo (1966), Minimization of functions having Lipschitz continuous first partial derivatives.
    """
    direction = tree.map(lambda g: -g, grads)
    size, trials = backtrack(
        problem, params, direction, -norm_squared(grads), hyper.learning_rate, hyper.sufficient, hyper.shrink
    )
    return scaled(size, direction), SearchState(trials)


def search_evaluations(state: SearchState) -> Cost:
    """The gradient, and the loss there and at each trial."""
    return Cost(1, 1 + state.trials, 0)


def polyak_update(
    grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NoState]:
    r"""A step as long as it would have to be on a cone: the height above the minimum over the slope.

    $\Delta\theta_t = -\min\!\left(\alpha_t, \frac{\max(L(\theta) - L^*, 0)}{\|g_t\|^2}\right) g_t$

    $L^*$ is the minimum that the landscape declares; where none is known it is taken for 0, as optax does and as holds
    for networks that fit their data. The cap α is optax's ``max_learning_rate``.

    References: Polyak (1969), Minimization of unsmooth functionals; Loizou et al. (2021), Stochastic Polyak Step-size
    for SGD (the cap).
    """
    square = norm_squared(grads)
    value = problem.loss(params)
    minimum = jnp.where(jnp.isnan(problem.minimum), 0.0, problem.minimum).astype(value.dtype)
    ratio = jnp.where(square == 0, 0.0, jnp.maximum(value - minimum, 0) / jnp.where(square == 0, 1.0, square))
    return scaled(-jnp.minimum(ratio, hyper.learning_rate), grads), state


def langevin_update(
    grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NoState]:
    r"""Gradient descent in a heat bath: it does not stop at a minimum but samples the landscape.

    $\Delta\theta_t = -\alpha_t g_t + \sqrt{2 \alpha_t T}\,\xi_t, \qquad \xi_t \sim \mathcal N(0, 1)$

    For small α it visits a place with a frequency in proportion to $e^{-L/T}$, at rest with a variance of T/λ in a
    direction of curvature λ. T = 0 is gradient descent.

    Reference: Welling & Teh (2011), Bayesian Learning via Stochastic Gradient Langevin Dynamics.
    """
    assert problem.step_key is not None
    noise = normal_like(problem.step_key(), params)
    size = jnp.sqrt(2 * hyper.learning_rate * hyper.temperature)
    return tree.map(lambda g, z: -hyper.learning_rate * g + size.astype(g.dtype) * z, grads, noise), state


_LEARNING_RATE = knobs.learning_rate(
    0.01,
    low=1e-7,
    help=_("The step is α times the gradient. Above 2/λ, where λ is the largest curvature, it diverges."),
)
SGD = Optimizer(
    id="sgd",
    look=0,
    name=_("SGD"),
    year=1951,
    reference="Robbins & Monro (1951), A Stochastic Approximation Method",
    summary=_("Steps straight down the slope, in proportion to its steepness."),
    hypers=(_LEARNING_RATE,),
    equations=r"\Delta\theta_t = -\alpha_t\, g_t",
    init=init_nothing,
    update=sgd_update,
    terms=plain_terms,
    limit=stability.plain,
)

SGDW = Optimizer(
    id="sgdw",
    look=10,
    name=_("SGDW"),
    year=2019,
    parent="sgd",
    adds=_("a pull towards 0 that is no part of the gradient"),
    reference="Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization",
    summary=_("Steps down the slope and pulls every parameter towards 0."),
    hypers=(_LEARNING_RATE, knobs.weight_decay(1e-2)),
    equations=r"\Delta\theta_t = -\alpha_t\, g_t - \alpha_t \lambda\, \theta_{t-1}",
    init=init_nothing,
    update=sgdw_update,
    terms=plain_terms,
)

BACKTRACKING = Optimizer(
    id="backtracking",
    look=11,
    name=_("Backtracking"),
    year=1966,
    parent="sgd",
    adds=_("steps that are shortened until the loss has really fallen"),
    reference="Armijo (1966), Minimization of functions having Lipschitz continuous first partial derivatives",
    summary=_("Steps down the slope, each shortened until the loss has really fallen."),
    hypers=(
        knobs.learning_rate(1.0, low=1e-5, help=_("The longest step that is tried, in gradients.")),
        Hyper(
            name="sufficient",
            symbol="c",
            label=_("Sufficient decrease"),
            help=_("How much of the descent that the slope promises a step must bring."),
            default=1e-4,
            low=1e-4,
            high=0.9,
            scale="log",
        ),
        Hyper(
            name="shrink",
            symbol="s",
            label=_("Shrink factor"),
            help=_("What a step that does not descend enough is multiplied by before it is tried again."),
            default=0.5,
            low=0.1,
            high=0.9,
        ),
    ),
    equations=r"""\begin{aligned}
\Delta\theta_t &= -\alpha_t\, s^k\, g_t \\
k &= \min\{0, 1, 2, \dots\} \text{ with} \\
L(\theta + \Delta\theta_t) &\le L(\theta) + c\; g_t \cdot \Delta\theta_t
\end{aligned}""",
    init=init_search,
    update=backtracking_update,
    cost=Cost(gradients=1, values=1 + TRIALS),
    evaluations=search_evaluations,
)

POLYAK = Optimizer(
    id="polyak",
    look=12,
    name=_("Polyak step"),
    year=1969,
    parent="sgd",
    adds=_("a length: the height above the minimum over the squared slope"),
    reference="Polyak (1969), Minimization of unsmooth functionals",
    summary=_("Steps down the slope by the height above the minimum over the steepness. It must know the minimum."),
    hypers=(knobs.learning_rate(1.0, low=1e-5, help=_("The longest step that is allowed, in gradients.")),),
    equations=r"""\Delta\theta_t = -\min\!\left(\alpha_t,\; \frac{L(\theta_{t-1}) - L^*}{\|g_t\|^2}\right) g_t""",
    init=init_nothing,
    update=polyak_update,
    needs_minimum=True,
    cost=Cost(gradients=1, values=1),
)

LANGEVIN = Optimizer(
    id="langevin",
    look=13,
    name=_("Langevin"),
    year=2011,
    parent="sgd",
    adds=_("noise of a temperature, so that it samples and never stops"),
    reference="Welling & Teh (2011), Bayesian Learning via Stochastic Gradient Langevin Dynamics",
    summary=_("Steps down the slope and shakes: it never stops, but stays longest where the loss is low."),
    hypers=(
        _LEARNING_RATE,
        Hyper(
            name="temperature",
            symbol="T",
            label=_("Temperature"),
            help=_("How hard it shakes. It climbs barriers of about the height T; at 0 this is SGD."),
            default=0.01,
            low=0.0,
            high=10.0,
        ),
    ),
    equations=r"""\Delta\theta_t = -\alpha_t\, g_t + \sqrt{2 \alpha_t T}\; \xi_t, \qquad \xi_t \sim \mathcal N(0, 1)""",
    init=init_nothing,
    update=langevin_update,
)

MEMBERS = (SGD, SGDW, BACKTRACKING, POLYAK, LANGEVIN)
