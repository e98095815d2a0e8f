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
NUDGES, NUDGE = 8, 1e-9  # starts moved by this share of their distance from the origin, each in another direction
HAIR = 3  # times the spread that a hair makes: what is more than that is the angle's doing
SAME = 0.01  # a rule whose steps vary by no more than this share does not depend on the axes

TURN = Hyper("turn", "", "", "", 0.0, -360.0, 360.0)


class Rotation(NamedTuple):
    """Steps to a tolerance against the angle of the surface. Arrays have one entry an angle."""

    angle: np.ndarray  # degrees
    reached_at: np.ndarray  # first step within the tolerance of the minimum, −1: never
    diverged_at: np.ndarray  # first non-finite step, or −1
    loss: np.ndarray  # final loss
    nudged: np.ndarray  # (NUDGES,) steps at the first angle, from starts that are moved by a hair

    @property
    def erratic(self) -> bool:
        """Does a hair at the start change the number of steps about as much? Then no angle is to blame for it."""
        near = np.append(self.nudged, self.reached_at[0])
        if _same(self.reached_at) or (near < 0).all():
            return False
        arrived = (near >= 0).all() and (self.reached_at >= 0).all()
        return bool(np.ptp(self.reached_at) <= HAIR * np.ptp(near)) if arrived else bool((near < 0).any())

    @property
    def invariant(self) -> bool | None:
        """Is the number of steps the same at all angles, but for 1 % or a single step? None: nobody can tell.

        That is so where no run ever arrived, and where runs are erratic.
        """
        if _same(self.reached_at):
            return True if self.reached_at[0] >= 0 else None
        return None if self.erratic else False


def _same(steps: np.ndarray) -> bool:
    return bool(np.ptp(steps) <= max(1, SAME * steps.min()) if (steps >= 0).all() else (steps < 0).all())


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
    Everything is computed in float64, or rounding, which is along the axes, would tell angles apart where line searches
    magnify it. ``conditions`` are `descend`'s: schedule, noise, clipping.

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
    begin = landscape.start if start is None else start
    run = set_up(turned(landscape), optimizer, begin, steps, hyper, shapes, dtype=np.float64, **conditions)
    first = np.array(turned_point(run.start, angles[0]))
    hair = NUDGE * (np.hypot(*first) or 1.0)
    nudged = [first + turned_point((hair, 0.0), 360 * k / NUDGES) for k in range(NUDGES)]
    starts = np.array([*(turned_point(run.start, angle) for angle in angles), *nudged])
    count = len(starts)
    numbers = run.rows(count)
    numbers[:, run.column(TURN.name)] = np.append(angles, np.full(NUDGES, angles[0]))
    aims = np.repeat(np.array([[minimum, tolerance]]), count, 0)
    found = passages(run.machine, low, starts, numbers, run.inputs.integers, aims, run.processed)
    turns, hairs = slice(len(angles)), slice(len(angles), None)
    return Rotation(
        np.asarray(angles),
        found.reached_at[turns],
        found.diverged_at[turns],
        found.loss[turns],
        found.reached_at[hairs],
    )
