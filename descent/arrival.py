"""How a run arrives, from the last fifth of its points (10 to 200): whether it rests there, or circles.

Once of a path that is at hand, and once in the loop of a run of which nothing else is kept; both say the same.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

# Shares of the domain's diagonal: within this a run has settled, and a step this short leads nowhere any more.
STILL, CALM = 2e-3, 1e-4


class Arrival(NamedTuple):
    """``extent`` is the farthest that one of the last points lies from the end, ``pace`` the last move: of coordinates,
    the one that is most."""

    extent: Any  # ()
    pace: Any  # ()
    circling: Any  # () bool

    def still(self, scale: float) -> Any:
        """Has the run come to rest, on a domain with this diagonal?"""
        return (self.extent < STILL * scale) | (self.pace < CALM * scale)


def last(points: Any) -> Any:
    """How many of so many points count as the last."""
    return (points // 5).clip(10, 200).clip(max=points)


def arrival(path: np.ndarray) -> Arrival:
    """How a path (n, d) of finite points arrives."""
    window = path[-int(last(np.asarray(len(path)))) :].astype(np.float64)
    half = len(window) // 2
    extent = float(np.abs(window - window[-1]).max())
    pace = float(np.abs(window[-1] - window[-2]).max()) if len(window) > 1 else 0.0
    if half < 4:
        return Arrival(extent, pace, False)
    first, second = window[:half], window[half:]
    travelled = np.linalg.norm(np.diff(window, axis=0), axis=-1).sum()
    drift = np.linalg.norm(second.mean(0) - first.mean(0))
    sizes = [float(np.sqrt(((part - part.mean(0)) ** 2).sum(-1).mean())) for part in (first, second)]
    return Arrival(extent, pace, bool(_circling(travelled, drift, *sizes)))


def _circling(travelled: Any, drift: Any, before: Any, after: Any) -> Any:
    """Much way, no drift, neither shrinking towards a centre nor growing."""
    return (drift < 0.05 * travelled) & (drift < 0.5 * after) & (0.8 * before < after) & (after < 1.25 * before)


class Window(NamedTuple):
    """What is remembered of the last points of a run: traced, each point a pytree of coordinates."""

    origin: Any  # the first of them
    low: Any
    high: Any
    before: Any
    newest: Any
    sums: tuple[Any, Any]  # of the first and the second half, from the origin
    squares: tuple[Any, Any]  # of distances from the origin, in each half
    travelled: Any

    @classmethod
    def empty(cls, point: Any) -> Window:
        """Before the first of the last points; it has the shape of ``point``."""
        nothing, zero = jax.tree.map(jnp.zeros_like, point), jnp.zeros((), jax.tree.leaves(point)[0].dtype)
        return cls(point, point, point, point, point, (nothing, nothing), (zero, zero), zero)

    def see(self, point: Any, number: Any, points: Any) -> Window:
        """Take note of point ``number`` of so many last ones."""
        new = number == 0
        origin, low, high, _, newest = (jax.tree.map(lambda a, b: jnp.where(new, b, a), a, point) for a in self[:5])
        away = jax.tree.map(jnp.subtract, point, origin)
        halves = (number < points // 2, number >= points // 2)
        return Window(
            origin,
            jax.tree.map(jnp.minimum, low, point),
            jax.tree.map(jnp.maximum, high, point),
            newest,
            point,
            tuple(
                jax.tree.map(lambda total, a: jnp.where(now, total + a, total), half, away)  # noqa: B023
                for now, half in zip(halves, self.sums, strict=True)
            ),  # type: ignore[arg-type]
            tuple(
                jnp.where(now, total + _square(away), total) for now, total in zip(halves, self.squares, strict=True)
            ),  # type: ignore[arg-type]
            self.travelled + jnp.sqrt(_square(jax.tree.map(jnp.subtract, point, newest))),
        )

    def arrival(self, points: Any) -> Arrival:
        """How the run arrives whose last points were all seen."""
        reach = [
            (jnp.maximum(high - end, end - low).max(), jnp.abs(end - before).max())
            for low, high, before, end in zip(*map(jax.tree.leaves, self[1:5]), strict=True)
        ]
        half = points // 2
        means = [
            jax.tree.map(lambda total: total / count, part)  # noqa: B023
            for part, count in zip(self.sums, (half, points - half), strict=True)
        ]
        sizes = [
            jnp.sqrt(jnp.maximum(square / count - _square(mean), 0))
            for square, count, mean in zip(self.squares, (half, points - half), means, strict=True)
        ]
        drift = jnp.sqrt(_square(jax.tree.map(jnp.subtract, *means)))
        extent, pace = (reduce(jnp.maximum, part) for part in zip(*reach, strict=True))
        return Arrival(extent, pace, (half >= 4) & _circling(self.travelled, drift, *sizes))


def _square(vector: Any) -> Any:
    """The squared norm of a pytree of coordinates."""
    return sum((leaf * leaf).sum() for leaf in jax.tree.leaves(vector))
