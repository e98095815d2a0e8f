"""Where a surface is level, found numerically: minima, saddles and maxima within the domain, and minima on kinks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.compilation import compiled_each
from descent.hyper import fill
from descent.landscape import Landscape, Point

Kind = Literal["minimum", "saddle", "maximum"]

SIDE = 24  # Newton's method starts from the middles of SIDE × SIDE cells
GRID = 65  # points a side where kinks and the lowest value are looked for
NEWTON_STEPS = 60
KINKS = 16  # of so many low points of the grid it is asked whether they are minima on a kink
POLLS = 240
MOST = 128  # points of a kind that are told apart; a line of them is a handful
# Lengths are shares of the domain's diagonal.
STRIDE = 0.05  # Newton's longest step
ARRIVED = 1e-7
APART = 1e-4
RING = 5e-3


class CriticalPoint(NamedTuple):
    """A point where the gradient vanishes, or the bottom of a kink, where the Hessian says nothing.

    ``flat`` where an eigenvalue is 0: the kind is then what a small ring around the point says.
    """

    kind: Kind
    point: Point
    value: float
    eigenvalues: tuple[float, float]  # of the Hessian, ascending
    flat: bool = False
    kink: bool = False


class Survey(NamedTuple):
    """What was found on a surface.

    ``lowest`` is the lowest value on a grid, ``line`` tells whether minima form a line or an area (a few of them are
    listed), ``crowded`` the kinds of which there are more than could be listed.
    """

    points: tuple[CriticalPoint, ...]
    lowest: float
    line: bool
    crowded: frozenset[Kind]


class _Found(NamedTuple):
    points: Any  # (n, 2) where Newton's method arrived
    loss: Any  # (n,)
    gradient: Any  # (n, 2)
    hessian: Any  # (n, 2, 2)
    step: Any  # (n, 2) that it would take next
    ring: Any  # (n, 32) the surface on a ring around each
    grid: Any  # (GRID, GRID) of losses, rows along y


class _Kinks(NamedTuple):
    points: Any  # (KINKS, 2) that nothing around lies below
    loss: Any  # (KINKS,)
    gradients: Any  # (KINKS, 2, 32, 2) on a small ring around each, and on a ten times larger one


def _surface(landscape: Landscape, knobs: jax.Array) -> tuple[Any, Any, Any, Any]:
    """The loss as a function of the point, the corners of the domain and the length of its diagonal."""
    shape = {h.name: knobs[i] for i, h in enumerate(landscape.hypers)}
    low, high = jnp.array(landscape.domain, knobs.dtype).T
    return lambda point: landscape.fn(point, **shape), low, high, jnp.hypot(*(high - low))


def _circle() -> jax.Array:
    angles = jnp.arange(32) * (2 * jnp.pi / 32) + 0.1
    return jnp.stack([jnp.cos(angles), jnp.sin(angles)], -1)


def _newton(slope: jax.Array, curve: jax.Array) -> jax.Array:
    """The step to where the gradient vanishes, along the directions that curve."""
    (a, b), (_b, d) = curve
    det, square = a * d - b * b, jnp.sum(curve * curve)
    regular = jnp.abs(det) > 1e-13 * square
    inverse = jnp.array([[d, -b], [-b, a]]) / jnp.where(regular, det, 1)
    # Of rank one, H is its own pseudo-inverse but for a factor.
    step = -jnp.where(regular, inverse @ slope, curve @ slope / jnp.where(square > 0, square, 1))
    return jnp.where(jnp.all(jnp.isfinite(step)), step, 0)


@compiled_each(1)
def _explore(landscape: Landscape, starts: jax.Array, places: jax.Array, knobs: jax.Array) -> _Found:
    fn, _low, _high, size = _surface(landscape, knobs)

    def walk(start: jax.Array) -> Any:
        def body(_t: Any, carry: Any) -> Any:
            point = carry[0]
            # The derivative of the gradient comes with the gradient: the surface is compiled once.
            slope, curve = jax.vmap(lambda axis: jax.jvp(jax.grad(fn), (point,), (axis,)))(
                jnp.eye(2, dtype=point.dtype)
            )
            step = _newton(slope[0], curve)
            length = jnp.hypot(*step)
            moved = point + step * jnp.minimum(1, STRIDE * size / jnp.where(length > 0, length, 1))
            return moved, point, slope[0], curve, step

        nothing = jnp.zeros((2, 2), start.dtype)
        return lax.fori_loop(0, NEWTON_STEPS, body, (start, start, start, nothing, start))[1:]

    points, gradient, hessian, step = jax.vmap(walk)(starts)
    rings = (points[:, None] + RING * size * _circle()).reshape(-1, 2)
    wanted = [points, rings, places]
    values = jax.vmap(fn)(jnp.concatenate(wanted))
    loss, ring, grid = jnp.split(values, np.cumsum([len(part) for part in wanted])[:-1])
    return _Found(points, loss, gradient, hessian, step, ring.reshape(len(points), -1), grid)


@compiled_each(1)
def _bottoms(landscape: Landscape, starts: jax.Array, knobs: jax.Array) -> _Kinks:
    fn, _low, _high, size = _surface(landscape, knobs)
    circle = _circle()

    def body(t: Any, carry: Any) -> Any:
        """Poll around each point, in ever new directions, and come closer where nothing is lower."""
        points, _loss, radii = carry
        turn = t * 2.399963
        rotation = jnp.array([[jnp.cos(turn), -jnp.sin(turn)], [jnp.sin(turn), jnp.cos(turn)]])
        around = points[:, None] + radii[:, None, None] * jnp.concatenate([jnp.zeros((1, 2)), circle[::2] @ rotation])
        found = jax.vmap(jax.vmap(fn))(around)
        found = jnp.where(jnp.isfinite(found), found, jnp.inf)
        best = jnp.argmin(found, 1)
        moved = jnp.take_along_axis(around, best[:, None, None], 1)[:, 0]
        return moved, found.min(1), radii * jnp.where(best > 0, 1.3, 0.7)

    radii = jnp.full(len(starts), 0.02) * size
    points, loss, _radii = lax.fori_loop(0, POLLS, body, (starts, jnp.zeros(len(starts)), radii))
    rings = points[:, None, None] + (jnp.array([1e-5, 1e-4]) * size)[:, None, None] * circle
    gradients = jax.vmap(jax.grad(fn))(rings.reshape(-1, 2)).reshape(rings.shape)
    return _Kinks(points, loss, gradients)


def _hollows(grid: np.ndarray) -> np.ndarray:
    """Indices into the flat grid, at which it is not lower anywhere around: the lowest first."""
    filled = np.where(np.isfinite(grid), grid, np.inf)
    padded = np.pad(filled, 1, constant_values=np.inf)
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = np.min([padded[i : i + GRID, j : j + GRID] for i, j in shifts], 0)
    bottoms = np.flatnonzero((filled <= around) & np.isfinite(filled))
    return bottoms[np.argsort(filled.reshape(-1)[bottoms], kind="stable")]


def survey(landscape: Landscape, shape: Mapping[str, object] | None = None) -> Survey:
    """Look for all critical points in the domain, in float64; what the landscape declares is not asked.

    Newton's method on the gradient from a grid of starts finds those with a neighbourhood of some size. Ripples finer
    than the grid, and saddles and maxima on kinks, are missed.
    """
    knobs = np.array(list(fill(landscape.hypers, shape, landscape.id).values()), np.float64)
    low, high = np.array(landscape.domain, np.float64).T
    size = float(np.hypot(*(high - low)))
    even, middles = np.linspace(0, 1, GRID), (np.arange(SIDE) + 0.5) / SIDE
    places, cells = (low + np.stack(np.meshgrid(a, a), -1).reshape(-1, 2) * (high - low) for a in (even, middles))
    with jax.enable_x64(True):
        found = _Found(*(np.asarray(array) for array in _explore(landscape, cells, places, knobs)))
        grid = found.grid.reshape(GRID, GRID)
        hollows = _hollows(grid)
        if len(hollows):
            # Minima with a small neighbourhood lie in hollows of the grid: a second round begins there.
            more = _explore(landscape, np.resize(places[hollows], cells.shape), places, knobs)
            both = zip(_Found._fields[:6], found, more, strict=False)
            found = found._replace(**{name: np.concatenate([a, b]) for name, a, b in both})
    finite = np.isfinite(grid)
    lowest = float(grid[finite].min()) if finite.any() else math.nan
    points = _level(found, low, high, size, lowest)
    if not landscape.smooth and len(hollows):
        at = np.resize(hollows[:KINKS], KINKS)
        with jax.enable_x64(True):
            kinks = _Kinks(*(np.asarray(array) for array in _bottoms(landscape, places[at], knobs)))
        cusps = _kinks(kinks, low, high, size)
        # On the very point of a kink the derivatives may be taken for 0, and the point for level.
        apart = [p for p in points if all(math.dist(p.point, cusp.point) > APART * size for cusp in cusps)]
        points = apart + cusps
    kept: list[CriticalPoint] = []
    crowded: set[Kind] = set()
    line = False
    for kind in ("minimum", "saddle", "maximum"):
        same = sorted((p for p in points if p.kind == kind), key=lambda p: (p.value, p.point))
        flat = [p for p in same if p.flat]
        if len(flat) > 6:
            line = line or kind == "minimum"
            same = [p for p in same if not p.flat] + _spread(flat, 6)
        if len(same) > MOST:
            crowded.add(kind)
        kept += same[:MOST]
    return Survey(tuple(kept), lowest, line, frozenset(crowded))


def _rounded(point: np.ndarray, size: float) -> Point:
    x, y = (0.0 if abs(v) < 1e-9 * size else float(f"{v:.11g}") for v in point)
    return x, y


def _level(found: _Found, low: np.ndarray, high: np.ndarray, size: float, lowest: float) -> list[CriticalPoint]:
    """Where the gradient vanishes."""
    sizes = np.hypot(*found.gradient.T)
    usual = np.abs(found.hessian).max((-1, -2))
    with np.errstate(invalid="ignore"):
        inside = ((found.points >= low - 1e-9 * size) & (found.points <= high + 1e-9 * size)).all(-1)
        arrived = (np.hypot(*found.step.T) < ARRIVED * size) & (sizes <= 1e-6 * size * usual + 1e-30)
    good = inside & arrived & np.isfinite(found.loss) & np.isfinite(found.hessian).all((-1, -2))
    kept: list[int] = []
    for i in np.flatnonzero(good)[np.argsort(sizes[good], kind="stable")]:
        if not kept or np.hypot(*(found.points[kept] - found.points[i]).T).min() > APART * size:
            kept.append(int(i))
    points = []
    scale = max((float(usual[i]) for i in kept), default=0.0)
    for i in kept:
        values, value = np.linalg.eigvalsh(found.hessian[i]), float(found.loss[i])
        zero = max(1e-6 * np.abs(values).max(), 1e-12 * scale)
        flat = bool(np.abs(values).min() <= zero)
        kind: Kind
        if flat:
            fuzz = 1e-13 * max(1.0, abs(value))
            falls, rises = (found.ring[i] < value - fuzz).any(), (found.ring[i] > value + fuzz).any()
            if not (falls or rises) and value > lowest + fuzz:
                continue  # a plateau
            kind = "saddle" if falls and rises else "maximum" if falls else "minimum"
        else:
            kind = "minimum" if values[0] > 0 else "maximum" if values[1] < 0 else "saddle"
        eigenvalues = (float(values[0]), float(values[1]))
        points.append(CriticalPoint(kind, _rounded(found.points[i], size), value, eigenvalues, flat))
    return points


def _kinks(found: _Kinks, low: np.ndarray, high: np.ndarray, size: float) -> list[CriticalPoint]:
    """Minima at which the gradient jumps: 0 lies among its values around the point (Clarke, 1983)."""
    points: list[CriticalPoint] = []
    for place, value, gradients in zip(*found, strict=True):
        near, wide = np.hypot(gradients[0, :, 0], gradients[0, :, 1]), np.hypot(gradients[1, :, 0], gradients[1, :, 1])
        margin = 1e-3 * (high - low)  # at the edge, the search may only have been stopped
        inside = ((place > low + margin) & (place < high - margin)).all()
        if not (inside and np.isfinite(value) and np.isfinite(gradients).all() and near.min() > 0):
            continue
        angles = np.sort(np.arctan2(gradients[0, :, 1], gradients[0, :, 0]))
        gap = np.diff(np.append(angles, angles[0] + 2 * np.pi)).max()
        jumps = np.median(near) > 0.5 * np.median(wide)
        known = any(np.hypot(*(np.array(p.point) - place)) < APART * size for p in points)
        if gap <= np.pi + 1e-6 and jumps and not known:
            flat = bool(gap > np.pi - 1e-6)
            points.append(
                CriticalPoint("minimum", _rounded(place, size), float(value), (math.nan, math.nan), flat, kink=True)
            )
    return points


def _spread(points: list[CriticalPoint], count: int) -> list[CriticalPoint]:
    """A few of many points, far from each other, beginning with the lowest."""
    places = np.array([p.point for p in points])
    chosen = [0]
    while len(chosen) < count:
        distances = np.linalg.norm(places[:, None] - places[chosen][None], axis=-1).min(-1)
        chosen.append(int(distances.argmax()))
    return [points[i] for i in sorted(chosen)]
