"""Rules that use curvature: from the Hessian, or from how the gradient changes along the path."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, tree
from jax.flatten_util import ravel_pytree

from descent.hyper import Hyper
from descent.optimizer import Cost, Optimizer, Params, Problem
from descent.text import _
from optimizers import knobs
from optimizers.gradient import NoState, init_nothing
from optimizers.line_search import TRIALS, backtrack
from optimizers.moments import average, debias, scaled, zeros
from optimizers.symmetric import eigh, negligible
from optimizers.vectors import add_scaled, choose, dot, norm_squared, signs_like

FAMILY = _("Curvature")


def newton_update(
    grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NoState]:
    r"""A step to where the gradient of the quadratic model vanishes: its minimum, its saddle or its maximum.

    $\Delta\theta_t = -\alpha_t (H_t + \delta I)^{-1} g_t$

    With α = 1 and δ = 0 one step solves a quadratic, and near a critical point of any kind the error is squared at
    each step. In directions without curvature (the null space of H) it stays where it is: the inverse is the
    pseudo-inverse. The damping δ, once larger than the steepest downward curvature, turns every step downhill.
    Evaluates a dense Hessian, n Hessian-vector products for n parameters.

    Newton (1669) and Raphson (1690) found roots of polynomials so; Simpson found where slopes vanish, and solved
    systems.

    References: Simpson (1740), Essays on Several Curious and Useful Subjects; Nocedal & Wright (2006), Numerical
    Optimization, chapter 3.
    """
    return _eigen_step(grads, params, hyper, problem, lambda values: values + hyper.damping), state


def saddle_free_newton_update(
    grads: Params, state: NoState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, NoState]:
    r"""Newton's step with every curvature made positive, so that saddles repel instead of attract.

    $\Delta\theta_t = -\alpha_t (|H_t| + \delta I)^{-1} g_t$, where $|H|$ has the eigenvectors of H and the absolute
    values of its eigenvalues

    Where H is positive definite this is Newton's step. In directions without curvature it stays where it is. The
    paper finds the step in a Krylov subspace; here the eigenvectors are exact.

    Reference: Dauphin et al. (2014), Identifying and attacking the saddle point problem in high-dimensional
    non-convex optimization.
    """
    return _eigen_step(grads, params, hyper, problem, lambda values: jnp.abs(values) + hyper.damping), state


def _eigen_step(grads: Params, params: Params, hyper: Any, problem: Problem, curvature: Any) -> Params:
    """−α times the gradient, divided by ``curvature`` of the eigenvalue along each eigenvector of the Hessian."""
    g, unravel = ravel_pytree(grads)
    values, vectors = eigh(problem.hessian(params))
    divisors = curvature(values).astype(g.dtype)
    nothing = negligible(divisors)
    along = jnp.where(nothing, 0, (vectors.T @ g) / jnp.where(nothing, 1, divisors))
    return unravel(-hyper.learning_rate * (vectors @ along))


class BFGSState(NamedTuple):
    """The inverse Hessian as estimated from how the gradient changed."""

    count: Any  # t, () int32
    pairs: Any  # () int32, how many changes of the gradient the estimate is made of
    inverse: Any  # (n, n)
    params: Any  # (n,) those of the last step
    grads: Any  # (n,)
    trials: Any  # () int32, of the last line search


def bfgs_init(params: Params) -> BFGSState:
    """The identity."""
    flat, zero = ravel_pytree(params)[0], jnp.zeros((), jnp.int32)
    return BFGSState(zero, zero, jnp.eye(flat.size, dtype=flat.dtype), jnp.zeros_like(flat), jnp.zeros_like(flat), zero)


def bfgs_update(
    grads: Params, state: BFGSState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, BFGSState]:
    r"""Newton's step with an inverse Hessian that is learnt from changes of the gradient.

    With $s = \theta_t - \theta_{t-1}$ and $y = g_t - g_{t-1}$,
    $B_t = \left(I - \frac{s y^\top}{y^\top s}\right) B_{t-1} \left(I - \frac{y s^\top}{y^\top s}\right)
    + \frac{s s^\top}{y^\top s}, \qquad \Delta\theta_t = -\alpha_t 2^{-k} B_t g_t$,

    with the first k = 0, 1, 2, ... that lets the loss fall enough (Armijo's condition, c = 1e−4). A pair with
    $y^\top s \le 0$, which that condition allows, is left out, so that B stays positive definite. Before the first
    pair, B is scaled to $y^\top s / y^\top y$, and the first step is at most 1 long. Where a search fails, B starts
    anew.

    Reference: Nocedal & Wright (2006), Numerical Optimization, chapter 6 (Broyden, Fletcher, Goldfarb, Shanno, 1970).
    """
    (x, unravel), (g, _tree) = ravel_pytree(params), ravel_pytree(grads)
    s, y = x - state.params, g - state.grads
    sy, usable = _pair(s, y, state.count)
    start = jnp.where(state.pairs == 0, sy / jnp.where(usable, y @ y, 1), 1) * state.inverse
    ratio = jnp.outer(s, y) / jnp.where(usable, sy, 1)
    shear = jnp.eye(x.size, dtype=x.dtype) - ratio
    learnt = shear @ start @ shear.T + jnp.outer(s, s) / jnp.where(usable, sy, 1)
    inverse = jnp.where(usable, learnt, state.inverse)
    updates, size, trials = _search(-(inverse @ g), g, state.count, unravel, params, hyper, problem)
    pairs = jnp.where(size == 0, 0, state.pairs + usable)
    inverse = jnp.where(size == 0, jnp.eye(x.size, dtype=x.dtype), inverse)
    return updates, BFGSState(state.count + 1, pairs.astype(jnp.int32), inverse, x, g, trials)


def _pair(s: jax.Array, y: jax.Array, count: Any) -> tuple[jax.Array, jax.Array]:
    """y·s, and whether it may be divided by."""
    sy = s @ y
    return sy, (count > 0) & (sy > jnp.finfo(s.dtype).eps * (y @ y))


def _search(
    direction: jax.Array, g: jax.Array, count: Any, unravel: Any, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, jax.Array, jax.Array]:
    """The step along ``direction``, or down the slope if that leads up: with its size and the number of trials."""
    direction = jnp.where(g @ direction >= 0, -g, direction)
    unit = jnp.where(count == 0, jnp.minimum(1, 1 / jnp.sqrt(g @ g)), 1)
    tangent = unravel(direction * unit)
    size, trials = backtrack(problem, params, tangent, unit * (g @ direction), hyper.learning_rate)
    return scaled(size, tangent), size, trials


def searched(state: Any) -> Cost:
    """The gradient, and the loss there and at each trial."""
    return Cost(1, 1 + state.trials, 0)


MEMORY = 10  # pairs that fit the state


class LBFGSState(NamedTuple):
    """The last changes of params and gradient, newest first."""

    count: Any  # t, () int32
    s: Any  # (10, n) changes of params
    y: Any  # (10, n) changes of the gradient
    weights: Any  # (10,) 1/(y·s), 0 for empty places
    params: Any  # (n,) those of the last step
    grads: Any  # (n,)
    trials: Any  # () int32, of the last line search


def lbfgs_init(params: Params) -> LBFGSState:
    """An empty memory."""
    flat, zero = ravel_pytree(params)[0], jnp.zeros((), jnp.int32)
    pairs = jnp.zeros((MEMORY, flat.size), flat.dtype)
    return LBFGSState(zero, pairs, pairs, pairs[:, 0], jnp.zeros_like(flat), jnp.zeros_like(flat), zero)


def lbfgs_update(
    grads: Params, state: LBFGSState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, LBFGSState]:
    r"""BFGS that remembers the last m changes instead of a matrix.

    $\Delta\theta_t = -\alpha_t 2^{-k} B_t g_t$, where $B_t$ is built from $y^\top s / y^\top y\; I$ by the last m pairs
    s, y in a recursion of two loops

    The scale is that of the newest pair. Line search, first step and what happens to unusable pairs are as for BFGS;
    this is ``optax.lbfgs`` with a backtracking line search, except that optax keeps pairs with $y^\top s < 0$.

    References: Nocedal (1980), Updating quasi-Newton matrices with limited storage; Liu & Nocedal (1989), On the
    limited memory BFGS method for large scale optimization.
    """
    (x, unravel), (g, _tree) = ravel_pytree(params), ravel_pytree(grads)
    s, y = x - state.params, g - state.grads
    sy, usable = _pair(s, y, state.count)
    newest = (s, y, 1 / jnp.where(usable, sy, 1))
    memory = tuple(
        jnp.where(usable, jnp.concatenate([new[None], old[:-1]]), old)
        for new, old in zip(newest, (state.s, state.y, state.weights), strict=True)
    )
    kept = (*memory[:2], jnp.where(jnp.arange(MEMORY) < hyper.memory, memory[2], 0))

    def newest_first(q: jax.Array, pair: Any) -> Any:
        s, y, weight = pair
        share = weight * (s @ q)
        return q - share * y, share

    def oldest_first(q: jax.Array, pair: Any) -> Any:
        (s, y, weight), share = pair
        return q + (share - weight * (y @ q)) * s, None

    q, shares = lax.scan(newest_first, g, kept)
    filled = kept[2][0] > 0
    scale = jnp.where(filled, 1 / jnp.where(filled, kept[2][0] * (kept[1][0] @ kept[1][0]), 1), 1)
    q, _none = lax.scan(oldest_first, scale * q, (kept, shares), reverse=True)
    updates, size, trials = _search(-q, g, state.count, unravel, params, hyper, problem)
    weights = jnp.where(size == 0, 0, memory[2])
    return updates, LBFGSState(state.count + 1, memory[0], memory[1], weights, x, g, trials)


class ConjugateState(NamedTuple):
    """The last direction and gradient."""

    count: Any  # t, () int32
    direction: Params  # same pytree as params
    grads: Params
    trials: Any  # () int32, of the last line search


def conjugate_gradient_init(params: Params) -> ConjugateState:
    """No direction yet."""
    zero = jnp.zeros((), jnp.int32)
    return ConjugateState(zero, zeros(params), zeros(params), zero)


def conjugate_gradient_update(
    grads: Params, state: ConjugateState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, ConjugateState]:
    r"""Steps along directions that do not undo each other: n of them solve a quadratic in n dimensions.

    $\beta_t = \max\!\left(0, \frac{g_t \cdot (g_t - g_{t-1})}{g_{t-1} \cdot g_{t-1}}\right), \qquad
    d_t = -g_t + \beta_t d_{t-1}, \qquad
    \Delta\theta_t = \alpha_t 2^{-k} \frac{|g_t \cdot d_t|}{|d_t^\top H_t d_t|}\, d_t$

    Polak and Ribière's β, which starts anew by itself where directions go stale. The length is that of the minimum of
    the quadratic model along d (one Hessian-vector product), where the curvature is negative that of its mirror
    image; it is halved until the loss falls enough (Armijo's condition, c = 1e−4).

    References: Hestenes & Stiefel (1952), Methods of conjugate gradients for solving linear systems; Polak & Ribière
    (1969); Nocedal & Wright (2006), Numerical Optimization, chapter 5.
    """
    before = norm_squared(state.grads)
    change = tree.map(jnp.subtract, grads, state.grads)
    beta = jnp.where(before == 0, 0, jnp.maximum(dot(grads, change), 0) / jnp.where(before == 0, 1, before))
    down = tree.map(jnp.negative, grads)
    direction = add_scaled(down, beta, state.direction)
    direction = choose(dot(grads, direction) >= 0, down, direction)
    slope = dot(grads, direction)
    curvature = jnp.abs(dot(direction, problem.hessian_vector_product(params, direction)))
    first = jnp.where(curvature == 0, 1, jnp.abs(slope) / jnp.where(curvature == 0, 1, curvature))
    size, trials = backtrack(problem, params, direction, slope, hyper.learning_rate * first)
    # After a search that failed, the slope is tried next.
    kept = scaled(jnp.where(size == 0, 0, 1), direction)
    return scaled(size, direction), ConjugateState(state.count + 1, kept, grads, trials)


def conjugate_gradient_evaluations(state: ConjugateState) -> Cost:
    """The gradient, the curvature along the direction, and the loss here and at each trial."""
    return Cost(1, 1 + state.trials, 1)


class SophiaState(NamedTuple):
    """Averages of the gradient and of the diagonal of the Hessian."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    h: Params  # average of estimates of the diagonal
    probed: Any  # () int32, 1 if the last step estimated the diagonal


def sophia_init(params: Params) -> SophiaState:
    """Both averages start from 0."""
    zero = jnp.zeros((), jnp.int32)
    return SophiaState(zero, zeros(params), zeros(params), zero)


def sophia_update(
    grads: Params, state: SophiaState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, SophiaState]:
    r"""Momentum divided by the Hessian's diagonal, where that is positive and the step stays short; else its sign.

    $\Delta\theta_t = -\alpha_t \operatorname{clip}\!\left(
    \frac{\hat m_t}{\max(\gamma h_{t-1}, \varepsilon)},\, \pm 1\right), \qquad
    h_t = \beta_2 h_{t-1} + (1-\beta_2)\, u \odot H u$ every k-th step, for random signs u

    The product with random signs is Hutchinson's estimate of the diagonal, right on average only: on a ravine that
    runs askew it is noisy. As in optax, h is averaged after the step that it is estimated in, from the first step on,
    and is not corrected for starting from 0, while m is. The threshold is 1, and there is no weight decay.

    Reference: Liu et al. (2023), Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training.
    """
    m = average(state.m, grads, hyper.b1)
    ratio = tree.map(
        lambda m, h: jnp.clip(m / jnp.maximum(hyper.gamma * h, hyper.eps), -1, 1),
        debias(m, hyper.b1, state.count + 1),
        state.h,
    )
    probe = state.count % jnp.asarray(hyper.interval, jnp.int32) == 0

    def estimate(h: Params) -> Params:
        assert problem.step_key is not None
        signs = signs_like(problem.step_key(), params)
        product = problem.hessian_vector_product(params, signs)
        return average(h, tree.map(jnp.multiply, signs, product), hyper.b2)

    h = lax.cond(probe, estimate, lambda h: h, state.h)
    updates = tree.map(lambda r: -hyper.learning_rate * r, ratio)
    return updates, SophiaState(state.count + 1, m, h, probe.astype(jnp.int32))


def sophia_evaluations(state: SophiaState) -> Cost:
    """The gradient, and in every k-th step one Hessian-vector product."""
    return Cost(1, 0, state.probed)


_STEP = knobs.learning_rate(
    1.0, low=1e-3, high=10.0, help=_("The part of the step to the model's minimum that is taken; 1 is all of it.")
)
_TRIED = knobs.learning_rate(
    1.0, low=1e-3, high=10.0, help=_("The part of the step that is tried first; it is halved until the loss falls.")
)


def _damping(help: str) -> Hyper:
    return Hyper("damping", r"\delta", _("Damping"), help, default=0.0, low=0.0, high=10.0)


NEWTON = Optimizer(
    id="newton",
    look=31,
    name=_("Newton"),
    year=1740,
    reference="Simpson (1740), Essays on Several Curious and Useful Subjects; Nocedal & Wright (2006), Numerical "
    "Optimization, chapter 3",
    summary=_("Jumps to where the quadratic model is level: to a minimum, but to a saddle just as well."),
    hypers=(
        _STEP,
        _damping(_("Added to every curvature. Above the steepest downward one, every step leads downhill.")),
    ),
    equations=r"\Delta\theta_t = -\alpha_t\, (H_t + \delta I)^{-1} g_t",
    init=init_nothing,
    update=newton_update,
    cost=Cost(gradients=1, hessian_vector_products=2),
)

SADDLE_FREE_NEWTON = Optimizer(
    id="saddle_free_newton",
    look=32,
    name=_("Saddle-free Newton"),
    year=2014,
    parent="newton",
    adds=_("absolute values of all curvatures, so that saddles repel"),
    reference="Dauphin et al. (2014), Identifying and attacking the saddle point problem in high-dimensional "
    "non-convex optimization",
    summary=_("Newton with every curvature made positive: it runs away from saddles as fast as it runs to minima."),
    hypers=(_STEP, _damping(_("Added to the size of every curvature. It shortens steps where the surface is flat."))),
    equations=r"""\Delta\theta_t = -\alpha_t\, (|H_t| + \delta I)^{-1} g_t, \qquad
|H| = V\, |\Lambda|\, V^\top""",
    init=init_nothing,
    update=saddle_free_newton_update,
    cost=Cost(gradients=1, hessian_vector_products=2),
)

BFGS = Optimizer(
    id="bfgs",
    look=33,
    name=_("BFGS"),
    year=1970,
    parent="newton",
    adds=_("an inverse Hessian learnt from changes of the gradient, and a line search"),
    reference="Broyden; Fletcher; Goldfarb; Shanno (1970), four papers; Nocedal & Wright (2006), Numerical "
    "Optimization, chapter 6",
    summary=_("Newton without a Hessian: it learns the curvature from how the gradient changes on the way."),
    hypers=(_TRIED,),
    equations=r"""\begin{aligned}
s &= \theta_{t-1} - \theta_{t-2} \\
y &= g_t - g_{t-1} \\
B_t &= \Bigl(I - \frac{s y^\top}{y^\top s}\Bigr) B_{t-1} \Bigl(I - \frac{y s^\top}{y^\top s}\Bigr)
+ \frac{s s^\top}{y^\top s} \\
\Delta\theta_t &= -\alpha_t\, 2^{-k} B_t\, g_t
\end{aligned}""",
    init=bfgs_init,
    update=bfgs_update,
    cost=Cost(gradients=1, values=1 + TRIALS),
    evaluations=searched,
)

LBFGS = Optimizer(
    id="lbfgs",
    look=34,
    name=_("L-BFGS"),
    year=1980,
    parent="bfgs",
    adds=_("the last few changes in place of a matrix"),
    reference="Nocedal (1980), Updating quasi-Newton matrices with limited storage; Liu & Nocedal (1989), On the "
    "limited memory BFGS method for large scale optimization",
    summary=_("BFGS that remembers its last few steps instead of a matrix, so it fits large models."),
    hypers=(
        _TRIED,
        Hyper(
            name="memory",
            symbol="m",
            label=_("Memory"),
            help=_("How many of the last steps the curvature is learnt from."),
            default=MEMORY,
            low=1,
            high=MEMORY,
            scale="integer",
        ),
    ),
    equations=r"""\begin{aligned}
s_i &= \theta_i - \theta_{i-1} \\
y_i &= g_{i+1} - g_i \quad (\text{the last } m) \\
\Delta\theta_t &= -\alpha_t\, 2^{-k} B_t(s, y)\, g_t
\end{aligned}""",
    init=lbfgs_init,
    update=lbfgs_update,
    cost=Cost(gradients=1, values=1 + TRIALS),
    evaluations=searched,
)

CONJUGATE_GRADIENT = Optimizer(
    id="conjugate_gradient",
    look=35,
    name=_("Conjugate gradient"),
    year=1952,
    parent="sgd",
    adds=_("directions that do not undo each other, and a line search"),
    reference="Hestenes & Stiefel (1952), Methods of conjugate gradients for solving linear systems; Polak & Ribière "
    "(1969), Note sur la convergence de méthodes de directions conjuguées",
    summary=_("Steps that do not undo each other: two of them reach the bottom of any quadratic bowl in the plane."),
    hypers=(_TRIED,),
    equations=r"""\begin{aligned}
\beta_t &= \max\!\Bigl(0, \frac{g_t \cdot (g_t - g_{t-1})}{g_{t-1} \cdot g_{t-1}}\Bigr) \\
d_t &= -g_t + \beta_t\, d_{t-1} \\
\Delta\theta_t &= \alpha_t\, 2^{-k}\, \frac{|g_t \cdot d_t|}{|d_t^\top H_t\, d_t|}\, d_t
\end{aligned}""",
    init=conjugate_gradient_init,
    update=conjugate_gradient_update,
    cost=Cost(gradients=1, values=1 + TRIALS, hessian_vector_products=1),
    evaluations=conjugate_gradient_evaluations,
)

SOPHIA = Optimizer(
    id="sophia",
    look=36,
    name=_("Sophia"),
    year=2023,
    parent="adam",
    adds=_("the Hessian's diagonal in place of squared gradients, and a clip"),
    reference="Liu et al. (2023), Sophia: A Scalable Stochastic Second-order Optimizer for Language Model Pre-training",
    summary=_("Momentum divided by a cheap guess of the curvature, never longer than the learning rate."),
    hypers=(
        knobs.learning_rate(1e-2, low=1e-5, help=_("No coordinate moves more than α a step.")),
        knobs.b1(0.965),
        knobs.b2(0.99, help=_("How much of the past the average of curvatures keeps.")),
        Hyper(
            name="gamma",
            symbol=r"\gamma",
            label=_("Curvature weight"),
            help=_("What the curvature is multiplied by: the larger, the shorter the steps and the fewer are clipped."),
            default=0.01,
            low=1e-3,
            high=1.0,
            scale="log",
        ),
        Hyper(
            name="interval",
            symbol="k",
            label=_("Interval"),
            help=_("The curvature is measured at every k-th step."),
            default=10,
            low=1,
            high=100,
            scale="integer",
        ),
        knobs.eps(1e-8, help=_("The least that momentum is divided by: it counts where the surface curves downward.")),
    ),
    equations=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
\Delta\theta_t &= -\alpha_t \operatorname{clip}\!\Bigl(
\frac{\hat m_t}{\max(\gamma\, h_{t-1}, \varepsilon)}, \pm 1\Bigr) \\
h_t &= \beta_2 h_{t-1} + (1-\beta_2)\; u \odot H_t u, \quad u_i = \pm 1 \\
&\quad\; (\text{every } k \text{ steps})
\end{aligned}""",
    init=sophia_init,
    update=sophia_update,
    cost=Cost(gradients=1, hessian_vector_products=1),
    evaluations=sophia_evaluations,
)

MEMBERS = (NEWTON, SADDLE_FREE_NEWTON, BFGS, LBFGS, CONJUGATE_GRADIENT, SOPHIA)
