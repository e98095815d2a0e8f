"""Rules that see a weight matrix as a matrix: its rows and columns, singular values and eigenvectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, tree

from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem, Terms
from descent.text import _
from optimizers import knobs
from optimizers.moments import average, average_of_squares, debias, scaled, zeros
from optimizers.symmetric import eigh

FAMILY = _("Matrix")


class MuonState(NamedTuple):
    """The momentum, and the second moment of what is no matrix."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    v: Params  # average of g²; of a matrix: ()


def muon_init(params: Params) -> MuonState:
    """Both moments start from 0."""
    v = tree.map(lambda p: jnp.zeros((), p.dtype) if p.ndim == 2 else jnp.zeros_like(p), params)
    return MuonState(jnp.zeros((), jnp.int32), zeros(params), v)


NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalized(matrix: jax.Array, eps: Any) -> jax.Array:
    """``matrix`` with its singular values moved to about 1 (0.7 to 1.2), by five Newton–Schulz iterations.

    $X \\leftarrow aX + b\\,(XX^\\top)X + c\\,(XX^\\top)^2X$, from the matrix over its Frobenius norm (plus eps).
    """
    a, b, c = NEWTON_SCHULZ
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (jnp.sqrt(jnp.sum(x**2)) + eps)
    for _step in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.T


def muon_update(
    grads: Params, state: MuonState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, MuonState]:
    r"""A step that is as long in every direction that a matrix acts in: the momentum with its singular values made 1.

    $m_t = \rho m_{t-1} + (1-\rho) g_t, \qquad
    \bar m_t = \frac{\rho\, m_t}{1-\rho^{t+1}} + \frac{(1-\rho)\, g_t}{1-\rho^t}, \qquad
    \Delta\theta_t = -\alpha_t \sqrt{\max(1, m/n)}\; U V^\top$ of $\bar m_t = U \Sigma V^\top$ with n rows and m columns

    That is for matrices. Whatever is no matrix moves by NAdam with β₁ = ρ; so **on a point in the plane Muon is
    exactly NAdam**: that of optax, ours with its momentum warm-up ψ out of the way. This is
    ``optax.contrib.muon``, which has a β₁ of its own for the rest; torch's corrects no bias and takes matrices only.
    $UV^\top$ is approximate, five Newton–Schulz iterations; rows are inputs and columns outputs, as in JAX. There is no
    weight decay.

    Reference: Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks.
    """
    v = tree.map(lambda v, g: v if g.ndim == 2 else hyper.b2 * v + (1 - hyper.b2) * g**2, state.v, grads)
    state = MuonState(state.count + 1, average(state.m, grads, hyper.momentum), v)
    terms = muon_terms(state, hyper, grads)
    updates = tree.map(
        lambda m, s: -hyper.learning_rate * (m if m.ndim == 2 else m / (jnp.sqrt(s) + hyper.eps)),
        terms.direction,
        terms.scale,
    )
    return updates, state


def muon_terms(state: MuonState, hyper: Any, grads: Params) -> Terms:
    """Of a matrix M_t is the whole step and G_t = 1; else they are NAdam's look-ahead average and v̂_t."""
    rho = hyper.momentum
    fresh = scaled((1 - rho) / (1 - rho**state.count), grads)
    ahead = tree.map(jnp.add, scaled(rho / (1 - rho ** (state.count + 1)), state.m), fresh)

    def direction(m: jax.Array) -> jax.Array:
        if m.ndim != 2:
            return m
        rows, columns = m.shape
        return max(1.0, columns / rows) ** 0.5 * orthogonalized(m, hyper.eps)

    v = debias(state.v, hyper.b2, state.count)
    return Terms(tree.map(direction, ahead), tree.map(lambda m, v: jnp.ones_like(m) if m.ndim == 2 else v, ahead, v))


def _sides(array: jax.Array) -> jax.Array:
    """A number as a vector of one, anything else as it is."""
    return array[None] if array.ndim == 0 else array


