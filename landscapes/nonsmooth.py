"""Surfaces with kinks and edges: on them the gradient jumps, and says nothing about how far the minimum is."""

from __future__ import annotations

import jax.numpy as jnp

from descent.landscape import Landscape, Minimum
from descent.text import _
from landscapes.kinks import magnitude, root
from landscapes.repeated import mirrored

FAMILY = _("Kinks and edges")


def l1_ravine(p):
    x, y = p
    return magnitude(x) + 10 * magnitude(y)


L1_RAVINE = Landscape(
    id="l1_ravine",
    name=_("L1 ravine"),
    fn=l1_ravine,
    domain=((-4.0, 4.0), (-4.0, 4.0)),
    start=(-3.5, 2.3),
    rate=0.02,
    minima=(Minimum((0.0, 0.0), 0.0, kink=True),),
    tags=frozenset({"convex", "ravine", "nonsmooth"}),
    smooth=False,
    formula=r"|x| + 10\,|y|",
    reference="after Boyd, Xiao and Mutapcic, Subgradient Methods (2003)",
    teaches=_("The slope does not fade towards a kink: with a constant learning rate a run hops about it for ever."),
)


def bukin6(p):
    x, y = p
    # 0.01x² as a square: 0.01 itself is no binary fraction, and the root would make 5e-7 of the 2e-17 it is off.
    return 100 * root(magnitude(y - (x / 10) ** 2)) + 0.01 * magnitude(x + 10)


BUKIN6 = Landscape(
    id="bukin6",
    name=_("Bukin N. 6"),
    fn=bukin6,
    domain=((-15.0, -5.0), (-3.0, 3.0)),
    start=(-6.5, 2.2),
    rate=0.0001,
    minima=(Minimum((-10.0, 1.0), 0.0, kink=True),),
    tags=frozenset({"ravine", "nonsmooth"}),
    smooth=False,
    formula=r"100\sqrt{|y - 0.01x^2|} + 0.01\,|x + 10|",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_(
        "The valley is a crease with walls that are steepest at the floor: runs bounce across it and hardly advance."
    ),
)


def cross_in_tray(p):
    x, y = p
    # |s|·e^(100 − r/π) overflows float32: (1 + e^h)^0.1 from its logarithm h instead. Where s = 0, so is its slope.
    s = magnitude(jnp.sin(x) * jnp.sin(y))
    off_kink = s > 0
    h = jnp.log(jnp.where(off_kink, s, 1)) + 100 - root(x**2 + y**2) / jnp.pi
    return -1e-4 * jnp.exp(0.1 * jnp.where(off_kink, jnp.logaddexp(0, h), 0))


CROSS_IN_TRAY = Landscape(
    id="cross_in_tray",
    name=_("Cross in tray"),
    fn=cross_in_tray,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(-6.8, 5.6),
    rate=0.5,
    minima=mirrored(
        Minimum((1.3494066171539107, 1.3494066171539107), -2.062611870822739),
        Minimum((4.4190758742568725, 1.4706221621674318), -1.8899380457855708),
        Minimum((1.4706221621674318, 4.4190758742568725), -1.8899380457855708),
        Minimum((4.490999270743704, 4.490999270743704), -1.7906017238104068),
        Minimum((7.551422464401016, 1.5085213314357113), -1.7154894160540055),
        Minimum((1.5085213314357113, 7.551422464401016), -1.7154894160540055),
        Minimum((7.58748868615687, 4.550121985637071), -1.6538852656171796),
        Minimum((4.550121985637071, 7.58748868615687), -1.6538852656171796),
        Minimum((7.632591924333497, 7.632591924333497), -1.5544633378037738),
    ),
    tags=frozenset({"multimodal", "nonsmooth"}),
    smooth=False,
    formula=r"-10^{-4}\left(\left|\sin x\,\sin y\;e^{\left|100 - \frac{r}{\pi}\right|}\right| + 1\right)^{0.1},"
    r" \quad r = \sqrt{x^2 + y^2}",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Sharp walls cut the ground into cells, and each run stays in the one it starts in."),
)


def holder_table(p):
    x, y = p
    return -magnitude(jnp.sin(x) * jnp.cos(y)) * jnp.exp(magnitude(1 - root(x**2 + y**2) / jnp.pi))


HOLDER_TABLE = Landscape(
    id="holder_table",
    name=_("Holder table"),
    fn=holder_table,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(2.4, 2.2),
    rate=0.1,
    minima=mirrored(
        Minimum((8.055023475736563, 9.664590019241272), -19.208502567886732),
        Minimum((4.853855848168829, 9.702113880430847), -11.069551166751278),
        Minimum((8.09758272512733, 6.479497356652597), -9.504677029920918),
        Minimum((1.623129475512689, 9.729001856268278), -8.095122657428684),
        Minimum((8.14131217899, 3.2593510491859483), -5.712246520612045),
        Minimum((4.9011448802306266, 6.53250260076771), -4.712458360790639),
        Minimum((8.162150705090468, 0.0), -4.710706959806585),
        Minimum((1.6479448346558905, 6.582678304989755), -3.038853361299364),
        Minimum((4.9712420488573565, 3.316439374840691), -2.3465763146233156),
        Minimum((5.020558051500675, 0.0), -1.7329722438960704),
        Minimum((1.2626272556789115, 0.0), -1.7329722438960702),
        Minimum((1.7123918431426985, 3.418867791850568), -1.1830908778886595),
    ),
    tags=frozenset({"multimodal", "nonsmooth"}),
    smooth=False,
    formula=r"-\left|\sin x\,\cos y\;e^{\left|1 - \frac{r}{\pi}\right|}\right|, \quad r = \sqrt{x^2 + y^2}",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("The minima get deeper towards the corners, so a run that starts near the middle misses the best ones."),
)


def eggholder(p):
    x, y = p
    return -(y + 47) * jnp.sin(root(magnitude(x / 2 + y + 47))) - x * jnp.sin(root(magnitude(x - y - 47)))


EGGHOLDER = Landscape(
    id="eggholder",
    name=_("Eggholder"),
    fn=eggholder,
    domain=((-512.0, 512.0), (-512.0, 512.0)),
    start=(-230.0, 80.0),
    rate=0.2,
    minima=(
        Minimum((512.0, 404.2318051137578), -959.6406627208507),  # on the edge
        Minimum((482.3533104647885, 432.8789989454835), -956.9182316246655),  # the lowest two inside, close together
        Minimum((479.04540378435183, 434.50587646790115), -955.2551521443154),
    ),
    tags=frozenset({"multimodal", "nonsmooth"}),
    smooth=False,
    undeclared=frozenset({"minima", "saddles"}),
    formula=r"-(y + 47)\sin\sqrt{\left|\tfrac x2 + y + 47\right|} - x\sin\sqrt{|x - y - 47|}",
    reference="Surjanovic and Bingham, Virtual Library of Simulation Experiments (2013)",
    teaches=_("Its lowest point lies on the edge of the domain: a run gets there only to leave the picture."),
)

MEMBERS = (L1_RAVINE, BUKIN6, CROSS_IN_TRAY, HOLDER_TABLE, EGGHOLDER)
