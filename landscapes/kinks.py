"""|t| and √t with a derivative at 0 that runs can live with: a subgradient, where autodiff gives 1, ∞ or NaN."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp


def magnitude(t: Any) -> Any:
    """|t|, with derivative 0 at 0 (that of `jnp.abs` is 1 there)."""
    return jnp.where(t == 0, 0, jnp.abs(t))


def root(t: Any) -> Any:
    """√t for t ≥ 0, with derivative 0 at 0, where it is infinite."""
    # Autodiff must not even see the other branch's √0: its ∞ times 0 would be NaN.
    off_kink = t > 0
    return jnp.where(off_kink, jnp.sqrt(jnp.where(off_kink, t, 1)), 0)
