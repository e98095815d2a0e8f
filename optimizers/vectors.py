"""Parameters as one vector: products, norms and random draws over all leaves of a pytree."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import tree
from jax.flatten_util import ravel_pytree

from descent.optimizer import Params


def dot(a: Params, b: Params) -> jax.Array:
    """a · b over all leaves."""
    return tree.reduce(jnp.add, tree.map(lambda x, y: jnp.sum(x * y), a, b))


def norm_squared(a: Params) -> jax.Array:
    """‖a‖² over all leaves."""
    return dot(a, a)


def norm(a: Params) -> jax.Array:
    """‖a‖ over all leaves."""
    return jnp.sqrt(norm_squared(a))


def add_scaled(a: Params, factor: Any, b: Params) -> Params:
    """a + factor·b, in the dtype of each leaf of a."""
    return tree.map(lambda x, y: x + jnp.asarray(factor, x.dtype) * y, a, b)


def choose(condition: Any, a: Params, b: Params) -> Params:
    """a where the condition holds, else b."""
    return tree.map(lambda x, y: jnp.where(condition, x, y), a, b)


def normal_like(key: jax.Array, params: Params) -> Params:
    """Standard normals, drawn as one vector, so that how the parameters are split makes no difference."""
    flat, unravel = ravel_pytree(params)
    return unravel(jax.random.normal(key, flat.shape, flat.dtype))


def signs_like(key: jax.Array, params: Params) -> Params:
    """Random signs ±1, drawn as one vector."""
    flat, unravel = ravel_pytree(params)
    return unravel(jax.random.rademacher(key, flat.shape, flat.dtype))
