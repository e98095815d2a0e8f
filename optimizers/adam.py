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


def adam_l2_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam on the loss plus ½λ‖θ‖²: the decay goes through the moments, and is divided by their root.

    $g_t \leftarrow g_t + \lambda\theta_{t-1}$, then as Adam.

    This is torch's ``Adam(weight_decay=λ)``. A parameter with large gradients is decayed less than one with small
    ones, which AdamW corrects.

    Reference: Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, Algorithm 2.
    """
    state = _observe(tree.map(lambda g, p: g + hyper.weight_decay * p, grads, params), state, hyper)
    terms = adamw_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


class AMSGradState(NamedTuple):
    """The first two moments of the gradient, and the largest second moment so far."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    v: Params  # average of g²
    largest: Params  # maximum of all v


def amsgrad_init(params: Params) -> AMSGradState:
    """All start from 0."""
    return AMSGradState(*adam_init(params), largest=zeros(params))


def amsgrad_update(
    grads: Params, state: AMSGradState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AMSGradState]:
    r"""Adam whose scale never shrinks, so that its steps cannot grow again after a rare large gradient.

    $\bar v_t = \max(\bar v_{t-1}, v_t), \qquad
    \Delta\theta_t = -\alpha_t\, \hat m_t / (\sqrt{\bar v_t / (1-\beta_2^t)} + \varepsilon)$

    The maximum is of the uncorrected $v_t$, and is corrected afterwards, as in torch. (optax corrects before taking
    the maximum, so that its first gradient counts for ever; the paper corrects nothing.)

    Reference: Reddi, Kale & Kumar (2018), On the Convergence of Adam and Beyond.
    """
    moments = _observe(grads, AdamState(*state[:3]), hyper)
    state = AMSGradState(*moments, largest=tree.map(jnp.maximum, state.largest, moments.v))
    terms = amsgrad_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


def amsgrad_terms(state: AMSGradState, hyper: Any, grads: Params) -> Terms:
    """M_t = m̂_t, G_t is the corrected maximum."""
    return Terms(debias(state.m, hyper.b1, state.count), debias(state.largest, hyper.b2, state.count))


class AdaMaxState(NamedTuple):
    """The first moment of the gradient, and a fading maximum of its size."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    u: Params  # fading maximum of |g|


def adamax_init(params: Params) -> AdaMaxState:
    """Both start from 0."""
    return AdaMaxState(jnp.zeros((), jnp.int32), zeros(params), zeros(params))


def adamax_update(
    grads: Params, state: AdaMaxState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdaMaxState]:
    r"""Adam with a maximum in place of the root mean square: the limit p → ∞ of averages of |g|ᵖ.

    $u_t = \max(\beta_2 u_{t-1}, |g_t| + \varepsilon), \qquad
    \Delta\theta_t = -\alpha_t\, \hat m_t / u_t$

    ε stands inside the maximum, as in torch and optax; the paper has none. A maximum has no bias to correct.

    Reference: Kingma & Ba (2015), Adam: A Method for Stochastic Optimization, Algorithm 2.
    """
    state = AdaMaxState(
        state.count + 1,
        average(state.m, grads, hyper.b1),
        tree.map(lambda u, g: jnp.maximum(hyper.b2 * u, jnp.abs(g) + hyper.eps), state.u, grads),
    )
    m = debias(state.m, hyper.b1, state.count)
    return tree.map(lambda m, u: -hyper.learning_rate * m / u, m, state.u), state


def adamax_terms(state: AdaMaxState, hyper: Any, grads: Params) -> Terms:
    """M_t = m̂_t, G_t = u_t²."""
    return Terms(debias(state.m, hyper.b1, state.count), tree.map(jnp.square, state.u))


def radam_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam that waits with its scale until the average of squares knows enough gradients to be trusted.

    $\rho_\infty = \tfrac{2}{1-\beta_2} - 1, \qquad
    \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1-\beta_2^t}, \qquad
    r_t = \sqrt{\frac{(\rho_t-4)(\rho_t-2)\,\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\,\rho_t}}$,
    $\Delta\theta_t = -\alpha_t\, r_t \hat m_t / (\sqrt{\hat v_t} + \varepsilon)$ once $\rho_t > 5$,
    $-\alpha_t \hat m_t$ before

    With β₂ = 0.999 the first five steps are plain momentum, in proportion to the gradient. As in optax, ε is
    added to the corrected root; torch adds it to the uncorrected one, and the paper has none.

    Reference: Liu et al. (2020), On the Variance of the Adaptive Learning Rate and Beyond.
    """
    state = _observe(grads, state, hyper)
    terms = radam_terms(state, hyper, grads)
    _, trusted = _rectification(state, hyper)
    scaled_step = unified.step(terms.direction, terms.scale, hyper)
    return tree.map(lambda s, m: jnp.where(trusted, s, -hyper.learning_rate * m), scaled_step, terms.direction), state


