"""The unified form in which the field reads its rules: a direction M_t over the root of a scale G_t."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import tree

from descent.optimizer import Params


def step(direction: Params, scale: Params, hyper: Any) -> Params:
    """Δθ = −α · M / (√G + ε), each coordinate on its own.

    ε stands outside the root, where Adam's paper and torch put it. Inside, where courses write it and optax's
    AdaGrad and RMSprop have it, an ε of 1e−8 acts like one of 1e−4 does here.
    """
    return tree.map(lambda m, g: -hyper.learning_rate * m / (jnp.sqrt(g) + hyper.eps), direction, scale)
