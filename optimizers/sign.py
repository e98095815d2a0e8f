"""Rules that look only at the sign: every coordinate moves by the same amount."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.gradient import NoState, init_nothing
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


def sign_sgd_update(
    grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NoState]:
    r"""A step of the same length in every coordinate, down the slope.

    $\Delta\theta_t = -\alpha_t \operatorname{sign} g_t$

    It is steepest descent when distance is the largest change of a coordinate. Where $g_t = 0$ the step is 0.

    Reference: Bernstein et al. (2018), signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    return tree.map(lambda g: -hyper.learning_rate * jnp.sign(g), grads), state


def sign_sgd_terms(state: NoState, hyper: Any, grads: Params) -> Terms:
    """M_t = sign g_t, G_t = 1. (Or M_t = g_t and G_t = g_t², which is Adam without any memory.)"""
    return Terms(tree.map(jnp.sign, grads))


def signum_update(
    grads: Params, state: LionState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, LionState]:
    r"""A step of the same length in every coordinate: the sign of the momentum.

    $m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad \Delta\theta_t = -\alpha_t \operatorname{sign} m_t$

    Lion with β₁ = β₂ and no decay is this rule.

    Reference: Bernstein et al. (2018), signSGD: Compressed Optimisation for Non-Convex Problems.
    """
    state = LionState(average(state.m, grads, hyper.b1))
    return tree.map(lambda m: -hyper.learning_rate * jnp.sign(m), state.m), state


def signum_terms(state: LionState, hyper: Any, grads: Params) -> Terms:
    """M_t = sign m_t, G_t = 1."""
    return Terms(tree.map(jnp.sign, state.m))


class RpropState(NamedTuple):
    """A step size for each coordinate, and the last gradient that counted."""

    count: Any  # t, () int32
    sizes: Params  # same pytree as params
    previous: Params  # g_{t−1}, or 0 where its sign had turned


def rprop_init(params: Params) -> RpropState:
    """The first step sets the sizes to α."""
    return RpropState(jnp.zeros((), jnp.int32), zeros(params), zeros(params))


def rprop_update(
    grads: Params, state: RpropState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, RpropState]:
    r"""A step size for each coordinate, which grows while the slope keeps its sign and shrinks when it turns.

    $s_t = \operatorname{clip}(\eta\, s_{t-1},\, s_{\min},\, s_{\max})$ with $\eta = \eta^+$ where
    $g_t g_{t-1} > 0$, $\eta^-$ where it is below 0, and 1 where it is 0; then
    $\Delta\theta_t = -s_t \operatorname{sign} g_t$

    As in torch (iRprop− of Igel & Hüsken), a coordinate whose sign has just turned rests for a step, and its gradient
    is forgotten. (optax 0.2.8 takes each step one step late.) The sizes are clipped to 1e−6 and 50. α is the first
    step size only, so that a schedule has no effect after the first step.

    Reference: Riedmiller & Braun (1993), A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm.
    """
    first = state.count == 0

    def size(s: Any, g: Any, past: Any) -> Any:
        turned = g * past
        factor = jnp.where(turned > 0, hyper.grow, jnp.where(turned < 0, hyper.shrink, 1.0)).astype(s.dtype)
        return jnp.clip(jnp.where(first, hyper.learning_rate, s).astype(s.dtype) * factor, *RPROP_SIZES)

    sizes = tree.map(size, state.sizes, grads, state.previous)
    counted = tree.map(lambda g, past: jnp.where(g * past < 0, jnp.zeros_like(g), g), grads, state.previous)
    return tree.map(lambda s, g: -s * jnp.sign(g), sizes, counted), RpropState(state.count + 1, sizes, counted)


RPROP_SIZES = (1e-6, 50.0)


LION = Optimizer(
    id="lion",
    look=9,
    name=_("Lion"),
    year=2023,
    parent="signum",
    adds=_("a newest gradient that counts more in the step than in the memory"),
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

SIGN_SGD = Optimizer(
    id="sign_sgd",
    look=28,
    name=_("SignSGD"),
    year=2018,
    parent="sgd",
    adds=_("only the sign of each coordinate"),
    reference="Bernstein et al. (2018), signSGD: Compressed Optimisation for Non-Convex Problems",
    summary=_("Moves every coordinate by exactly the learning rate, down the slope."),
    hypers=(knobs.learning_rate(1e-3, low=1e-5, help=_("Every coordinate moves exactly α a step.")),),
    equations=r"\Delta\theta_t = -\alpha_t \operatorname{sign} g_t",
    init=init_nothing,
    update=sign_sgd_update,
    terms=sign_sgd_terms,
)

SIGNUM = Optimizer(
    id="signum",
    look=29,
    name=_("Signum"),
    year=2018,
    parent="sign_sgd",
    adds=_("an average of gradients, of which the sign is taken"),
    reference="Bernstein et al. (2018), signSGD: Compressed Optimisation for Non-Convex Problems",
    summary=_("Moves every coordinate by exactly the learning rate, in the sign of an average of gradients."),
    hypers=(knobs.learning_rate(1e-3, low=1e-5, help=_("Every coordinate moves exactly α a step.")), knobs.b1()),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
\Delta\theta_t &= -\alpha_t \operatorname{sign} m_t
\end{aligned}""",
    init=lion_init,
    update=signum_update,
    terms=signum_terms,
)

RPROP = Optimizer(
    id="rprop",
    look=30,
    name=_("Rprop"),
    year=1993,
    parent="sgd",
    adds=_("only signs, and step sizes that grow while a sign stays and shrink when it turns"),
    reference="Riedmiller & Braun (1993), A direct adaptive method for faster backpropagation learning: the RPROP "
    "algorithm",
    summary=_("Steps that grow while the slope keeps its sign and shrink when it turns, coordinate by coordinate."),
    hypers=(
        knobs.learning_rate(
            1e-2,
            low=1e-5,
            help=_("The first step of every coordinate; later sizes follow from it, not from a schedule."),
        ),
        Hyper(
            name="grow",
            symbol=r"\eta^+",
            label=_("Growth factor"),
            help=_("What a coordinate's step is multiplied by when its slope has kept its sign."),
            default=1.2,
            low=1.0,
            high=2.0,
        ),
        Hyper(
            name="shrink",
            symbol=r"\eta^-",
            label=_("Shrink factor"),
            help=_("What a coordinate's step is multiplied by when its slope has turned."),
            default=0.5,
            low=0.1,
            high=0.9,
        ),
    ),
    equations=r"""\begin{aligned}
s_t &= \operatorname{clip}\!\left(s_{t-1} \cdot \begin{cases}
\eta^+ & g_t g_{t-1} > 0 \\ \eta^- & g_t g_{t-1} < 0 \\ 1 & \text{else} \end{cases},\; 10^{-6},\; 50\right) \\
\Delta\theta_t &= -s_t \operatorname{sign} g_t
\end{aligned}""",
    init=rprop_init,
    update=rprop_update,
)

MEMBERS = (SIGN_SGD, SIGNUM, LION, RPROP)
