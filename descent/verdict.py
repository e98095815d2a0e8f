"""What an end point *is*, from the gradient and the Hessian there and from how the run arrived.

"Stopped" is never called "converged" unless it is a minimum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.arrival import arrival
from descent.compilation import compiled_each
from descent.engine import Trajectory, tiled
from descent.hyper import fill
from descent.landscape import Landscape

Kind = Literal["minimum", "saddle", "maximum", "plateau", "cycling", "moving", "diverged"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Detail = Literal["", "global", "local", "flat", "outside"]

# All lengths are shares of the domain's diagonal.
NEAR = 2e-3  # this close to a critical point, by Newton's step, counts as being there
SINGULAR = 1e-6  # an eigenvalue this small beside the other is zero
GENTLE = 0.03  # a plateau: walking a tenth of the diagonal down this slope gains less than this share of what is left


class Local(NamedTuple):
    """The landscape around points: arrays with a leading axis of points, in float64. d is `Landscape.dimension`."""

    loss: np.ndarray  # (n,)
    gradient: np.ndarray  # (n, d)
    eigenvalues: np.ndarray  # (n, d) of the Hessian, ascending
    eigenvectors: np.ndarray  # (n, d, d), a column each
    lowest: np.ndarray  # () the lowest loss on a grid over the domain


class Verdict(NamedTuple):
    """What became of one run. ``minimizer`` indexes `Landscape.critical_points(**shape).minima`, −1: none.

    All of it is about the point that the run reports, with all its parameters: where the plane is a slice through more,
    ``position`` is the nearest point in it and ``off_slice`` how far that is, else 0. Of the Hessian's eigenvalues
    these are the smallest and the largest.
    """

    kind: Kind
    detail: Detail
    minimizer: int
    diverged_at: int
    position: tuple[float, float]
    loss: float
    gradient_norm: float
    eigenvalues: tuple[float, float]
    off_slice: float


class _Sites(NamedTuple):
    """Where critical points are declared, padded with infinity so that few sizes are ever compiled."""

    minima: Any  # (m, d)
    kinks: Any  # (m,) bool
    saddles: Any  # (s, d)
    flat: Any  # () bool, `Landscape.flat_minima`


class Classified(NamedTuple):
    """What `classify` finds, of a tile of points; ``lowest`` is the same for all of them."""

    kind: Any  # (n,)
    minimizer: Any  # (n,)
    loss: Any  # (n,)
    gradient: Any  # (n, d)
    eigenvalues: Any  # (n, d)
    eigenvectors: Any  # (n, d, d)
    lowest: Any  # (n,)


def _loss(landscape: Landscape, knobs: jax.Array) -> Any:
    """The loss of all parameters, and that of a point of the plane."""
    shape = {h.name: knobs[i] for i, h in enumerate(landscape.hypers)}
    return (lambda point: landscape.loss(point, **shape)), (lambda point: landscape.fn(point, **shape))


def _lowest(landscape: Landscape, knobs: jax.Array) -> jax.Array:
    (x0, x1), (y0, y1) = landscape.domain
    grid = jnp.stack(jnp.meshgrid(jnp.linspace(x0, x1, 24), jnp.linspace(y0, y1, 24)), -1).reshape(-1, 2)
    return jnp.nanmin(jax.vmap(_loss(landscape, knobs)[1])(grid))


def _around(
    landscape: Landscape, points: jax.Array, knobs: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """`Local`, traced, but for the lowest loss."""
    fn = _loss(landscape, knobs)[0]
    loss, gradient = jax.vmap(jax.value_and_grad(fn))(points)
    hessian = jax.vmap(jax.hessian(fn))(points)
    broken = ~jnp.isfinite(hessian.sum((-1, -2)))
    values, vectors = _eigen(jnp.where(broken[:, None, None], 0.0, hessian))
    return loss, gradient, jnp.where(broken[:, None], jnp.nan, values), vectors


def _eigen(matrices: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues (n, d), ascending, and eigenvectors (n, d, d) of symmetric matrices; in closed form in the plane."""
    if matrices.shape[-1] != 2:
        return jnp.linalg.eigh(matrices)
    a, b, c = matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 0, 1]
    middle, half = a / 2 + b / 2, a / 2 - b / 2
    spread = jnp.hypot(half, c)
    # (x, y) belongs to the larger: the longer of its sides first, the shorter from their product c / 2 spread.
    safe = jnp.where(spread > 0, spread, 1.0)
    longer = jnp.sqrt((1 + jnp.where(spread > 0, jnp.abs(half) / safe, 1.0)) / 2)
    shorter = c / (2 * safe * longer)
    x, y = jnp.where(half >= 0, longer, shorter), jnp.where(half >= 0, shorter, longer)
    vectors = jnp.stack([jnp.stack([-y, x], -1), jnp.stack([x, y], -1)], -1)
    return jnp.stack([middle - spread, middle + spread], -1), vectors


