"""Rules that keep a velocity: steady slopes add up, oscillations cancel."""

from __future__ import annotations

from typing import Any, NamedTuple

from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.moments import average, zeros

FAMILY = _("Momentum")


class VelocityState(NamedTuple):
    """The velocity of a heavy ball."""

    velocity: Params  # v_t, same pytree as params


def init_velocity(params: Params) -> VelocityState:
    """A ball at rest."""
    return VelocityState(zeros(params))


def _accelerate(grads: Params, state: VelocityState, hyper: Any) -> VelocityState:
    """v ← ρv + g."""
    return VelocityState(tree.map(lambda v, g: hyper.momentum * v + g, state.velocity, grads))


def _move(direction: Params, hyper: Any) -> Params:
    """Δθ = −αM."""
    return tree.map(lambda m: -hyper.learning_rate * m, direction)


def momentum_update(
    grads: Params, state: VelocityState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, VelocityState]:
    r"""A step along the velocity, a sum of all gradients in which older ones count less.

    $v_t = \rho v_{t-1} + g_t, \qquad \Delta\theta_t = -\alpha_t v_t$

    As in torch and optax, α stands outside the velocity and the new gradient enters whole (no dampening).
    With α inside, $\Delta\theta_t = \rho\,\Delta\theta_{t-1} - \alpha_t g_t$, as Polyak and many courses write it,
    the run is the same as long as α is constant; when a schedule lowers α, the velocity gathered before is
    scaled down at once here, and fades away there.

    References: Polyak (1964), Some methods of speeding up the convergence of iteration methods; Sutskever
    et al. (2013), On the importance of initialization and momentum in deep learning.
    """
    state = _accelerate(grads, state, hyper)
    return _move(state.velocity, hyper), state


def momentum_terms(state: VelocityState, hyper: Any, grads: Params) -> Terms:
    """M_t = v_t, G_t = 1."""
    return Terms(direction=state.velocity)


def nesterov_update(
    grads: Params, state: VelocityState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, VelocityState]:
    r"""Momentum whose gradient is taken where the velocity is about to lead.

    $v_t = \rho v_{t-1} + g_t, \qquad \Delta\theta_t = -\alpha_t\,(g_t + \rho v_t)$

    Nesterov's method has two sequences: from the iterate $\phi$, look ahead along the velocity and correct it there,

    $\theta_t = \phi_t - \alpha\rho v_t$ (look ahead), $g_{t+1} = \nabla L(\theta_t)$,
    $v_{t+1} = \rho v_t + g_{t+1}$, $\phi_{t+1} = \phi_t - \alpha v_{t+1}$.

    Like torch and optax, we keep the look-ahead point θ as the parameters, so that the gradient handed in is
    the one that is needed. The change of variables $\phi_t = \theta_t + \alpha\rho v_t$ gives, for constant α,

    $\theta_{t+1} - \theta_t = (\phi_{t+1} - \phi_t) - \alpha\rho v_{t+1} + \alpha\rho v_t
    = -\alpha v_{t+1} + \alpha\rho v_t - \alpha\rho v_{t+1} = -\alpha\,(g_{t+1} + \rho v_{t+1})$,

    the last because $v_{t+1} - \rho v_t = g_{t+1}$. At rest φ and θ are the same point, so both start alike; and
    as v vanishes, both end alike. α stands outside the velocity, as for momentum.

    References: Nesterov (1983), A method for solving the convex programming problem with convergence rate
    O(1/k²); Sutskever et al. (2013); Bengio et al. (2013), Advances in optimizing recurrent networks
    (the change of variables).
    """
    state = _accelerate(grads, state, hyper)
    return _move(nesterov_terms(state, hyper, grads).direction, hyper), state


def nesterov_terms(state: VelocityState, hyper: Any, grads: Params) -> Terms:
    """M_t = g_t + ρv_t, G_t = 1."""
    return Terms(direction=tree.map(lambda v, g: g + hyper.momentum * v, state.velocity, grads))


