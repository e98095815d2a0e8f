"""Rules that give each coordinate a step size of its own, from the size of its gradients so far."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs, unified
from optimizers.moments import average_of_squares, zeros

FAMILY = _("Adaptive")


class AdaGradState(NamedTuple):
    """The sum of all squared gradients."""

    squares: Params  # G_t, same pytree as params


def adagrad_init(params: Params) -> AdaGradState:
    """An empty sum."""
    return AdaGradState(zeros(params))


def adagrad_update(
    grads: Params, state: AdaGradState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdaGradState]:
    r"""A step divided by the root of the sum of all squared gradients of that coordinate.

    $G_t = G_{t-1} + g_t^2, \qquad \Delta\theta_t = -\alpha_t\, g_t / (\sqrt{G_t} + \varepsilon)$

    G starts from 0 and ε stands outside the root, as in torch, so that the first step is α in each coordinate,
    however steep. (optax starts from 0.1 and puts ε inside.) G only grows, so the steps only shrink.

    Reference: Duchi, Hazan & Singer (2011), Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization.
    """
    state = AdaGradState(tree.map(lambda s, g: s + g**2, state.squares, grads))
    return unified.step(grads, state.squares, hyper), state


def adagrad_terms(state: AdaGradState, hyper: Any, grads: Params) -> Terms:
    """M_t = g_t, G_t = the sum of squares."""
    return Terms(scale=state.squares)


class RMSpropState(NamedTuple):
    """Running averages of the gradient, and the velocity of the scaled one."""

    mean: Params  # average of g when centered, else 0; same pytree as params
    scale: Params  # G_t: variance of g when centered, else average of g²
    velocity: Params  # v_t


def rmsprop_init(params: Params) -> RMSpropState:
    """Averages and velocity start from 0."""
    return RMSpropState(zeros(params), zeros(params), zeros(params))


def rmsprop_update(
    grads: Params, state: RMSpropState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, RMSpropState]:
    r"""A step divided by the root of a running average of squared gradients, which forgets, unlike AdaGrad's sum.

    $G_t = \beta G_{t-1} + (1-\beta) g_t^2, \qquad v_t = \rho v_{t-1} + g_t / (\sqrt{G_t} + \varepsilon), \qquad
    \Delta\theta_t = -\alpha_t v_t$

    ε stands outside the root, G starts from 0 uncorrected and α stands outside the velocity, all as in torch.
    (optax puts ε inside unless told otherwise, and α into the velocity.) As G starts low, the first step is
    $1/\sqrt{1-\beta}$ times α.

    Centered, G is the variance $\overline{g^2} - \bar g^2$, both averages running (Graves, 2013). The libraries take
    that difference, which cancels, and in float32 even falls below 0; we carry the variance itself. With
    $\bar g_t = \beta\bar g_{t-1} + (1-\beta) g_t$ it obeys
    $G_t = \beta G_{t-1} + (1-\beta)\,(g_t - \bar g_{t-1})(g_t - \bar g_t)$, where
    $g_t - \bar g_t = \beta\,(g_t - \bar g_{t-1})$; with the mean held at 0 this is the uncentered average.

    References: Tieleman & Hinton (2012), Lecture 6.5 of Neural Networks for Machine Learning; Graves (2013),
    Generating Sequences With Recurrent Neural Networks (centered, momentum).
    """
    beta, centered = hyper.decay, hyper.centered
    weight = (1 - beta) * (1 - centered * (1 - beta))
    scale = tree.map(lambda s, m, g: beta * s + weight * (g - m) ** 2, state.scale, state.mean, grads)
    mean = tree.map(lambda m, g: centered * (beta * m + (1 - beta) * g), state.mean, grads)
    velocity = tree.map(
        lambda v, s, g: hyper.momentum * v + g / (jnp.sqrt(s) + hyper.eps), state.velocity, scale, grads
    )
    return tree.map(lambda v: -hyper.learning_rate * v, velocity), RMSpropState(mean, scale, velocity)


def rmsprop_terms(state: RMSpropState, hyper: Any, grads: Params) -> Terms:
    """G_t as it is, M_t = (√G_t + ε)·v_t: without momentum, this is g_t.

    With momentum, earlier gradients were divided by the roots of their own time, so no M is made of gradients
    alone; this one is what today's root turns into today's step.
    """
    return Terms(tree.map(lambda s, v: (jnp.sqrt(s) + hyper.eps) * v, state.scale, state.velocity), state.scale)


class AdaDeltaState(NamedTuple):
    """Running averages of squared gradients and of squared steps."""

    squares: Params  # G_t, average of g²; same pytree as params
    steps: Params  # D_t, average of squared steps before α


def adadelta_init(params: Params) -> AdaDeltaState:
    """Both averages start from 0."""
    return AdaDeltaState(zeros(params), zeros(params))


def adadelta_update(
    grads: Params, state: AdaDeltaState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdaDeltaState]:
    r"""A gradient scaled by the ratio of the root mean squares of recent steps and of recent gradients.

    $G_t = \beta G_{t-1} + (1-\beta) g_t^2, \qquad
    \delta_t = \sqrt{D_{t-1} + \varepsilon} / \sqrt{G_t + \varepsilon} \cdot g_t, \qquad
    D_t = \beta D_{t-1} + (1-\beta)\delta_t^2, \qquad \Delta\theta_t = -\alpha_t \delta_t$

    The ratio has the units of a parameter over those of a gradient, so no learning rate is needed: α = 1 is
    Zeiler's rule. As in torch and optax, α is a factor outside that D does not see. Both ε stand inside the
    roots, as in the paper. The one above is no mere safeguard: it starts the motion, with a first step of
    $\sqrt{\varepsilon/(1-\beta)}$.

    Reference: Zeiler (2012), ADADELTA: An Adaptive Learning Rate Method.
    """
    squares = average_of_squares(state.squares, grads, hyper.decay)
    delta = tree.map(lambda d, s, g: jnp.sqrt(d + hyper.eps) / jnp.sqrt(s + hyper.eps) * g, state.steps, squares, grads)
    steps = average_of_squares(state.steps, delta, hyper.decay)
    return tree.map(lambda d: -hyper.learning_rate * d, delta), AdaDeltaState(squares, steps)


def adadelta_terms(state: AdaDeltaState, hyper: Any, grads: Params) -> Terms:
    r"""M_t = g_t, and the scale of its step, ε included: $(G_t + \varepsilon) / (D_{t-1} + \varepsilon)$.

    The state has $D_t$, not $D_{t-1}$. As $\delta_t^2 = (D_{t-1} + \varepsilon)\, g_t^2 / (G_t + \varepsilon)$,
    $D_t + \beta\varepsilon = (D_{t-1} + \varepsilon)\,(\beta + (1-\beta)\, g_t^2 / (G_t + \varepsilon))$,
    and the scale is $(\beta\,(G_t + \varepsilon) + (1-\beta)\, g_t^2) / (D_t + \beta\varepsilon)$.
    """
    beta, eps = hyper.decay, hyper.eps

    def scale(s: Any, d: Any, g: Any) -> Any:
        below = d + beta * eps
        # 0 only where β = 0 and g = 0: the step is 0 then, whatever the scale.
        return jnp.where(below > 0, (beta * (s + eps) + (1 - beta) * g**2) / jnp.where(below > 0, below, 1), 1)

    return Terms(scale=tree.map(scale, state.squares, state.steps, grads))


ADAGRAD = Optimizer(
    id="adagrad",
    look=3,
    name=_("AdaGrad"),
    year=2011,
    parent="sgd",
    adds=_("a scale for each coordinate: the root of its summed squared gradients"),
    reference="Duchi, Hazan & Singer (2011), Adaptive Subgradient Methods for Online Learning and "
    "Stochastic Optimization",
    summary=_("Divides each coordinate by the root of all its squared gradients so far, so steps only shrink."),
    hypers=(
        knobs.learning_rate(
            0.01,
            low=1e-5,
            help=_("The first step is α in each coordinate, however steep; on a steady slope step t is α/√t."),
        ),
        knobs.eps(1e-10, help=_("Added outside the root, as in PyTorch; optax puts it inside.")),
    ),
    equations=r"""\begin{aligned}
