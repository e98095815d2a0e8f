"""Minima that a landscape's form repeats: a few are found, the rest follow."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from descent.landscape import Minimum


def mirrored(*minima: Minimum) -> tuple[Minimum, ...]:
    """These minima, each with its mirror images about both axes."""
    images = (m._replace(point=(i * m.point[0], j * m.point[1])) for m in minima for i, j in product((1, -1), repeat=2))
    return tuple(dict.fromkeys(images))


def lattice(x: Mapping[float, float], y: Mapping[float, float]) -> tuple[Minimum, ...]:
    """The minima of f(x) + g(y), the lowest first, from those of f and of g, each with its value."""
    return tuple(sorted((Minimum((s, t), x[s] + y[t]) for s, t in product(x, y)), key=lambda minimum: minimum.value))
