"""Points where the gradient vanishes but the loss still falls in some direction."""

from __future__ import annotations

import math

from descent.landscape import Landscape, Minimum
from descent.text import _

FAMILY = _("Saddles")


def hyperbolic_saddle(p):
    x, y = p
    return x**2 - y**2


HYPERBOLIC_SADDLE = Landscape(
    id="hyperbolic_saddle",
    name=_("Hyperbolic saddle"),
    fn=hyperbolic_saddle,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    # A hair off the x axis, which is the saddle's stable manifold.
    start=(-1.8, 0.001),
    rate=0.002,
    minima=(),
    saddles=((0.0, 0.0),),
    tags=frozenset({"saddle"}),
    unbounded=True,
    formula=r"x^2 - y^2",
    reference="after Dauphin et al., Identifying and attacking the saddle point problem "
    "in high-dimensional non-convex optimization (2014)",
    teaches=_("The way out of a saddle begins as slowly as the start is close to the ridge, then grows exponentially."),
)


def bounded_saddle(p):
    x, y = p
    return x**2 - y**2 + y**4 / 4


BOUNDED_SADDLE = Landscape(
    id="bounded_saddle",
    name=_("Bounded saddle"),
    fn=bounded_saddle,
    domain=((-2.5, 2.5), (-2.5, 2.5)),
    # A hair off the x axis, which is the saddle's stable manifold.
    start=(-2.0, 0.01),
    rate=0.05,
    minima=(Minimum((0.0, math.sqrt(2)), -1.0), Minimum((0.0, -math.sqrt(2)), -1.0)),
    saddles=((0.0, 0.0),),
    tags=frozenset({"saddle"}),
    formula=r"x^2 - y^2 + \tfrac14 y^4",
    reference="after Nesterov, Introductory Lectures on Convex Optimization (2004), 1.2.3",
    teaches=_("A start almost on the ridge is drawn to the saddle; how long it lingers there sets methods apart."),
)


def textbook_saddle(p):
    x, y = p
    return x**2 + y**2 + y**3 + x * y


TEXTBOOK_SADDLE = Landscape(
    id="textbook_saddle",
    name=_("Textbook saddle"),
    fn=textbook_saddle,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    # From here gradient descent settles in the minimum, while momentum shoots past it and over the saddle.
    start=(2.0, 0.5),
    rate=0.001,
    minima=(Minimum((0.0, 0.0), 0.0),),
    saddles=((0.25, -0.5),),
    tags=frozenset({"saddle"}),
    unbounded=True,
    formula=r"x^2 + y^2 + y^3 + xy",
    reference="a classroom example for comparing optimizers in 3-D",
    teaches=_("A saddle stands between a local minimum and an endless slope: momentum can carry a run over it."),
)


def double_well(p):
    x, y = p
    return (x**2 - 1) ** 2 + y**2


DOUBLE_WELL = Landscape(
    id="double_well",
    name=_("Double well"),
    fn=double_well,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    start=(-0.01, 1.7),
    rate=0.02,
    minima=(Minimum((1.0, 0.0), 0.0), Minimum((-1.0, 0.0), 0.0)),
    saddles=((0.0, 0.0),),
    tags=frozenset({"saddle"}),
    formula=r"(x^2 - 1)^2 + y^2",
    reference="after Kramers, Brownian motion in a field of force and the diffusion model of chemical reactions (1940)",
    teaches=_("Two equal wells with a saddle between them: a hair's breadth at the start, or noise, picks the well."),
)


def monkey_saddle(p):
    x, y = p
    return x**3 - 3 * x * y**2


MONKEY_SADDLE = Landscape(
    id="monkey_saddle",
    name=_("Monkey saddle"),
    fn=monkey_saddle,
    domain=((-1.5, 1.5), (-1.5, 1.5)),
    # A hair off the x axis, along which the saddle looks like the end of the way.
    start=(1.2, 0.02),
    rate=0.0002,
    minima=(),
    saddles=((0.0, 0.0),),
    tags=frozenset({"saddle"}),
    unbounded=True,
    formula=r"x^3 - 3xy^2",
    reference="Hilbert and Cohn-Vossen, Anschauliche Geometrie (1932)",
    teaches=_("Gradient and Hessian both vanish at this saddle, so nothing up to second order tells the way down."),
)

MEMBERS = (HYPERBOLIC_SADDLE, BOUNDED_SADDLE, TEXTBOOK_SADDLE, DOUBLE_WELL, MONKEY_SADDLE)
