"""Symmetric matrices: eigenvalues and functions of them, in closed form for two rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def eigh(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Eigenvalues (n,), ascending, and unit eigenvectors (n, n), a column each.

    Two rows, the case of every surface, are done in closed form: thousands of runs at once would spend nearly all of
    their time in calls to LAPACK. What is not finite gives NaN.
    """
    if matrix.shape != (2, 2):
        return jnp.linalg.eigh(matrix)
    (a, b), (_, d) = matrix
    mean, half = (a + d) / 2, (a - d) / 2
    # From the determinant, because mean − radius cancels.
    larger = mean + jnp.where(mean < 0, -1, 1) * jnp.hypot(half, b)
    other = jnp.where(larger == 0, 0, (a * d - b * b) / jnp.where(larger == 0, 1, larger))
    angle = jnp.arctan2(b, half) / 2
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    values = jnp.stack([jnp.minimum(larger, other), jnp.maximum(larger, other)])
    return values, jnp.stack([jnp.stack([-sin, cos]), jnp.stack([cos, sin])])


def negligible(values: jax.Array) -> jax.Array:
    """Which eigenvalues are zero beside the largest, up to rounding. NaN is not."""
    size = jnp.abs(values)
    return size <= len(values) * jnp.finfo(values.dtype).eps * size.max()
