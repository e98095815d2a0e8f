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
    rate=0.5,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"plateau"}),
    formula=r"2\tanh\frac{x^2 + y^2}{8}",
    reference="after Glorot and Bengio, Understanding the difficulty of training deep feedforward "
    "neural networks (2010)",
    teaches=_("Far from the minimum the surface saturates: the gradient vanishes and plain descent hardly starts."),
)


def easom(p):
    x, y = p
    return -jnp.cos(x) * jnp.cos(y) * jnp.exp(-((x - jnp.pi) ** 2) - (y - jnp.pi) ** 2)


EASOM = Landscape(
    id="easom",
    name=_("Easom"),
    fn=easom,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(1.8, 4.2),
    rate=0.1,
    minima=(Minimum((math.pi, math.pi), -1.0),),
    tags=frozenset({"plateau"}),
    undeclared=frozenset({"minima", "saddles"}),  # ripples around the hole, less than 1e-4 deep
    formula=r"-\cos x\,\cos y\;e^{-(x - \pi)^2 - (y - \pi)^2}",
    reference="Easom, A Survey of Global Optimization Techniques (1990)",
    teaches=_("One hole in endless flat ground: a run that starts a little further out gets no gradient to follow."),
)


def michalewicz(p):
    x, y = p
    return -jnp.sin(x) * jnp.sin(x**2 / jnp.pi) ** 20 - jnp.sin(y) * jnp.sin(2 * y**2 / jnp.pi) ** 20


MICHALEWICZ = Landscape(
    id="michalewicz",
    name=_("Michalewicz"),
    fn=michalewicz,
    domain=((0.0, math.pi), (0.0, math.pi)),
    start=(1.8, 1.95),
    minima=(
        Minimum((2.2029055201726093, math.pi / 2), -1.8013034100985528),
        Minimum((2.2029055201726093, 2.7115714838430143), -1.2140595156208167),
    ),
    tags=frozenset({"plateau", "ravine"}),
    formula=r"-\sin x\,\sin^{20}\frac{x^2}{\pi} - \sin y\,\sin^{20}\frac{2y^2}{\pi}",
    reference="Michalewicz, Genetic Algorithms + Data Structures = Evolution Programs (1992)",
    teaches=_("Narrow trenches in flat ground: a run must first drop into one, then find where two of them cross."),
)


def one_neuron(p):
    weight, bias = p
    examples = ((-2, -0.8), (-1, 0.8), (1, 0.8), (2, 0))
    return sum((jnp.tanh(weight * given + bias) - wanted) ** 2 for given, wanted in examples) / 4


ONE_NEURON = Landscape(
    id="one_neuron",
    name=_("One neuron"),
    fn=one_neuron,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(-2.0, 0.5),
    rate=0.2,
    minima=(
        Minimum((2.1966554963609934, 3.2949276679083708), 0.25999639881619896),
        Minimum((0.22286451068211796, 0.28118241095940844), 0.3634359091667404),
        Minimum((-0.984222666640064, 1.9805825117011562), 0.8192438941005381),
    ),
    saddles=((0.45016183322602865, 0.6070867668000024), (-0.8072403449384487, 1.6562054564328328)),
    tags=frozenset({"plateau", "multimodal", "saddle"}),
    formula=r"\tfrac14 \sum_{i=1}^4 \big(\tanh(x s_i + y) - t_i\big)^2,\quad"
    r" s = (-2, -1, 1, 2),\ t = (-0.8, 0.8, 0.8, 0)",
    reference="after Auer, Herbster and Warmuth, Exponentially many local minima for single neurons (1996)",
    teaches=_(
        "Weight and bias of a single neuron: it already has local minima, and plateaus where its tanh saturates."
    ),
)

MEMBERS = (CLIFF, TANH_PLATEAU, EASOM, MICHALEWICZ, ONE_NEURON)
