"""Many runs at once: where every start ends (basins), and what every setting of some knobs gives (sweep)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from descent.engine import Progress, check_kind, check_start, check_whole, ends, ends_over_knobs, prepare
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.schedule import CONSTANT
from descent.verdict import KINDS, classify, diagonal


class BasinMap(NamedTuple):
    """Where each start of a grid over the domain ends. Maps are row-major [y, x]."""

    x: np.ndarray  # (resolution,)
    y: np.ndarray  # (resolution,)
    minimizer: np.ndarray  # (resolution, resolution) index into the landscape's minima, −1: none
    verdict: np.ndarray  # (resolution, resolution) index into `descent.verdict.KINDS`
    steps: np.ndarray  # (resolution, resolution) steps until it settled, or diverged


class KnobMap(NamedTuple):
    """What each setting of the swept knobs gives, from one start. First axis: the first knob."""

    axes: dict[str, np.ndarray]
    loss: np.ndarray  # final loss, NaN where the run diverged
    diverged_at: np.ndarray  # first non-finite step, or −1


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
    # A run has settled once its steps no longer change the picture.
    tolerance = 1e-4 * diagonal(landscape)
    found = ends(
        landscape, optimizer, starts, steps, hyper, shape=shape, tolerance=tolerance, progress=progress, **conditions
    )
    diverged = found.diverged_at >= 0
    kinds, minimizer, _ = classify(
        landscape,
        np.where(diverged[:, None], 0.0, found.params),
        still=found.settled_at < steps,
        cycling=np.zeros(len(starts), bool),
        shape=shape,
    )
    grid = (resolution, resolution)
    return BasinMap(
        x,
        y,
        np.where(diverged, -1, minimizer).reshape(grid),
        np.where(diverged, KINDS.index("diverged"), kinds).reshape(grid),
        np.where(diverged, found.diverged_at, found.settled_at).reshape(grid),
    )


def sweep(
    landscape: Landscape,
    optimizer: Optimizer,
    knobs: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
) -> KnobMap:
    """Run from one start under every combination of the given values of the optimizer's or landscape's knobs.

    ``hyper`` and ``shape`` set the knobs that are not swept; ``start`` decides float32 or float64 as it does
    there. Raises ``ValueError`` as `descend` does, and for an unknown knob, an empty axis or a value that is not
    finite.
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
    machine, inputs = prepare(
        landscape, optimizer, CONSTANT, steps=steps, shape=shape, hyper=hyper, schedule_hyper=None, dtype=point.dtype
    )
    columns = {h.name: i for i, h in enumerate((*landscape.hypers, *optimizer.hypers))}
    grid = np.meshgrid(*axes.values(), indexing="ij")
    numbers = np.repeat(np.asarray(inputs.numbers)[None], grid[0].size, 0)
    for name, values in zip(axes, grid, strict=True):
        with np.errstate(over="ignore"):
            numbers[:, columns[name]] = values.ravel()
        if not np.isfinite(numbers[:, columns[name]]).all():
            raise ValueError(f"the values of {name} must be within the range of {point.dtype}; {axes[name]} was given")
    found = ends_over_knobs(machine, point, numbers, np.asarray(inputs.integers))
    return KnobMap(axes, found.loss.reshape(grid[0].shape), found.diverged_at.reshape(grid[0].shape))
