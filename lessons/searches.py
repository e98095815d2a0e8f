"""Searches that show one thing each: what the page is set to, and what to look for. Each sentence is tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from descent.text import _


@dataclass(frozen=True)
class Lesson:
    """``view`` is the page's address."""

    id: str
    name: str
    look_for: str
    view: Mapping[str, str]


_LAYOUTS = {"show": "layouts"}
_RUNS = {"show": "layouts", "response": "runs"}
_HALVING = {"show": "halving"}

_ALL = (
    Lesson(
        "distinct_values",
        _("Three values against nine"),
        _(
            "Nine trials each: of the knob that matters the grid tests three values, random search nine. What helps is not chance but more *distinct values*; a Sobol sequence has them too, and spreads them evenly."
        ),
        _LAYOUTS | {"response": "additive", "importance": "0.95", "trials": "9", "seed": "4"},
    ),
    Lesson(
        "adam_epsilon",
        _("Adam: α matters, ε hardly"),
        _(
            "Sixteen real runs each. Nearly all that varies is α's doing, so a grid that turns ε spends three of four trials on repeating itself, and random search finds one of the best settings more than twice as often."
        ),
        _RUNS
        | {
            "landscape": "rosenbrock",
            "optimizer": "adam",
            "first_knob": "learning_rate",
            "second_knob": "eps",
            "evaluations": "100",
            "trials": "16",
        },
    ),
    Lesson(
        "valley",
        _("A valley across both knobs"),
        _(
            "Alone neither knob decides much. A grid lines up along the valley's own direction too, and still does worse than random search."
        ),
        _LAYOUTS | {"response": "rotated", "angle": "45", "trials": "16", "seed": "3"},
    ),
    Lesson(
        "even_spread",
        _("Where the grid does better"),
        _(
            "Momentum's α and ρ both matter, and what is good lies in one patch: now trials that keep their distance find it more often than random ones, which leave gaps."
        ),
        _RUNS
        | {
            "landscape": "ellipse",
            "optimizer": "momentum",
            "first_knob": "learning_rate",
            "second_knob": "momentum",
            "evaluations": "100",
            "trials": "16",
            "seed": "2",
        },
    ),
    Lesson(
        "halving_pays",
        _("Halving: bad runs show it early"),
        _(
            "Most settings are hopeless, and a few steps tell. On the same budget halving looks at 81 settings, plain random search at four, and halving nearly always finds the better one."
        ),
        _HALVING
        | {
            "landscape": "beale",
            "optimizer": "nesterov",
            "first_knob": "learning_rate",
            "second_knob": "momentum",
            "first": "8",
        },
    ),
    Lesson(
        "slow_starters",
        _("Halving: a slow starter is thrown out"),
        _(
            "Steps of one length: long ones come down fast and then bounce, short ones arrive late and lower. The first rung keeps the fast, and plain random search on the same budget mostly wins."
        ),
        _HALVING
        | {
            "landscape": "sphere",
            "optimizer": "signum",
            "first_knob": "learning_rate",
            "second_knob": "b1",
            "low1": "0.003",
            "high1": "3",
            "high2": "0.9",
            "first": "4",
        },
    ),
)
LESSONS: Mapping[str, Lesson] = {lesson.id: lesson for lesson in _ALL}