G_t &= G_{t-1} + g_t^2 \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{G_t} + \varepsilon}\, g_t
\end{aligned}""",
    init=adagrad_init,
    update=adagrad_update,
    terms=adagrad_terms,
)

RMSPROP = Optimizer(
    id="rmsprop",
    look=4,
    name=_("RMSprop"),
    year=2012,
    parent="adagrad",
    adds=_("an average of recent squares, which forgets, in place of the sum"),
    reference="Tieleman & Hinton (2012), Lecture 6.5 of Neural Networks for Machine Learning",
    summary=_("Divides each coordinate by the root mean square of its recent gradients."),
    hypers=(
        knobs.learning_rate(
            0.01, low=1e-5, help=_("On a steady slope each coordinate moves α a step, however steep it is.")
        ),
        knobs.decay(
            0.99,
            help=_(
                "How much of the past the average of squared gradients keeps: about 1/(1 − β) steps. "
                "The default is PyTorch's; Hinton's lecture and optax have 0.9."
            ),
        ),
        knobs.eps(1e-8, help=_("Added outside the root, as in PyTorch; optax puts it inside by default.")),
        knobs.momentum(0.0, help=_("Gives the scaled gradients a velocity, of which each step keeps this part.")),
        knobs.switch(
            "centered",
            r"c",
            _("Centered"),
            _("Divides by the standard deviation of recent gradients instead of their root mean square."),
            default=False,
        ),
    ),
    equations=r"""\begin{aligned}
