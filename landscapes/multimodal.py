"""Many minima: where a run ends depends on where it starts and how far it can jump."""

from __future__ import annotations

import math
from functools import lru_cache

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.landscape import CriticalPoints, Landscape, Minimum
from descent.text import _
from landscapes.kinks import magnitude, root
from landscapes.repeated import lattice, mirrored

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
    rate=0.002,
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
    rate=0.02,
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


def six_hump_camel(p):
    x, y = p
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


SIX_HUMP_CAMEL = Landscape(
    id="six_hump_camel",
    name=_("Six-hump camel"),
    fn=six_hump_camel,
    domain=((-3.0, 3.0), (-2.0, 2.0)),
    start=(-2.2, -1.4),
    rate=0.002,
    minima=(
        Minimum((0.08984201310031806, -0.7126564030207396), -1.0316284534898774),
        Minimum((-0.08984201310031806, 0.7126564030207396), -1.0316284534898774),
        Minimum((-1.7036067149699807, 0.7960835686726251), -0.21546382438371905),
        Minimum((1.7036067149699807, -0.7960835686726251), -0.21546382438371905),
        Minimum((1.6071047529201974, 0.5686514548841314), 2.1042503103112575),
        Minimum((-1.6071047529201974, -0.5686514548841314), 2.1042503103112575),
    ),
    saddles=(
        (0.0, 0.0),
        (1.1092053368047865, -0.7682680925095399),
        (-1.1092053368047865, 0.7682680925095399),
        (-1.638067984189779, -0.22867406904439413),
        (1.638067984189779, 0.22867406904439413),
        (-1.296070267167109, -0.6050843880386585),
        (1.296070267167109, 0.6050843880386585),
    ),
    tags=frozenset({"multimodal", "saddle"}),
    height="log",
    formula=r"\left(4 - 2.1x^2 + \tfrac13 x^4\right)x^2 + xy + (4y^2 - 4)y^2",
    reference="Dixon and Szegő, The global optimization problem: an introduction (1978)",
    teaches=_(
        "Six minima on three levels: from the start the shallowest lies nearest, and it takes momentum to get past it."
    ),
)


def branin(p):
    x, y = p
    parabola = y - 5.1 * x**2 / (4 * jnp.pi**2) + 5 * x / jnp.pi - 6
    return parabola**2 + 10 * (1 - 1 / (8 * jnp.pi)) * jnp.cos(x) + 10


BRANIN = Landscape(
    id="branin",
    name=_("Branin"),
    fn=branin,
    domain=((-5.0, 10.0), (0.0, 15.0)),
    start=(3.6, 13.0),
    minima=tuple(
        Minimum(point, 1.25 / math.pi) for point in ((-math.pi, 12.275), (math.pi, 2.275), (3 * math.pi, 2.475))
    ),
    saddles=((0.0, 6.0), (2 * math.pi, 1.1)),
    tags=frozenset({"multimodal", "saddle"}),
    height="log",
    formula=r"\left(y - \frac{5.1}{4\pi^2}x^2 + \frac{5}{\pi}x - 6\right)^2"
    r" + 10\left(1 - \frac{1}{8\pi}\right)\cos x + 10",
    reference="Branin, Widely convergent method for finding multiple solutions "
    "of simultaneous nonlinear equations (1972)",
    teaches=_("Three minima are equally deep but not equally wide, so their basins differ in size."),
)


def goldstein_price(p):
    x, y = p
    first = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    second = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return first * second


