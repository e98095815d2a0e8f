"""Thumbnails of all landscapes: computed in the background once a process, sent to each browser when it asks.

Several make one picture, a sheet, below one another. The browser keeps what it got, so that nothing is sent twice.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, lru_cache

import numpy as np

from descent.field import field
from descent.landscape import Landscape
from figures import Height
from figures.thumbnail import STAMP, bands, png
from landscapes import FAMILIES, LANDSCAPES
from landscapes.formula import FormulaLandscape

ROWS = 6  # thumbnails on a sheet, at most
CARD = (720, 480)  # pixels of the picture on an opened card
ENOUGH = 48_000  # bytes in one answer
PATIENCE = 0.5  # seconds that an answer waits for a sheet

SHEETS = {
    f"{family.id}-{first // ROWS}": family.members[first : first + ROWS]
    for family in FAMILIES
    for first in range(0, len(family.members), ROWS)
}


def place(landscape: Landscape) -> tuple[str, int, int]:
    """Where a landscape's thumbnail is: its sheet, its row there, and how many rows the sheet has."""
    return next((name, on.index(landscape), len(on)) for name, on in SHEETS.items() if landscape in on)


def drawn(landscape: Landscape, size: tuple[int, int] = STAMP) -> np.ndarray:
    """A landscape in contour bands, its lowest minima marked."""
    ground = field(landscape)
    lowest = landscape.minimum()
    (x0, x1), (y0, y1) = landscape.domain
    marks = [
        ((m.point[0] - x0) / (x1 - x0), (m.point[1] - y0) / (y1 - y0))
        for m in landscape.minima
        if lowest is not None and m.value <= lowest + 1e-6 * max(abs(lowest), 1)
    ]
    return bands(ground.z, Height.of(ground.z, landscape.height == "log", lowest), size, marks)


def _sheet(name: str) -> dict[str, bytes]:
    entries = np.concatenate([drawn(landscape) for landscape in SHEETS[name]])
    return {theme: png(entries, theme) for theme in ("light", "dark")}


@cache
def sheets() -> dict[str, Future[dict[str, bytes]]]:
    """All sheets by name, light and dark, on their way."""
    pool = ThreadPoolExecutor(2, thread_name_prefix="thumbnails")
    futures = {name: pool.submit(_sheet, name) for name in SHEETS}
    pool.shutdown(wait=False)
    return futures


def answer(wanted: Sequence[str], theme: str) -> dict[str, str]:
    """Some of the sheets that a browser asked for, in base64: those that are ready, and not too many at once."""
    asked = {name: sheets()[name] for name in wanted if name in SHEETS}
    if not any(future.done() for future in asked.values()):
        wait(asked.values(), PATIENCE, "FIRST_COMPLETED")
    found: dict[str, str] = {}
    for name, future in asked.items():
        if future.done() and sum(map(len, found.values())) < ENOUGH:
            found[name] = base64.b64encode(future.result()[theme]).decode()
    return found


@lru_cache(maxsize=64)
def stamp(landscape: FormulaLandscape, theme: str) -> str:
    """The thumbnail of a formula that has been drawn before, as a URL that is the picture itself."""
    return f"data:image/png;base64,{base64.b64encode(png(drawn(landscape), theme)).decode()}"


@cache
def picture(landscape: str, theme: str) -> bytes:
    """A landscape at the size of a card, as PNG."""
    return png(drawn(LANDSCAPES[landscape], CARD), theme)
