"""Colours of maps: what each start or setting came to, told by colour, by pattern, and by how bright it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from figures.style import oklch

# Hues that stay apart for most eyes, in OKLCH: blue, orange, bluish green, reddish purple, yellow, sky blue, vermilion.
_HUES = ((255, 0.15), (62, 0.15), (165, 0.12), (345, 0.15), (100, 0.13), (225, 0.10), (30, 0.17))
_BRIGHT, _DARK = 0.86, 0.40  # lightness of what was quick, and of what was slow
STOPS = 6

# What is no minimum: colours for light and dark pages, and a pattern, so that no two are told by colour alone.
OTHERS: dict[str, dict[str, Any]] = {
    "minimum": {"light": ["#8b8f98"], "dark": ["#8b8f98"], "pattern": ""},
    "saddle": {"light": ["#ffffff"], "dark": ["#e6ebf2"], "pattern": "cross"},
    "maximum": {"light": ["#ffffff"], "dark": ["#e6ebf2"], "pattern": "rows"},
    "plateau": {"light": ["#d5d9e0"], "dark": ["#566072"], "pattern": "dots"},
    "cycling": {"light": ["#d5d9e0"], "dark": ["#566072"], "pattern": "rings"},
    "moving": {"light": ["#e9ecf1"], "dark": ["#333c4b"], "pattern": ""},
    "diverged": {"light": ["#1d2733"], "dark": ["#05070a"], "pattern": "stripes"},
}


# Values from best to worst: light yellow over green to dark blue, in even steps of lightness.
_VALUES = [oklch(0.93 - 0.066 * k, 0.13 - 0.004 * k, 105 + 19 * k) for k in range(10)]
VALUES: dict[str, Any] = {"light": _VALUES, "dark": _VALUES, "pattern": ""}


def minima_colours(points: Sequence[tuple[float, float]], domain: Any) -> list[dict[str, Any]]:
    """A ramp, quick to slow, for each minimum: the same on light and dark pages.

    Few minima have a hue each. Of many, the hue is the direction from the middle of the domain in which one lies, and
    the chroma how far out; neighbours in a lattice take turns in being pale.
    """
    hues = _HUES[: len(points)] if len(points) <= len(_HUES) else _by_place(points, domain)
    ramps = [
        [oklch(_BRIGHT + (_DARK - _BRIGHT) * k / (STOPS - 1), chroma, hue) for k in range(STOPS)]
        for hue, chroma in hues
    ]
    return [{"light": ramp, "dark": ramp, "pattern": ""} for ramp in ramps]


def _by_place(points: Sequence[tuple[float, float]], domain: Any) -> list[tuple[float, float]]:
    middle = [(low + high) / 2 for low, high in domain]
    half = [(high - low) / 2 for low, high in domain]
    ranks = [{value: k for k, value in enumerate(sorted({round(p[axis], 3) for p in points}))} for axis in (0, 1)]
    found = []
    for point in points:
        x, y = ((value - m) / h for value, m, h in zip(point, middle, half, strict=True))
        odd = sum(rank[round(value, 3)] for rank, value in zip(ranks, point, strict=True)) % 2
        out = min(math.hypot(x, y), 1.0)
        found.append((math.degrees(math.atan2(y, x)) % 360, (0.05 + 0.11 * out) * (0.45 if odd else 1.0)))
    return found
