"""The learning-rate range test: one run whose learning rate climbs all along it, to see which ones the run can bear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from descent.engine import check_whole, descend
from descent.hyper import Hyper, as_float
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.schedule import Schedule

SMOOTHING = 0.9  # of the moving average of the loss
SPARE = 10.0  # the rate of the lowest loss is near the edge: what is suggested stays so far below it
FLOOR = 1e-3  # a fall by less than this share of the first loss is none

SWEEP = Schedule(
    "range_test",
    "",
    lambda step, total_steps, hyper: hyper.span ** (step / (total_steps - 1)),
    r"s^{t/(T-1)}",
    hypers=(Hyper("span", "s", "", "", 1e6, 1.0, 1e12, "log"),),
)


class RangeTest(NamedTuple):
    """What a range test saw: arrays with an entry for each step, NaN from where the run diverged.

    ``loss`` is that after the step with ``learning_rate``, ``smoothed`` its exponential moving average, corrected for
    its beginning at 0. Of the two rates that the curve suggests, ``below_lowest`` is a tenth of the one with the lowest
    smoothed loss, and ``steepest`` the one, before that, at which the smoothed loss falls fastest against log α; both
    are NaN if it never falls.
    """

    learning_rate: np.ndarray  # (steps,)
    loss: np.ndarray  # (steps,)
    smoothed: np.ndarray  # (steps,)
    below_lowest: float
    steepest: float
    diverged_at: int


def range_test(
    landscape: Landscape,
    optimizer: Optimizer,
    low: float = 1e-5,
    high: float = 10.0,
    start: Any = None,
    steps: int = 200,
    hyper: Mapping[str, object] | None = None,
    **more: Any,
) -> RangeTest:
    """Run once with a learning rate that grows by the same factor at each step, from ``low`` to ``high``.

    ``more`` is what `descend` takes (noise, seed, shape, clipping). Raises ``ValueError`` as it does, for fewer than
    two steps, and for a range that is none.

    References: Smith (2017), Cyclical Learning Rates for Training Neural Networks, for the test; for the two rules
    Howard & Gugger (2020), fastai: A Layered API for Deep Learning.
    """
    steps = check_whole("steps", steps, 2, 5_000)
    ends = as_float(low), as_float(high)
    if not (0 < ends[0] < ends[1] < np.inf):
        raise ValueError(f"the learning rates must go from low > 0 to a higher one; {low!r} and {high!r} were given")
    knobs = dict(hyper or {}) | {"learning_rate": ends[0]}
    run = descend(landscape, optimizer, start, steps, knobs, SWEEP, {"span": ends[1] / ends[0]}, **more)
    if run.position.ndim != 2:
        raise ValueError(f"a range test is of one run; {len(run.position)} starts were given")
    rate = ends[0] * (ends[1] / ends[0]) ** (np.arange(steps) / (steps - 1))
    loss = run.loss[1:].astype(np.float64)
    smoothed = _smoothed(loss)
    return RangeTest(rate, loss, smoothed, *_suggested(rate, smoothed, float(run.loss[0])), int(run.diverged_at))


def _smoothed(loss: np.ndarray) -> np.ndarray:
    average, out = 0.0, np.empty_like(loss)
    for t, value in enumerate(loss):
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        out[t] = average / (1 - SMOOTHING ** (t + 1))
    return out


def _suggested(rate: np.ndarray, smoothed: np.ndarray, first: float) -> tuple[float, float]:
    finite = np.flatnonzero(np.isfinite(smoothed))
    if len(finite) == 0:
        return np.nan, np.nan
    lowest = int(finite[smoothed[finite].argmin()])
    if lowest < 2 or first - smoothed[lowest] <= FLOOR * abs(first):
        return np.nan, np.nan
    slope = np.gradient(smoothed[: lowest + 1], np.log(rate[: lowest + 1]))
    return float(rate[lowest] / SPARE), float(rate[slope.argmin()])
