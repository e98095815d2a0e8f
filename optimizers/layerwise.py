"""Rules that treat an array of parameters as one layer: how far it moves depends on how large it is as a whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.adam import AdamState, adam_init, adamw_terms
from optimizers.moments import average, average_of_squares, zeros
from optimizers.momentum import VelocityState, init_velocity

FAMILY = _("Layer-wise")


def _length(array: Any) -> Any:
    """‖array‖ over all entries."""
    return jnp.sqrt(jnp.sum(array**2))


def _trust(update: Any, param: Any, coefficient: Any) -> Any:
    """η‖θ‖/‖u‖; 1 where either is 0."""
    size, length = _length(param), _length(update)
    known = (size > 0) & (length > 0)
    return jnp.where(known, coefficient * size / jnp.where(known, length, 1), 1).astype(update.dtype)


def lars_update(
    grads: Params, state: VelocityState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, VelocityState]:
    r"""Momentum in which each layer moves in proportion to its own size, however large its gradient is.

    $u_t = g_t + \lambda\theta_{t-1}, \qquad
    v_t = \rho v_{t-1} + \alpha_t\, \eta \frac{\|\theta_{t-1}\|}{\|u_t\|}\, u_t, \qquad \Delta\theta_t = -v_t$

    As in the paper and optax, α is inside the velocity, so that a schedule acts on new steps only. The ratio's
    denominator is ‖g + λθ‖, as in optax; the paper has ‖g‖ + λ‖θ‖. For a layer that is 0 the ratio is 1.

    Reference: You, Gitman & Ginsburg (2017), Large Batch Training of Convolutional Networks.
    """
    pull = tree.map(lambda g, p: g + hyper.weight_decay * p, grads, params)
    velocity = tree.map(
        lambda v, u, p: hyper.momentum * v + hyper.learning_rate * _trust(u, p, hyper.trust) * u,
        state.velocity,
        pull,
        params,
    )
    return tree.map(jnp.negative, velocity), VelocityState(velocity)


def lamb_update(
    grads: Params, state: AdamState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdamState]:
    r"""AdamW in which each layer moves in proportion to its own size.

    $u_t = \hat m_t / (\sqrt{\hat v_t} + \varepsilon) + \lambda\theta_{t-1}, \qquad
    \Delta\theta_t = -\alpha_t \frac{\|\theta_{t-1}\|}{\|u_t\|}\, u_t$

    Each step changes a layer by the fraction α of its size. The ratio is not clipped, and 1 for a layer that is 0, as
    in optax.

    Reference: You et al. (2020), Large Batch Optimization for Deep Learning: Training BERT in 76 minutes.
    """
    state = AdamState(state.count + 1, average(state.m, grads, hyper.b1), average_of_squares(state.v, grads, hyper.b2))
    m, v = adamw_terms(state, hyper, grads)
    pull = tree.map(lambda m, v, p: m / (jnp.sqrt(v) + hyper.eps) + hyper.weight_decay * p, m, v, params)
    return tree.map(lambda u, p: -hyper.learning_rate * _trust(u, p, 1) * u, pull, params), state


class NovoGradState(NamedTuple):
    """The momentum, and one second moment for each layer."""

    count: Any  # t, () int32
    m: Params  # same pytree as params
    v: Params  # average of ‖g‖², () for each layer


def novograd_init(params: Params) -> NovoGradState:
    """The first gradient sets both."""
    return NovoGradState(jnp.zeros((), jnp.int32), zeros(params), tree.map(lambda p: jnp.zeros((), p.dtype), params))


def novograd_update(
    grads: Params, state: NovoGradState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NovoGradState]:
    r"""Momentum of gradients that are divided by one number for each layer: a running root mean square of its norm.

    $v_t = \beta_2 v_{t-1} + (1-\beta_2)\|g_t\|^2$ (first $v_1 = \|g_1\|^2$), $\qquad
    m_t = \beta_1 m_{t-1} + \left(\frac{g_t}{\sqrt{v_t} + \varepsilon} + \lambda\theta_{t-1}\right), \qquad
    \Delta\theta_t = -\alpha_t m_t$

    The step keeps the direction of the gradient, unlike Adam's. As in the paper and optax, the new gradient enters m
    whole.

    Reference: Ginsburg et al. (2019), Stochastic Gradient Methods with Layer-wise Adaptive Moments.
    """
    first = state.count == 0
    squares = tree.map(lambda g: jnp.sum(g**2), grads)
    v = tree.map(lambda v, s: jnp.where(first, s, hyper.b2 * v + (1 - hyper.b2) * s).astype(v.dtype), state.v, squares)
    m = tree.map(
        lambda m, g, v, p: hyper.b1 * m + g / (jnp.sqrt(v) + hyper.eps) + hyper.weight_decay * p,
        state.m,
        grads,
        v,
        params,
    )
    return tree.map(lambda m: -hyper.learning_rate * m, m), NovoGradState(state.count + 1, m, v)


def novograd_terms(state: NovoGradState, hyper: Any, grads: Params) -> Terms:
    """M_t = m_t and G_t = 1, as each gradient in m was divided by the root of its own time."""
    return Terms(direction=state.m)


class AdafactorState(NamedTuple):
    """The second moment: of a matrix, the means of its rows and columns only."""

    count: Any  # t, () int32
    rows: Params  # of a matrix (n, m): (n,); else (0,)
    columns: Params  # of a matrix (n, m): (m,); else (0,)
    v: Params  # of a matrix: (0,); else like the parameter


def adafactor_init(params: Params) -> AdafactorState:
    """All start from 0."""
    nothing = tree.map(lambda p: jnp.zeros((0,), p.dtype), params)
    return AdafactorState(
        jnp.zeros((), jnp.int32),
        tree.map(lambda p, n: jnp.zeros(p.shape[0], p.dtype) if p.ndim == 2 else n, params, nothing),
        tree.map(lambda p, n: jnp.zeros(p.shape[1], p.dtype) if p.ndim == 2 else n, params, nothing),
        tree.map(lambda p, n: n if p.ndim == 2 else jnp.zeros_like(p), params, nothing),
    )


SMALLEST_SQUARE, SMALLEST_SIZE = 1e-30, 1e-3  # the paper's ε₁ and ε₂


def adafactor_update(
    grads: Params, state: AdafactorState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, AdafactorState]:
    r"""RMSprop that stores a matrix of squares as its row and column means, with steps relative to the layer's size.

    $\beta_t = 1 - t^{-c}, \qquad v_t = \beta_t v_{t-1} + (1-\beta_t)(g_t^2 + \varepsilon_1), \qquad
    u_t = g_t / \sqrt{v_t}, \qquad
    \Delta\theta_t = -\alpha_t \max(\varepsilon_2, \operatorname{rms}\theta_{t-1})\,
    \frac{u_t}{\max(1, \operatorname{rms} u_t / d)}$

    Of a matrix $v$ only the means of rows R and of columns C are kept, and
    $v_{ij} \approx R_i C_j / \operatorname{mean} R$: of n·m numbers, n + m. Vectors, such as a point in the plane, keep
    all of v. We factor every matrix; optax only those with both sides of at least 128. ε₁ = 1e−30 and ε₂ = 1e−3, no
    momentum. α is relative: each step changes a layer by about the fraction α of its size.

    Reference: Shazeer & Stern (2018), Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """
    count = state.count + 1

    def one(g: Any, rows: Any, columns: Any, v: Any, p: Any) -> tuple[Any, Any, Any, Any]:
        beta = (1 - (count * 1.0) ** -jnp.asarray(hyper.decay_power, g.dtype)).astype(g.dtype)
        squares = g**2 + SMALLEST_SQUARE
        if p.ndim == 2:
            rows = beta * rows + (1 - beta) * squares.mean(1)
            columns = beta * columns + (1 - beta) * squares.mean(0)
            u = g / jnp.sqrt(rows / rows.mean())[:, None] / jnp.sqrt(columns)[None]
        else:
            v = beta * v + (1 - beta) * squares
            u = g / jnp.sqrt(v)
        u = u / jnp.maximum(1, jnp.sqrt(jnp.mean(u**2)) / hyper.clip_threshold)
        size = jnp.maximum(SMALLEST_SIZE, jnp.sqrt(jnp.mean(p**2)))
        return -hyper.learning_rate * size * u, rows, columns, v

    leaves, structure = tree.flatten(grads)
    others = (structure.flatten_up_to(part) for part in (state.rows, state.columns, state.v, params))
    parts = zip(*(one(*each) for each in zip(leaves, *others, strict=True)), strict=True)
    updates, rows, columns, v = (structure.unflatten(part) for part in parts)
    return updates, AdafactorState(count, rows, columns, v)


_RELATIVE = _("Each step changes a layer by about the fraction α of its own size.")

LARS = Optimizer(
    id="lars",
    look=24,
    name=_("LARS"),
    year=2017,
    parent="momentum",
    adds=_("steps in proportion to each layer's own size"),
    reference="You, Gitman & Ginsburg (2017), Large Batch Training of Convolutional Networks",
    summary=_("Momentum in which each layer moves in proportion to its own size. A point in the plane is one layer."),
    hypers=(
        knobs.learning_rate(
            1.0, low=1e-3, high=1e3, help=_("Each step adds to the velocity αη times the layer's size.")
        ),
        knobs.momentum(),
        Hyper(
            name="trust",
            symbol=r"\eta",
            label=_("Trust coefficient"),
            help=_("The part of its own size that a layer moves at α = 1."),
            default=1e-3,
            low=1e-4,
            high=1.0,
            scale="log",
        ),
        knobs.weight_decay(0.0, help=_("Adds λθ to the gradient before its size is taken.")),
    ),
    equations=r"""\begin{aligned}