def _rectification(state: AdamState, hyper: Any) -> tuple[Any, Any]:
    """r_t, and whether ρ_t > 5."""
    longest = 2 / (1 - hyper.b2) - 1
    power = hyper.b2**state.count
    length = longest - 2 * state.count * power / (1 - power)
    trusted = length > 5
    safe, ceiling = jnp.where(trusted, length, 6.0), jnp.where(trusted, longest, 6.0)
    factor = jnp.sqrt((safe - 4) * (safe - 2) * ceiling / ((ceiling - 4) * (ceiling - 2) * safe))
    return jnp.where(trusted, factor, 1.0), trusted


def radam_terms(state: AdamState, hyper: Any, grads: Params) -> Terms:
    """M_t = r_t·m̂_t and G_t = v̂_t once the scale is trusted; m̂_t and 1 before."""
    factor, trusted = _rectification(state, hyper)
    m, v = debias(state.m, hyper.b1, state.count), debias(state.v, hyper.b2, state.count)
    return Terms(scaled(factor, m), tree.map(lambda v: jnp.where(trusted, v, jnp.ones_like(v)), v))


def adabelief_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam that divides by how far gradients stray from their average, not by how large they are.

    $s_t = \beta_2 s_{t-1} + (1-\beta_2)(g_t - m_t)^2 + \varepsilon, \qquad
    \Delta\theta_t = -\alpha_t\, \hat m_t / (\sqrt{\hat s_t} + \varepsilon)$

    On a steady slope gradients are as expected, $s_t$ is small and steps are long. The two ε are one, as in the
    paper; optax has a knob for each. The first adds up over steps, to ε/(1 − β₂).

    Reference: Zhuang et al. (2020), AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients.
    """
    m = average(state.m, grads, hyper.b1)
    s = average_of_squares(state.v, tree.map(jnp.subtract, grads, m), hyper.b2)
    state = AdamState(state.count + 1, m, tree.map(lambda s: s + hyper.eps, s))
    terms = adamw_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


YOGI_START = 1e-6  # of v, as in the authors' code and optax


def yogi_init(params: Params) -> AdamState:
    """The first moment starts from 0, the second from 1e−6."""
    return AdamState(jnp.zeros((), jnp.int32), zeros(params), tree.map(lambda p: jnp.full_like(p, YOGI_START), params))


def yogi_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam whose second moment moves by additions of bounded size, so that it cannot forget in a rush.

    $v_t = v_{t-1} - (1-\beta_2)\operatorname{sign}(v_{t-1} - g_t^2)\, g_t^2, \qquad
    \Delta\theta_t = -\alpha_t\, \hat m_t / (\sqrt{\hat v_t} + \varepsilon)$

    Where Adam's v moves by a fraction of its distance to g², this moves by a fraction of g², whatever the distance.
    Both moments are corrected as in optax (the paper's algorithm is not), and v starts from 1e−6. optax starts m
    from 1e−6 as well, so that it moves without a gradient; we start it from 0, as TensorFlow does. ε is 1e−3 by
    default, as in the paper.

    Reference: Zaheer et al. (2018), Adaptive Methods for Nonconvex Optimization.
    """
    v = tree.map(lambda v, g: v - (1 - hyper.b2) * jnp.sign(v - g**2) * g**2, state.v, grads)
    state = AdamState(state.count + 1, average(state.m, grads, hyper.b1), v)
    terms = adamw_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


