"""A landscape's values over its domain, for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descent.compilation import compiled_each
from descent.hyper import fill
from descent.landscape import Landscape
from descent.spec import Values


class Field(NamedTuple):
    """Loss on a regular grid, row-major: z[j, i] is the loss at (x[i], y[j])."""

    x: np.ndarray  # (resolution,)
    y: np.ndarray  # (resolution,)
    z: np.ndarray  # (resolution, resolution) float32


@compiled_each(2)
def _evaluate(landscape: Landscape, resolution: int, knobs: jax.Array) -> jax.Array:
    shape = {h.name: knobs[i] for i, h in enumerate(landscape.hypers)}
    x, y = (jnp.linspace(low, high, resolution) for low, high in landscape.domain)
    points = jnp.stack(jnp.meshgrid(x, y), -1)
    return jax.vmap(jax.vmap(lambda point: landscape.fn(point, **shape)))(points)


def field(landscape: Landscape, shape: Mapping[str, object] | None = None, resolution: int = 129) -> Field:
    """The loss on a resolution × resolution grid over the domain; the last few results are kept."""
    return _field(landscape, Values(fill(landscape.hypers, shape, landscape.id)), resolution)


@lru_cache(maxsize=64)
def _field(landscape: Landscape, shape: Values, resolution: int) -> Field:
    x, y = (np.linspace(low, high, resolution, dtype=np.float32) for low, high in landscape.domain)
    z = np.array(_evaluate(landscape, resolution, np.array(list(shape.values()), np.float32)))
    z.flags.writeable = False
    return Field(x, y, z)


def slide(ground: Field, start: tuple[float, float], rates: Sequence[float], steps: int = 300) -> np.ndarray:
    """How low gradient descent with each of these learning rates comes on a grid: its mean loss (rates,) in the last
    tenth of the steps, infinite where it climbs above its start on the way or falls into a hole.

    Slopes are interpolated between the points of the grid and runs stay within it, so this is a guess. It costs no
    compilation.
    """
    z = ground.z.astype(np.float64)
    spacing = np.array([ground.x[1] - ground.x[0], ground.y[1] - ground.y[0]], np.float64)
    corner, last = np.array([ground.x[0], ground.y[0]], np.float64), len(z) - 1
    with np.errstate(invalid="ignore", over="ignore"):
        down, right = np.gradient(z)
        layers = np.stack([z, right / spacing[0], down / spacing[1]], -1)
        at = np.repeat(((np.array(start) - corner) / spacing)[None], len(rates), 0)
        step = np.asarray(rates)[:, None] / spacing
        losses = np.zeros((steps, len(rates)))
        for t in range(steps):
            at = np.clip(np.nan_to_num(at), 0, last)
            i, j = np.minimum(at.astype(int), last - 1).T
            u, v = (at - np.stack([i, j], -1)).T[:, :, None]
            near = (1 - v) * ((1 - u) * layers[j, i] + u * layers[j, i + 1])
            far = v * ((1 - u) * layers[j + 1, i] + u * layers[j + 1, i + 1])
            values = near + far
            losses[t] = values[:, 0]
            at = at - step * values[:, 1:]
        descends = losses.max(0) <= losses[0] + 1e-3 * np.ptp(np.where(np.isfinite(z), z, losses[0, 0]))
        return np.where(descends, losses[-max(steps // 10, 1) :].mean(0), np.inf)