GOLDSTEIN_PRICE = Landscape(
    id="goldstein_price",
    name=_("Goldstein–Price"),
    fn=goldstein_price,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    start=(-1.5, 0.5),
    rate=5e-6,
    minima=(
        Minimum((0.0, -1.0), 3.0),
        Minimum((-0.6, -0.4), 30.0),
        Minimum((1.8, 0.2), 84.0),
        Minimum((1.2, 0.8), 840.0),
    ),
    saddles=((-0.4, -0.6), (1.2, -0.2), (1.4, 0.6), (0.6, 0.4)),
    tags=frozenset({"multimodal", "saddle"}),
    height="log",
    formula=r"\big[1 + (x + y + 1)^2(19 - 14x + 3x^2 - 14y + 6xy + 3y^2)\big]"
    r"\,\big[30 + (2x - 3y)^2(18 - 32x + 12x^2 + 48y - 36xy + 27y^2)\big]",
    reference="Goldstein and Price, On descent from local minima (1971)",
    teaches=_("The loss spans more than five decades, so a learning rate that is safe high up crawls in the valleys."),
)


def styblinski_tang(p):
    x, y = p
    return 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y)


# Of each coordinate by itself.
_DEEP, _RIDGE, _SHALLOW = -2.9035340277711774, 0.1567312567803401, 2.746802770990837

STYBLINSKI_TANG = Landscape(
    id="styblinski_tang",
    name=_("Styblinski–Tang"),
    fn=styblinski_tang,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(0.1, 4.5),
    rate=0.005,
    minima=lattice(*[{_DEEP: -39.16616570377142, _SHALLOW: -25.029446655283945}] * 2),
    saddles=((_RIDGE, _DEEP), (_DEEP, _RIDGE), (_RIDGE, _SHALLOW), (_SHALLOW, _RIDGE)),
    tags=frozenset({"multimodal", "saddle"}),
    formula=r"\tfrac12 \sum_{t \in \{x, y\}} \left(t^4 - 16t^2 + 5t\right)",
    reference="Styblinski and Tang, Experiments in nonconvex optimization: stochastic approximation "
    "with function smoothing and simulated annealing (1990)",
    teaches=_("Each coordinate picks its own side of a ridge, and only one of the four outcomes is the best."),
)


def peaks(p):
    x, y = p
    return (
        3 * (1 - x) ** 2 * jnp.exp(-(x**2) - (y + 1) ** 2)
        - 10 * (x / 5 - x**3 - y**5) * jnp.exp(-(x**2) - y**2)
        - jnp.exp(-((x + 1) ** 2) - y**2) / 3
    )


PEAKS = Landscape(
    id="peaks",
    name=_("Peaks"),
    fn=peaks,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(0.3, 1.2),
    rate=0.002,
    minima=(
        Minimum((0.2282789205563691, -1.6255349574999967), -6.551133332835836),
        Minimum((-1.3473962443682108, 0.20451886609700518), -3.0498494028002594),
        Minimum((0.2964455538468321, 0.3201962476668344), -0.06493586825552673),
    ),
    saddles=(
        (0.4163233216785082, -0.3941450984024246),
        (-0.2659375568372457, 0.46673999372626945),
        (1.0982728343350927, 0.8544609795247524),
    ),
    tags=frozenset({"multimodal", "saddle"}),
    formula=r"3(1 - x)^2 e^{-x^2 - (y + 1)^2} - 10\left(\tfrac x5 - x^3 - y^5\right)e^{-x^2 - y^2}"
    r" - \tfrac13 e^{-(x + 1)^2 - y^2}",
    reference="the peaks function of MATLAB (MathWorks)",
    teaches=_("Hills part the basins, and beyond them lies a plain on which gradients fade and runs come to a halt."),
)


def two_wells(p):
    x, y = p
    right = 2 * jnp.exp(-((x - 1) ** 2 + y**2) / 0.2)
    left = 3 * jnp.exp(-((x + 1) ** 2 + y**2) / 0.2)
    return x**2 + y**2 - right - left


TWO_WELLS = Landscape(
    id="two_wells",
    name=_("Two wells in a bowl"),
    fn=two_wells,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    start=(0.9, 1.8),
    rate=0.02,
    minima=(
        Minimum((-0.9363006340109187, 0.0), -2.063090251768194),
        Minimum((0.905317899160115, 0.0), -1.0927319992017408),
    ),
    saddles=((0.06860243670809668, 0.0),),
    tags=frozenset({"multimodal", "saddle"}),
    formula=r"x^2 + y^2 - 2e^{-\frac{(x - 1)^2 + y^2}{0.2}} - 3e^{-\frac{(x + 1)^2 + y^2}{0.2}}",
    reference="Dupont, Interactive Visualization of Optimization Algorithms in Deep Learning (2018)",
    teaches=_("The same start ends in the deep or in the shallow well, depending on the method."),
)