def _products(array: jax.Array) -> tuple[jax.Array, ...]:
    """For each side of an array its products with itself over all others: of a matrix GGᵀ and GᵀG, of a vector ggᵀ."""
    array = _sides(array)
    rest = [[k for k in range(array.ndim) if k != side] for side in range(array.ndim)]
    return tuple(jnp.tensordot(array, array, (others, others)) for others in rest)


def _transform(array: jax.Array, matrices: tuple[jax.Array, ...]) -> jax.Array:
    """Multiply each side of an array by its matrix: of a matrix, A·G·Bᵀ."""
    result = _sides(array)
    for side, matrix in enumerate(matrices):
        result = jnp.moveaxis(jnp.tensordot(matrix, result, (1, side)), 0, side)
    return result.reshape(array.shape)


class ShampooState(NamedTuple):
    """For each array, in `tree.leaves`' order, the sums of its gradients' products: one matrix a side."""

    factors: tuple[tuple[Any, ...], ...]


def shampoo_init(params: Params) -> ShampooState:
    """Empty sums."""
    return ShampooState(tuple(tuple(0 * f for f in _products(jnp.zeros_like(p))) for p in tree.leaves(params)))


def shampoo_update(
    grads: Params, state: ShampooState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, ShampooState]:
    r"""AdaGrad for matrices: rows and columns are scaled, and turned, by what their gradients have been so far.

    $L_t = L_{t-1} + G_t G_t^\top \\
R_t &= R_{t-1} + G_t^\top G_t, \qquad
    \Delta\theta_t = -\alpha_t\, L_t^{-1/4} G_t R_t^{-1/4}$, both from $\varepsilon I$

    With k sides the exponent is −1/(2k). A vector has one side: so **on a point in the plane Shampoo is AdaGrad with
    its full matrix**, $-\alpha_t (\varepsilon I + \sum g g^\top)^{-1/2} g$, which AdaGrad approximates by the diagonal.
    It does not depend on the choice of axes, as AdaGrad does. A side of n entries costs n² numbers and an eigenvalue
    problem in each step, which is exact here.

    Reference: Gupta, Koren & Singer (2018), Shampoo: Preconditioned Stochastic Tensor Optimization.
    """
    leaves, structure = tree.flatten(grads)
    factors = tuple(
        tuple(old + new for old, new in zip(sums, _products(g), strict=True))
        for g, sums in zip(leaves, state.factors, strict=True)
    )

    def power(factor: jax.Array, exponent: float) -> jax.Array:
        values, vectors = eigh(factor + hyper.eps * jnp.eye(len(factor), dtype=factor.dtype))
        # Rounding must not take an eigenvalue below the ε that it has at least.
        return (vectors * jnp.maximum(values, hyper.eps) ** exponent) @ vectors.T

    steps = [
        -hyper.learning_rate * _transform(g, tuple(power(f, -0.5 / len(sums)) for f in sums))
        for g, sums in zip(leaves, factors, strict=True)
    ]
    return structure.unflatten(steps), ShampooState(factors)


class SoapState(NamedTuple):
    """Adam's moments, the second in a turned basis; and for each array, in `tree.leaves`' order, that basis."""

    count: Any  # t, () int32
    m: Params  # average of g, same pytree as params
    v: Params  # average of the squares of g in the basis
    factors: tuple[tuple[Any, ...], ...]  # averages of products, a matrix a side
    bases: tuple[tuple[Any, ...], ...]  # their eigenvectors, a column each


def soap_init(params: Params) -> SoapState:
    """Empty averages; the first gradient sets the basis."""
    factors = shampoo_init(params).factors
    bases = tuple(tuple(jnp.eye(len(f), dtype=f.dtype) for f in sums) for sums in factors)
    return SoapState(jnp.zeros((), jnp.int32), zeros(params), zeros(params), factors, bases)


