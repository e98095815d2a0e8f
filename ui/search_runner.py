"""What the search page computes: the response over its square, single searches, and many of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from streamlit.delta_generator import DeltaGenerator

import landscapes
import optimizers
from descent.engine import Progress
from descent.halving import Halving, halve, plain, spending
from descent.hyper import fill
from descent.search import LAYOUTS, Importance, Repeats, grid, importance, random, repeat, sobol, squared
from descent.tuning import Curves, curves, trials
from figures import Height
from lessons.responses import Runs
from ui.maps.work import computed, several
from ui.search import Search

RESOLUTION = 96  # cells along each side of the square
SAMPLE = 1 << 14  # points that say how much of the square is how good
REPEATS = 1_000  # searches that an expectation is taken over
HALVINGS = 300
REACHES = (9, 25, 64, 100, 144)  # how far the curves against the budget go


class Square(NamedTuple):
    """A response over its square. Arrays are (RESOLUTION, RESOLUTION), the first knob along the first axis."""

    loss: np.ndarray  # NaN where a trial diverged
    heights: np.ndarray  # as they are drawn, in [0, 1]; 1 where a trial diverged
    sample: np.ndarray  # (SAMPLE,) losses, ascending, of points spread evenly; inf where a trial diverged
    lowest: float  # what losses are counted from
    matters: Importance  # of the heights

    @property
    def curves(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean height along each axis."""
        return self.heights.mean(1), self.heights.mean(0)

    def best(self, share: float) -> float:
        """The loss that so large a share of the square stays below or meets; inf where less has a loss at all."""
        return float(self.sample[max(round(share * len(self.sample)) - 1, 0)])


def square(search: Search, place: DeltaGenerator) -> Square:
    """The response over its square."""
    return computed(("square", *search.key), lambda progress: _square(search, progress), place)


def _square(search: Search, progress: Progress) -> Square:
    part = several(2, progress)
    loss = squared(search.made(), RESOLUTION, part(0))
    sample = search.made().loss(sobol(SAMPLE, np.random.default_rng(0)), part(1))
    height = _height(search, np.concatenate([loss.ravel(), sample]))
    heights = np.where(np.isfinite(loss), np.clip(height(loss), 0, 1), 1.0)
    return Square(
        loss, heights, np.sort(np.where(np.isfinite(sample), sample, np.inf)), height.base, importance(heights)
    )


def _height(search: Search, loss: np.ndarray) -> Height:
    """How high losses are drawn: those of runs on a logarithmic scale that ends where the runs began."""
    made = search.made()
    if not isinstance(made, Runs):
        return Height(0.0, 1.0)
    landscape = landscapes.find(made.landscape)
    finite = loss[np.isfinite(loss)].astype(np.float64)
    known = [lowest] if (lowest := landscape.minimum()) is not None else []
    if not finite.size:
        return Height(known[0] if known else 0.0, 1.0, 1e-8)
    base = float(min([finite.min(), *known]))
    begun = float(landscape.fn(np.asarray(landscape.start), **fill(landscape.hypers, None, landscape.id)))
    span = max(begun - base, 1e-12)
    return Height(base, span, float(np.clip(np.quantile(finite, 0.02) - base, 1e-8 * span, 1e-2 * span)))


def drawn(search: Search, place: DeltaGenerator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """One search in each layout: its points (n, 2) and their losses (n,). The grid lies in the middle."""
    key = ("drawn", *search.key, search.trials, search.seed)

    def work(progress: Progress) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        points = {name: lay(search.trials, np.random.default_rng(search.seed)) for name, lay in LAYOUTS.items()}
        points["grid"] = grid(search.trials)
        ends = np.cumsum([len(part) for part in points.values()])
        losses = search.made().loss(np.concatenate([*points.values()]), progress)
        return dict(zip(points, zip(points.values(), np.split(losses, ends[:-1]), strict=True), strict=True))

    return computed(key, work, place)


def repeated(search: Search, place: DeltaGenerator) -> dict[str, Repeats]:
    """Many searches in each layout."""
    reach = next(reach for reach in REACHES if reach >= search.trials)

    def work(progress: Progress) -> dict[str, Repeats]:
        part = several(len(LAYOUTS), progress)
        made = search.made()
        return {name: repeat(made, name, reach, REPEATS, search.seed, part(k)) for k, name in enumerate(LAYOUTS)}

    return computed(("repeated", *search.key, reach, search.seed), work, place)


# ---- successive halving ----------------------------------------------------------------------------------------------


class Halved(NamedTuple):
    """One search by successive halving, in full."""

    points: np.ndarray  # (n, 2) of the configurations
    whole: Curves  # what became of all of them, had they run to the end
    found: Halving
    final: np.ndarray  # (n,) loss at the end, NaN where diverged


class Duel(NamedTuple):
    """The best losses (searches,) of many searches on one budget, above the lowest value; inf: all diverged."""

    halving: np.ndarray
    random: np.ndarray


def halved(search: Search, place: DeltaGenerator) -> Halved:
    """One search by successive halving."""
    key = ("halved", *search.key, search.ladder, search.seed)
    return computed(key, lambda progress: _halved(search), place)


def _halved(search: Search) -> Halved:
    runs, ladder = search.runs, search.ladder
    points = random(search.configurations, np.random.default_rng(search.seed))
    landscape = landscapes.find(runs.landscape)
    rule = optimizers.find(runs.optimizer)
    whole = curves(landscape, rule, runs.settings(points), np.asarray(landscape.start, np.float32), runs.evaluations)
    at = {rung.resource: whole.after([rung.resource])[:, 0] for rung in ladder}
    found = halve(ladder, 1, lambda alive, resource: at[resource][alive])
    return Halved(points, whole, found, at[ladder[-1].resource])


def duel(search: Search, place: DeltaGenerator) -> Duel:
    """Many searches by successive halving, and as many by plain random search on the same budget."""
    key = ("duel", *search.key, search.ladder, search.seed)
    return computed(key, lambda progress: _duel(search, progress), place)


def _duel(search: Search, progress: Progress) -> Duel:
    runs, ladder = search.runs, search.ladder
    landscape = landscapes.find(runs.landscape)
    rule = optimizers.find(runs.optimizer)
    start = np.asarray([landscape.start], np.float32)
    rng = np.random.default_rng((search.seed, 1))
    part = several(len(ladder) + 1, progress)

    def losses(points: np.ndarray, resource: int, progress: Progress) -> np.ndarray:
        settings = runs.settings(points.reshape(-1, 2))
        found = trials(landscape, rule, settings, start, resource, progress=progress)
        return found.loss[:, 0, 0].reshape(points.shape[:-1]).astype(np.float64)

    points = rng.random((HALVINGS, search.configurations, 2))
    resources = [rung.resource for rung in ladder]

    def judged(alive: np.ndarray, resource: int) -> np.ndarray:
        chosen = np.take_along_axis(points, alive[..., None], 1)
        return losses(chosen, resource, part(resources.index(resource)))

    best = halve(ladder, HALVINGS, judged).loss
    lengths = plain(sum(spending(ladder)), ladder[-1].resource)
    others = rng.random((HALVINGS, len(lengths), 2))
    ends = [losses(others[:, :-1], lengths[0], part(len(ladder)))] if len(lengths) > 1 else []
    ends.append(losses(others[:, -1:], lengths[-1], part(len(ladder))))
    reached = np.concatenate(ends, 1)
    return Duel(best, np.where(np.isfinite(reached), reached, np.inf).min(1))