def mueller_brown(p):
    x, y = p
    peaks = (
        (-200, -1, 0, -10, 1, 0),
        (-100, -1, 0, -10, 0, 0.5),
        (-170, -6.5, 11, -6.5, -0.5, 1.5),
        (15, 0.7, 0.6, 0.7, -1, 1),
    )
    return sum(
        height * jnp.exp(a * (x - x0) ** 2 + b * (x - x0) * (y - y0) + c * (y - y0) ** 2)
        for height, a, b, c, x0, y0 in peaks
    )


MUELLER_BROWN = Landscape(
    id="mueller_brown",
    name=_("Müller–Brown"),
    fn=mueller_brown,
    domain=((-1.5, 1.2), (-0.5, 2.2)),
    start=(0.7, 1.7),
    rate=5e-5,
    minima=(
        Minimum((-0.5582236346330243, 1.4417258418046688), -146.69951720995402),
        Minimum((0.6234994049308764, 0.028037758528685675), -108.16672411685236),
        Minimum((-0.05001082299820606, 0.4666941048719721), -80.76781812965903),
    ),
    saddles=((0.212486582000662, 0.2929883251073678), (-0.8220015587327321, 0.6243128028148713)),
    tags=frozenset({"ravine", "multimodal", "saddle"}),
    height="log",
    formula=r"\sum_{k=1}^4 A_k\, e^{a_k(x - x_k)^2 + b_k(x - x_k)(y - y_k) + c_k(y - y_k)^2}",
    reference="Müller and Brown, Location of saddle points and minimum energy paths "
    "by a constrained simplex optimization procedure (1979)",
    teaches=_("A model of a chemical reaction: a bent valley leads from one minimum over saddles to the next."),
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
    return CriticalPoints(lattice(height, height))


RASTRIGIN = Landscape(
    id="rastrigin",
    name=_("Rastrigin"),
    fn=rastrigin,
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    start=(-3.6, 2.3),
    rate=0.0002,
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
    undeclared=frozenset({"saddles"}),
    formula=r"2A + \sum_{t \in \{x, y\}} \left(t^2 - A\cos 2\pi t\right)",
    reference="Rastrigin, Systems of Extremal Control (1974)",
    teaches=_("A bowl covered with ripples: a method that follows the gradient stops in the nearest of 121 minima."),
)


def ackley(p):
    x, y = p
    distance = root((x**2 + y**2) / 2)
    # exp(½ Σ cos 2πt) = e · exp(−Σ sin² πt); expm1 keeps the digits near the minimum.
    ripples = jnp.expm1(-(jnp.sin(jnp.pi * x) ** 2) - jnp.sin(jnp.pi * y) ** 2)
    return -20 * jnp.expm1(-0.2 * distance) - math.e * ripples


ACKLEY = Landscape(
    id="ackley",
    name=_("Ackley"),
    fn=ackley,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(-3.4, 2.6),
    rate=0.005,
    minima=(Minimum((0.0, 0.0), 0.0, kink=True),),
    tags=frozenset({"plateau", "multimodal", "nonsmooth"}),
    smooth=False,
    undeclared=frozenset({"minima", "saddles"}),
    formula=r"-20\,e^{-0.2\sqrt{\frac{x^2 + y^2}{2}}} - e^{\frac{\cos 2\pi x + \cos 2\pi y}{2}} + 20 + e",
    reference="Ackley, A Connectionist Machine for Genetic Hillclimbing (1987)",
    teaches=_("Ripples hide the gentle slope towards the minimum and hold a run long before it gets there."),
)


def griewank(p):
    x, y = p
    z = y / math.sqrt(2)
    # 1 − cos x · cos z = sin² ½(x + z) + sin² ½(x − z), but without losing digits near the minimum.
    return (x**2 + y**2) / 4000 + jnp.sin((x + z) / 2) ** 2 + jnp.sin((x - z) / 2) ** 2


GRIEWANK = Landscape(
    id="griewank",
    name=_("Griewank"),
    fn=griewank,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-7.5, 4.0),
    rate=0.1,
    minima=mirrored(
        Minimum((0.0, 0.0), 0.0),
        Minimum((3.14002263389554, 4.438444480920714), 0.007396040334115083),
        Minimum((6.280045279379904, 0.0), 0.009864672061006214),
        Minimum((0.0, 8.876888929095657), 0.019719489248184806),
        Minimum((9.420067886213593, 4.438444437201061), 0.027125384395415616),
        Minimum((6.280045217550294, 8.876888885374552), 0.029584161212070012),
    ),
    tags=frozenset({"multimodal"}),
    undeclared=frozenset({"saddles"}),
    formula=r"1 + \frac{x^2 + y^2}{4000} - \cos x\,\cos\frac{y}{\sqrt2}",
    reference="Griewank, Generalized descent for global optimization (1981)",
    teaches=_("The minima are almost equally deep, so a low loss does not mean that the best one was found."),
)