def soap_update(
    grads: Params, state: SoapState, params: Params, hyper: Any, problem: Problem
) -> tuple[Params, SoapState]:
    r"""Adam in the eigenvectors of Shampoo's matrices, along which rows and columns have varied independently.

    $L_t = \beta_2 L_{t-1} + (1-\beta_2) G_t G_t^\top$ with eigenvectors $Q_L$, likewise R with $Q_R$,
    $G' = Q_L^\top G_t Q_R, \qquad M' = Q_L^\top M_t Q_R, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2) G'^2$,
    $\Delta\theta_t = -\alpha_t\, Q_L \frac{\hat M'}{\sqrt{\hat v_t} + \varepsilon} Q_R^\top$

    The basis is that of the first gradient, and from there every k-th step takes it a power iteration further
    (Q ← QR of LQ), after that step's update. As in the authors' code the axes stand in the order of their eigenvalues,
    largest first, and v is put in that order with them, so that each entry stays with its axis. The authors skip the
    first step; here it is taken, in that first basis. A vector has one side: so **on a point in the plane SOAP is Adam
    in the eigenvectors of the average of ggᵀ**, which are the axes of the valley. (The authors by default leave vectors
    to plain Adam.)

    Reference: Vyas et al. (2024), SOAP: Improving and Stabilizing Shampoo using Adam.
    """
    count = state.count + 1
    leaves, structure = tree.flatten(grads)
    factors = tuple(
        tuple(hyper.b2 * old + (1 - hyper.b2) * new for old, new in zip(sums, _products(g), strict=True))
        for g, sums in zip(leaves, state.factors, strict=True)
    )
    bases = lax.cond(state.count == 0, lambda: tree.map(lambda f: eigh(f)[1][:, ::-1], factors), lambda: state.bases)
    back = tree.map(jnp.transpose, bases)
    m = average(state.m, grads, hyper.b1)
    turned = structure.unflatten([_transform(g, q) for g, q in zip(leaves, back, strict=True)])
    v = average_of_squares(state.v, turned, hyper.b2)
    moments = zip(
        tree.leaves(debias(m, hyper.b1, count)), tree.leaves(debias(v, hyper.b2, count)), bases, back, strict=True
    )
    steps = [
        -hyper.learning_rate * _transform(_transform(m, to) / (jnp.sqrt(v) + hyper.eps), fro)
        for m, v, fro, to in moments
    ]
    squares = tuple(tree.leaves(v))
    turn = count % jnp.asarray(hyper.interval, jnp.int32) == 0
    squares, bases = lax.cond(turn, lambda: _power_iteration(squares, factors, bases), lambda: (squares, bases))
    return structure.unflatten(steps), SoapState(count, m, structure.unflatten(squares), factors, bases)


def _power_iteration(squares: tuple, factors: tuple, bases: tuple) -> tuple[tuple, tuple]:
    """For each array the axes after one power iteration, largest eigenvalue first, and v in their order."""
    turned, ordered = [], []
    for v, sums, axes in zip(squares, factors, bases, strict=True):
        grown = [f @ q for f, q in zip(sums, axes, strict=True)]
        orders = [jnp.argsort(-jnp.sum(q * g, 0)) for q, g in zip(axes, grown, strict=True)]
        turned.append(tuple(jnp.linalg.qr(g[:, order])[0] for g, order in zip(grown, orders, strict=True)))
        ordered.append(_sides(v)[jnp.ix_(*orders)].reshape(v.shape))
    return tuple(ordered), tuple(turned)


