"""Demonstrations of learning-rate schedules: races that each show one thing, with a sentence on what to look for.

Like the race's situations, each sentence makes a claim, and `claim` is that sentence as a predicate: a test asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from descent import RunSpec
from descent.text import _
from landscapes import LANDSCAPES
from lessons.situations import Situation, run

# The heavy ball with α inside of its velocity: v ← ρv − αg, Δθ = v.
INSIDE = "=v: momentum*v - lr*g; delta: v; lr=0.01 in 0.0001..10; momentum=0.9 in 0..0.99"


def _lanes(
    landscape: str,
    start: tuple[float, float],
    steps: int,
    *lanes: tuple[str, float, str, dict[str, float]],
    **more: Any,
) -> tuple[RunSpec, ...]:
    """Runs of (optimizer, learning rate, schedule, the schedule's knobs)."""
    return tuple(
        RunSpec(
            landscape,
            optimizer,
            start,
            steps,
            {"learning_rate": rate},
            schedule=schedule,
            schedule_hyper=knobs,
            **more,
        )
        for optimizer, rate, schedule, knobs in lanes
    )


def _mean(run: Any, first: int, last: int) -> float:
    return float(run.loss[first:last].mean())


def _floor(runs: Sequence[RunSpec]) -> bool:
    large, small, decayed = (run(r) for r in runs)
    floors = [_mean(t, -300, None) for t in (large, small, decayed)]
    begins = [int((t.loss < 0.1).argmax()) for t in (large, small, decayed)]
    return (
        5 < floors[0] / floors[1] < 50
        and floors[2] < floors[1]
        and begins[0] < begins[2] < 2 * begins[0] < begins[1] / 3
    )


def _stairs(runs: Sequence[RunSpec]) -> bool:
    step, cosine = (run(r) for r in runs)
    stairs = [_mean(step, first, first + 200) for first in (300, 800, 1_300)]
    waves = [_mean(cosine, first, first + 250) for first in range(250, 1_500, 250)]
    down = all(a > 5 * b for a, b in pairwise(stairs))
    return down and waves == sorted(waves, reverse=True) and max(a / b for a, b in pairwise(waves)) < 5


def _leaving(runs: Sequence[RunSpec]) -> bool:
    small, cyclical, restarts = (run(r).position[:, 0] for r in runs)
    sharp, flat = sorted(m.point[0] for m in LANDSCAPES["sharp_and_flat"].minima)
    settled = abs(restarts[99] - sharp) < 0.01 and abs(small[-1] - sharp) < 0.01
    left = [int((x > 0).argmax()) for x in (cyclical, restarts)]
    return (
        settled
        and all(100 < step < 150 for step in left)
        and all(abs(x[-1] - flat) < 0.01 for x in (cyclical, restarts))
    )


def _warmup(runs: Sequence[RunSpec]) -> bool:
    bold, warm, shy = (run(r) for r in runs)
    return bool(0 < bold.diverged_at < 10 and warm.diverged_at < 0 and 10 * warm.loss[-1] < shy.loss[-1])


def _inside(runs: Sequence[RunSpec]) -> bool:
    lengths = [np.linalg.norm(run(r).update, axis=1) for r in runs]
    kept = [float(length[30] / length[29]) for length in lengths]
    outside, inside = (run(r).loss for r in runs)
    return kept[0] < 0.12 and kept[1] > 0.8 and bool(inside[31:60].max() > 2 * outside[31:60].max())


def _plateau(runs: Sequence[RunSpec]) -> bool:
    constant, reduced = (run(r) for r in runs)
    events = np.flatnonzero(np.diff(reduced.learning_rate) < 0) + 1
    bounces = bool(constant.loss.min() > 1)
    lower = [reduced.loss[a:b].min() for a, b in zip([0, *events[:5]], events[:6], strict=True)]
    return bounces and len(events) >= 6 and lower == sorted(lower, reverse=True) and reduced.loss[-1] < 1e-4


DEMONSTRATIONS: tuple[Situation, ...] = (
    Situation(
        "decay",
        _("Decay tames noise"),
        _(
            "Noisy gradients keep the loss at a floor in proportion to α: the tenfold rate gets there soon, but stays some ten times higher. A rate that decays goes down nearly as fast, and then below both."
        ),
        _lanes(
            "sphere_weighted",
            (-4.5, 2.0),
            1_500,
            ("sgd", 0.1, "constant", {}),
            ("sgd", 0.01, "constant", {}),
            ("sgd", 0.1, "inverse_time", {}),
            noise=1.0,
        ),
        _floor,
    ),
    Situation(
        "stairs",
        _("Cosine against step"),
        _(
            "At each stair α falls to a tenth, and the floor of the noise with it, at once. The cosine brings both down little by little."
        ),
        _lanes(
            "sphere_weighted",
            (-4.5, 2.0),
            1_500,
            ("sgd", 0.1, "step", {"gamma": 0.1, "step_size": 500}),
            ("sgd", 0.1, "cosine", {}),
            noise=1.0,
        ),
        _stairs,
    ),
    Situation(
        "restarts",
        _("Out of a sharp basin"),
        _(
            "The small constant rate settles in the sharp basin for good. The run with warm restarts has settled there, too, until the restart at step 100 throws it out; the cyclical rate leaves at its first peak. Both end in the flat basin."
        ),
        _lanes(
            "sharp_and_flat",
            (-1.9, 1.0),
            400,
            ("sgd", 0.02, "constant", {}),
            ("sgd", 0.25, "cyclical", {"low": 0.05, "half_period": 100}),
            ("sgd", 0.25, "sgdr", {"period": 100, "growth": 1}),
        ),
        _leaving,
        {"axis": "linear"},
    ),
    Situation(
        "warmup",
        _("Warm-up"),
        _(
            "On the steep wall where it starts, the large rate diverges within ten steps. Behind a warm-up of 100 steps the same rate gets through, and in the end beats half of it by far."
        ),
        _lanes(
            "rosenbrock",
            (-2.0, 2.5),
            600,
            ("momentum", 0.002, "constant", {}),
            ("momentum", 0.002, "constant", {"warmup": 100}),
            ("momentum", 0.001, "constant", {}),
        ),
        _warmup,
    ),
    Situation(
        "inside",
        _("α inside or outside"),
        _(
            "At step 30, α falls to a tenth. Outside of the velocity, Δθ = −αv, the next step is a tenth as long. Inside of it, v ← ρv − αg, the steps made with the old α live on: the run overshoots. Under a constant rate the two are the same."
        ),
        _lanes(
            "ellipse",
            (-3.5, 2.0),
            120,
            ("momentum", 0.02, "step", {"gamma": 0.1, "step_size": 30}),
            (INSIDE, 0.02, "step", {"gamma": 0.1, "step_size": 30}),
        ),
        _inside,
    ),
    Situation(
        "plateau",
        _("Reduce on plateau"),
        _(
            "At a kink, steps of one length bounce for ever: the constant rate stays where it is. Each time the loss has not fallen for 20 steps (▼), α falls to three tenths, and the loss goes on down."
        ),
        _lanes(
            "l1_ravine",
            (-3.5, 2.3),
            300,
            ("sgd", 0.1, "constant", {}),
            ("sgd", 0.1, "reduce_on_plateau", {"gamma": 0.3, "patience": 20}),
        ),
        _plateau,
    ),
)
