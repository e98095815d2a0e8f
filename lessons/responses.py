"""What is searched: losses as a function of two knobs, made up ones and those of real runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import landscapes
import optimizers
from descent.engine import Progress
from descent.hyper import Hyper
from descent.optimizer import Optimizer
from descent.search import Response
from descent.text import _
from descent.tuning import trials

X1 = Hyper("x1", "x_1", _("first knob"), _("As a share of its range."), 0.5)
X2 = Hyper("x2", "x_2", _("second knob"), _("As a share of its range."), 0.5)
WIDTH = 0.08  # standard deviation of a valley: about a fifth of a knob's range is any good
BOTTOM = (0.37, 0.71)  # of the valleys; in the middle of no cell of a small grid


@dataclass(frozen=True)
class MadeUp:
    """A response that is a formula."""

    fn: Callable[[np.ndarray, np.ndarray], np.ndarray]
    axes: tuple[Hyper, Hyper] = (X1, X2)
    logarithmic: bool = False

    def loss(self, points: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """The losses (n,) at points (n, 2)."""
        return self.fn(points[:, 0], points[:, 1])


def _valley(distance: np.ndarray) -> np.ndarray:
    """0 at the bottom, 1 far away."""
    return 1 - np.exp(-0.5 * (distance / WIDTH) ** 2)


def _additive(importance: float) -> Response:
    """w g(x₁) + (1 − w) h(x₂), g and h of equal variance: x₁ has the share w²/(w² + (1 − w)²) of that of the whole."""
    one, other = BOTTOM
    return MadeUp(lambda x, y: importance * _valley(x - one) + (1 - importance) * _valley(y - other))


def _rotated(angle: float) -> Response:
    """A straight valley, turned: at 0° it is x₁ that matters, at 90° x₂, between them neither without the other."""
    phi = np.radians(angle)
    return MadeUp(lambda x, y: _valley((x - 0.41) * np.cos(phi) + (y - 0.47) * np.sin(phi)))


@dataclass(frozen=True)
class Family:
    """Responses that differ in knobs of their own; ``make(**knobs)`` makes one. A new family is an entry below."""

    id: str
    name: str
    about: str
    hypers: tuple[Hyper, ...]
    make: Callable[..., Response]


FAMILIES: tuple[Family, ...] = (
    Family(
        "additive",
        _("One knob matters more"),
        _("w·g(x₁) + (1 − w)·h(x₂): a valley for each knob."),
        (
            Hyper(
                "importance",
                "w",
                _("Weight of the first knob"),
                _("At 0.5 both knobs matter alike, at 1 only the first does."),
                0.95,
                0.5,
                1.0,
            ),
        ),
        _additive,
    ),
    Family(
        "rotated",
        _("Both matter, together"),
        _("g(x₁ cos φ + x₂ sin φ): one valley across the square."),
        (
            Hyper(
                "angle",
                r"\varphi",
                _("Angle of the valley"),
                _("In degrees. At 0 only the first knob matters, at 90 only the second."),
                45.0,
                0.0,
                90.0,
            ),
        ),
        _rotated,
    ),
)


def searched(optimizer: Optimizer) -> tuple[Hyper, ...]:
    """The knobs of an optimizer that have a range to search."""
    return tuple(h for h in optimizer.hypers if h.scale != "switch")


@dataclass(frozen=True)
class Runs:
    """The final loss of an optimizer on a landscape, each run on the same number of gradient evaluations.

    ``axes`` are two different knobs of the optimizer with the ends between which they are searched.
    """

    landscape: str
    optimizer: str
    axes: tuple[Hyper, Hyper]
    evaluations: int
    logarithmic: bool = True

    def settings(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """The knobs' values (n,) at points (n, 2) of the unit square."""
        return {axis.name: axis.at(points[:, k]) for k, axis in enumerate(self.axes)}

    def loss(self, points: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """The losses (n,) at points (n, 2), NaN where a run diverged."""
        landscape = landscapes.find(self.landscape)
        start = np.asarray([landscape.start], np.float32)
        rule = optimizers.find(self.optimizer)
        found = trials(landscape, rule, self.settings(points), start, self.evaluations, progress=progress)
        return found.loss[:, 0, 0].astype(np.float64)
