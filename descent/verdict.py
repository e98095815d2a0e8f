"""What an end point *is*, from the gradient and the Hessian there and from how the run arrived.

"Stopped" is never called "converged" unless it is a minimum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np

from descent.compilation import compiled_each
from descent.engine import Trajectory
from descent.hyper import fill
from descent.landscape import Landscape

Kind = Literal["minimum", "saddle", "maximum", "plateau", "cycling", "moving", "diverged"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Detail = Literal["", "global", "local", "flat", "outside"]

# All lengths are shares of the domain's diagonal.
NEAR = 2e-3  # this close to a critical point, by Newton's step, counts as being there
STILL = 2e-3  # a run whose last steps stay within this has settled
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


@compiled_each(1)
def _local(landscape: Landscape, points: jax.Array, knobs: jax.Array) -> Any:
    shape = {h.name: knobs[i] for i, h in enumerate(landscape.hypers)}

    def fn(point: jax.Array) -> jax.Array:
        return landscape.loss(point, **shape)

    def on_plane(point: jax.Array) -> jax.Array:
        return landscape.fn(point, **shape)

    (x0, x1), (y0, y1) = landscape.domain
    grid = jnp.stack(jnp.meshgrid(jnp.linspace(x0, x1, 24), jnp.linspace(y0, y1, 24)), -1).reshape(-1, 2)
    loss, gradient = jax.vmap(jax.value_and_grad(fn))(points)
    return loss, gradient, jax.vmap(jax.hessian(fn))(points), jnp.nanmin(jax.vmap(on_plane)(grid))


def local(landscape: Landscape, points: np.ndarray, shape: Mapping[str, object] | None = None) -> Local:
    """Loss, gradient and curvature at ``points`` (n, dimension), or (n, 2) in the plane, computed in float64.

    The number of points is padded to powers of two, from 16, so that few sizes are ever compiled.
    """
    numbers = fill(landscape.hypers, shape, landscape.id)
    points = _lifted(landscape, points, numbers)
    count = len(points)
    size = max(16, 1 << max(count - 1, 0).bit_length())
    padded = np.concatenate([points, np.zeros((size - count, landscape.dimension))])
    knobs = np.array(list(numbers.values()), np.float64)
    with jax.enable_x64(True):
        loss, gradient, hessian, lowest = (np.array(a) for a in _local(landscape, padded, knobs))
    loss, gradient, hessian = loss[:count], gradient[:count], hessian[:count]
    broken = ~np.isfinite(hessian.sum((-1, -2)))
    hessian[broken] = 0.0
    values, vectors = np.linalg.eigh(hessian)
    values[broken] = np.nan
    return Local(loss, gradient, values, vectors, lowest)


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
    numbers = fill(landscape.hypers, shape, landscape.id)
    points = _lifted(landscape, points, numbers)
    around = local(landscape, points, numbers)
    scale = diagonal(landscape)
    low, high = around.eigenvalues[:, 0], around.eigenvalues[:, -1]
    sharpest = np.maximum(np.abs(low), np.abs(high))
    zero = SINGULAR * sharpest
    newton = _newton(around)
    slope = _norm(around.gradient)
    critical = (_norm(newton) < NEAR * scale) | (slope == 0)
    # Where ripples are finer than that, Newton's step leads nowhere: the next one is hardly shorter.
    newton[~critical] = 0.0
    target = local(landscape, points + newton, numbers)
    critical &= _norm(_newton(target)) <= 0.6 * _norm(newton) + SINGULAR * scale

    minima = landscape.critical_points(**numbers).minima
    nearest, distance = _nearest(points, landscape.lift([m.point for m in minima], **numbers))
    kink = np.array([*(m.kink for m in minima), False])  # the last for "none"
    declared = landscape.minimum(**numbers)
    lowest = float(around.lowest) if declared is None else declared
    # On a flat floor the loss itself says whether this is the bottom.
    bottom = np.logical_and(around.loss - lowest <= 1e-6 * max(1.0, abs(lowest)), landscape.flat_minima)
    _, saddle_distance = _nearest(points, landscape.lift(landscape.critical_points(**numbers).saddles, **numbers))
    cusp = (distance < NEAR * scale) & kink[nearest]
    # A trough that bends, such as a ring, is level along itself (or no more curved than the slope that is left makes
    # it), but rises along its tangent.
    reach = 5 * NEAR * scale
    bent = critical & (high > zero) & ((np.abs(low) <= zero) | (np.abs(low) * reach <= slope))
    bent &= not landscape.flat_minima
    if bent.any():
        away = np.where(bent[:, None], reach * around.eigenvectors[:, :, 0], 0.0)
        both = np.minimum(*(local(landscape, points + newton + side * away, numbers).loss for side in (1, -1)))
        bent &= both > target.loss + 1e-9 * max(1.0, abs(lowest))

    at_minimum = (critical & (low > zero)) | bottom | cusp | bent
    at_minimum |= critical & (low >= -zero) & (distance < NEAR * scale)
    plateau = slope * scale / 10 < GENTLE * (around.loss - lowest)
    # On the slopes beside a curved floor, the Hessian is indefinite as well.
    indefinite = (low < -zero) & (high > zero) & (not landscape.flat_minima)
    at_saddle = critical & (indefinite | (saddle_distance < NEAR * scale)) & ~at_minimum
    # Where the Hessian vanishes too, a run comes near in sublinear time only, and Newton's step is long.
    at_saddle |= plateau & (saddle_distance < 5 * NEAR * scale)
    at_maximum = critical & (high < -zero) & ~at_saddle

    kinds = np.full(len(points), KINDS.index("moving"))
    for kind, holds in (
        ("plateau", plateau & still),
        ("cycling", cycling),
        ("maximum", at_maximum & still),
        ("saddle", at_saddle & still),
        ("minimum", at_minimum & still),
    ):
        kinds[holds] = KINDS.index(kind)
    matches = (kinds == KINDS.index("minimum")) & ((distance < 5 * NEAR * scale) | bottom)
    return kinds, np.where(matches, nearest, -1), around


def _norm(vectors: np.ndarray) -> np.ndarray:
    """Euclidean norms (n,) of vectors (n, d), also of huge ones."""
    return np.hypot.reduce(vectors, axis=-1)


def _newton(around: Local) -> np.ndarray:
    """Newton's step (n, d), along the directions that curve: how far a critical point is. Infinite if it is no use."""
    along = np.einsum("nji,nj->ni", around.eigenvectors, around.gradient)
    curved = np.abs(around.eigenvalues) > SINGULAR * np.abs(around.eigenvalues).max(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(curved, -along / around.eigenvalues, np.where(np.abs(along) > 1e-9, np.inf, 0.0))
    useless = ~np.isfinite(step).all(-1)
    step[useless] = 0.0
    step = np.einsum("nij,nj->ni", around.eigenvectors, step)
    step[useless] = np.inf
    return step


def _nearest(points: np.ndarray, to: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of and distance to the nearest of ``to`` (m, d), for each point (n, d); −1 and infinity without any."""
    if not len(to):
        return np.full(len(points), -1), np.full(len(points), np.inf)
    distances = np.linalg.norm(points[:, None] - to[None], axis=-1)
    return distances.argmin(-1), distances.min(-1)


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
        settled, circles = _arrival(path.astype(np.float64), scale)
        still.append(settled)
        cycling.append(circles)
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
                float(_norm(around.gradient[i])),
                (float(around.eigenvalues[i, 0]), float(around.eigenvalues[i, -1])),
                float(apart[i]),
            )
        )
    return verdicts


def _inside(landscape: Landscape, point: np.ndarray) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(point, landscape.domain, strict=True))


def _arrival(path: np.ndarray, scale: float) -> tuple[bool, bool]:
    """Has the run settled, and if not, does it circle? From its last fifth, 10 to 200 steps of it."""
    if len(path) < 2:
        return True, False
    window = path[-min(max(len(path) // 5, 10), 200, len(path)) :]
    if np.abs(window - window[-1]).max() < STILL * scale:
        return True, False
    half = len(window) // 2
    if half < 4:
        return False, False
    first, second = window[:half], window[half:]
    travelled = np.linalg.norm(np.diff(window, axis=0), axis=-1).sum()
    drift = np.linalg.norm(second.mean(0) - first.mean(0))
    sizes = [np.linalg.norm(part - part.mean(0), axis=-1).mean() for part in (first, second)]
    # Circling: much way, no drift, neither shrinking towards a centre nor growing.
    steady = 0.8 * sizes[0] < sizes[1] < 1.25 * sizes[0]
    return False, bool(drift < 0.05 * travelled and drift < 0.5 * sizes[1] and steady)


def off_slice(landscape: Landscape, trajectory: Trajectory, shape: Mapping[str, object] | None = None) -> np.ndarray:
    """How far (steps + 1,) a single run is from the plane that is drawn; 0 where that is all there is."""
    if landscape.slice is None:
        return np.zeros(len(trajectory.params))
    within = landscape.lift(trajectory.reported, **fill(landscape.hypers, shape, landscape.id))
    return _norm(trajectory.params - within)


def steps_to(trajectory: Trajectory, minimum: float | None, tolerance: float) -> int:
    """First step whose reported loss is within ``tolerance`` of ``minimum``; −1 if none is, or none is known."""
    if minimum is None:
        return -1
    with np.errstate(invalid="ignore"):
        reached = trajectory.reported_loss - minimum <= tolerance
    return int(reached.argmax()) if reached.any() else -1
