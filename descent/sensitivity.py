"""Sensitivity: what becomes of a run when one knob is turned and all others stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from descent.hyper import Hyper, fill
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.passage import low, passages, set_up

VALUES = 61  # of each knob, besides the current one
DECADE, QUARTER = 10.0, 0.25
DECADES = 8.0  # of a loss's fall that are told apart


class Profile(NamedTuple):
    """What each value of one knob gives, the current one among them. Arrays have one entry a value, ascending."""

    hyper: Hyper
    values: np.ndarray
    current: float
    loss: np.ndarray  # final loss that is reported, NaN where the run diverged
    reached_at: np.ndarray  # first step within the tolerance of the minimum, −1: never
    diverged_at: np.ndarray  # first non-finite step, or −1

    def near(self) -> np.ndarray:
        """Which values are around the current one.

        On a logarithmic knob within a decade either way, on a memory β within a decade of 1 − β. On others within a
        quarter of the declared range either way, which for whole numbers is at least one; of a switch both.
        """
        if self.hyper.scale == "switch":
            return np.ones(len(self.values), bool)
        values, current = self.values, self.current
        if self.hyper.memory and values[-1] < 1:
            values, current = 1 - values, 1 - current
        if (self.hyper.memory or self.hyper.scale == "log") and values.min() > 0:
            return np.abs(np.log10(values / current)) <= np.log10(DECADE) + 1e-9
        reach = QUARTER * (self.hyper.high - self.hyper.low)
        reach = max(reach, 1.0) if self.hyper.whole else reach
        return np.abs(values - current) <= reach * (1 + 1e-9)


class Sensitivity(NamedTuple):
    """The profiles of all knobs of an optimizer, and the losses that they are measured by."""

    profiles: tuple[Profile, ...]
    lowest: float  # the landscape's minimum; where it has none, the lowest loss of all these runs
    first: float  # at the start

    def fall(self, profile: Profile) -> np.ndarray:
        """How much is left of the start's excess over ``lowest``, as its log₁₀: from 0 down to −8.

        What diverged, or ended above the start, has 0: nothing was gained.
        """
        excess = self.first - self.lowest
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.log10((profile.loss.astype(np.float64) - self.lowest) / excess)
        left = np.where(profile.loss <= self.lowest, -DECADES, left)
        return np.clip(np.nan_to_num(left, nan=0.0, posinf=0.0), -DECADES, 0.0)

    def swing(self, profile: Profile) -> float:
        """How many decades of the fall are at stake around the knob's current value: `fall`'s range over `near`."""
        return float(np.ptp(self.fall(profile)[profile.near()]))

    def ranked(self) -> list[Profile]:
        """The profiles, the knob with the largest swing first."""
        return sorted(self.profiles, key=self.swing, reverse=True)


def sensitivity(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    tolerance: float = 1e-3,
    **conditions: Any,
) -> Sensitivity:
    """Turn each knob of ``optimizer`` over its declared range, one at a time, around ``hyper``; all in one call.

    The values of a knob are evenly spaced on its own scale (`Hyper.at`), the current value is always
    among them, and a current value beyond the range widens it. ``conditions`` are `descend`'s: schedule, noise
    (the same for all runs), clipping. Raises ``ValueError`` as `descend` does.
    """
    run = set_up(landscape, optimizer, start, steps, hyper, shape, **conditions)
    current = fill(optimizer.hypers, hyper, optimizer.id)
    swept = {h.name: _values(h, current[h.name]) for h in optimizer.hypers}
    # The last row is the current setting: an optimizer without knobs has a loss, too.
    numbers = run.rows(sum(map(len, swept.values())) + 1)
    row = 0
    for name, values in swept.items():
        numbers[row : row + len(values), run.column(name)] = values
        row += len(values)
    shapes = fill(landscape.hypers, shape, landscape.id)
    minimum = landscape.minimum(**shapes)
    aim = np.array([np.nan if minimum is None else minimum, tolerance])
    count = len(numbers)
    starts, aims = np.repeat(run.start[None], count, 0), np.repeat(aim[None], count, 0)
    found = passages(run.machine, low, starts, numbers, run.inputs.integers, aims, run.processed)
    first = float(landscape.fn(run.start, **shapes))
    finite = found.loss[np.isfinite(found.loss)]
    lowest = float(np.min(finite, initial=first)) if minimum is None else minimum
    profiles, row = [], 0
    for h in optimizer.hypers:
        part = slice(row, row := row + len(swept[h.name]))
        profiles.append(
            Profile(
                h, swept[h.name], current[h.name], found.loss[part], found.reached_at[part], found.diverged_at[part]
            )
        )
    return Sensitivity(tuple(profiles), lowest, first)


def _values(hyper: Hyper, current: float) -> np.ndarray:
    """What a knob is turned to, ascending: as many values whatever the current one is."""
    bottom, top = min(hyper.low, current), max(hyper.high, current)
    if hyper.whole and top - bottom < VALUES:
        return np.arange(bottom, top + 1)
    shares = np.linspace(0, 1, VALUES)
    if hyper.whole or (hyper.scale == "log" and bottom <= 0) or (hyper.memory and top >= 1):
        values = bottom + shares * (top - bottom)
        values = np.round(values) if hyper.whole else values
    else:
        values = replace(hyper, low=bottom, high=top).at(shares)
    # The nearest value makes room for the current one, so that no program need be compiled for one more.
    values[np.abs(values - current).argmin()] = current
    return np.sort(values)