u_t &= g_t + \lambda\, \theta_{t-1} \\
v_t &= \rho\, v_{t-1} + \alpha_t\, \eta\, \frac{\|\theta_{t-1}\|}{\|u_t\|}\, u_t \\
\Delta\theta_t &= -v_t
\end{aligned}""",
    init=init_velocity,
    update=lars_update,
    per_layer=True,
)

LAMB = Optimizer(
    id="lamb",
    look=25,
    name=_("LAMB"),
    year=2020,
    parent="adamw",
    adds=_("LARS's steps in proportion to each layer's own size"),
    reference="You et al. (2020), Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
    summary=_("AdamW in which each layer moves in proportion to its own size. A point in the plane is one layer."),
    hypers=(
        knobs.learning_rate(1e-3, low=1e-5, help=_RELATIVE),
        knobs.b1(),
        knobs.b2(),
        knobs.eps(1e-6),
        knobs.weight_decay(0.0, help=_("Adds λθ to the step before its size is taken.")),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
u_t &= \frac{\hat m_t}{\sqrt{\hat v_t} + \varepsilon} + \lambda\, \theta_{t-1} \\
\Delta\theta_t &= -\alpha_t\, \frac{\|\theta_{t-1}\|}{\|u_t\|}\, u_t
\end{aligned}""",
    init=adam_init,
    update=lamb_update,
    per_layer=True,
)

