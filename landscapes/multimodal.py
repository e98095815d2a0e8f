"""Many minima: where a run ends depends on where it starts and how far it can jump."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.landscape import CriticalPoints, Landscape, Minimum
from descent.text import _

FAMILY = _("Many minima")


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


HIMMELBLAU = Landscape(
    id="himmelblau",
    name=_("Himmelblau"),
    fn=himmelblau,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(0.0, 0.0),
    minima=(
        Minimum((3.0, 2.0), 0.0),
        Minimum((-2.805118086952745, 3.131312518250573), 0.0),
        Minimum((-3.779310253377747, -3.2831859912861696), 0.0),
        Minimum((3.5844283403304917, -1.8481265269644036), 0.0),
    ),
    saddles=(
        (3.385154183607021, 0.0738518798377493),
        (0.08667750455539634, 2.8842547011747763),
        (-3.0730257507643897, -0.08135304428796751),
        (-0.12796134673068005, -1.9537149802445766),
    ),
    tags=frozenset({"multimodal", "saddle"}),
    height="log",
    formula=r"(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    reference="Himmelblau, Applied Nonlinear Programming (1972)",
    teaches=_("Four equally good minima: the method and its step size, not the loss, decide which one a run ends in."),
)


def three_hump_camel(p):
    x, y = p
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


THREE_HUMP_CAMEL = Landscape(
    id="three_hump_camel",
    name=_("Three-hump camel"),
    fn=three_hump_camel,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(-2.0, 3.5),
    minima=(
        Minimum((0.0, 0.0), 0.0),
        Minimum((-1.7475523458302888, 0.8737761729151444), 0.29863844223686076),
        Minimum((1.7475523458302888, -0.8737761729151444), 0.29863844223686076),
    ),
    saddles=((-1.07054229182366, 0.53527114591183), (1.07054229182366, -0.53527114591183)),
    tags=frozenset({"multimodal", "saddle"}),
    height="log",
    formula=r"2x^2 - 1.05x^4 + \tfrac16 x^6 + xy + y^2",
    reference="Jamil and Yang, A Literature Survey of Benchmark Functions for Global Optimisation Problems (2013)",
    teaches=_("Two shallow local minima flank the global one; momentum may roll through the one where descent stops."),
)


def rastrigin(p, amplitude):
    x, y = p
    # A(1 − cos 2πt) = 2A sin² πt, but without losing digits near the minimum.
    return x**2 + y**2 + 2 * amplitude * (jnp.sin(jnp.pi * x) ** 2 + jnp.sin(jnp.pi * y) ** 2)


@lru_cache(maxsize=256)  # each run asks anew
def rastrigin_minima(amplitude: float) -> CriticalPoints:
    """The minima in the domain, the global one first: pairs of minima of g(t) = t² + 2A sin² πt.

    Left of each whole k > 0, between k − ½ and k, g′ falls to its lowest value where g″ = 0 and from there is
    convex; if it is negative there, Newton from k comes down to its only root, which is a minimum. The hundreds of
    saddles are left out.
    """

    def slope(t: float) -> float:
        return 2 * t + 2 * math.pi * amplitude * math.sin(2 * math.pi * t)

    def curvature(t: float) -> float:
        return 2 + 4 * math.pi**2 * amplitude * math.cos(2 * math.pi * t)

    line = [0.0]
    flex = -1 / (2 * math.pi**2 * amplitude) if amplitude else -math.inf  # cos 2πt where g″ = 0
    for k in range(1, 6):
        if flex <= -1 or slope(k - math.acos(flex) / (2 * math.pi)) >= 0:
            break
        t = float(k)
        for _iteration in range(100):
            t, last = t - slope(t) / curvature(t), t
            if abs(t - last) < 1e-15 * k:
                break
        line += [t, -t]
    height = {t: t**2 + 2 * amplitude * math.sin(math.pi * t) ** 2 for t in line}
    minima = (Minimum((x, y), height[x] + height[y]) for x, y in product(line, line))
    return CriticalPoints(tuple(sorted(minima, key=lambda minimum: minimum.value)))


RASTRIGIN = Landscape(
    id="rastrigin",
    name=_("Rastrigin"),
    fn=rastrigin,
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    start=(-3.6, 2.3),
    minima=rastrigin_minima(10.0).minima,
    tags=frozenset({"multimodal"}),
    hypers=(
        Hyper(
            name="amplitude",
            symbol="A",
            label=_("Height of the ripples"),
            help=_("At 0 the surface is a smooth bowl; the larger, the deeper its local minima."),
            default=10.0,
            low=0.0,
            high=20.0,
        ),
    ),
    moving=rastrigin_minima,
    formula=r"2A + \sum_{t \in \{x, y\}} \left(t^2 - A\cos 2\pi t\right)",
    reference="Rastrigin, Systems of Extremal Control (1974)",
    teaches=_("A bowl covered with ripples: a method that follows the gradient stops in the nearest of 121 minima."),
)


def ackley(p):
    x, y = p
    square = (x**2 + y**2) / 2
    # √ has an infinite slope at 0, which autodiff would turn into NaN: it must not even see that branch's 0.
    off_cusp = square > 0
    distance = jnp.where(off_cusp, jnp.sqrt(jnp.where(off_cusp, square, 1)), 0)
    # exp(½ Σ cos 2πt) = e · exp(−Σ sin² πt); expm1 keeps the digits near the minimum.
    ripples = jnp.expm1(-(jnp.sin(jnp.pi * x) ** 2) - jnp.sin(jnp.pi * y) ** 2)
    return -20 * jnp.expm1(-0.2 * distance) - math.e * ripples


ACKLEY = Landscape(
    id="ackley",
    name=_("Ackley"),
    fn=ackley,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(-3.4, 2.6),
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"plateau", "multimodal", "nonsmooth"}),
    smooth=False,
    formula=r"-20\,e^{-0.2\sqrt{\frac{x^2 + y^2}{2}}} - e^{\frac{\cos 2\pi x + \cos 2\pi y}{2}} + 20 + e",
    reference="Ackley, A Connectionist Machine for Genetic Hillclimbing (1987)",
    teaches=_("Ripples hide the gentle slope towards the minimum and hold a run long before it gets there."),
)

MEMBERS = (HIMMELBLAU, THREE_HUMP_CAMEL, RASTRIGIN, ACKLEY)