@compiled_each(1)
def _local(landscape: Landscape, points: jax.Array, knobs: jax.Array) -> tuple[jax.Array, ...]:
    return *_around(landscape, points, knobs), _lowest(landscape, knobs)


def local(landscape: Landscape, points: np.ndarray, shape: Mapping[str, object] | None = None) -> Local:
    """Loss, gradient and curvature at ``points`` (n, dimension), or (n, 2) in the plane, computed in float64.

    The number of points is padded to powers of two, from 16, so that few sizes are ever compiled.
    """
    numbers = fill(landscape.hypers, shape, landscape.id)
    points = _lifted(landscape, points, numbers)
    count = len(points)
    padded = _padded(points, max(16, 1 << max(count - 1, 0).bit_length()), 0.0)
    with jax.enable_x64(True):
        found = _local(landscape, padded, np.array(list(numbers.values()), np.float64))
        loss, gradient, values, vectors, lowest = (np.array(part) for part in found)
    return Local(loss[:count], gradient[:count], values[:count], vectors[:count], lowest)


def _padded(rows: np.ndarray, size: int, value: float) -> np.ndarray:
    """Rows, and as many more of one ``value`` as ``size`` asks for."""
    return np.concatenate([rows, np.full((max(size - len(rows), 0), *rows.shape[1:]), value, rows.dtype)])


def _lifted(landscape: Landscape, points: np.ndarray, numbers: Mapping[str, float]) -> np.ndarray:
    """Points (n, 2) or (n, dimension) as (n, dimension)."""
    points = np.asarray(points, np.float64)
    whole = points.shape[-1] == landscape.dimension
    return points.reshape(-1, landscape.dimension) if whole else landscape.lift(points, **numbers)


def diagonal(landscape: Landscape) -> float:
    """Length of the domain's diagonal."""
    (x0, x1), (y0, y1) = landscape.domain
    return math.hypot(x1 - x0, y1 - y0)


def classify(
    landscape: Landscape,
    points: np.ndarray,
    still: np.ndarray,
    cycling: np.ndarray,
    shape: Mapping[str, object] | None = None,
) -> tuple[np.ndarray, np.ndarray, Local]:
    """Kinds (indices into `KINDS`) and minimizers of finite end points (n, dimension), or (n, 2) in the plane.

    ``still`` says which runs have settled, ``cycling`` which circle without progress.
    """
    points = _lifted(landscape, points, fill(landscape.hypers, shape, landscape.id))
    count = len(points)
    found = tiled(classifier(landscape, shape), *(_padded(rows, 16, 0) for rows in (points, still, cycling)))
    kind, minimizer, loss, gradient, values, vectors, lowest = (np.array(part[:count]) for part in found)
    return kind, minimizer, Local(loss, gradient, values, vectors, lowest.min(initial=np.inf))


def classifier(
    landscape: Landscape, shape: Mapping[str, object] | None
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], Classified]:
    """What `classify` does to a tile of points (n, dimension) in float64, where JAX has that enabled."""
    numbers = fill(landscape.hypers, shape, landscape.id)
    critical = landscape.critical_points(**numbers)
    minima = landscape.lift([m.point for m in critical.minima], **numbers)
    saddles = landscape.lift(critical.saddles, **numbers)
    sites = _sites(minima, [m.kink for m in critical.minima], saddles, landscape.flat_minima)
    knobs = np.array(list(numbers.values()), np.float64)
    declared = landscape.minimum(**numbers)
    least = np.array(np.nan if declared is None else declared)
    return lambda points, still, cycling: _classify(landscape, points, still, cycling, knobs, sites, least)


def _sites(minima: np.ndarray, kinks: Sequence[bool], saddles: np.ndarray, flat: bool) -> _Sites:
    # Room for at least 8: where a slider makes one well two, nothing is compiled anew.
    room, other = (max(8, 1 << len(points).bit_length()) for points in (minima, saddles))
    marks = _padded(np.array(kinks, bool), room, False)
    return _Sites(_padded(minima, room, np.inf), marks, _padded(saddles, other, np.inf), np.array(flat))