class AdanState(NamedTuple):
    """Averages of the gradient, of its changes, and of its look-ahead squared."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    d: Params  # average of g_t − g_{t−1}
    n: Params  # average of (g_t + β₂(g_t − g_{t−1}))²
    previous: Params  # g_{t−1}


def adan_init(params: Params) -> AdanState:
    """All averages start from 0."""
    return AdanState(jnp.zeros((), jnp.int32), zeros(params), zeros(params), zeros(params), zeros(params))


def adan_update(
    grads: Params, state: AdanState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdanState]:
    r"""Adam with Nesterov's look-ahead, estimated from how the gradient changes.

    $d_t = \beta_2 d_{t-1} + (1-\beta_2)(g_t - g_{t-1}), \qquad
    n_t = \beta_3 n_{t-1} + (1-\beta_3)\,(g_t + \beta_2 (g_t - g_{t-1}))^2$,
    $\Delta\theta_t = -\alpha_t\, (\hat m_t + \beta_2 \hat d_t) / (\sqrt{\hat n_t} + \varepsilon)$

    The first change is 0. The β are decays, 0.98, 0.92 and 0.99; the paper writes 1 − β for them. The factor of
    the change, 1 − β₂ in the paper's notation, is then β₂, as in the authors' code. (optax changes the meaning of
    β₂ too but keeps the factor 1 − β₂, 0.08 in place of 0.92: the two agree at β₂ = ½ only.) All averages are
    corrected, ε is outside the root, and there is no weight decay.

    Reference: Xie et al. (2022), Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models.
    """
    first = state.count == 0
    change = tree.map(lambda g, past: jnp.where(first, jnp.zeros_like(g), g - past), grads, state.previous)
    ahead = tree.map(lambda g, c: g + hyper.b2 * c, grads, change)
    state = AdanState(
        state.count + 1,
        average(state.m, grads, hyper.b1),
        average(state.d, change, hyper.b2),
        average_of_squares(state.n, ahead, hyper.b3),
        grads,
    )
    terms = adan_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


def adan_terms(state: AdanState, hyper: Any, grads: Params) -> Terms:
    """M_t = m̂_t + β₂d̂_t, G_t = n̂_t."""
    m, d = debias(state.m, hyper.b1, state.count), debias(state.d, hyper.b2, state.count)
    return Terms(tree.map(lambda m, d: m + hyper.b2 * d, m, d), debias(state.n, hyper.b3, state.count))


class AdEMAMixState(NamedTuple):
    """A fast and a slow average of the gradient, and the second moment."""

    count: Any  # t, () int32
    m: Params  # fast average of g, same pytree as params
    slow: Params  # slow average of g
    v: Params  # average of g²


def ademamix_init(params: Params) -> AdEMAMixState:
    """All averages start from 0."""
    return AdEMAMixState(jnp.zeros((), jnp.int32), zeros(params), zeros(params), zeros(params))


def ademamix_update(
    grads: Params, state: AdEMAMixState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdEMAMixState]:
    r"""Adam with a second, much slower average of gradients on top.

    $s_t = \beta_3 s_{t-1} + (1-\beta_3) g_t, \qquad
    \Delta\theta_t = -\alpha_t\, (\hat m_t + a\, s_t) / (\sqrt{\hat v_t} + \varepsilon)$

    The slow average is not corrected for starting from 0, so that it fills slowly. As in optax, β₃ and a are
    constant, where the paper warms them up, and there is no weight decay.

    Reference: Pagliardini, Ablin & Grangier (2024), The AdEMAMix Optimizer: Better, Faster, Older.
    """
    state = AdEMAMixState(
        state.count + 1,
        average(state.m, grads, hyper.b1),
        average(state.slow, grads, hyper.b3),
        average_of_squares(state.v, grads, hyper.b2),
    )
    terms = ademamix_terms(state, hyper, grads)
    return unified.step(terms.direction, terms.scale, hyper), state


def ademamix_terms(state: AdEMAMixState, hyper: Any, grads: Params) -> Terms:
    """M_t = m̂_t + a·s_t, G_t = v̂_t."""
    m = debias(state.m, hyper.b1, state.count)
    mix = tree.map(lambda m, s: m + hyper.mix * s, m, state.slow)
    return Terms(mix, debias(state.v, hyper.b2, state.count))


def adopt_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""Adam in another order: the gradient is divided by the root of what came *before* it, then averaged.

    $m_t = \beta_1 m_{t-1} + (1-\beta_1)
    \operatorname{clip}\!\left(g_t / \max(\sqrt{v_{t-1}}, \varepsilon),\, \pm (t-1)^{1/4}\right), \qquad
    \Delta\theta_t = -\alpha_t m_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2$

    A gradient that is no part of its own scale makes the rule converge for any β₂, which Adam does not. The first
    step only sets $v_1 = g_1^2$ and moves nothing. The clipping is that of the paper's final version and of optax.

    Reference: Taniguchi et al. (2024), ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate.
    """
    first = state.count == 0
    ratio = tree.map(lambda g, v: g / jnp.maximum(jnp.sqrt(v), hyper.eps), grads, state.v)
    limit = jnp.sqrt(jnp.sqrt(state.count * 1.0))
    ratio = tree.map(lambda r: jnp.clip(r, -limit.astype(r.dtype), limit.astype(r.dtype)), ratio)
    m = tree.map(lambda old, new: jnp.where(first, old, new), state.m, average(state.m, ratio, hyper.b1))
    v = average_of_squares(state.v, grads, hyper.b2)
    v = tree.map(lambda v, g: jnp.where(first, g**2, v), v, grads)
    return tree.map(lambda m: -hyper.learning_rate * m, m), AdamState(state.count + 1, m, v)