def levy13(p):
    x, y = p
    # All ripples have period 1. What is left of x and y is exact, while float32 has few digits left of 30π.
    u, v = x - jnp.round(x), y - jnp.round(y)
    return (
        jnp.sin(3 * jnp.pi * u) ** 2
        + (x - 1) ** 2 * (1 + jnp.sin(3 * jnp.pi * v) ** 2)
        + (y - 1) ** 2 * (1 + jnp.sin(2 * jnp.pi * v) ** 2)
    )


LEVY13 = Landscape(
    id="levy13",
    name=_("Lévy N. 13"),
    fn=levy13,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-5.0, 6.0),
    rate=0.001,
    minima=(Minimum((1.0, 1.0), 0.0),),
    tags=frozenset({"multimodal"}),
    undeclared=frozenset({"minima", "saddles"}),
    formula=r"\sin^2 3\pi x + (x - 1)^2(1 + \sin^2 3\pi y) + (y - 1)^2(1 + \sin^2 2\pi y)",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Hundreds of ripples lie on a simple bowl, and the gradient tells of the ripples more than of the bowl."),
)


def schwefel(p):
    x, y = p
    # The constant makes the minimum 0.
    return 837.9657745448674 - x * jnp.sin(root(magnitude(x))) - y * jnp.sin(root(magnitude(y)))


# Of each coordinate by itself, with the height above its lowest.
_SCHWEFEL_LINE = {
    420.968746359982: 0.0,
    -302.5249356119118: 118.43833461443795,
    203.8142526488945: 217.13966939057298,
    -124.82935642021526: 296.1067137585179,
    65.54786509015153: 355.34790532087936,
    -25.877417347618685: 394.8999270493655,
    5.2391993001955255: 415.0375856471472,
}

SCHWEFEL = Landscape(
    id="schwefel",
    name=_("Schwefel"),
    fn=schwefel,
    domain=((-500.0, 500.0), (-500.0, 500.0)),
    start=(-180.0, 260.0),
    rate=0.5,
    minima=lattice(_SCHWEFEL_LINE, _SCHWEFEL_LINE),
    tags=frozenset({"multimodal"}),
    undeclared=frozenset({"saddles"}),
    formula=r"837.965775 - x\sin\sqrt{|x|} - y\sin\sqrt{|y|}",
    reference="Schwefel, Numerical Optimization of Computer Models (1981)",
    teaches=_("The second-best minimum lies far from the best one, so nothing learnt nearby leads there."),
)


