"""Rules that divide a running average of gradients by the root of one of their squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs, unified
from optimizers.moments import average, average_of_squares, debias, scaled, zeros

FAMILY = _("Adam")


class AdamState(NamedTuple):
    """The first two moments of the gradient."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    v: Params  # average of g²


def adam_init(params: Params) -> AdamState:
    """Both moments start from 0."""
    return AdamState(jnp.zeros((), jnp.int32), zeros(params), zeros(params))


def _observe(grads: Params, state: AdamState, hyper: Any) -> AdamState:
    """m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²."""
    return AdamState(state.count + 1, average(state.m, grads, hyper.b1), average_of_squares(state.v, grads, hyper.b2))


def adam_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""A running average of gradients over the root of one of their squares, both corrected for starting from 0.

    $m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2$,
    $\hat m_t = m_t / (1-\beta_1^t), \qquad \hat v_t = v_t / (1-\beta_2^t), \qquad
    \Delta\theta_t = -\alpha_t\, \hat m_t / (\sqrt{\hat v_t} + \varepsilon)$

    ε is outside the root and added after the correction, as in the paper's Algorithm 1, torch and optax.
    Without the correction $m_t$ and $v_t$ take the place of $\hat m_t$ and $\hat v_t$: the first step is then
    $(1-\beta_1)/\sqrt{1-\beta_2} \approx 3.2$ times α instead of α, and steps grow to 6.6 times α around t = 12.

    Reference: Kingma & Ba (2015), Adam: A Method for Stochastic Optimization.
    """
    state = _observe(grads, state, hyper)
    terms = adam_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


def adam_terms(state: AdamState, hyper: Any, grads: Params) -> Terms:
    """M_t and G_t are the moments as they are used: corrected, unless that is switched off."""
    on = hyper.bias_correction
    return Terms(debias(state.m, hyper.b1, state.count, on), debias(state.v, hyper.b2, state.count, on))


def adamw_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam, with a weight decay that its scaling does not touch.

    $\Delta\theta_t = -\alpha_t\, \hat m_t / (\sqrt{\hat v_t} + \varepsilon) - \alpha_t \lambda \theta_{t-1}$

    The decay is multiplied by α, as in torch and optax; in the paper only by the schedule's factor of it. It
    reads the parameters from before the step. (torch's default λ is 1e−2, optax's 1e−4.)

    Reference: Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization.
    """
    state = _observe(grads, state, hyper)
    terms = adamw_terms(state, hyper, grads)
    updates = unified.step(terms.direction, terms.scale, hyper)
    decay = hyper.learning_rate * hyper.weight_decay
    return tree.map(lambda u, p: u - decay * p, updates, params), state


def adamw_terms(state: AdamState, hyper: Any, grads: Params) -> Terms:
    """Adam's M_t and G_t. The decay −αλθ is no part of the unified form: being outside it is the point."""
    return Terms(debias(state.m, hyper.b1, state.count), debias(state.v, hyper.b2, state.count))