def prepare_to_judge(landscape: Landscape, shape: Mapping[str, object] | None = None) -> None:
    """Compile what `judge` takes of a landscape whose critical points are not known yet, and most likely few."""
    numbers = fill(landscape.hypers, shape, landscape.id)
    nowhere, no = np.zeros((16, landscape.dimension)), np.zeros(16, bool)
    knobs, sites = np.array(list(numbers.values()), np.float64), _sites(nowhere[:0], (), nowhere[:0], False)
    with jax.enable_x64(True):
        _classify(landscape, nowhere, no, no, knobs, sites, np.array(np.nan))


@compiled_each(1)
def _classify(
    landscape: Landscape,
    points: jax.Array,
    still: jax.Array,
    cycling: jax.Array,
    knobs: jax.Array,
    sites: _Sites,
    declared: jax.Array,
) -> Classified:
    scale = diagonal(landscape)

    def step(at: jax.Array, _: None) -> Any:
        """Newton's step from here, where it is short enough to mean something."""
        around = _around(landscape, at, knobs)
        newton = _newton(*around[1:])
        length = _norm(newton)
        near = (length < NEAR * scale) | (_norm(around[1]) == 0)
        newton = jnp.where(near[:, None], newton, 0.0)
        return at + newton, (at, *around, near, length)

    # In a loop, so that the curvature is compiled once.
    _, both = lax.scan(step, points, None, length=2)
    (_, target), (loss, below), (gradient, _), (values, _), (vectors, _), (critical, _), (length, rest) = both
    low, high = values[:, 0], values[:, -1]
    zero = SINGULAR * jnp.maximum(jnp.abs(low), jnp.abs(high))
    slope = _norm(gradient)
    # Where ripples are finer than that, Newton's step leads nowhere: the next one is hardly shorter.
    critical &= rest <= 0.6 * jnp.where(critical, length, 0.0) + SINGULAR * scale

    nearest, distance = _nearest(points, sites.minima)
    ground = _lowest(landscape, knobs)
    lowest = jnp.where(jnp.isnan(declared), ground, declared)
    size = jnp.maximum(1.0, jnp.abs(lowest))
    # On a flat floor the loss itself says whether this is the bottom.
    bottom = (loss - lowest <= 1e-6 * size) & sites.flat
    _, saddle_distance = _nearest(points, sites.saddles)
    cusp = (distance < NEAR * scale) & sites.kinks[nearest]
    # A trough that bends, such as a ring, is level along itself (or no more curved than the slope that is left makes
    # it), but rises along its tangent.
    reach = 5 * NEAR * scale
    bent = critical & (high > zero) & ((jnp.abs(low) <= zero) | (jnp.abs(low) * reach <= slope))
    bent &= ~sites.flat
    away = jnp.where(bent[:, None], reach * vectors[:, :, 0], 0.0)
    sides = jax.vmap(jax.vmap(_loss(landscape, knobs)[0]))(jnp.stack([target + away, target - away]))
    bent &= sides.min(0) > below + 1e-9 * size

    at_minimum = (critical & (low > zero)) | bottom | cusp | bent
    at_minimum |= critical & (low >= -zero) & (distance < NEAR * scale)
    plateau = slope * scale / 10 < GENTLE * (loss - lowest)
    # On the slopes beside a curved floor, the Hessian is indefinite as well.
    indefinite = (low < -zero) & (high > zero) & ~sites.flat
    at_saddle = critical & (indefinite | (saddle_distance < NEAR * scale)) & ~at_minimum
    # Where the Hessian vanishes too, a run comes near in sublinear time only, and Newton's step is long.
    at_saddle |= plateau & (saddle_distance < 5 * NEAR * scale)
    at_maximum = critical & (high < -zero) & ~at_saddle

    kinds = jnp.full(len(points), KINDS.index("moving"))
    for kind, holds in (
        ("plateau", plateau & still),
        ("cycling", cycling),
        ("maximum", at_maximum & still),
        ("saddle", at_saddle & still),
        ("minimum", at_minimum & still),
    ):
        kinds = jnp.where(holds, KINDS.index(kind), kinds)
    matches = (kinds == KINDS.index("minimum")) & jnp.isfinite(distance) & ((distance < 5 * NEAR * scale) | bottom)
    return Classified(
        kinds,
        jnp.where(matches, nearest, -1),
        loss,
        gradient,
        values,
        vectors,
        jnp.broadcast_to(ground, len(points)),
    )


def _norm(vectors: Any) -> Any:
    """Euclidean norms (n,) of vectors (n, d), also of huge ones."""
    return reduce(jnp.hypot, jnp.moveaxis(vectors, -1, 0))


