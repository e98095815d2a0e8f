"""Rules that find their learning rate on the way, from how far they have come."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.moments import average, average_of_squares, scaled, zeros
from optimizers.vectors import dot, norm, norm_squared

FAMILY = _("Parameter-free")


class ProdigyState(NamedTuple):
    """Adam's moments, and what the distance to the solution is estimated from."""

    count: Any  # t, () int32
    m: Params  # average of d·g, same pytree as params
    v: Params  # average of (d·g)²
    sum: Params  # weighted sum of gradients
    origin: Params  # the start
    distance: Any  # () d, 0 before the first step
    progress: Any  # () weighted sum of g·(θ₀ − θ)


def prodigy_init(params: Params) -> ProdigyState:
    """Nothing is known about the distance."""
    zero = jnp.zeros((), jnp.result_type(*tree.leaves(params)))
    nothing = zeros(params)
    return ProdigyState(jnp.zeros((), jnp.int32), nothing, nothing, nothing, params, zero, zero)


def prodigy_update(
    grads: Params, state: ProdigyState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, ProdigyState]:
    r"""Adam with an estimate d of the distance to the solution as its learning rate.

    With $\gamma_t = \alpha_t d_{t-1} \sqrt{1-\beta_2^t} / (1-\beta_1^t)$ and $\beta_3 = \sqrt{\beta_2}$,
    $m_t = \beta_1 m_{t-1} + (1-\beta_1) d_{t-1} g_t, \qquad
    v_t = \beta_2 v_{t-1} + (1-\beta_2) d_{t-1}^2 g_t^2$,
    $r_t = \beta_3 r_{t-1} + \tfrac{d_{t-1}}{d_0} \gamma_t\; g_t \cdot (\theta_0 - \theta_{t-1}), \qquad
    s_t = \beta_3 s_{t-1} + \tfrac{d_{t-1}}{d_0} \gamma_t\; g_t, \qquad
    d_t = \max(d_{t-1}, r_t / \|s_t\|_1)$,
    $\Delta\theta_t = -\gamma_t\, m_t / (\sqrt{v_t} + d_t \varepsilon)$

    The estimate starts tiny and grows at an exponential rate until gradients disagree with the way gone. α = 1 is the
    rule as published, and the schedule's factor belongs in it. All as in optax, without weight decay and without its
    safeguard for warm-up. There is one d for all parameters.

    Reference: Mishchenko & Defazio (2023), Prodigy: An Expeditiously Adaptive Parameter-Free Learner.
    """
    count = state.count + 1
    d = jnp.maximum(state.distance, hyper.d0).astype(state.distance.dtype)
    rate = (d * hyper.learning_rate * jnp.sqrt(1 - hyper.b2**count) / (1 - hyper.b1**count)).astype(d.dtype)
    weight, keep = (d / hyper.d0 * rate).astype(d.dtype), jnp.sqrt(jnp.asarray(hyper.b2, d.dtype))
    grown = scaled(d, grads)
    m, v = average(state.m, grown, hyper.b1), average_of_squares(state.v, grown, hyper.b2)
    way = tree.map(jnp.subtract, state.origin, params)
    progress = keep * state.progress + weight * dot(grads, way)
    total = tree.map(lambda s, g: keep.astype(s.dtype) * s + weight.astype(s.dtype) * g, state.sum, grads)
    size = tree.reduce(jnp.add, tree.map(lambda s: jnp.sum(jnp.abs(s)), total))
    estimate = jnp.where(size == 0, 0, progress / jnp.where(size == 0, 1, size))
    distance = jnp.maximum(d, estimate)
    updates = tree.map(
        lambda m, v: -rate.astype(m.dtype) * m / (jnp.sqrt(v) + (distance * hyper.eps).astype(m.dtype)), m, v
    )
    return updates, ProdigyState(count, m, v, total, state.origin, distance.astype(d.dtype), progress.astype(d.dtype))


class DoGState(NamedTuple):
    """How far it has been, and how much gradient it has met."""

    origin: Params  # the start, same pytree as params
    distance: Any  # () the longest way from the start so far
    squares: Any  # () sum of ‖g‖²


def dog_init(params: Params) -> DoGState:
    """At the start."""
    zero = jnp.zeros((), jnp.result_type(*tree.leaves(params)))
    return DoGState(params, zero, zero)


