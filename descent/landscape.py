"""What a loss surface is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np

from descent.hyper import Hyper
from descent.text import _

Point = tuple[float, float]
Tag = Literal["convex", "ravine", "saddle", "flat", "plateau", "multimodal", "nonsmooth"]
TAGS: Mapping[Tag, str] = {
    "convex": _("convex"),
    "ravine": _("ravine"),
    "saddle": _("saddle"),
    "flat": _("flat minimum"),
    "plateau": _("plateau"),
    "multimodal": _("many minima"),
    "nonsmooth": _("not smooth"),
}


class Minimum(NamedTuple):
    """A minimizer (the point) with its minimum (the value). On a kink the gradient does not fade towards it."""

    point: Point
    value: float
    kink: bool = False


class CriticalPoints(NamedTuple):
    """Where a landscape's minima and saddles lie at given values of its knobs."""

    minima: tuple[Minimum, ...]
    saddles: tuple[Point, ...] = ()


@dataclass(frozen=True, eq=False)
class Slice:
    """The plane as a slice through the space of one array of parameters: a weight matrix, say.

    Rules are handed that array, of shape ``shape``, and may leave the slice; pictures show where they are in it.
    ``axes(**knobs)`` has shape (2, *shape): the two arrays, orthonormal, that x and y are coordinates along.
    ``loss(params, **knobs)`` is the scalar loss anywhere. Its gradient on the slice should lie within it, so that
    whoever leaves does so by the rule and not because the surface sends it.
    """

    shape: tuple[int, ...]
    axes: Callable[..., Any]
    loss: Callable[..., Any]

    def embed(self, xy: Any, **knobs: Any) -> Any:
        """The parameters, of shape ``shape``, at a point of the slice."""
        return jnp.tensordot(xy, self.axes(**knobs), 1)

    def project(self, params: Any, **knobs: Any) -> Any:
        """The point (2,) of the slice that is nearest to ``params``."""
        return jnp.tensordot(self.axes(**knobs), params, len(self.shape))

    def fn(self, xy: Any, **knobs: Any) -> Any:
        """The loss on the slice: what a landscape shows."""
        return self.loss(self.embed(xy, **knobs), **knobs)


@dataclass(frozen=True, eq=False)
class Landscape:
    """A loss surface over the plane, declared once.

    ``fn(xy, **shape)`` takes an array of shape (2,) and returns the scalar loss, in jax.numpy.
    ``minima`` and ``saddles`` hold at the default knobs; where knobs move them, ``moving(**shape)``
    says where to. ``unbounded`` landscapes have no global minimum. ``flat_minima`` marks minima that form a
    curve or have a singular Hessian, where counting them or Newton's method makes no sense.
    ``undeclared`` names what the domain has too much of to list: of such minima the lowest are declared, of such
    saddles none. A minimum on the domain's edge is the lowest point around within the domain only: the loss may
    fall further outside, and no run rests there.
    ``rate`` is a learning rate at which gradient descent comes down from ``start``, with momentum too.
    ``height`` is how pictures scale the loss: "log" where its values span decades.
    ``slice`` says of which parameters (x, y) are two coordinates, where they are not all there is; ``fn`` is then
    ``slice.fn``, and minima and saddles lie in the slice.
    """

    id: str
    name: str
    fn: Callable[..., Any]
    domain: tuple[Point, Point]
    start: Point
    minima: tuple[Minimum, ...]
    formula: str  # LaTeX
    reference: str
    teaches: str
    tags: frozenset[Tag] = frozenset()
    saddles: tuple[Point, ...] = ()
    hypers: tuple[Hyper, ...] = ()
    moving: Callable[..., CriticalPoints] | None = None
    rate: float = 0.01
    height: Literal["linear", "log"] = "linear"
    smooth: bool = True
    unbounded: bool = False
    flat_minima: bool = False
    undeclared: frozenset[Literal["minima", "saddles"]] = frozenset()
    slice: Slice | None = None

    @property
    def dimension(self) -> int:
        """How many parameters there are: 2, or those that the plane is a slice through."""
        return math.prod(self.slice.shape) if self.slice else 2

    def loss(self, vector: Any, **shape: Any) -> Any:
        """The loss of all parameters (dimension,), on the slice or not."""
        return self.slice.loss(vector.reshape(self.slice.shape), **shape) if self.slice else self.fn(vector, **shape)

    def lift(self, points: Any, **shape: float) -> np.ndarray:
        """All parameters (n, dimension) at points (n, 2) of the plane."""
        points = np.asarray(points, np.float64).reshape(-1, 2)
        if self.slice is None:
            return points
        return points @ np.asarray(self.slice.axes(**shape), np.float64).reshape(2, -1)

    def critical_points(self, **shape: float) -> CriticalPoints:
        """Minima and saddles at the given knobs (missing ones take their default)."""
        if self.moving is None:
            return CriticalPoints(self.minima, self.saddles)
        return self.moving(**{h.name: h.default for h in self.hypers} | shape)

    def minimum(self, **shape: float) -> float | None:
        """The lowest value; None where there is none (an unbounded landscape) or none is known (knobs out of range)."""
        known = all(h.low <= shape.get(h.name, h.default) <= h.high for h in self.hypers)
        if self.unbounded or not known:
            return None
        return min((m.value for m in self.critical_points(**shape).minima), default=None)

    def on_edge(self, point: Point) -> bool:
        """Does this point lie on the domain's edge?"""
        return any(value in ends for value, ends in zip(point, self.domain, strict=True))
