"""How far to go along a direction: backtracking until the loss has fallen enough."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from descent.optimizer import Params, Problem
from optimizers.vectors import add_scaled

TRIALS = 40  # at most, in one search


def backtrack(
    problem: Problem,
    params: Params,
    direction: Params,
    slope: jax.Array,
    first: Any,
    sufficient: Any = 1e-4,
    shrink: Any = 0.5,
) -> tuple[jax.Array, jax.Array]:
    """The first of first·shrink⁰, first·shrink¹, ... at which the loss is at most L + sufficient·size·slope.

    ``slope`` is the derivative along ``direction``, below 0. Returns the size, and how many were tried. The size is 0
    where none of 40 passes, NaN where slope or loss is: a search can neither hang nor hide a divergence. At slope 0
    the first size passes only if the loss does not rise.

    Reference: Armijo (1966).
    """
    start = problem.loss(params)
    factor = jnp.asarray(shrink, start.dtype)

    def passes(size: jax.Array) -> jax.Array:
        return problem.loss(add_scaled(params, size, direction)) <= start + sufficient * size * slope

    def body(carry: Any) -> Any:
        size, trials, _ = carry
        size = jnp.where(trials > 0, size * factor, size)
        return size, trials + 1, passes(size)

    def searching(carry: Any) -> Any:
        _, trials, passed = carry
        return ~passed & (trials < TRIALS) & jnp.isfinite(start) & jnp.isfinite(slope)

    begin = (jnp.asarray(first, start.dtype), jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    size, trials, passed = lax.while_loop(searching, body, begin)
    failed = jnp.where(jnp.isfinite(start) & jnp.isfinite(slope), jnp.zeros_like(size), jnp.full_like(size, jnp.nan))
    return jnp.where(passed, size, failed), trials
