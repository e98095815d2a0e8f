"""Long curved valleys: the direction to the minimum is almost flat, the one across is steep."""

from __future__ import annotations

from descent.hyper import Hyper
from descent.landscape import Landscape, Minimum
from descent.text import _

FAMILY = _("Ravines")


def rosenbrock(p, b):
    x, y = p
    return (1 - x) ** 2 + b * (y - x**2) ** 2


ROSENBROCK = Landscape(
    id="rosenbrock",
    name=_("Rosenbrock"),
    fn=rosenbrock,
    domain=((-2.0, 2.0), (-1.0, 3.0)),
    start=(-1.2, 1.0),
    minima=(Minimum((1.0, 1.0), 0.0),),
    tags=frozenset({"ravine"}),
    hypers=(
        Hyper(
            name="b",
            symbol="b",
            label=_("Steepness of the walls"),
            help=_("How steeply the loss rises on both sides of the parabola y = x²."),
            default=100.0,
            low=1.0,
            high=1000.0,
            scale="log",
        ),
    ),
    height="log",
    formula=r"(1 - x)^2 + b\,(y - x^2)^2",
    reference="Rosenbrock, An automatic method for finding the greatest or least value of a function (1960)",
    teaches=_("Finding the valley is easy; following its bend to the minimum is what takes the time."),
)


def beale(p):
    x, y = p
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


BEALE = Landscape(
    id="beale",
    name=_("Beale"),
    fn=beale,
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    start=(1.0, 1.5),
    minima=(Minimum((3.0, 0.5), 0.0),),
    saddles=((0.0, 1.0), (0.10053793732415833, -2.6445135850231254)),
    tags=frozenset({"plateau", "ravine", "saddle"}),
    height="log",
    formula=r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    reference="Beale, On an iterative method for finding a local minimum of a function "
    "of more than one variable (1958)",
    teaches=_("Steep walls at the corners and a nearly flat floor ask for step sizes that differ a thousandfold."),
)

MEMBERS = (ROSENBROCK, BEALE)
