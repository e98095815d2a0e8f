"""Rules that look only at the sign: every coordinate moves by the same amount."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.moments import average, zeros

FAMILY = _("Sign")


class LionState(NamedTuple):
    """The running average of gradients."""

    m: Params  # same pytree as params


def lion_init(params: Params) -> LionState:
    """The average starts from 0."""
    return LionState(zeros(params))


def lion_update(
    grads: Params, state: LionState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, LionState]:
    r"""A step of the same length in every coordinate: the sign of a mix of past and present gradient.

    $c_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad
    \Delta\theta_t = -\alpha_t\, (\operatorname{sign} c_t + \lambda\theta_{t-1}), \qquad
    m_t = \beta_2 m_{t-1} + (1-\beta_2) g_t$

    β₂ > β₁ makes the newest gradient count more in the step than in the memory, which is a look-ahead. Where
    $c_t = 0$ the step is 0. As in the paper and optax, the decay is decoupled and multiplied by α. (optax's default
    λ is 1e−3, that of the authors' code 0.)

    Reference: Chen et al. (2023), Symbolic Discovery of Optimization Algorithms.
    """
    direction = tree.map(jnp.sign, average(state.m, grads, hyper.b1))
    updates = tree.map(lambda d, p: -hyper.learning_rate * (d + hyper.weight_decay * p), direction, params)
    return updates, LionState(average(state.m, grads, hyper.b2))


def lion_terms(state: LionState, hyper: Any, grads: Params) -> Terms:
    r"""M_t = sign c_t, G_t = 1; the decay −αλθ is no part of the unified form.

    The state has $m_t$, which c needs one step earlier. Putting one into the other,
    $\beta_1 m_t + (\beta_2 - \beta_1)\, g_t = \beta_2 c_t$, which has the same sign as long as β₂ > 0.
    """
    return Terms(tree.map(lambda m, g: jnp.sign(hyper.b1 * m + (hyper.b2 - hyper.b1) * g), state.m, grads))


LION = Optimizer(
    id="lion",
    name=_("Lion"),
    year=2023,
    reference="Chen et al. (2023), Symbolic Discovery of Optimization Algorithms",
    summary=_("Moves every coordinate by exactly the learning rate, in the sign of its momentum."),
    hypers=(
        knobs.learning_rate(
            1e-4, low=1e-5, help=_("Every coordinate moves exactly α a step; 3 to 10 times less than Adam's is usual.")
        ),
        knobs.b1(0.9, help=_("How much the average of past gradients weighs against the newest one in a step.")),
        knobs.b2(
            0.99,
            low=0.01,
            help=_("How much of the past the average of gradients keeps: about 1/(1 − β₂) steps."),
        ),
        knobs.weight_decay(
            1e-3,
            help=_(
                "Pulls every parameter towards 0 by the fraction αλ of itself at each step. "
                "The default is optax's; the authors' code has 0."
            ),
        ),
    ),
    equations=r"""\begin{aligned}
c_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
m_t &= \beta_2 m_{t-1} + (1-\beta_2)\, g_t \\
\Delta\theta_t &= -\alpha_t\, (\operatorname{sign} c_t + \lambda\, \theta_{t-1})
\end{aligned}""",
    init=lion_init,
    update=lion_update,
    terms=lion_terms,
)

MEMBERS = (LION,)
