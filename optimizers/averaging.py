"""Rules with two points: gradients are taken at one, another, an average along the path, is the result."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.moments import average_of_squares, debias, zeros
from optimizers.vectors import choose

FAMILY = _("Averaging")


class ScheduleFreeState(NamedTuple):
    """The fast iterate and the average; params lie between the two."""

    count: Any  # t, () int32
    z: Params  # where SGD or Adam is, same pytree as params
    x: Params  # the weighted average of all z: the result
    v: Params  # average of g², for Adam
    weights: Any  # () sum of all weights
    largest: Any  # () largest learning rate so far


def schedule_free_init(params: Params) -> ScheduleFreeState:
    """All points are the start."""
    zero = jnp.zeros((), jnp.result_type(*tree.leaves(params)))
    return ScheduleFreeState(jnp.zeros((), jnp.int32), params, params, zeros(params), zero, zero)


def _average(state: ScheduleFreeState, step: Params, hyper: Any) -> tuple[Params, ScheduleFreeState]:
    """Move z by ``step``, x towards z by z's share in all weights, and params to between them."""
    largest = jnp.maximum(state.largest, hyper.learning_rate).astype(state.largest.dtype)
    weights = state.weights + largest**2
    share = jnp.where(weights == 0, 0, largest**2 / jnp.where(weights == 0, 1, weights))
    z = tree.map(jnp.add, state.z, step)
    x = tree.map(lambda x, z: (1 - share).astype(x.dtype) * x + share.astype(x.dtype) * z, state.x, z)
    # What β₁x + (1 − β₁)z changes by: the difference to params would cancel.
    updates = tree.map(lambda new, old, s: hyper.b1 * (new - old) + (1 - hyper.b1) * s, x, state.x, step)
    return updates, ScheduleFreeState(state.count + 1, z, x, state.v, weights, largest)


def schedule_free_sgd_update(
    grads: Params, state: ScheduleFreeState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, ScheduleFreeState]:
    r"""SGD whose average replaces a schedule, with the gradient taken between the two.

    $z_t = z_{t-1} - \alpha_t g_t, \qquad c_t = \frac{a_t^2}{\sum_{i \le t} a_i^2}$ with $a_t = \max_{i\le t} \alpha_i$,
    $x_t = (1 - c_t) x_{t-1} + c_t z_t, \qquad y_t = \beta_1 x_t + (1-\beta_1) z_t, \qquad g_{t+1} = \nabla L(y_t)$

    The parameters, and the path, are y, as in optax and the authors' code; the result is x, which for constant α is
    the plain mean of all z. We carry x, which the libraries recover from y and z, so that β₁ = 0 works too: that is
    the mean of SGD's path (Polyak's average), and β₁ = 1 takes gradients at the mean itself (primal averaging).

    Reference: Defazio et al. (2024), The Road Less Scheduled.
    """
    return _average(state, tree.map(lambda g: -hyper.learning_rate * g, grads), hyper)


def schedule_free_adamw_update(
    grads: Params, state: ScheduleFreeState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, ScheduleFreeState]:
    r"""AdamW without its first moment, whose average replaces momentum and schedule.

    $v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2, \qquad
    z_t = z_{t-1} - \alpha_t \left(\frac{g_t}{\sqrt{\hat v_t} + \varepsilon} + \lambda y_{t-1}\right)$,
    then x and y as for schedule-free SGD

    As in optax, v is corrected for starting from 0 and ε is outside the root; the decay is that of y.

    Reference: Defazio et al. (2024), The Road Less Scheduled.
    """
    state = state._replace(v=average_of_squares(state.v, grads, hyper.b2))
    root = tree.map(jnp.sqrt, debias(state.v, hyper.b2, state.count + 1))
    step = tree.map(
        lambda g, r, y: -hyper.learning_rate * (g / (r + hyper.eps) + hyper.weight_decay * y), grads, root, params
    )
    return _average(state, step, hyper)


def report_average(state: ScheduleFreeState, params: Params) -> Params:
    """x."""
    return state.x


class LookaheadState(NamedTuple):
    """The slow weights, and the velocity of the fast ones, which are the params."""

    count: Any  # t, () int32
    slow: Params  # same pytree as params
    velocity: Params


