"""A landscape's values over its domain, for pictures."""

from __future__ import annotations

from collections.abc import Mapping
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
