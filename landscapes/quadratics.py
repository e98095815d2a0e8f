"""Bowls: the curvature is the same everywhere, so its eigenvalues alone decide how fast a method is."""

from __future__ import annotations

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.landscape import Landscape, Minimum
from descent.text import _

FAMILY = _("Quadratics")


def sphere(p):
    x, y = p
    return x**2 + y**2


SPHERE = Landscape(
    id="sphere",
    name=_("Sphere"),
    fn=sphere,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(-4.0, 2.5),
    rate=0.05,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"convex"}),
    formula=r"x^2 + y^2",
    reference="De Jong, An Analysis of the Behavior of a Class of Genetic Adaptive Systems (1975), F1",
    teaches=_("The gradient points straight at the minimum, so nothing but the step size is left to choose."),
)


def sphere_weighted(p, w1, w2):
    x, y = p
    return w1 * x**2 + w2 * y**2


SPHERE_WEIGHTED = Landscape(
    id="sphere_weighted",
    name=_("Weighted sphere"),
    fn=sphere_weighted,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(-4.5, 2.0),
    rate=0.05,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"convex", "ravine"}),
    hypers=(
        Hyper(
            name="w1",
            symbol="w_1",
            label=_("Weight of x²"),
            help=_("The curvature along x is twice this."),
            default=0.2,
            low=0.01,
            high=10.0,
            scale="log",
        ),
        Hyper(
            name="w2",
            symbol="w_2",
            label=_("Weight of y²"),
            help=_("The curvature along y is twice this."),
            default=2.0,
            low=0.01,
            high=10.0,
            scale="log",
        ),
    ),
    formula=r"w_1 x^2 + w_2 y^2",
    reference="De Jong, An Analysis of the Behavior of a Class of Genetic Adaptive Systems (1975), F1 with weights",
    teaches=_(
        "One learning rate must serve a steep and a gentle direction: "
        "what is safe for the steep one is slow for the gentle one."
    ),
)


def ellipse(p, kappa, theta):
    x, y = p
    angle = jnp.deg2rad(theta)
    u = x * jnp.cos(angle) + y * jnp.sin(angle)
    v = y * jnp.cos(angle) - x * jnp.sin(angle)
    return 0.5 * (u**2 + kappa * v**2)


ELLIPSE = Landscape(
    id="ellipse",
    name=_("Turned ellipse"),
    fn=ellipse,
    domain=((-4.0, 4.0), (-4.0, 4.0)),
    # 22.5° off the valley at θ = 0° and at θ = 45°: a method that ignores the axes takes as long on both.
    start=(-3.5, -1.4497),
    rate=0.02,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"convex", "ravine"}),
    hypers=(
        Hyper(
            name="kappa",
            symbol=r"\kappa",
            label=_("Condition number"),
            help=_("How many times more curved the surface is across the valley than along it."),
            default=20.0,
            low=1.0,
            high=1000.0,
            scale="log",
        ),
        Hyper(
            name="theta",
            symbol=r"\theta",
            label=_("Rotation (degrees)"),
            help=_("Angle from the x axis to the valley. Turning it changes no curvature, only its axes."),
            default=0.0,
            low=0.0,
            high=90.0,
        ),
    ),
    formula=r"\tfrac12\left(u^2 + \kappa v^2\right),\quad"
    r" u = x\cos\theta + y\sin\theta,\quad v = y\cos\theta - x\sin\theta",
    reference="Boyd and Vandenberghe, Convex Optimization (2004), 9.3.2, turned by θ",
    teaches=_(
        "A large condition number slows gradient descent down, and methods that scale each coordinate "
        "lose their advantage once the valley is turned off the axes."
    ),
)


def matyas(p):
    x, y = p
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


MATYAS = Landscape(
    id="matyas",
    name=_("Matyas"),
    fn=matyas,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-9.0, -3.0),
    rate=0.5,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"convex", "ravine"}),
    formula=r"0.26(x^2 + y^2) - 0.48xy",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("The valley lies on the diagonal, so scaling each coordinate by itself helps little."),
)


def booth(p):
    x, y = p
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


BOOTH = Landscape(
    id="booth",
    name=_("Booth"),
    fn=booth,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-8.0, 6.0),
    minima=(Minimum((1.0, 3.0), 0.0),),
    tags=frozenset({"convex"}),
    formula=r"(x + 2y - 7)^2 + (2x + y - 5)^2",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Two linear equations as least squares: because each contains both unknowns, the bowl is tilted."),
)

MEMBERS = (SPHERE, SPHERE_WEIGHTED, ELLIPSE, MATYAS, BOOTH)
