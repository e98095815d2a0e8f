"""Escape: how long a run stays at a saddle, against its distance from the saddle's stable manifold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from descent.hyper import fill
from descent.landscape import Landscape, Point
from descent.optimizer import Optimizer
from descent.passage import beyond, passages, set_up
from descent.verdict import SINGULAR, local

DISTANCES = np.geomspace(1e-12, 1e-1, 45)  # four a decade


class Saddle(NamedTuple):
    """A saddle, with the directions of the smallest and the largest eigenvalue of its Hessian as unit vectors."""

    point: Point
    down: Point
    up: Point
    curvature: float  # λ_min < 0
    radius: float  # who is farther off than this along ``down`` has left
    quadratic: bool  # is the surface a quadratic?


class Escape(NamedTuple):
    """Steps until runs have left a saddle. Arrays have one entry a distance."""

    saddle: Saddle
    foot: Point  # the point beside which runs start: on the stable manifold
    distance: np.ndarray  # of the start from the foot, along the saddle's ``down``
    reached_at: np.ndarray  # first step beyond the saddle's radius, −1: still there
    diverged_at: np.ndarray  # first non-finite step, or −1


def saddle_near(
    landscape: Landscape, point: Sequence[float] | np.ndarray, shape: Mapping[str, object] | None = None
) -> Saddle | None:
    """The saddle nearest to ``point`` whose Hessian has eigenvalues of both signs; None if there is none.

    Its radius is half of the way to the nearest minimum, or a quarter of the shorter side of the domain if that is
    less.
    """
    shapes = fill(landscape.hypers, shape, landscape.id)
    known = landscape.critical_points(**shapes)
    if not known.saddles or landscape.slice:
        return None
    around = local(landscape, np.array(known.saddles), shapes)
    low, high = around.eigenvalues[:, 0], around.eigenvalues[:, -1]
    strict = (low < -SINGULAR * np.abs(high)) & (high > 0)
    if not strict.any():
        return None
    points = np.array(known.saddles)
    index = int(np.where(strict, np.linalg.norm(points - np.asarray(point, float), axis=-1), np.inf).argmin())
    chosen = points[index]
    sides = [top - bottom for bottom, top in landscape.domain]
    ways = [math.dist(chosen, m.point) / 2 for m in known.minima]
    radius = min([min(sides) / 4, *ways])
    # A surface is a quadratic if its curvature is the same everywhere.
    (x0, x1), (y0, y1) = landscape.domain
    probes = local(landscape, np.array([(x0, y0), (x1, y0), (x0, y1), (x1 / 3, y1 / 7), chosen]), shapes)
    curvature = np.einsum("nij,nj,nkj->nik", probes.eigenvectors, probes.eigenvalues, probes.eigenvectors)
    quadratic = bool(np.abs(curvature - curvature[-1]).max() <= 1e-9 * np.abs(curvature[-1]).max())
    down, up = around.eigenvectors[index].T
    return Saddle(_point(chosen), _point(down), _point(up), float(low[index]), radius, quadratic)


def _point(array: np.ndarray) -> Point:
    return float(array[0]), float(array[1])


def foot(
    landscape: Landscape, saddle: Saddle, start: Sequence[float] | np.ndarray, shape: Mapping[str, object] | None = None
) -> Point:
    """The point of the saddle's stable manifold beside which runs start.

    Where the manifold is straight it is the one nearest to ``start``. Where it is curved it is not known in closed
    form but for the saddle itself, to which the manifold's distance is measured along ``down``.
    """
    down, up, middle = (np.array(part) for part in (saddle.down, saddle.up, saddle.point))
    along = float((np.asarray(start, float) - middle) @ up)
    way = middle + np.linspace(0, along, 9)[:, None] * up
    slope = local(landscape, way, shape).gradient
    straight = np.abs(slope @ down).max() <= 1e-9 * max(1.0, np.abs(slope).max())
    return _point(way[-1] if straight else middle)


def escape(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 1_000,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    distances: np.ndarray = DISTANCES,
    radius: float | None = None,
    **conditions: Any,
) -> Escape:
    """Steps until a run that starts at each of ``distances`` beside the stable manifold of a saddle has left it.

    The saddle is the one nearest to ``start``; ``radius`` is how far one has to be off, along the direction in which
    the surface falls, if not the saddle's own. Everything is computed in float64, as 10⁻¹² beside a 1 needs it.
    ``conditions`` are `descend`'s: schedule, noise, clipping.

    Raises ``ValueError`` as `descend` does, and where there is no saddle with a negative and a positive eigenvalue.
    """
    run = set_up(landscape, optimizer, start, steps, hyper, shape, dtype=np.float64, **conditions)
    saddle = saddle_near(landscape, run.start, shape)
    if saddle is None:
        raise ValueError(f"{landscape.id} has no known saddle from which one direction leads down and one up")
    if radius is not None:
        saddle = saddle._replace(radius=radius)
    beside = foot(landscape, saddle, run.start, shape)
    count = len(distances)
    starts = np.array(beside) + np.asarray(distances)[:, None] * np.array(saddle.down)
    aim = np.array([*saddle.point, *saddle.down, saddle.radius])
    aims = np.repeat(aim[None], count, 0)
    found = passages(run.machine, beyond, starts, run.rows(count), run.inputs.integers, aims, run.processed)
    return Escape(saddle, beside, np.asarray(distances), found.reached_at, found.diverged_at)


def law(saddle: Saddle, distance: np.ndarray, learning_rate: float, momentum: float = 0.0) -> np.ndarray:
    """Steps to leave the saddle by its linearization: ln(radius / distance) / ln(z).

    Of gradient descent z = 1 + α|λ| and the law is exact on a quadratic. Of the heavy ball z is the larger root of
    z² − (1 + ρ + α|λ|)z + ρ = 0, and the law holds but for a constant: at first the velocity is 0.
    References: Polyak (1964); Lee et al., Gradient Descent Only Converges to Minimizers (2016).
    """
    middle = (1 + momentum + learning_rate * abs(saddle.curvature)) / 2
    growth = middle + math.sqrt(middle**2 - momentum)
    return np.log(saddle.radius / distance) / math.log(growth)