def qhm_update(
    grads: Params, state: VelocityState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, VelocityState]:
    r"""A weighted mean of a plain gradient step and a momentum step.

    $\bar v_t = \rho \bar v_{t-1} + (1-\rho) g_t, \qquad
    \Delta\theta_t = -\alpha_t \left((1-\nu) g_t + \nu \bar v_t\right)$

    The velocity is an average here, 1 − ρ times that of momentum. ν = 0 is SGD, ν = 1 is momentum with a learning rate
    of α(1 − ρ), and ν = ρ is Nesterov's method with that learning rate.

    Reference: Ma & Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning.
    """
    state = VelocityState(average(state.velocity, grads, hyper.momentum))
    return _move(qhm_terms(state, hyper, grads).direction, hyper), state


def qhm_terms(state: VelocityState, hyper: Any, grads: Params) -> Terms:
    """M_t = (1 − ν)g_t + νv̄_t, G_t = 1."""
    return Terms(average(grads, state.velocity, 1 - hyper.nu))


_LEARNING_RATE = knobs.learning_rate(
    0.01,
    low=1e-7,
    help=_("The step is α times the velocity. On a steady slope it grows to α/(1 − ρ) times the gradient."),
)

MOMENTUM = Optimizer(
    id="momentum",
    look=1,
    name=_("Momentum"),
    year=1964,
    parent="sgd",
    adds=_("a velocity that remembers past gradients"),
    reference="Polyak (1964), Some methods of speeding up the convergence of iteration methods",
    summary=_("A heavy ball: it gathers speed along a steady slope and averages oscillations away."),
    hypers=(_LEARNING_RATE, knobs.momentum()),
    equations=r"""\begin{aligned}
v_t &= \rho\, v_{t-1} + g_t \\
\Delta\theta_t &= -\alpha_t\, v_t
\end{aligned}""",
    init=init_velocity,
    update=momentum_update,
    terms=momentum_terms,
)

NESTEROV = Optimizer(
    id="nesterov",
    look=2,
    name=_("Nesterov"),
    year=1983,
    parent="momentum",
    adds=_("the gradient from where the velocity is about to lead"),
    reference="Nesterov (1983), A method for solving the convex programming problem with convergence rate O(1/k²)",
    summary=_("Momentum that looks ahead: it brakes before the slope turns, not after."),
    hypers=(_LEARNING_RATE, knobs.momentum()),
    equations=r"""\begin{aligned}
v_t &= \rho\, v_{t-1} + g_t \\
\Delta\theta_t &= -\alpha_t\, (g_t + \rho\, v_t)
\end{aligned}""",
    init=init_velocity,
    update=nesterov_update,
    terms=nesterov_terms,
)

QHM = Optimizer(
    id="qhm",
    look=14,
    name=_("QHM"),
    year=2019,
    parent="momentum",
    adds=_("a share of the plain gradient in every step"),
    reference="Ma & Yarats (2019), Quasi-hyperbolic momentum and Adam for deep learning",
    summary=_("A mean of a gradient step and a momentum step: SGD, momentum and Nesterov are special cases."),
    hypers=(
        knobs.learning_rate(
            0.01,
            low=1e-7,
            help=_("The step is α times a mean of the gradient and of its average; momentum does not lengthen it."),
        ),
        knobs.momentum(0.999, help=_("How much of the past the average of gradients keeps: about 1/(1 − ρ) steps.")),
        Hyper(
            name="nu",
            symbol=r"\nu",
            label=_("Weight of the average"),
            help=_("0 is SGD, 1 is momentum, and ν = ρ is Nesterov."),
            default=0.7,
        ),
    ),
    equations=r"""\begin{aligned}
\bar v_t &= \rho\, \bar v_{t-1} + (1-\rho)\, g_t \\
\Delta\theta_t &= -\alpha_t \left((1-\nu)\, g_t + \nu\, \bar v_t\right)
\end{aligned}""",
    init=init_velocity,
    update=qhm_update,
    terms=qhm_terms,
)

MEMBERS = (MOMENTUM, NESTEROV, QHM)