NOVOGRAD = Optimizer(
    id="novograd",
    look=26,
    name=_("NovoGrad"),
    year=2019,
    parent="adam",
    adds=_("one scale for a whole layer, applied before averaging, and decoupled decay"),
    reference="Ginsburg et al. (2019), Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training "
    "of Deep Networks",
    summary=_("Momentum of gradients divided by one scale for the whole layer, so that they keep their direction."),
    hypers=(
        knobs.learning_rate(1e-2, low=1e-5, help=_("A steady slope moves the layer by α/(1 − β₁) a step.")),
        knobs.b1(help=_("The part of the velocity that is kept at each step.")),
        knobs.b2(0.25, help=_("How much of the past the average of squared gradient norms keeps.")),
        knobs.eps(1e-6),
        knobs.weight_decay(0.0, help=_("Adds λθ to each scaled gradient.")),
    ),
    equations=r"""\begin{aligned}
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, \|g_t\|^2 \\
m_t &= \beta_1 m_{t-1} + \frac{g_t}{\sqrt{v_t} + \varepsilon} + \lambda\, \theta_{t-1} \\
\Delta\theta_t &= -\alpha_t\, m_t
\end{aligned}""",
    init=novograd_init,
    update=novograd_update,
    terms=novograd_terms,
    per_layer=True,
)

ADAFACTOR = Optimizer(
    id="adafactor",
    look=27,
    name=_("Adafactor"),
    year=2018,
    parent="adam",
    adds=_("row and column means in place of all squares, and no average of gradients"),
    reference="Shazeer & Stern (2018), Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
    summary=_("RMSprop that stores only row and column means of a matrix, with steps relative to the layer's size."),
    hypers=(
        knobs.learning_rate(1e-2, low=1e-5, help=_RELATIVE),
        Hyper(
            name="decay_power",
            symbol="c",
            label=_("Decay power"),
            help=_("The average of squares keeps about tᶜ steps after t steps: at 1 it never forgets."),
            default=0.8,
            low=0.1,
            high=1.0,
        ),
        Hyper(
            name="clip_threshold",
            symbol="d",
            label=_("Update clipping"),
            help=_("The largest root mean square of a step, before it is made relative."),
            default=1.0,
            low=0.1,
            high=10.0,
            scale="log",
        ),
    ),
    equations=r"""\begin{aligned}
v_t &= \beta_t v_{t-1} + (1-\beta_t)\, g_t^2 \\
\beta_t &= 1 - t^{-c} \\
u_t &= \frac{g_t}{\sqrt{v_t}} \\
&\quad\; \Bigl(\text{of a matrix: } v_{ij} \approx \frac{R_i C_j}{\bar R}\Bigr) \\
\Delta\theta_t &= -\alpha_t\, \operatorname{rms}(\theta_{t-1})\, \frac{u_t}{\max(1, \operatorname{rms}(u_t) / d)}
\end{aligned}""",
    init=adafactor_init,
    update=adafactor_update,
    on_vectors=_("RMSprop with a growing β and steps relative to the size of the point"),
    per_layer=True,
)

MEMBERS = (LARS, LAMB, NOVOGRAD, ADAFACTOR)
