"""Minima that differ in sharpness (the largest eigenvalue of the Hessian), not in value."""

from __future__ import annotations

import jax.numpy as jnp

from descent.landscape import Landscape, Minimum
from descent.text import _

FAMILY = _("Flat and sharp minima")


def quartic(p):
    x, y = p
    return x**4 + y**4


QUARTIC = Landscape(
    id="quartic",
    name=_("Quartic bowl"),
    fn=quartic,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    start=(-1.8, 0.9),
    rate=0.005,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"convex", "flat"}),
    flat_minima=True,
    formula=r"x^4 + y^4",
    reference="De Jong, An Analysis of the Behavior of a Class of Genetic Adaptive Systems (1975), "
    "F4 without weights and noise",
    teaches=_("The curvature vanishes at the minimum, so gradient descent comes closer ever more slowly."),
)


def product_valley(p):
    x, y = p
    return 0.5 * (1 - x * y) ** 2


PRODUCT_VALLEY = Landscape(
    id="product_valley",
    name=_("Product valley"),
    fn=product_valley,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(2.5, -1.0),
    rate=0.005,
    # A few points of the curve xy = 1; the first two are its flattest.
    minima=tuple(
        Minimum(point, 0.0) for point in ((1.0, 1.0), (-1.0, -1.0), (2.0, 0.5), (0.5, 2.0), (-2.0, -0.5), (-0.5, -2.0))
    ),
    saddles=((0.0, 0.0),),
    tags=frozenset({"flat", "saddle"}),
    height="log",
    flat_minima=True,
    formula=r"\tfrac12 (1 - xy)^2",
    reference="Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning "
    "in deep linear neural networks (2014), at its smallest",
    teaches=_(
        "All points of the curve xy = 1 are equally good but not equally sharp: "
        "a large learning rate can only rest where the valley is flat enough."
    ),
)


def sharp_and_flat(p):
    x, y = p
    flat = 2 * jnp.exp(-((x - 1.5) ** 2 + y**2) / 2)
    sharp = 1.978 * jnp.exp(-((x + 1.5) ** 2 + y**2) / 0.125)
    return 2 - flat - sharp + 0.02 * (x**2 + y**2)


SHARP_AND_FLAT = Landscape(
    id="sharp_and_flat",
    name=_("Sharp and flat"),
    fn=sharp_and_flat,
    domain=((-4.0, 4.0), (-3.0, 3.0)),
    start=(-1.9, 1.0),
    rate=0.05,
    minima=(
        Minimum((1.4705757501939412, 0.0), 0.04411745984830104),
        Minimum((-1.4959799226717307, 0.0), 0.044527446230900235),
    ),
    saddles=((-0.7823274440732436, 0.0),),
    tags=frozenset({"flat", "multimodal", "saddle"}),
    formula=r"2 - 2e^{-\frac{(x - 1.5)^2 + y^2}{2}} - 1.978e^{-\frac{(x + 1.5)^2 + y^2}{0.125}} + 0.02(x^2 + y^2)",
    reference="after Hochreiter and Schmidhuber, Flat Minima (1997)",
    teaches=_(
        "Two minima are equally deep, but noise or a large learning rate throws a run out of the sharp one "
        "and leaves it in the flat one."
    ),
)

MEMBERS = (QUARTIC, PRODUCT_VALLEY, SHARP_AND_FLAT)
