"""Long curved valleys: the direction to the minimum is almost flat, the one across is steep."""

from __future__ import annotations

import math

import jax.numpy as jnp

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
    rate=0.001,
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
    rate=0.002,
    minima=(Minimum((3.0, 0.5), 0.0),),
    saddles=((0.0, 1.0), (0.10053793732415833, -2.6445135850231254)),
    tags=frozenset({"plateau", "ravine", "saddle"}),
    height="log",
    formula=r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    reference="Beale, On an iterative method for finding a local minimum of a function "
    "of more than one variable (1958)",
    teaches=_("Steep walls at the corners and a nearly flat floor ask for step sizes that differ a thousandfold."),
)


def dixon_price(p):
    x, y = p
    return (x - 1) ** 2 + 2 * (2 * y**2 - x) ** 2


DIXON_PRICE = Landscape(
    id="dixon_price",
    name=_("Dixon–Price"),
    fn=dixon_price,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(8.0, 0.5),
    rate=0.005,
    minima=(Minimum((1.0, math.sqrt(0.5)), 0.0), Minimum((1.0, -math.sqrt(0.5)), 0.0)),
    saddles=((1 / 3, 0.0),),
    tags=frozenset({"ravine", "saddle"}),
    height="log",
    formula=r"(x - 1)^2 + 2(2y^2 - x)^2",
    reference="Dixon and Price, The truncated Newton method for sparse unconstrained optimisation "
    "using automatic differentiation (1989)",
    teaches=_("The valley is bent into a U with a minimum in each arm, and a saddle at its bottom parts them."),
)


def zakharov(p):
    x, y = p
    t = 0.5 * x + y
    return x**2 + y**2 + t**2 + t**4


ZAKHAROV = Landscape(
    id="zakharov",
    name=_("Zakharov"),
    fn=zakharov,
    domain=((-5.0, 10.0), (-5.0, 10.0)),
    start=(8.0, 5.0),
    rate=5e-5,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"ravine"}),
    height="log",
    formula=r"x^2 + y^2 + t^2 + t^4, \quad t = \tfrac12 x + y",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Far out the walls grow with the fourth power: the step size that is safe there is tiny at the bottom."),
)


def freudenstein_roth(p):
    x, y = p
    return (x - 13 + ((5 - y) * y - 2) * y) ** 2 + (x - 29 + ((y + 1) * y - 14) * y) ** 2


FREUDENSTEIN_ROTH = Landscape(
    id="freudenstein_roth",
    name=_("Freudenstein–Roth"),
    fn=freudenstein_roth,
    domain=((-10.0, 15.0), (-6.0, 6.0)),
    start=(0.5, -2.0),
    rate=0.0005,
    minima=(
        Minimum((5.0, 4.0), 0.0),
        Minimum(((53 - 4 * math.sqrt(22)) / 3, (2 - math.sqrt(22)) / 3), 48.98425367924002),
    ),
    tags=frozenset({"ravine", "multimodal"}),
    height="log",
    formula=r"\big(x - 13 + ((5 - y)y - 2)y\big)^2 + \big(x - 29 + ((y + 1)y - 14)y\big)^2",
    reference="Freudenstein and Roth, Numerical Solution of Systems of Nonlinear Equations (1963)",
    teaches=_("The usual start leads into a local minimum that solves neither of the two equations behind the loss."),
)


def mccormick(p):
    x, y = p
    return jnp.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


MCCORMICK = Landscape(
    id="mccormick",
    name=_("McCormick"),
    fn=mccormick,
    domain=((-1.5, 4.0), (-3.0, 4.0)),
    start=(-1.0, 3.5),
    minima=(
        Minimum((0.5 - math.pi / 3, -0.5 - math.pi / 3), -math.sqrt(3) / 2 - math.pi / 3),
        Minimum((0.5 + 2 * math.pi / 3, -0.5 + 2 * math.pi / 3), -math.sqrt(3) / 2 + 2 * math.pi / 3),
    ),
    saddles=((0.5 + math.pi / 3, -0.5 + math.pi / 3),),
    tags=frozenset({"ravine", "saddle"}),
    formula=r"\sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("The valley's floor falls in waves, and a run that comes down too far up stays in a trough."),
)

MEMBERS = (ROSENBROCK, BEALE, DIXON_PRICE, ZAKHAROV, FREUDENSTEIN_ROTH, MCCORMICK)
