"""Colours, dashes and markers: one look for each optimizer everywhere, and one ramp for every surface."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Okabe & Ito's colour-blind-safe set (2008), in an order that keeps neighbours apart; the second of each pair is
# lightened for dark pages.
PALETTE: tuple[tuple[str, str], ...] = (
    ("#222222", "#F2F2F2"),  # black
    ("#D55E00", "#FF8A3C"),  # vermilion
    ("#B98900", "#F2C84B"),  # yellow
    ("#009E73", "#2FCFA0"),  # bluish green
    ("#B5508A", "#E79AC6"),  # reddish purple
    ("#8A4B08", "#C98F55"),  # orange, darkened
    ("#0072B2", "#4FB0EA"),  # blue
    ("#2A9BD6", "#A5DBFF"),  # sky blue
)
# In multiples of the line's width, as canvas and Plotly both take them.
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2), (2, 1.6), (7, 2, 2, 2), (9, 3), (4, 1.5, 1, 1.5), (1, 1.2))
MARKERS: tuple[str, ...] = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "star",
    "triangle-down",
    "pentagon",
    "hexagon",
)


@dataclass(frozen=True)
class LaneStyle:
    """How one runner is drawn: colours for light and dark pages, dash in line widths, marker."""

    light: str
    dark: str
    dash: tuple[float, ...]
    marker: str


# How the coordinates x and y are drawn where a picture is about them, and not about optimizers.
COORDINATES = (LaneStyle(*PALETTE[6], (), "circle"), LaneStyle(*PALETTE[1], (), "square"))

STYLES = math.lcm(len(PALETTE), len(DASHES), len(MARKERS))


def style_number(index: int) -> LaneStyle:
    """The style with this number. Colour, dash and marker have coprime periods: the first `STYLES` all differ."""
    light, dark = PALETTE[index % len(PALETTE)]
    return LaneStyle(light, dark, DASHES[index % len(DASHES)], MARKERS[index % len(MARKERS)])


def lane_styles(order: Sequence[str], optimizers: Sequence[str]) -> list[LaneStyle]:
    """A style for each runner of a race, no two alike; dash and marker alone tell them apart as well.

    ``order`` lists all optimizers by the number of their own style; a runner that is not among them gets a free one.
    An optimizer always keeps its dash and marker. Of those that have one colour, the first in ``order`` keeps it, and
    the others get one that nobody in this race has, and none like it, as long as there is one. Where one runs twice,
    the later ones keep the marker. Nobody gets the style of an optimizer that is not running.
    """
    return [style_number(number) for number in _numbers(tuple(order), tuple(optimizers))]


@lru_cache(maxsize=64)
def _numbers(order: tuple[str, ...], optimizers: tuple[str, ...]) -> list[int]:
    own = {name: number for number, name in enumerate(order)}
    wanted = [own.get(name, len(order)) for name in optimizers]
    keepers = {_colour(number): number for number in sorted({*wanted} & {*own.values()}, reverse=True)}
    taken = set(keepers.values())
    lines = Counter(map(_line, set(wanted)))
    colours = Counter(map(_colour, taken))
    numbers = []
    for lane, number in enumerate(wanted):
        first = number not in wanted[:lane]
        if first and keepers.get(_colour(number)) == number:
            numbers.append(number)
            continue
        lines[_line(number)] -= first  # free for itself

        def fit(n: int, number: int = number) -> tuple[int, ...]:
            marker, dash = ((n - number) % len(kind) != 0 for kind in (MARKERS, DASHES))
            alike = colours[_ALIKE.get(_colour(n), -1)]
            return lines[_line(n)], colours[_colour(n)], marker, dash, alike, n

        best = min((n for n in range(len(order), STYLES) if n not in taken), key=fit)
        taken.add(best)
        lines[_line(best)] += 1
        colours[_colour(best)] += 1
        numbers.append(best)
    return numbers


_ALIKE = {a: b for pair in ((1, 5), (6, 7)) for a, b in (pair, pair[::-1])}  # vermilion and orange, the two blues


def _colour(number: int) -> int:
    return number % len(PALETTE)


def _line(number: int) -> tuple[int, int]:
    """Dash and marker."""
    return number % len(DASHES), number % len(MARKERS)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour (Ottosson, 2020) as hex. Hue in degrees."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    curve = (
        12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in (min(max(c, 0), 1) for c in linear)
    )
    return "#" + "".join(f"{round(255 * c):02x}" for c in curve)


def _ramp(low: tuple[float, float, float], high: tuple[float, float, float], stops: int = 11) -> list[list]:
    """A perceptually uniform colour scale: OKLCH varies in equal steps."""
    shares = [i / (stops - 1) for i in range(stops)]
    return [[s, oklch(*(a + (b - a) * s for a, b in zip(low, high, strict=True)))] for s in shares]


# Low ground has nearly the page's colour, so that paths, which end there, stand out.
RAMPS: dict[str, list[list]] = {
    "light": _ramp((0.985, 0.012, 200), (0.60, 0.075, 262)),
    "dark": _ramp((0.19, 0.020, 262), (0.60, 0.085, 215)),
}