G_t &= \beta\, G_{t-1} + (1-\beta)\, g_t^2 \\
&\quad\; (\text{centered: } G_t = \overline{g^2}_t - \bar g_t^{\,2}) \\
v_t &= \rho\, v_{t-1} + \frac{g_t}{\sqrt{G_t} + \varepsilon} \\
\Delta\theta_t &= -\alpha_t\, v_t
\end{aligned}""",
    init=rmsprop_init,
    update=rmsprop_update,
    terms=rmsprop_terms,
)

ADADELTA = Optimizer(
    id="adadelta",
    look=5,
    name=_("AdaDelta"),
    year=2012,
    parent="adagrad",
    adds=_("an average that forgets, and its own recent steps as learning rate"),
    reference="Zeiler (2012), ADADELTA: An Adaptive Learning Rate Method",
    summary=_("RMSprop whose learning rate is the root mean square of its own recent steps."),
    hypers=(
        knobs.learning_rate(
            1.0,
            low=1e-3,
            high=1e3,
            help=_("A factor on the step; 1 is the rule as published, which has no learning rate."),
        ),
        knobs.decay(
            0.9, help=_("How much of the past both averages, of squared gradients and of squared steps, keep.")
        ),
        knobs.eps(
            1e-6,
            help=_("Added inside both roots. It starts the motion: the first step is √(ε/(1 − β)) long."),
        ),
    ),
    equations=r"""\begin{aligned}
G_t &= \beta\, G_{t-1} + (1-\beta)\, g_t^2 \\
\delta_t &= \frac{\sqrt{D_{t-1} + \varepsilon}}{\sqrt{G_t + \varepsilon}}\, g_t \\
D_t &= \beta\, D_{t-1} + (1-\beta)\, \delta_t^2 \\
\Delta\theta_t &= -\alpha_t\, \delta_t
\end{aligned}""",
    init=adadelta_init,
    update=adadelta_update,
    terms=adadelta_terms,
)

MEMBERS = (ADAGRAD, RMSPROP, ADADELTA)
