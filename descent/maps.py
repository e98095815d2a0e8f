"""Many runs at once: where every start ends (basins), and what every setting of some knobs gives (sweep)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from descent.engine import (
    Asked,
    Progress,
    check_kind,
    check_start,
    check_whole,
    ends_from,
    ends_over_knobs,
    prepare,
    tiled,
)
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.schedule import CONSTANT, Schedule
from descent.verdict import KINDS, classifier, diagonal


class BasinMap(NamedTuple):
    """Where each start of a grid over the domain ends. Maps are row-major [y, x]."""

    x: np.ndarray  # (resolution,)
    y: np.ndarray  # (resolution,)
    minimizer: np.ndarray  # (resolution, resolution) index into the landscape's minima, −1: none
    verdict: np.ndarray  # (resolution, resolution) index into `descent.verdict.KINDS`
    steps: np.ndarray  # (resolution, resolution) until its steps stayed `SMALL`, or it diverged


class KnobMap(NamedTuple):
    """What each setting of the swept knobs gives, from one start. First axis: the first knob."""

    axes: dict[str, np.ndarray]
    loss: np.ndarray  # final loss, NaN where the run diverged
    diverged_at: np.ndarray  # first non-finite step, or −1
    reached_at: np.ndarray  # first step whose loss is within the tolerance of the minimum; −1: none, or no minimum


SMALL = 1e-3  # of the domain's diagonal: shorter steps than this count as having arrived


def basins(
    landscape: Landscape,
    optimizer: Optimizer,
    resolution: int = 256,
    steps: int = 300,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    progress: Progress | None = None,
    **conditions: Any,
) -> BasinMap:
    """Run ``optimizer`` from every point of a resolution × resolution grid over the domain.

    ``conditions`` are `descend`'s: schedule, noise, clipping. Where there is noise, each start has its own.
    ``progress`` is told now and then which share is computed; if it raises, nothing more is.

    Raises ``ValueError`` as `descend` does, and for a resolution outside 2 … 2048.
    """
    check_kind(landscape, Landscape)
    resolution = check_whole("resolution", resolution, 2, 2_048)
    x, y = (np.linspace(low, high, resolution, dtype=np.float32) for low, high in landscape.domain)
    starts = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    scale = diagonal(landscape)
    run = ends_from(
        landscape, optimizer, starts.dtype, steps, hyper, shape=shape, tolerance=SMALL * scale, **conditions
    )
    classify = classifier(landscape, shape)

    def tile(points: np.ndarray, indices: np.ndarray) -> _Tile:
        found = run(points, indices)
        diverged = np.asarray(found.diverged_at) >= 0
        ends = np.where(diverged[:, None], 0.0, np.asarray(found.params, np.float64))
        with jax.enable_x64(True):
            arrived = jax.tree.map(np.asarray, found.arrival)
            about = classify(ends, arrived.still(scale), arrived.circling)
        return _Tile(
            np.where(diverged, -1, about.minimizer),
            np.where(diverged, KINDS.index("diverged"), about.kind),
            np.where(diverged, found.diverged_at, found.settled_at),
        )

    found = tiled(tile, starts, np.arange(len(starts), dtype=np.int32), progress=progress)
    return BasinMap(x, y, *(part.reshape(resolution, resolution) for part in found))


class _Tile(NamedTuple):
    """A part of a `BasinMap`, flat."""

    minimizer: np.ndarray
    verdict: np.ndarray
    steps: np.ndarray


def sweep(
    landscape: Landscape,
    optimizer: Optimizer,
    knobs: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    tolerance: float = 1e-3,
    progress: Progress | None = None,
    schedule: Schedule = CONSTANT,
    **conditions: Any,
) -> KnobMap:
    """Run from one start under every combination of the given values of the optimizer's or landscape's knobs.

    ``hyper`` and ``shape`` set the knobs that are not swept; ``start`` decides float32 or float64 as it does
    in `descend`, and ``conditions`` are those of its arguments that say what runs go through: the schedule's knobs,
    noise (the same for all runs), clipping. ``tolerance`` is how close to the landscape's minimum the loss must come
    to count as there. ``progress`` is told now and then which share is computed; if it raises, nothing more is.

    Raises ``ValueError`` as `descend` does, and for an unknown knob, an empty axis or a value that is not finite.
    """
    check_kind(landscape, Landscape)
    check_kind(optimizer, Optimizer)
    if not isinstance(knobs, Mapping) or not knobs:
        raise ValueError(f"sweep needs at least one knob with its values; {knobs!r} was given")
    point = check_start(landscape.start if start is None else start)
    if point.ndim != 1:
        raise ValueError(f"start must be two finite numbers (x, y); an array of shape {point.shape} was given")
    declared = {h.name: h for h in (*landscape.hypers, *optimizer.hypers)}
    axes: dict[str, np.ndarray] = {}
    for name, values in knobs.items():
        if name not in declared:
            raise ValueError(f"unknown knob {name!r}; {landscape.id} and {optimizer.id} have {', '.join(declared)}")
        if isinstance(values, str) or np.ndim(values) != 1 or len(values) == 0:
            raise ValueError(f"the values of {name} must be a non-empty list of finite numbers; {values!r} was given")
        axes[name] = np.array([declared[name].check(value, "this sweep") for value in values])
    conditions = {"schedule_hyper": None} | conditions
    machine, inputs = prepare(
        landscape, optimizer, schedule, steps=steps, shape=shape, hyper=hyper, dtype=point.dtype, **conditions
    )
    columns = {h.name: i for i, h in enumerate((*landscape.hypers, *optimizer.hypers))}
    grid = np.meshgrid(*axes.values(), indexing="ij")
    numbers = np.repeat(np.asarray(inputs.numbers)[None], grid[0].size, 0)
    for name, values in zip(axes, grid, strict=True):
        with np.errstate(over="ignore"):
            numbers[:, columns[name]] = values.ravel()
        if not np.isfinite(numbers[:, columns[name]]).all():
            raise ValueError(f"the values of {name} must be within the range of {point.dtype}; {axes[name]} was given")
    _set_minima(landscape, numbers)
    processed = any(conditions.get(name) for name in ("noise", "relative_noise", "clip_value", "clip_norm"))
    asked = Asked(closeness=np.asarray(tolerance, point.dtype))
    found = ends_over_knobs(machine, processed, point, numbers, np.asarray(inputs.integers), asked, progress)
    shaped = (array.reshape(grid[0].shape) for array in (found.loss, found.diverged_at, found.reached_at))
    return KnobMap(axes, *shaped)


def _set_minima(landscape: Landscape, numbers: np.ndarray) -> None:
    """Write the landscape's minimum into each row, the last of `Inputs.numbers`: its knobs may move it."""
    if landscape.moving is None:
        lowest = landscape.minimum()
        bounds = np.array([(h.low, h.high) for h in landscape.hypers], numbers.dtype).reshape(-1, 2)
        shapes = numbers[:, : len(bounds)]
        known = (bounds[:, 0] <= shapes) & (shapes <= bounds[:, 1])
        numbers[:, -1] = np.where(known.all(1), np.nan if lowest is None else lowest, np.nan)
        return
    shapes, which = np.unique(numbers[:, : len(landscape.hypers)], axis=0, return_inverse=True)
    named = [dict(zip((h.name for h in landscape.hypers), map(float, row), strict=True)) for row in shapes]
    lowest = [landscape.minimum(**shape) for shape in named]
    numbers[:, -1] = np.array([np.nan if value is None else value for value in lowest])[which.ravel()]