def bohachevsky(p):
    x, y = p
    # 1 − cos 2t = 2 sin² t keeps the digits near the minimum.
    return x**2 + 2 * y**2 + 0.6 * jnp.sin(1.5 * jnp.pi * x) ** 2 + 0.8 * jnp.sin(2 * jnp.pi * y) ** 2


BOHACHEVSKY = Landscape(
    id="bohachevsky",
    name=_("Bohachevsky"),
    fn=bohachevsky,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    start=(1.5, 1.8),
    rate=0.05,
    minima=lattice(
        {
            0.0: 0.0,
            0.6186120678279501: 0.41292683027581506,
            -0.6186120678279501: 0.41292683027581506,
            1.2224947771568115: 1.6438265898471713,
            -1.2224947771568115: 1.6438265898471713,
        },
        {
            0.0: 0.0,
            0.46952754566849225: 0.469882414921396,
            -0.46952754566849225: 0.469882414921396,
            0.9333791416826436: 1.874569931117437,
            -0.9333791416826436: 1.874569931117437,
        },
    ),
    tags=frozenset({"multimodal"}),
    undeclared=frozenset({"saddles"}),
    formula=r"x^2 + 2y^2 - 0.3\cos 3\pi x - 0.4\cos 4\pi y + 0.7",
    reference="Bohachevsky, Johnson and Stein, Generalized Simulated Annealing for Function Optimization (1986)",
    teaches=_("Each ripple holds a run that slides down the bowl, while one with enough momentum rolls over them all."),
)


def drop_wave(p):
    x, y = p
    square = x**2 + y**2
    # cos 12r is smooth in r², though r is not: next to 0, where r has no derivative, its series takes over.
    close = square < 1e-6
    series = 1 - 72 * square * (1 - 12 * square)
    wave = jnp.where(close, series, jnp.cos(12 * jnp.sqrt(jnp.where(close, 1, square))))
    return -(1 + wave) / (0.5 * square + 2)


DROP_WAVE = Landscape(
    id="drop_wave",
    name=_("Drop wave"),
    fn=drop_wave,
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    start=(-1.9, 1.3),
    rate=0.005,
    minima=(Minimum((0.0, 0.0), -1.0),),
    tags=frozenset({"multimodal"}),
    undeclared=frozenset({"minima"}),  # whole circles
    formula=r"-\frac{1 + \cos 12r}{\tfrac12 r^2 + 2}, \quad r = \sqrt{x^2 + y^2}",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Rings of waves: each trough is a minimum in one direction and level in the other."),
)


def schaffer2(p):
    x, y = p
    square = x**2 + y**2
    # ½ + (s² − ½) / q² = (s² + ½(q² − 1)) / q² keeps the digits near the minimum.
    return (jnp.sin(x**2 - y**2) ** 2 + 5e-4 * square * (2 + 1e-3 * square)) / (1 + 1e-3 * square) ** 2


SCHAFFER2 = Landscape(
    id="schaffer2",
    name=_("Schaffer N. 2"),
    fn=schaffer2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-3.5, 1.5),
    rate=0.002,
    minima=(Minimum((0.0, 0.0), 0.0),),
    tags=frozenset({"multimodal", "flat"}),
    undeclared=frozenset({"minima"}),
    formula=r"\tfrac12 + \frac{\sin^2(x^2 - y^2) - \tfrac12}{\big(1 + 0.001(x^2 + y^2)\big)^2}",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Ridges crowd together further out, while on the diagonals a hardly sloping floor leads to the minimum."),
)

MEMBERS = (
    HIMMELBLAU,
    THREE_HUMP_CAMEL,
    SIX_HUMP_CAMEL,
    BRANIN,
    GOLDSTEIN_PRICE,
    STYBLINSKI_TANG,
    PEAKS,
    TWO_WELLS,
    MUELLER_BROWN,
    RASTRIGIN,
    ACKLEY,
    GRIEWANK,
    LEVY13,
    SCHWEFEL,
    BOHACHEVSKY,
    DROP_WAVE,
    SCHAFFER2,
)