def adopt_terms(state: AdamState, hyper: Any, grads: Params) -> Terms:
    """M_t = m_t and G_t = 1, as each gradient in m was divided by the root of its own time."""
    return Terms(direction=state.m)


_HELP = _("Each coordinate moves about α a step, however steep the surface is.")
_EPS = knobs.eps(1e-8)

ADAM = Optimizer(
    id="adam",
    look=6,
    name=_("Adam"),
    year=2015,
    parent="rmsprop",
    adds=_("momentum, and averages corrected for starting from 0"),
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
    look=7,
    name=_("AdamW"),
    year=2019,
    parent="adam_l2",
    adds=_("a decay taken out of the gradient, so that nothing rescales it"),
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
    look=8,
    name=_("NAdam"),
    year=2016,
    parent="adam",
    adds=_("Nesterov's look-ahead"),
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
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
\mu_t &= \beta_1 \left(1 - \tfrac12\, 0.96^{t\psi}\right) \\
\bar m_t &= \frac{\mu_{t+1}}{1 - \prod_{i=1}^{t+1} \mu_i}\, m_t + \frac{1-\mu_t}{1 - \prod_{i=1}^{t} \mu_i}\, g_t \\
\hat v_t &= \frac{v_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \bar m_t
\end{aligned}""",
    init=nadam_init,
    update=nadam_update,
    terms=nadam_terms,
)

_LEARNING_RATE = knobs.learning_rate(1e-3, low=1e-5, help=_HELP)
_MOMENTS = r"""m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t & \hat m_t &= \frac{m_t}{1-\beta_1^t} \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 & \hat v_t &= \frac{v_t}{1-\beta_2^t} \\
"""

ADAM_L2 = Optimizer(
    id="adam_l2",
    look=15,
    name=_("Adam + L2"),
    year=2015,
    parent="adam",
    adds=_("an L2 penalty in the gradient"),
    reference="Kingma & Ba (2015), Adam: A Method for Stochastic Optimization; Loshchilov & Hutter (2019), Decoupled "
    "Weight Decay Regularization, Algorithm 2",
    summary=_(
        "Adam with the decay in its gradient: parameters with large gradients are decayed less. AdamW mends that."
    ),
    hypers=(
        _LEARNING_RATE,
        knobs.b1(),
        knobs.b2(),
        _EPS,
        knobs.weight_decay(1e-2, help=_("Adds λθ to the gradient, so that the decay is scaled along with it.")),
    ),
    equations=r"""\begin{aligned}
g_t &\leftarrow g_t + \lambda\, \theta_{t-1} \\
"""
    + _MOMENTS
    + r"""\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \hat m_t
\end{aligned}""",
    init=adam_init,
    update=adam_l2_update,
    terms=adamw_terms,
)

AMSGRAD = Optimizer(
    id="amsgrad",
    look=16,
    name=_("AMSGrad"),
    year=2018,
    parent="adam",
    adds=_("a scale that never shrinks: the largest average of squares so far"),
    reference="Reddi, Kale & Kumar (2018), On the Convergence of Adam and Beyond",
    summary=_("Adam that divides by the largest average of squares so far, so its scale never shrinks."),
    hypers=(_LEARNING_RATE, knobs.b1(), knobs.b2(), _EPS),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
\bar v_t &= \max(\bar v_{t-1}, v_t) \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\bar v_t / (1-\beta_2^t)} + \varepsilon}\, \frac{m_t}{1-\beta_1^t}
\end{aligned}""",
    init=amsgrad_init,
    update=amsgrad_update,
    terms=amsgrad_terms,
)

ADAMAX = Optimizer(
    id="adamax",
    look=17,
    name=_("AdaMax"),
    year=2015,
    parent="adam",
    adds=_("a fading maximum of gradients in place of their root mean square"),
    reference="Kingma & Ba (2015), Adam: A Method for Stochastic Optimization, Algorithm 2",
    summary=_("Adam that divides by a slowly fading maximum of gradients in place of their root mean square."),
    hypers=(
        knobs.learning_rate(2e-3, low=1e-5, help=_HELP),
        knobs.b1(),
        knobs.b2(help=_("How slowly the maximum of gradients fades: about 1/(1 − β₂) steps.")),
        knobs.eps(1e-8, help=_("Added to the size of each gradient inside the maximum.")),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
u_t &= \max(\beta_2 u_{t-1}, |g_t| + \varepsilon) \\
\Delta\theta_t &= -\frac{\alpha_t}{u_t}\, \frac{m_t}{1-\beta_1^t}
\end{aligned}""",
    init=adamax_init,
    update=adamax_update,
    terms=adamax_terms,
)

RADAM = Optimizer(
    id="radam",
    look=18,
    name=_("RAdam"),
    year=2020,
    parent="adam",
    adds=_("a warm-up of its own, until the scale can be trusted"),
    reference="Liu et al. (2020), On the Variance of the Adaptive Learning Rate and Beyond",
    summary=_("Adam with a warm-up of its own: it does not scale until it has seen enough gradients."),
    hypers=(_LEARNING_RATE, knobs.b1(), knobs.b2(), _EPS),
    equations=r"""\begin{aligned}
"""
    + _MOMENTS
    + r"""\rho_\infty &= \tfrac{2}{1-\beta_2} - 1 &
\rho_t &= \rho_\infty - \frac{2 t \beta_2^t}{1-\beta_2^t} \\
r_t &= \sqrt{\frac{(\rho_t-4)(\rho_t-2)\,\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\,\rho_t}} &
\Delta\theta_t &= \begin{cases}
-\alpha_t\, r_t\, \hat m_t / (\sqrt{\hat v_t} + \varepsilon) & \rho_t > 5 \\
-\alpha_t\, \hat m_t & \text{else}
\end{cases}
\end{aligned}""",
    init=adam_init,
    update=radam_update,
    terms=radam_terms,
)

ADABELIEF = Optimizer(
    id="adabelief",
    look=19,
    name=_("AdaBelief"),
    year=2020,
    parent="adam",
    adds=_("squares of the surprise, gradient minus average, in place of squared gradients"),
    reference="Zhuang et al. (2020), AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
    summary=_("Adam that takes long steps where gradients are as expected, and short ones where they surprise."),
    hypers=(
        _LEARNING_RATE,
        knobs.b1(),
        knobs.b2(help=_("How much of the past the average of squared surprises keeps: about 1/(1 − β₂) steps.")),
        knobs.eps(
            1e-16,
            low=1e-20,
            help=_("Added both to the average of squared surprises at each step and to its root."),
        ),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t & \hat m_t &= \frac{m_t}{1-\beta_1^t} \\
s_t &= \beta_2 s_{t-1} + (1-\beta_2)\, (g_t - m_t)^2 + \varepsilon & \hat s_t &= \frac{s_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat s_t} + \varepsilon}\, \hat m_t
\end{aligned}""",
    init=adam_init,
    update=adabelief_update,
    terms=adamw_terms,
)

YOGI = Optimizer(
    id="yogi",
    look=20,
    name=_("Yogi"),
    year=2018,
    parent="adam",
    adds=_("a scale that no step changes by more than the newest square"),
    reference="Zaheer et al. (2018), Adaptive Methods for Nonconvex Optimization",
    summary=_("Adam whose scale changes by bounded amounts, so that it cannot collapse when gradients get small."),
    hypers=(
        knobs.learning_rate(1e-2, low=1e-5, help=_HELP),
        knobs.b1(),
        knobs.b2(help=_("How slowly the second moment moves: by the part 1 − β₂ of the squared gradient a step.")),
        knobs.eps(1e-3),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t & \hat m_t &= \frac{m_t}{1-\beta_1^t} \\
v_t &= v_{t-1} - (1-\beta_2) \operatorname{sign}(v_{t-1} - g_t^2)\, g_t^2 & \hat v_t &= \frac{v_t}{1-\beta_2^t} \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \hat m_t
\end{aligned}""",
    init=yogi_init,
    update=yogi_update,
    terms=adamw_terms,
)

ADAN = Optimizer(
    id="adan",
    look=21,
    name=_("Adan"),
    year=2022,
    parent="adam",
    adds=_("Nesterov's look-ahead, from differences of gradients"),
    reference="Xie et al. (2022), Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
    summary=_("Adam that looks ahead by how the gradient is changing, without a second gradient."),
    hypers=(
        _LEARNING_RATE,
        knobs.b1(0.98),
        knobs.b2(
            0.92,
            help=_("How much of the past the average of the gradient's changes keeps, and how far it looks ahead."),
        ),
        knobs.b3(0.99, help=_("How much of the past the average of squared gradients keeps: about 1/(1 − β₃) steps.")),
        _EPS,
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
d_t &= \beta_2 d_{t-1} + (1-\beta_2)\, (g_t - g_{t-1}) \\
n_t &= \beta_3 n_{t-1} + (1-\beta_3)\, \bigl(g_t + \beta_2 (g_t - g_{t-1})\bigr)^2 \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat n_t} + \varepsilon}\, (\hat m_t + \beta_2\, \hat d_t)
\end{aligned}""",
    init=adan_init,
    update=adan_update,
    terms=adan_terms,
)

ADEMAMIX = Optimizer(
    id="ademamix",
    look=22,
    name=_("AdEMAMix"),
    year=2024,
    parent="adam",
    adds=_("a second, much slower average of gradients"),
    reference="Pagliardini, Ablin & Grangier (2024), The AdEMAMix Optimizer: Better, Faster, Older",
    summary=_("Adam with a second, much longer memory of gradients added to the first."),
    hypers=(
        _LEARNING_RATE,
        knobs.b1(),
        knobs.b2(),
        knobs.b3(0.9999, help=_("How much of the past the slow average of gradients keeps: about 1/(1 − β₃) steps.")),
        Hyper(
            name="mix",
            symbol="a",
            label=_("Weight of the slow average"),
            help=_("How much the slow average of gradients counts beside the fast one; at 0 this is Adam."),
            default=5.0,
            low=0.0,
            high=20.0,
        ),
        _EPS,
    ),
    equations=r"""\begin{aligned}
"""
    + _MOMENTS
    + r"""s_t &= \beta_3 s_{t-1} + (1-\beta_3)\, g_t \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, (\hat m_t + a\, s_t)
\end{aligned}""",
    init=ademamix_init,
    update=ademamix_update,
    terms=ademamix_terms,
)

ADOPT = Optimizer(
    id="adopt",
    look=23,
    name=_("ADOPT"),
    year=2024,
    parent="adam",
    adds=_("scaling before averaging, by squares without the newest gradient"),
    reference="Taniguchi et al. (2024), ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate",
    summary=_("Adam that divides each gradient by the scale of those before it, and averages afterwards."),
    hypers=(
        _LEARNING_RATE,
        knobs.b1(help=_("How much of the past the average of scaled gradients keeps: about 1/(1 − β₁) steps.")),
        knobs.b2(0.9999),
        knobs.eps(1e-6, help=_("The least that a gradient is divided by.")),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)
\operatorname{clip}\!\left(\frac{g_t}{\max(\sqrt{v_{t-1}}, \varepsilon)},\, \pm (t-1)^{1/4}\right) \\
\Delta\theta_t &= -\alpha_t\, m_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2
\end{aligned}""",
    init=adam_init,
    update=adopt_update,
    terms=adopt_terms,
)

MEMBERS = (
    ADAM,
    ADAMW,
    ADAM_L2,
    NADAM,
    AMSGRAD,
    ADAMAX,
    RADAM,
    ADABELIEF,
    YOGI,
    ADAN,
    ADEMAMIX,
    ADOPT,
)