def lookahead_init(params: Params) -> LookaheadState:
    """Slow and fast weights start alike."""
    return LookaheadState(jnp.zeros((), jnp.int32), params, zeros(params))


def lookahead_update(
    grads: Params, state: LookaheadState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, LookaheadState]:
    r"""Momentum runs ahead for k steps, then slow weights go part of the way after it, and both go on from there.

    $v_t = \rho v_{t-1} + g_t, \qquad \theta_t = \theta_{t-1} - \alpha_t v_t$, and every k steps
    $\phi \leftarrow \phi + s\,(\theta_t - \phi), \qquad \theta_t &\leftarrow \phi$

    The path is that of the fast weights θ, the result the slow weights φ. The velocity is kept when the two meet, as
    optax does by default. The paper lets any rule run ahead; here it is SGD with momentum.

    Reference: Zhang et al. (2019), Lookahead Optimizer: k steps forward, 1 step back.
    """
    count = state.count + 1
    velocity = tree.map(lambda v, g: hyper.momentum * v + g, state.velocity, grads)
    fast = tree.map(lambda p, v: p - hyper.learning_rate * v, params, velocity)
    meet = count % jnp.asarray(hyper.period, jnp.int32) == 0
    part = tree.map(lambda slow, fast: slow + hyper.slow_step * (fast - slow), state.slow, fast)
    slow = choose(meet, part, state.slow)
    back = tree.map(jnp.subtract, part, params)
    onward = tree.map(lambda v: -hyper.learning_rate * v, velocity)
    return choose(meet, back, onward), LookaheadState(count, slow, velocity)


def report_slow(state: LookaheadState, params: Params) -> Params:
    """φ."""
    return state.slow


class MeanState(NamedTuple):
    """The mean of the path."""

    count: Any  # t, () int32
    mean: Params  # same pytree as params


def polyak_average_init(params: Params) -> MeanState:
    """The start, until the first step."""
    return MeanState(jnp.zeros((), jnp.int32), params)


def polyak_average_update(
    grads: Params, state: MeanState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, MeanState]:
    r"""SGD, of whose path the mean is the result.

    $\Delta\theta_t = -\alpha_t g_t, \qquad \bar\theta_t = \frac{1}{t - b} \sum_{i=b+1}^{t} \theta_i$

    Noise that shakes θ cancels in the mean. For the first b steps the mean is θ itself; the start never counts.

    References: Ruppert (1988), Efficient estimations from a slowly convergent Robbins–Monro process; Polyak &
    Juditsky (1992), Acceleration of stochastic approximation by averaging.
    """
    updates = tree.map(lambda g: -hyper.learning_rate * g, grads)
    count = state.count + 1
    share = 1 / jnp.maximum(count - hyper.burn_in, 1)
    moved = tree.map(jnp.add, params, updates)
    mean = tree.map(lambda m, p: m + share.astype(m.dtype) * (p - m), state.mean, moved)
    return updates, MeanState(count, mean)


def polyak_average_terms(state: MeanState, hyper: Any, grads: Params) -> Terms:
    """M_t = g_t, G_t = 1: the mean does not move the path."""
    return Terms()


def report_mean(state: MeanState, params: Params) -> Params:
    """θ̄."""
    return state.mean


_BETWEEN = knobs.b1(
    0.9, help=_("Where the gradient is taken: 0 is at the fast point, 1 at the average that is the result.")
)

SCHEDULE_FREE_SGD = Optimizer(
    id="schedule_free_sgd",
    look=38,
    name=_("Schedule-free SGD"),
    year=2024,
    parent="polyak_average",
    adds=_("gradients taken between the path and its average"),
    reference="Defazio et al. (2024), The Road Less Scheduled",
    summary=_("SGD that reports the average of its path, and takes gradients close to it: no schedule is needed."),
    hypers=(
        knobs.learning_rate(
            0.01, low=1e-7, help=_("The step of the fast point is α times the gradient; the path follows more slowly.")
        ),
        _BETWEEN,
    ),
    equations=r"""\begin{aligned}
z_t &= z_{t-1} - \alpha_t\, \nabla L(y_{t-1}) \\
x_t &= (1 - c_t)\, x_{t-1} + c_t\, z_t \\
c_t &= 1/t \\
y_t &= \beta_1 x_t + (1-\beta_1)\, z_t
\end{aligned}""",
    init=schedule_free_init,
    update=schedule_free_sgd_update,
    report=report_average,
)