MUON = Optimizer(
    id="muon",
    look=44,
    name=_("Muon"),
    year=2024,
    parent="momentum",
    adds=_("Nesterov's look-ahead, and steps made orthogonal for each matrix"),
    reference="Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks",
    summary=_("Momentum made orthogonal, so that a matrix moves alike in all directions. On a point it is NAdam."),
    hypers=(
        knobs.learning_rate(2e-3, low=1e-5, help=_("A matrix moves by α in each of its singular directions.")),
        knobs.momentum(0.95, help=_("How much of the past the average of gradients keeps: about 1/(1 − ρ) steps.")),
        knobs.b2(help=_("Used for vectors only: how much of the past their average of squared gradients keeps.")),
        knobs.eps(1e-8),
    ),
    equations=r"""\begin{aligned}
m_t &= \rho\, m_{t-1} + (1-\rho)\, g_t \\
\bar m_t &= \frac{\rho\, m_t}{1-\rho^{t+1}} + \frac{(1-\rho)\, g_t}{1-\rho^t} = U \Sigma V^\top \\
\Delta\theta_t &= -\alpha_t\, U V^\top \quad (\text{matrix}) \\
\Delta\theta_t &= -\frac{\alpha_t}{\sqrt{\hat v_t} + \varepsilon}\, \bar m_t \quad (\text{vector})
\end{aligned}""",
    init=muon_init,
    update=muon_update,
    terms=muon_terms,
    on_vectors=_("exactly NAdam, without its momentum warm-up"),
    per_layer=True,
)

SHAMPOO = Optimizer(
    id="shampoo",
    look=45,
    name=_("Shampoo"),
    year=2018,
    parent="adagrad",
    adds=_("a matrix for each side of the gradient in place of a scale for each entry"),
    reference="Gupta, Koren & Singer (2018), Shampoo: Preconditioned Stochastic Tensor Optimization",
    summary=_("AdaGrad that also turns: it divides by a matrix. On a point it is AdaGrad with its full matrix."),
    hypers=(
        knobs.learning_rate(0.1, low=1e-5, help=_("The first step is α long, however steep the surface is.")),
        knobs.eps(1e-4, help=_("What the matrices start from, times the identity.")),
    ),
    equations=r"""\begin{aligned}
L_t &= L_{t-1} + G_t G_t^\top \\
R_t &= R_{t-1} + G_t^\top G_t \\
\Delta\theta_t &= -\alpha_t\, L_t^{-1/4}\, G_t\, R_t^{-1/4} \quad (\text{matrix}) \\
\Delta\theta_t &= -\alpha_t\, \Bigl(\varepsilon I + \sum_{i \le t} g_i g_i^\top\Bigr)^{-1/2} g_t \quad (\text{vector})
\end{aligned}""",
    init=shampoo_init,
    update=shampoo_update,
    on_vectors=_("AdaGrad with its full matrix"),
    per_layer=True,
)

SOAP = Optimizer(
    id="soap",
    look=46,
    name=_("SOAP"),
    year=2024,
    parent="shampoo",
    adds=_("Adam's averages, kept in Shampoo's axes"),
    reference="Vyas et al. (2024), SOAP: Improving and Stabilizing Shampoo using Adam",
    summary=_("Adam in Shampoo's axes: a valley that runs askew is straight to it. On a point they are those of ggᵀ."),
    hypers=(
        knobs.learning_rate(3e-3, low=1e-5, help=_("Along each of its axes it moves about α a step.")),
        knobs.b1(0.95),
        knobs.b2(0.95, help=_("How much of the past the averages of squares and of products of gradients keep.")),
        knobs.eps(1e-8),
        Hyper(
            name="interval",
            symbol="k",
            label=_("Interval"),
            help=_("The axes are turned at every k-th step."),
            default=10,
            low=1,
            high=100,
            scale="integer",
        ),
    ),
    equations=r"""\begin{aligned}
L_t &= \beta_2 L_{t-1} + (1-\beta_2)\, G_t G_t^\top \to Q_L \\
R_t &= \beta_2 R_{t-1} + (1-\beta_2)\, G_t^\top G_t \to Q_R \\
M' &= Q_L^\top \hat M_t\, Q_R \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, (Q_L^\top G_t\, Q_R)^2 \\
\Delta\theta_t &= -\alpha_t\, Q_L\, \frac{M'}{\sqrt{\hat v_t} + \varepsilon}\, Q_R^\top
\end{aligned}""",
    init=soap_init,
    update=soap_update,
    on_vectors=_("Adam in the eigenvectors of the average of ggᵀ"),
    per_layer=True,
)

MEMBERS = (MUON, SHAMPOO, SOAP)
