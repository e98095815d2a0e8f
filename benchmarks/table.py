"""A benchmark's result is rows of one table: what was measured, beside what, and how good it should be."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Row:
    """One measured claim.

    With a ``peer`` the limits are on the ratio ours / peer, else on ours itself. ``ratio`` is the median of
    the ratios of neighbouring measurements where they were paired, else it follows from the two numbers.
    """

    name: str
    ours: float
    unit: str
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def judged(self) -> float:
        """The number that the limits are on."""
        if self.ratio is not None:
            return self.ratio
        return self.ours if self.peer is None else self.ours / self.peer

    @property
    def ok(self) -> bool:
        """Is it within its limits?"""
        low = -float("inf") if self.at_least is None else self.at_least
        high = float("inf") if self.at_most is None else self.at_most
        return low <= self.judged <= high

    def cells(self) -> tuple[str, ...]:
        """What the table says."""
        compared = self.peer is not None
        amount = _ratio if compared else (lambda value: f"{_number(value)} {self.unit}")
        limits = [f"≤ {amount(self.at_most)}"] if self.at_most is not None else []
        limits += [f"≥ {amount(self.at_least)}"] if self.at_least is not None else []
        return (
            self.name,
            f"{_number(self.ours)} {self.unit}",
            f"{_number(self.peer)} {self.unit} {self.peer_name}".rstrip() if self.peer is not None else "",
            _ratio(self.judged) if compared else "",
            " ".join(limits),
            ("yes" if self.ok else "NO") if limits else "",
        )


HEADINGS = ("what", "ours", "beside", "ratio", "target", "ok")


def table(rows: Iterable[Row]) -> str:
    """The rows as aligned text."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], "  ".join("─" * width for width in widths), *text[1:]])


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(value: float) -> str:
    """Below one half as a fraction, which is how speed is talked about: 1/200."""
    return f"1/{_number(1 / value)}" if 0 < value < 0.5 else f"{_number(value)}×"


class Pair(NamedTuple):
    """Two things timed in turn: medians of each in ms, and the median of the ratios of neighbours."""

    ours: float
    peer: float
    ratio: float


def in_turn(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 15, shortest: float = 5e-3) -> Pair:
    """Time both, A B A B ..., so that whatever else the machine does falls on both alike.

    A sample is as many calls as last ``shortest`` seconds; if that is more than one, after one that is not
    counted, because a short call is else timed on the caches that the other left behind.
    """
    calls = [_calls(function, shortest) for function in (ours, peer)]
    pairs = [(_sample(ours, calls[0]), _sample(peer, calls[1])) for _ in range(rounds)]
    a, b = zip(*pairs, strict=True)
    return Pair(statistics.median(a), statistics.median(b), statistics.median(x / y for x, y in pairs))


def _calls(function: Callable[[], object], shortest: float) -> int:
    """How many calls last ``shortest`` seconds; compiles and warms up on the way."""
    function()
    calls = 1
    while (lasted := calls * _sample(function, calls) * 1e-3) < shortest:
        calls = max(2 * calls, round(1.2 * calls * shortest / max(lasted, 1e-9)))
    return calls


def _sample(function: Callable[[], object], calls: int) -> float:
    """Milliseconds of one call, out of ``calls``."""
    if calls > 1:
        function()
    begin = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - begin) / calls * 1e3
