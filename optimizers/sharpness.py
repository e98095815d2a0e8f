"""Rules that look for flat minima: the gradient is taken where the loss is worst nearby."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Cost, Optimizer, Params, Problem
from descent.text import _
from optimizers import knobs
from optimizers.momentum import VelocityState, init_velocity, momentum_terms
from optimizers.vectors import add_scaled, norm

FAMILY = _("Sharpness")


def ascent_point(grads: Params, params: Params, hyper: Any) -> Params:
    """θ + r·g/‖g‖: where the loss is highest within r, to first order. Without a gradient it is θ."""
    length = norm(grads)
    return add_scaled(params, hyper.radius / jnp.where(length == 0, 1, length), grads)


def sam_update(
    grads: Params, state: VelocityState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, VelocityState]:
    r"""Momentum, with the gradient of the worst place nearby: up the slope by r, and back with the gradient from there.

    $\tilde g_t = \nabla L\!\left(\theta_{t-1} + r\, g_t / \|g_t\|\right), \qquad
    v_t = \rho v_{t-1} + \tilde g_t, \qquad \Delta\theta_t = -\alpha_t v_t$

    In a narrow valley the gradient from up there throws it out; in a wide one it makes no difference. The norm is over
    all parameters. Each step takes two gradients: the second is exact, also where the first is noisy or clipped. Near
    a minimum $g/\|g\|$ jumps from side to side, so that the path does not come to rest but hops around it.

    Reference: Foret et al. (2021), Sharpness-Aware Minimization for Efficiently Improving Generalization.
    """
    steep = problem.gradient(ascent_point(grads, params, hyper))
    velocity = tree.map(lambda v, g: hyper.momentum * v + g, state.velocity, steep)
    return tree.map(lambda v: -hyper.learning_rate * v, velocity), VelocityState(velocity)


SAM = Optimizer(
    id="sam",
    look=37,
    name=_("SAM"),
    year=2021,
    parent="sgd",
    adds=_("the gradient from a little way up the slope"),
    reference="Foret et al. (2021), Sharpness-Aware Minimization for Efficiently Improving Generalization",
    summary=_("First climbs a little, then descends with the gradient from up there: it shuns narrow valleys."),
    hypers=(
        knobs.learning_rate(
            0.01, low=1e-7, help=_("The step is α times the gradient at the point up the slope, or its velocity.")
        ),
        Hyper(
            name="radius",
            symbol="r",
            label=_("Radius"),
            help=_("How far up the slope the gradient is taken. At 0 this is SGD, or momentum."),
            default=0.05,
            low=0.0,
            high=2.0,
        ),
        knobs.momentum(0.0),
    ),
    equations=r"""\begin{aligned}
\tilde g_t &= \nabla L\!\Bigl(\theta_{t-1} + r\, \frac{g_t}{\|g_t\|}\Bigr) \\
v_t &= \rho\, v_{t-1} + \tilde g_t \\
\Delta\theta_t &= -\alpha_t\, v_t
\end{aligned}""",
    init=init_velocity,
    update=sam_update,
    terms=momentum_terms,
    cost=Cost(gradients=2),
)

MEMBERS = (SAM,)
