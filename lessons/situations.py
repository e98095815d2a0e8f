"""Situations: races that each show one thing, one click away, with a sentence on what to look for.

Each sentence makes a claim, and `claim` is that sentence as a predicate: a test runs the race and asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

import landscapes
import optimizers
from descent import RunSpec, Trajectory, descend
from descent.text import _
from descent.verdict import off_slice
from landscapes import LANDSCAPES
from schedules import SCHEDULES

Found = TypeVar("Found")


@dataclass(frozen=True)
class Situation:
    """A race and what it shows. ``view`` sets how the race page shows it (axis, tolerance)."""

    id: str
    name: str
    look_for: str
    runs: tuple[RunSpec, ...]
    claim: Callable[[Sequence[RunSpec]], bool]
    view: Mapping[str, Any] = field(default_factory=dict)


def call(function: Callable[..., Found], spec: RunSpec, **more: Any) -> Found:
    """What ``function`` finds, told of a run as `descend` is. Raises ``ValueError`` for ids or knobs that do not exist."""
    if spec.schedule not in SCHEDULES:
        raise ValueError(f"unknown id {spec.schedule!r}; there are {', '.join(SCHEDULES)}")
    told = {
        "start": spec.start,
        "steps": spec.steps,
        "hyper": spec.hyper,
        "shape": spec.shape,
        "schedule": SCHEDULES[spec.schedule],
        "schedule_hyper": spec.schedule_hyper,
        "noise": spec.noise,
        "seed": spec.seed,
        "clip_value": spec.clip_value,
        "clip_norm": spec.clip_norm,
    }
    return function(landscapes.find(spec.landscape), optimizers.find(spec.optimizer), **told | more)


def run(spec: RunSpec) -> Trajectory:
    """The trajectory of a RunSpec. Raises ``ValueError`` as `call` does."""
    return call(descend, spec, relative_noise=spec.relative_noise)


def _race(
    landscape: str, start: tuple[float, float], steps: int, *lanes: tuple[str, dict[str, float]], **more: Any
) -> tuple[RunSpec, ...]:
    return tuple(RunSpec(landscape, optimizer, start, steps, hyper, **more) for optimizer, hyper in lanes)


def _lr(rate: float, **more: float) -> dict[str, float]:
    return {"learning_rate": rate, **more}


def _first(condition: np.ndarray) -> float:
    """Index of the first step at which a condition holds; infinity if it never does."""
    return float(condition.argmax()) if condition.any() else np.inf


def _turns(values: np.ndarray) -> int:
    """How often the direction of travel along one axis turns round."""
    return int((np.diff(np.sign(np.diff(values))) != 0).sum())


def _to(trajectory: Trajectory, loss: float) -> float:
    return _first(trajectory.loss <= loss)


# ---- claims ----------------------------------------------------------------------------------------------------------


def _zigzag(runs: Sequence[RunSpec]) -> bool:
    descent, momentum = (run(r) for r in runs)
    across = descent.position[:50, 1]
    return _turns(across) >= 40 and 4 * _to(momentum, 1e-3) < _to(descent, 1e-3)


def _stall(runs: Sequence[RunSpec]) -> bool:
    left = {r.optimizer: _first(np.abs(run(r).position[:, 1]) > 1) for r in runs}
    return max(left["rmsprop"], left["adam"]) < left["momentum"] < left["sgd"] / 1.5


def _overshoot(runs: Sequence[RunSpec]) -> bool:
    little, usual, much = (np.sum(np.diff(np.sign(run(r).position[:, 0])) != 0) for r in runs)
    return little == 0 and 2 <= usual < much


def _rotated(runs: Sequence[RunSpec]) -> bool:
    def steps(spec: RunSpec, theta: float) -> float:
        return _to(run(replace(spec, shape={**spec.shape, "theta": theta})), 1e-6)

    by = {r.optimizer: (steps(r, 0.0), steps(r, 45.0)) for r in runs}
    rigid = all(abs(by[name][0] - by[name][1]) <= 2 for name in ("sgd", "momentum"))
    return rigid and by["adam"][1] > 2 * by["adam"][0] and by["adagrad"][1] > 5 * by["adagrad"][0]


def _sharp(runs: Sequence[RunSpec]) -> bool:
    small, large, momentum = (run(r).position[-50:] for r in runs)
    rests = np.abs(small[:, 0] + 1.496).max() < 1e-2 and np.abs(momentum[:, 0] - 1.4706).max() < 1e-2
    return bool(rests and np.ptp(large, axis=0).max() > 0.1 and large[:, 0].max() < 0)


def _cliff(runs: Sequence[RunSpec]) -> bool:
    plain, clipped = (run(r) for r in runs)
    thrown, walked = (np.abs(t.position[:, 0]).max() for t in (plain, clipped))
    return bool(thrown > 5 and walked <= abs(runs[0].start[0]) and _to(clipped, 1e-2) < _to(plain, 1e-2))


def _basins(runs: Sequence[RunSpec]) -> bool:
    minima = np.array([m.point for m in LANDSCAPES["himmelblau"].minima])

    def basin(spec: RunSpec) -> int:
        return int(np.linalg.norm(run(spec).position[-1] - minima, axis=-1).argmin())

    descent = runs[0]
    return basin(descent) != basin(replace(descent, start=(descent.start[0] + 0.2, descent.start[1])))


def _edge(runs: Sequence[RunSpec]) -> bool:
    below, at, above = (run(r) for r in runs)
    level = 0.5 * 20 * at.position[:, 1] ** 2
    return bool(below.loss[-1] < 1e-6 and np.ptp(level) < 0.05 * level[0] and above.diverged_at > 0)


def _matrix(runs: Sequence[RunSpec]) -> bool:
    def steps(spec: RunSpec, angle: float) -> float:
        return _to(run(replace(spec, shape={**spec.shape, "rows": angle, "columns": angle})), 0.1)

    by = {r.optimizer: (_to(run(r), 0.1), steps(r, 0.0)) for r in runs}
    same = all(abs(turned - straight) <= 2 for name, (turned, straight) in by.items() if name != "adam")
    adam = next(run(r) for r in runs if r.optimizer == "adam")
    off = off_slice(LANDSCAPES[runs[0].landscape], adam, runs[0].shape).max()
    return bool(same and len(by) == 4 and max(s for _, s in by.values()) < 100 and by["adam"][0] > 200 and off > 0.3)


def _correction(runs: Sequence[RunSpec]) -> bool:
    with_it, without = (np.abs(run(r).update[:, 0]) for r in runs)
    rate = runs[0].hyper["learning_rate"]
    return bool(abs(with_it[0] / rate - 1) < 0.01 and abs(without[0] / rate - 3.16) < 0.05 and without.argmax() > 3)


def _plateau(runs: Sequence[RunSpec]) -> bool:
    descent, adam = (run(r) for r in runs)
    return bool(np.linalg.norm(descent.position[-1] - descent.position[0]) < 0.1 and adam.loss[-1] < 1e-2)


def _floor(runs: Sequence[RunSpec]) -> bool:
    large, small = (run(r) for r in runs)
    floors = [t.loss[-300:].mean() for t in (large, small)]
    later = _to(small, floors[1]) > 3 * _to(large, floors[0])
    return bool(2 < floors[0] / floors[1] < 50) and later


def _grows(runs: Sequence[RunSpec]) -> bool:
    adagrad, rmsprop = (run(r) for r in runs)
    grows = bool((np.diff(adagrad.scale, axis=0) >= 0).all()) and not (np.diff(rmsprop.scale, axis=0) >= 0).all()
    return grows and 5 * _to(rmsprop, 0.1) < _to(adagrad, 0.1)


# ---- the list --------------------------------------------------------------------------------------------------------

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "zigzag",
        _("Ravine: the zigzag"),
        _(
            "Gradient descent bounces between the walls and creeps along the floor; momentum averages the bouncing away and arrives several times sooner."
        ),
        _race(
            "ellipse",
            (-3.5, 1.2),
            400,
            ("sgd", _lr(0.0195)),
            ("momentum", _lr(0.0195, momentum=0.8)),
            shape={"kappa": 100.0},
        ),
        _zigzag,
    ),
    Situation(
        "saddle",
        _("Saddle: the stall"),
        _(
            "The start lies a hair beside the ridge. Gradient descent lingers at the saddle longest, momentum less; RMSprop and Adam, which divide by the gradient’s size, leave first."
        ),
        _race(
            "bounded_saddle",
            (-2.0, 1e-4),
            300,
            ("sgd", _lr(0.05)),
            ("momentum", _lr(0.05)),
            ("rmsprop", _lr(0.05)),
            ("adam", _lr(0.05)),
        ),
        _stall,
    ),
    Situation(
        "overshoot",
        _("Momentum: the overshoot"),
        _(
            "The more velocity is kept (ρ = 0.3, 0.9, 0.98), the more often the ball runs through the minimum and swings back."
        ),
        _race(
            "ellipse",
            (-3.5, 2.0),
            300,
            *(("momentum", _lr(0.02, momentum=rho)) for rho in (0.3, 0.9, 0.98)),
            shape={"kappa": 2.0},
        ),
        _overshoot,
    ),
    Situation(
        "rotated",
        _("Adam in a rotated ravine"),
        _(
            "Turn θ from 45° to 0°: Adam and AdaGrad get much faster, because they scale each axis by itself; gradient descent and momentum do not notice."
        ),
        _race(
            "ellipse",
            (-3.5, -1.4497),
            800,
            ("sgd", _lr(0.018)),
            ("momentum", _lr(0.01)),
            ("adagrad", _lr(0.5)),
            ("adam", _lr(0.1)),
            shape={"kappa": 100.0, "theta": 45.0},
        ),
        _rotated,
        {"tolerance": 1e-6},
    ),
    Situation(
        "sharp",
        _("Sharp against flat"),
        _(
            "A small step rests in the sharp basin. A step above 2/λ ≈ 0.063 cannot: gradient descent rattles about in it, and with momentum the run is thrown over into the flat one."
        ),
        _race("sharp_and_flat", (-1.9, 1.0), 400, ("sgd", _lr(0.02)), ("sgd", _lr(0.1)), ("momentum", _lr(0.1))),
        _sharp,
    ),
    Situation(
        "cliff",
        _("The cliff, with and without clipping"),
        _(
            "Where the path meets the wall, the gradient throws the first runner far off the plot; the second, clipped to norm 1, walks down and is there sooner."
        ),
        (
            *_race("cliff", (-2.2, 2.0), 100, ("sgd", _lr(0.9))),
            *_race("cliff", (-2.2, 2.0), 100, ("sgd", _lr(0.9)), clip_norm=1.0),
        ),
        _cliff,
    ),
    Situation(
        "basins",
        _("Two basins: a hair decides"),
        _(
            "The start lies near a ridge between two valleys. Drag it 0.2 to the right, and gradient descent ends in the other one."
        ),
        _race("himmelblau", (0.0, 2.9), 300, ("sgd", _lr(0.01)), ("momentum", _lr(0.01)), ("adam", _lr(0.1))),
        _basins,
    ),
    Situation(
        "edge",
        _("The edge: α = 2/λ"),
        _(
            "The steepest curvature is λ = 20. Below α = 2/λ = 0.1 gradient descent converges, exactly there it bounces for ever, above it diverges."
        ),
        _race("ellipse", (-3.5, 0.5), 500, *(("sgd", _lr(rate)) for rate in (0.09, 0.1, 0.11))),
        _edge,
    ),
    Situation(
        "matrix",
        _("A matrix is more than its weights"),
        _(
            "The directions of this 2×2 matrix are turned against its rows and columns. Adam, which scales each weight by itself, gets stuck and leaves the slice that is drawn; Muon, Shampoo and SOAP move as if nothing were turned. Set both angles to 0°, and Adam is as quick as they are."
        ),
        _race(
            "linear_layer",
            (2.2, 1.2),
            300,
            ("adam", _lr(0.05)),
            ("muon", _lr(0.05)),
            ("shampoo", _lr(0.3)),
            ("soap", _lr(0.05)),
            schedule="cosine",
        ),
        _matrix,
    ),
    Situation(
        "correction",
        _("Why Adam corrects its bias"),
        _(
            "Without bias correction the first step is 3.2 times α, and the steps grow further before they settle; with it the first step is α."
        ),
        _race("sphere_weighted", (-4.5, 2.0), 400, ("adam", _lr(0.01)), ("adam", _lr(0.01, bias_correction=0.0))),
        _correction,
    ),
    Situation(
        "plateau",
        _("Plateau: no slope, no progress"),
        _(
            "Far out the surface is nearly flat: gradient descent hardly moves. Adam divides by the gradient’s size and walks straight in."
        ),
        _race("tanh_plateau", (-5.0, 3.6), 300, ("sgd", _lr(0.1)), ("adam", _lr(0.1))),
        _plateau,
    ),
    Situation(
        "floor",
        _("Noise: a floor set by α"),
        _(
            "With noisy gradients the loss stops falling at a floor. A ten times smaller learning rate reaches a lower floor, later."
        ),
        _race("sphere_weighted", (-4.5, 2.0), 1500, ("sgd", _lr(0.1)), ("sgd", _lr(0.01)), noise=1.0),
        _floor,
    ),
    Situation(
        "adagrad",
        _("AdaGrad: G only grows"),
        _(
            "AdaGrad adds up squared gradients and never forgets, so its steps shrink for good; RMSprop, at the same α, forgets and gets there much sooner."
        ),
        _race("ellipse", (-3.5, 2.0), 1500, ("adagrad", _lr(0.05)), ("rmsprop", _lr(0.05))),
        _grows,
    ),
)