def _newton(gradient: jax.Array, values: jax.Array, vectors: jax.Array) -> jax.Array:
    """Newton's step (n, d), along the directions that curve: how far a critical point is. Infinite if it is no use."""
    along = jnp.einsum("nji,nj->ni", vectors, gradient)
    curved = jnp.abs(values) > SINGULAR * jnp.abs(values).max(-1, keepdims=True)
    step = jnp.where(curved, -along / values, jnp.where(jnp.abs(along) > 1e-9, jnp.inf, 0.0))
    useless = ~jnp.isfinite(step).all(-1, keepdims=True)
    step = jnp.einsum("nij,nj->ni", vectors, jnp.where(useless, 0.0, step))
    return jnp.where(useless, jnp.inf, step)


def _nearest(points: jax.Array, to: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Index of and distance to the nearest of ``to`` (m, d), for each point (n, d); infinity without any."""
    squares = sum((points[:, None, i] - to[None, :, i]) ** 2 for i in range(points.shape[-1]))
    return jnp.argmin(squares, -1), jnp.sqrt(jnp.min(squares, -1))


def judge(
    landscape: Landscape, trajectories: Sequence[Trajectory], shape: Mapping[str, object] | None = None
) -> list[Verdict]:
    """What became of each of these single runs on one landscape, at the point that each reports.

    Of a run that diverged, position, loss and so on are those of its last finite step (NaN if it had none).
    """
    scale = diagonal(landscape)
    lasts, shown, apart, still, cycling = [], [], [], [], []
    for run in trajectories:
        path = run.params[: run.diverged_at] if run.diverged_at > 0 else run.params
        lasts.append(path[-1])
        shown.append(run.reported[len(path) - 1])
        apart.append(off_slice(landscape, run, shape)[len(path) - 1])
        arrived = arrival(path)
        still.append(arrived.still(scale))
        cycling.append(arrived.circling)
    points = np.array(lasts, np.float64).reshape(-1, landscape.dimension)
    positions = np.array(shown, np.float64).reshape(-1, 2)
    nowhere = np.isnan(points[:, 0])
    finite = np.where(nowhere[:, None], 0.0, points)
    kinds, minimizers, around = classify(landscape, finite, np.array(still, bool), np.array(cycling, bool), shape)
    for array in (around.loss, around.gradient, around.eigenvalues):
        array[nowhere] = np.nan
    numbers = fill(landscape.hypers, shape, landscape.id)
    minima, lowest = landscape.critical_points(**numbers).minima, landscape.minimum(**numbers)
    verdicts = []
    for i, run in enumerate(trajectories):
        kind, detail, minimizer = KINDS[kinds[i]], "", int(minimizers[i])
        if run.diverged_at >= 0:
            kind, minimizer = "diverged", -1
        elif kind == "minimum":
            low, high = around.eigenvalues[i, 0], around.eigenvalues[i, -1]
            best = lowest is not None and minimizer >= 0 and minima[minimizer].value - lowest <= 1e-9
            detail = "global" if best else "local"
            kink = minimizer >= 0 and minima[minimizer].kink
            if landscape.flat_minima or (low <= SINGULAR * abs(high) and not kink):
                detail = "flat"
        elif kind == "moving" and not _inside(landscape, positions[i]):
            detail = "outside"
        verdicts.append(
            Verdict(
                kind,
                detail,  # type: ignore[arg-type]
                minimizer,
                int(run.diverged_at),
                (float(positions[i, 0]), float(positions[i, 1])),
                float(around.loss[i]),
                float(np.hypot.reduce(around.gradient[i])),
                (float(around.eigenvalues[i, 0]), float(around.eigenvalues[i, -1])),
                float(apart[i]),
            )
        )
    return verdicts


def _inside(landscape: Landscape, point: np.ndarray) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(point, landscape.domain, strict=True))


def off_slice(landscape: Landscape, trajectory: Trajectory, shape: Mapping[str, object] | None = None) -> np.ndarray:
    """How far (steps + 1,) a single run is from the plane that is drawn; 0 where that is all there is."""
    if landscape.slice is None:
        return np.zeros(len(trajectory.params))
    within = landscape.lift(trajectory.reported, **fill(landscape.hypers, shape, landscape.id))
    return np.hypot.reduce(trajectory.params - within, axis=-1)


def steps_to(trajectory: Trajectory, minimum: float | None, tolerance: float) -> int:
    """First step whose reported loss is within ``tolerance`` of ``minimum``; −1 if none is, or none is known."""
    if minimum is None:
        return -1
    with np.errstate(invalid="ignore"):
        reached = trajectory.reported_loss - minimum <= tolerance
    return int(reached.argmax()) if reached.any() else -1
