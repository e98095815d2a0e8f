"""What a learning-rate schedule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descent.hyper import Hyper
from descent.text import _


@dataclass(frozen=True, eq=False)
class Schedule:
    """A multiplier of the learning rate: ``factor(step, total_steps, hyper)`` for step = 0 … total_steps − 1.

    ``hyper`` has an attribute for each declared knob. ``step`` may be traced, so write it in jax.numpy.
    """

    id: str
    name: str
    factor: Callable[[Any, Any, Any], Any]
    formula: str  # LaTeX
    reference: str = ""
    hypers: tuple[Hyper, ...] = ()


# What a run without a schedule follows; the registry lists the same object, so that both share one compilation.
CONSTANT = Schedule("constant", _("Constant"), lambda step, total_steps, hyper: 1.0, "1")
