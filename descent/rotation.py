"""Rotation: does a rule depend on the axes? The surface is turned, and the start with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from descent.engine import check_kind
from descent.hyper import Hyper, fill
from descent.landscape import CriticalPoints, Landscape, Minimum, Point
from descent.optimizer import Optimizer
from descent.passage import low, passages, set_up

ANGLES = np.linspace(0.0, 90.0, 91)
SAME = 0.01  # a rule whose steps vary by no more than this share does not depend on the axes

TURN = Hyper("turn", "", "", "", 0.0, -360.0, 360.0)


class Rotation(NamedTuple):
    """Steps to a tolerance against the angle of the surface. Arrays have one entry an angle."""

    angle: np.ndarray  # degrees
    reached_at: np.ndarray  # first step within the tolerance of the minimum, −1: never
    diverged_at: np.ndarray  # first non-finite step, or −1
    loss: np.ndarray  # final loss

    @property
    def invariant(self) -> bool | None:
        """Is the number of steps the same at all angles, but for 1 % or a single step? None: no run ever arrived."""
        arrived = self.reached_at >= 0
        if not arrived.any():
            return None
        span = int(np.ptp(self.reached_at))
        return bool(arrived.all() and span <= max(1, SAME * self.reached_at.min()))


def turned_point(point: Sequence[float] | np.ndarray, degrees: float) -> Point:
    """A point (x, y), turned about the origin."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return float(cos * point[0] - sin * point[1]), float(sin * point[0] + cos * point[1])


@lru_cache(maxsize=64)
def turned(landscape: Landscape) -> Landscape:
    """The landscape turned about the origin by a knob more, ``turn`` in degrees.

    About the origin and not about a minimum, because weight decay pulls there.
    """

    def fn(p: Any, turn: Any, **shape: Any) -> Any:
        angle = jnp.deg2rad(turn)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        return landscape.fn(jnp.stack([cos * p[0] + sin * p[1], cos * p[1] - sin * p[0]]), **shape)

    def moving(turn: float, **shape: float) -> CriticalPoints:
        known = landscape.critical_points(**shape)
        return CriticalPoints(
            tuple(Minimum(turned_point(m.point, turn), m.value, m.kink) for m in known.minima),
            tuple(turned_point(point, turn) for point in known.saddles),
        )

    return replace(landscape, fn=fn, hypers=(*landscape.hypers, TURN), moving=moving)


def rotation(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 1_000,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    tolerance: float = 1e-3,
    angles: np.ndarray = ANGLES,
    **conditions: Any,
) -> Rotation:
    """Steps until the reported loss is within ``tolerance`` of the minimum, at each of ``angles`` (degrees, (n,)).

    Surface and start turn together about the origin, so at every angle a run has the same way to go over the same
    ground; only the axes differ. A rule that scales coordinates one by one is the same again after 90°.
    ``conditions`` are `descend`'s: schedule, noise, clipping.

    Raises ``ValueError`` as `descend` does, for a plane that is a slice through more parameters, which turning it
    would leave as they are, and where the lowest value is not known.
    """
    check_kind(landscape, Landscape)
    if landscape.slice:
        raise ValueError(f"the plane of {landscape.id} is a slice through more parameters: turning it turns only two")
    shapes = fill(landscape.hypers, shape, landscape.id)
    minimum = landscape.minimum(**shapes)
    if minimum is None:
        raise ValueError(f"{landscape.id} has no lowest value that is known, so there is nothing to arrive at")
    run = set_up(
        turned(landscape), optimizer, landscape.start if start is None else start, steps, hyper, shapes, **conditions
    )
    count = len(angles)
    numbers = run.rows(count)
    numbers[:, run.column(TURN.name)] = angles
    starts = np.array([turned_point(run.start, angle) for angle in angles], run.start.dtype)
    aims = np.repeat(np.array([[minimum, tolerance]]), count, 0)
    found = passages(run.machine, low, starts, numbers, run.inputs.integers, aims, run.processed)
    return Rotation(np.asarray(angles), found.reached_at, found.diverged_at, found.loss)