SCHEDULE_FREE_ADAMW = Optimizer(
    id="schedule_free_adamw",
    look=39,
    name=_("Schedule-free AdamW"),
    year=2024,
    parent="schedule_free_sgd",
    adds=_("AdamW's scale and decay"),
    reference="Defazio et al. (2024), The Road Less Scheduled",
    summary=_("AdamW that reports the average of its path, which takes the place of momentum and of a schedule."),
    hypers=(
        knobs.learning_rate(2.5e-3, low=1e-5, help=_("Each coordinate of the fast point moves about α a step.")),
        _BETWEEN,
        knobs.b2(),
        knobs.eps(1e-8),
        knobs.weight_decay(0.0),
    ),
    equations=r"""\begin{aligned}
g_t &= \nabla L(y_{t-1}) \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
z_t &= z_{t-1} - \alpha_t \Bigl(\frac{g_t}{\sqrt{\hat v_t} + \varepsilon} + \lambda\, y_{t-1}\Bigr) \\
x_t &= (1 - c_t)\, x_{t-1} + c_t\, z_t \\
c_t &= 1/t \\
y_t &= \beta_1 x_t + (1-\beta_1)\, z_t
\end{aligned}""",
    init=schedule_free_init,
    update=schedule_free_adamw_update,
    report=report_average,
)

LOOKAHEAD = Optimizer(
    id="lookahead",
    look=40,
    name=_("Lookahead"),
    year=2019,
    parent="momentum",
    adds=_("slow weights that follow every few steps"),
    reference="Zhang et al. (2019), Lookahead Optimizer: k steps forward, 1 step back",
    summary=_("Momentum explores for a few steps, then both it and the slow weights meet part of the way back."),
    hypers=(
        knobs.learning_rate(0.01, low=1e-7, help=_("Of the fast weights: their step is α times their velocity.")),
        knobs.momentum(),
        Hyper(
            name="period",
            symbol="k",
            label=_("Period"),
            help=_("How many steps the fast weights take before the slow ones follow."),
            default=5,
            low=1,
            high=50,
            scale="integer",
        ),
        Hyper(
            name="slow_step",
            symbol="s",
            label=_("Slow step"),
            help=_("How much of the way to the fast weights the slow ones go."),
            default=0.5,
        ),
    ),
    equations=r"""\begin{aligned}
v_t &= \rho\, v_{t-1} + g_t \\
\theta_t &= \theta_{t-1} - \alpha_t\, v_t \\
\text{every } k \text{ steps:} \quad
\phi &\leftarrow \phi + s\, (\theta_t - \phi) \\
\theta_t &\leftarrow \phi
\end{aligned}""",
    init=lookahead_init,
    update=lookahead_update,
    report=report_slow,
)

POLYAK_AVERAGE = Optimizer(
    id="polyak_average",
    look=41,
    name=_("Polyak averaging"),
    year=1992,
    parent="sgd",
    adds=_("the mean of the path as the result"),
    reference="Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging",
    summary=_("SGD that reports the mean of its path, in which noise cancels."),
    hypers=(
        knobs.learning_rate(0.01, low=1e-7, help=_("The step of the path is α times the gradient.")),
        Hyper(
            name="burn_in",
            symbol="b",
            label=_("Burn-in"),
            help=_("How many steps pass before the mean begins, so that the way there does not count."),
            default=0,
            low=0,
            high=1000,
            scale="integer",
        ),
    ),
    equations=r"""\begin{aligned}
\Delta\theta_t &= -\alpha_t\, g_t \\
\bar\theta_t &= \frac{1}{t-b} \sum_{i=b+1}^{t} \theta_i
\end{aligned}""",
    init=polyak_average_init,
    update=polyak_average_update,
    terms=polyak_average_terms,
    report=report_mean,
)

MEMBERS = (SCHEDULE_FREE_SGD, SCHEDULE_FREE_ADAMW, LOOKAHEAD, POLYAK_AVERAGE)
