"""Running averages of gradients, and the correction of their bias towards the zeros they start from."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import tree
from jax.custom_batching import custom_vmap

from descent.optimizer import Params


def zeros(params: Params) -> Params:
    """What averages, sums and velocities start from."""
    return tree.map(jnp.zeros_like, params)


def average(past: Params, grads: Params, decay: Any) -> Params:
    """βm + (1 − β)g."""
    return tree.map(lambda m, g: decay * m + (1 - decay) * g, past, grads)


def average_of_squares(past: Params, grads: Params, decay: Any) -> Params:
    """βv + (1 − β)g²."""
    return tree.map(lambda v, g: decay * v + (1 - decay) * g**2, past, grads)


def debias(moment: Params, decay: Any, count: Any, on: Any = 1.0) -> Params:
    """m / (1 − βᵗ): after t steps from 0, the weights in an average sum up to 1 − βᵗ only. Off, it is m."""
    return scaled(1 / (1 - on * _power(decay, count)), moment)


@custom_vmap
def _power(base: Any, exponent: Any) -> Any:
    """βᵗ: quicker as a power in a single run, and as an exponential where every run of a map has a β of its own."""
    return base**exponent


@_power.def_vmap
def _powers(_size: int, _batched: Any, base: Any, exponent: Any) -> tuple[Any, bool]:
    return jnp.exp(exponent * jnp.log(base)), True


def scaled(factor: Any, moment: Params) -> Params:
    """``moment`` times a number, in the dtype of each leaf whatever that of the number."""
    return tree.map(lambda m: m * jnp.asarray(factor, m.dtype), moment)
