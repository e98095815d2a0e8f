"""Places where the size of the gradient misleads: next to nothing on a plateau, far too much on a cliff."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from descent.landscape import Landscape, Minimum
from descent.text import _

FAMILY = _("Plateaus and cliffs")


def cliff(p):
    x, y = p
    # |x| leaves a kink of slope 6e-12 at x = 0, below what even float64 runs can notice.
    wall = 3 * jax.nn.sigmoid(20 * (jnp.abs(x) - 1.5)) - 3 / (1 + math.exp(30))
    return 0.5 * y**2 + 0.05 * x**2 + wall


CLIFF = Landscape(
    id="cliff",
    name=_("Cliff"),
    fn=cliff,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(-2.2, 2.0),
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"plateau"}),
    formula=r"\tfrac12 y^2 + 0.05x^2 + 3\,\sigma\big(20(|x| - 1.5)\big) - 3\,\sigma(-30)",
    reference="after Goodfellow, Bengio and Courville, Deep Learning (2016), 8.2.4 and 10.11.1",
    teaches=_("One step on the wall throws a run far away, unless the gradient is clipped."),
)


def tanh_plateau(p):
    x, y = p
    return 2 * jnp.tanh((x**2 + y**2) / 8)


TANH_PLATEAU = Landscape(
    id="tanh_plateau",
    name=_("Tanh plateau"),
    fn=tanh_plateau,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(-4.2, 3.0),
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"plateau"}),
    formula=r"2\tanh\frac{x^2 + y^2}{8}",
    reference="after Glorot and Bengio, Understanding the difficulty of training deep feedforward "
    "neural networks (2010)",
    teaches=_("Far from the minimum the surface saturates: the gradient vanishes and plain descent hardly starts."),
)

MEMBERS = (CLIFF, TANH_PLATEAU)
