"""Knobs, each declared once: slider, help, URL key, docs row, validation and tests all come from here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Scale = Literal["linear", "log", "integer", "switch"]


def as_float(value: object) -> float:
    """``value`` as a float; NaN for what is not one number (text is not), infinity for what is too large."""
    if isinstance(value, (str, bytes)):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return math.nan


@dataclass(frozen=True)
class Hyper:
    """One knob of a landscape, an optimizer or a schedule.

    ``low`` and ``high`` bound what the app's slider and URL accept; the Python API takes any finite
    number, because a notebook may well want to look outside. A ``switch`` is 0 or 1. ``alias`` is another name
    under which values may be given: what a formula calls the knob. A ``memory`` is the part of the past that is kept:
    what it does goes with 1 − value, so searches spread its values evenly in the logarithm of that.
    """

    name: str
    symbol: str  # LaTeX
    label: str
    help: str
    default: float
    low: float = 0.0
    high: float = 1.0
    scale: Scale = "linear"
    alias: str = ""
    memory: bool = False

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ValueError(f"{self.name}: default {self.default} is outside [{self.low}, {self.high}]")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"{self.name}: a logarithmic knob needs low > 0, not {self.low}")
        if self.memory and (self.scale != "linear" or self.high >= 1):
            raise ValueError(f"{self.name}: a memory is linear and below 1; {self.scale} up to {self.high} was given")

    def at(self, share: Any) -> np.ndarray:
        """The values at ``share`` of the way from low to high, evenly on the knob's own scale; an array of any shape.

        Whole numbers get equal shares of the way each.
        """
        share = np.asarray(share, np.float64)
        if self.whole:
            return np.clip(np.floor(self.low + share * (self.high - self.low + 1)), self.low, self.high)
        low, high = self._place(self.low), self._place(self.high)
        place = low + share * (high - low)
        value = 10**place if self.scale == "log" else 1 - 10**-place if self.memory else place
        return np.clip(value, self.low, self.high)

    def share(self, value: Any) -> np.ndarray:
        """The inverse of `at`; of a whole number the middle of its share. 0 on a range of zero width."""
        if self.whole:
            return (np.asarray(value, np.float64) - self.low + 0.5) / (self.high - self.low + 1)
        low, high = self._place(self.low), self._place(self.high)
        return (self._place(value) - low) / (high - low) if high > low else np.zeros(np.shape(value))

    def _place(self, value: Any) -> np.ndarray:
        value = np.asarray(value, np.float64)
        return np.log10(value) if self.scale == "log" else -np.log10(1 - value) if self.memory else value

    @property
    def whole(self) -> bool:
        """Does the knob take whole numbers only?"""
        return self.scale in ("integer", "switch")

    def check(self, value: object, owner: str) -> float:
        """Return ``value`` as a float; raise ``ValueError`` if it is no finite number of the right kind."""
        number = as_float(value)
        if not math.isfinite(number):
            raise ValueError(f"{self.name} of {owner} must be one finite number; {value!r} was given")
        if self.whole and number != round(number):
            raise ValueError(f"{self.name} of {owner} must be a whole number; {value!r} was given")
        return number

    def check_range(self, value: object, owner: str) -> float:
        """`check`, and raise ``ValueError`` outside [low, high] as well (what the app accepts)."""
        number = self.check(value, owner)
        if not self.low <= number <= self.high:
            raise ValueError(f"{self.name} of {owner} must lie in [{self.low:g}, {self.high:g}]; {value!r} was given")
        return number


def fill(hypers: Iterable[Hyper], given: Mapping[str, object] | None, owner: str) -> dict[str, float]:
    """All knobs of ``owner`` by name: those given, checked, and the declared default for the rest.

    Raises ``ValueError`` for an unknown name or a value that is not a finite number.
    """
    declared = {hyper.name: hyper for hyper in hypers}
    if not isinstance(given, Mapping | None):
        raise ValueError(f"the knobs of {owner} must be a mapping of names to numbers; {given!r} was given")
    aliases = {hyper.alias: hyper.name for hyper in declared.values() if hyper.alias}
    given = {aliases.get(name, name): value for name, value in (given or {}).items()}
    for name in given:
        if name not in declared:
            has = ", ".join(declared) or "none"
            raise ValueError(f"unknown hyper-parameter {name!r} for {owner}; it has {has}")
    return {
        name: hyper.check(given[name], owner) if name in given else float(hyper.default)
        for name, hyper in declared.items()
    }
