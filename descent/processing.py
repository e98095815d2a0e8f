"""What happens to a gradient before a rule sees it: noise, then clipping. Off by default."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from descent.optimizer import Params


class Processing(NamedTuple):
    """Noise and clipping of the gradient, as traced numbers. Infinite thresholds clip nothing."""

    noise: Array  # σ of additive Gaussian noise on each coordinate
    relative_noise: Array  # σ of Gaussian noise in proportion to each coordinate
    clip_value: Array
    clip_norm: Array

    def apply(self, gradient: Params, normals: Params, more_normals: Params) -> Params:
        """The gradient an optimizer is handed. Both normals are standard normal draws shaped like it.

        Noise comes first, as in training: a mini-batch's gradient is noisy, and that is what is clipped.
        By value: max(min(g, b), −b); by global norm: g·b / max(b, ‖g‖) (Pascanu et al., 2013).
        """

        def one(g: Array, z: Array, more: Array) -> Array:
            g = g * (1 + self.relative_noise * more) + self.noise * z
            return jnp.clip(g, -self.clip_value, self.clip_value)

        gradient = jax.tree.map(one, gradient, normals, more_normals)
        # A branch, because the norm of thousands of runs at once costs more than their steps do.
        return lax.cond(jnp.isfinite(self.clip_norm), self._clip_by_norm, lambda g: g, gradient)

    def _clip_by_norm(self, gradient: Params) -> Params:
        # In units of the largest entry, because the square of an exploding gradient overflows.
        largest = jax.tree.reduce(jnp.maximum, jax.tree.map(lambda g: jnp.max(jnp.abs(g)), gradient))
        unit = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
        squares = jax.tree.map(lambda g: jnp.sum((g / unit) ** 2), gradient)
        norm = unit * jnp.sqrt(jax.tree.reduce(jnp.add, squares))
        factor = jnp.where(norm > self.clip_norm, self.clip_norm / norm, 1)
        return jax.tree.map(lambda g: g * factor, gradient)