class NAdamState(NamedTuple):
    """The first two moments of the gradient, and the product of all momenta."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    v: Params  # average of g²
    product: Any  # μ₁·…·μ_t, ()


def nadam_init(params: Params) -> NAdamState:
    """Both moments start from 0, an empty product is 1."""
    return NAdamState(*adam_init(params), product=jnp.ones((), jnp.result_type(*tree.leaves(params))))


def _nadam_momentum(count: Any, hyper: Any) -> Any:
    """μ_t = β₁(1 − ½·0.96^(tψ))."""
    return hyper.b1 * (1 - 0.5 * 0.96 ** (count * hyper.momentum_decay))


def nadam_update(
    grads: Params, state: NAdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NAdamState]:
    r"""Adam with Nesterov's look-ahead: the average's next step is taken at once.

    $\mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t\psi}), \qquad
    \bar m_t = \frac{\mu_{t+1}\, m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
    + \frac{(1-\mu_t)\, g_t}{1 - \prod_{i=1}^{t} \mu_i}, \qquad
    \Delta\theta_t = -\alpha_t\, \bar m_t / (\sqrt{\hat v_t} + \varepsilon)$,

    with $m_t$ and $\hat v_t$ as in Adam. Dozat lets the momentum μ grow from β₁/2 to β₁, and ψ says how fast. As in
    torch, ψ is 4e−3 (Dozat's 1/250) by default and $m_t$ is averaged with β₁, not with the paper's $\mu_t$.
    In optax μ is β₁ from the start, to which this comes at large ψ (in float64 exactly, from about 900 on).
    Algorithm 2 also multiplies $\hat v_t$ by β₂; neither library does, nor do we.

    Reference: Dozat (2016), Incorporating Nesterov Momentum into Adam.
    """
    moments = _observe(grads, AdamState(*state[:3]), hyper)
    product = state.product * _nadam_momentum(moments.count, hyper)
    state = NAdamState(*moments, product=jnp.asarray(product, state.product.dtype))
    terms = nadam_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


def nadam_terms(state: NAdamState, hyper: Any, grads: Params) -> Terms:
    """M_t is the look-ahead average m̄_t, G_t = v̂_t."""
    now, following = (_nadam_momentum(count, hyper) for count in (state.count, state.count + 1))
    ahead = scaled(following / (1 - state.product * following), state.m)
    fresh = scaled((1 - now) / (1 - state.product), grads)
    return Terms(tree.map(jnp.add, ahead, fresh), debias(state.v, hyper.b2, state.count))


_HELP = _("Each coordinate moves about α a step, however steep the surface is.")
_EPS = knobs.eps(1e-8)

ADAM = Optimizer(
    id="adam",
    name=_("Adam"),
    year=2015,
    reference="Kingma & Ba (2015), Adam: A Method for Stochastic Optimization",
    summary=_("Momentum divided by the root mean square of recent gradients, both corrected for starting from 0."),
    hypers=(
        knobs.learning_rate(1e-3, low=1e-5, help=_HELP),
        knobs.b1(),
        knobs.b2(),
        _EPS,
        knobs.switch(
            "bias_correction",
            r"\hat m, \hat v",
            _("Bias correction"),
            _("Makes up for averages that start from 0. Without it, the first steps are several times too long."),
            default=True,
        ),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t & \hat m_t &= \frac{m_t}{1-\beta_1^t} \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 & \hat v_t &= \frac{v_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \hat m_t
\end{aligned}""",
    init=adam_init,
    update=adam_update,
    terms=adam_terms,
)

ADAMW = Optimizer(
    id="adamw",
    name=_("AdamW"),
    year=2019,
    reference="Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization",
    summary=_("Adam with a weight decay that pulls every parameter alike, however large its gradients are."),
    hypers=(
        knobs.learning_rate(1e-3, low=1e-5, help=_HELP),
        knobs.b1(),
        knobs.b2(),
        _EPS,
        knobs.weight_decay(
            1e-2,
            help=_(
                "Pulls every parameter towards 0 by the fraction αλ of itself at each step. "
                "The default is PyTorch's; optax has 0.0001."
            ),
        ),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t & \hat m_t &= \frac{m_t}{1-\beta_1^t} \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 & \hat v_t &= \frac{v_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \hat m_t - \alpha_t \lambda\, \theta_{t-1}
\end{aligned}""",
    init=adam_init,
    update=adamw_update,
    terms=adamw_terms,
)

NADAM = Optimizer(
    id="nadam",
    name=_("NAdam"),
    year=2016,
    reference="Dozat (2016), Incorporating Nesterov Momentum into Adam",
    summary=_("Adam that looks ahead like Nesterov: the newest gradient counts more."),
    hypers=(
        knobs.learning_rate(2e-3, low=1e-5, help=_HELP),
        knobs.b1(),
        knobs.b2(),
        _EPS,
        Hyper(
            name="momentum_decay",
            symbol=r"\psi",
            label=_("Momentum warm-up"),
            help=_(
                "How fast the momentum grows from half of β₁ to β₁. The default is PyTorch's momentum_decay; "
                "at 1000 it is β₁ from the start, as in optax."
            ),
            default=4e-3,
            low=1e-4,
            high=1e3,
            scale="log",
        ),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \qquad
v_t = \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \qquad
\mu_t = \beta_1 \left(1 - \tfrac12\, 0.96^{t\psi}\right) \\
\bar m_t &= \frac{\mu_{t+1}}{1 - \prod_{i=1}^{t+1} \mu_i}\, m_t + \frac{1-\mu_t}{1 - \prod_{i=1}^{t} \mu_i}\, g_t \qquad
\hat v_t = \frac{v_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \bar m_t
\end{aligned}""",
    init=nadam_init,
    update=nadam_update,
    terms=nadam_terms,
)

MEMBERS = (ADAM, ADAMW, NADAM)