def dog_update(grads: Params, state: DoGState, params: Params, hyper: Any, problem: Problem) -> tuple[Params, DoGState]:
    r"""SGD with the distance over the gradients as its learning rate.

    $r_t = \max\!\left(r_{t-1}, \|\theta_{t-1} - \theta_0\|\right), \qquad
    \Delta\theta_t = -\alpha_t \frac{r_t}{\sqrt{\sum_{i\le t} \|g_i\|^2 + \varepsilon}}\, g_t, \qquad
    r_0 = r_\varepsilon (1 + \|\theta_0\|)$

    From a tiny first step $r_\varepsilon$ the rate grows with the way gone; the sum of gradients slows it down like
    AdaGrad's. α = 1 is the rule as published. The norms are over all parameters. The authors report a weighted average
    of the path; here, as in optax, the result is where it is.

    Reference: Ivgi, Hinder & Carmon (2023), DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule.
    """
    away = norm(tree.map(jnp.subtract, params, state.origin))
    first = hyper.initial * (1 + norm(state.origin))
    distance = jnp.maximum(jnp.maximum(state.distance, first), away).astype(state.distance.dtype)
    squares = (state.squares + norm_squared(grads)).astype(state.squares.dtype)
    rate = hyper.learning_rate * distance / jnp.sqrt(squares + hyper.eps)
    return scaled(-rate, grads), DoGState(state.origin, distance, squares)


def dog_terms(state: DoGState, hyper: Any, grads: Params) -> Terms:
    """M_t = r_t g_t and G_t = Σ‖g‖², the same for all coordinates, with ε inside the root."""
    return Terms(scaled(state.distance, grads), tree.map(lambda g: jnp.full_like(g, state.squares), grads))


_RATE = knobs.learning_rate(
    1.0, low=1e-3, high=1e2, help=_("A factor on the rate that the rule finds; 1 is the rule as published.")
)

PRODIGY = Optimizer(
    id="prodigy",
    look=42,
    name=_("Prodigy"),
    year=2023,
    parent="adam",
    adds=_("an estimate of the distance to the solution as learning rate"),
    reference="Mishchenko & Defazio (2023), Prodigy: An Expeditiously Adaptive Parameter-Free Learner",
    summary=_("Adam that finds its own learning rate: an estimate of how far the solution is."),
    hypers=(
        _RATE,
        knobs.b1(),
        knobs.b2(),
        knobs.eps(1e-8),
        Hyper(
            name="d0",
            symbol="d_0",
            label=_("First distance"),
            help=_("The first guess of the distance to the solution. It only grows, so it should be too small."),
            default=1e-6,
            low=1e-8,
            high=1.0,
            scale="log",
        ),
    ),
    equations=r"""\begin{aligned}
\gamma_t &= \alpha_t\, d_{t-1} \frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t} \\
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, d_{t-1} g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, d_{t-1}^2 g_t^2 \\
r_t &= \sqrt{\beta_2}\, r_{t-1} + \gamma_t d_{t-1}\, g_t \cdot (\theta_0 - \theta_{t-1}) \\
s_t &= \sqrt{\beta_2}\, s_{t-1} + \gamma_t d_{t-1}\, g_t \\
d_t &= \max\!\Bigl(d_{t-1}, \frac{r_t}{\|s_t\|_1}\Bigr) \\
\Delta\theta_t &= -\frac{\gamma_t}{\sqrt{v_t} + d_t\, \varepsilon}\, m_t
\end{aligned}""",
    init=prodigy_init,
    update=prodigy_update,
)

DOG = Optimizer(
    id="dog",
    look=43,
    name=_("DoG"),
    year=2023,
    parent="sgd",
    adds=_("the distance come over the gradients met as learning rate"),
    reference="Ivgi, Hinder & Carmon (2023), DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule",
    summary=_("SGD whose learning rate is the distance it has come over the gradients it has met."),
    hypers=(
        _RATE,
        Hyper(
            name="initial",
            symbol=r"r_\varepsilon",
            label=_("First distance"),
            help=_("The first step, relative to 1 + ‖θ₀‖. It only has to be too small."),
            default=1e-6,
            low=1e-8,
            high=1.0,
            scale="log",
        ),
        knobs.eps(1e-8, help=_("Added to the sum of squared gradients inside the root.")),
    ),
    equations=r"""\begin{aligned}
r_t &= \max\bigl(r_{t-1}, \|\theta_{t-1} - \theta_0\|\bigr) \\
r_0 &= r_\varepsilon\, (1 + \|\theta_0\|) \\
\Delta\theta_t &= -\alpha_t\, \frac{r_t}{\sqrt{\sum_{i \le t} \|g_i\|^2 + \varepsilon}}\; g_t
\end{aligned}""",
    init=dog_init,
    update=dog_update,
    terms=dog_terms,
)

MEMBERS = (PRODIGY, DOG)
