"""A surface at the size of a stamp or a card: contour bands as an indexed PNG, drawn here and not by Plotly."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor

from figures.height import Height
from figures.style import RAMPS

BANDS = 12
STAMP = (192, 128)  # pixels across and down
# Palette entries after the bands: no number, the line between two bands, a minimum and the rim around it.
HOLE, LINE, MARK, RIM = range(BANDS, BANDS + 4)
INKS = {"light": ("#000000", "#8fa3bf", "#c2410c", "#ffffff"), "dark": ("#000000", "#6d8aa8", "#ff9d5c", "#0f141d")}
MANY = 16  # marks: more are a texture, not things to look at


def bands(
    z: np.ndarray, height: Height, size: tuple[int, int] = STAMP, marks: Sequence[tuple[float, float]] = ()
) -> np.ndarray:
    """The palette entry of each pixel, (down, across) uint8: rows of ``z`` run along y, those of a picture downwards.

    ``marks`` are points in shares of the width and of the height, from the lower left.
    """
    across, down = size
    with np.errstate(invalid="ignore"):
        heights = _resized(_resized(height(z), down).T, across).T[::-1]
    hole = ~np.isfinite(heights)
    entries = np.clip(np.where(hole, 0, heights) * BANDS, 0, BANDS - 1).astype(np.uint8)
    entries[hole] = HOLE
    edge = np.zeros(entries.shape, bool)
    edge[:, 1:] |= entries[:, 1:] != entries[:, :-1]
    edge[1:] |= entries[1:] != entries[:-1]
    entries[edge] = LINE
    if len(marks) <= MANY:
        row, column = np.mgrid[:down, :across] + 0.5
        for x, y in marks:
            distance = np.hypot(column - x * across, row - (1 - y) * down) / down * STAMP[1]
            entries[distance < 4.2] = RIM
            entries[distance < 2.8] = MARK
    return entries


def png(entries: np.ndarray, theme: str) -> bytes:
    """What `bands` made, or several of them below one another, as a picture for a "light" or "dark" page."""
    ramp = [ImageColor.getrgb(colour) for _, colour in RAMPS[theme]]
    places = np.linspace(0, len(ramp) - 1, BANDS)
    mixed = np.stack([np.interp(places, range(len(ramp)), channel) for channel in zip(*ramp, strict=True)], -1)
    palette = np.concatenate([mixed.round(), [ImageColor.getrgb(ink) for ink in INKS[theme]]])
    image = Image.fromarray(entries)
    image.putpalette(palette.astype(np.uint8).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, transparency=HOLE)
    return out.getvalue()


def _resized(heights: np.ndarray, pixels: int) -> np.ndarray:
    """(pixels, ...): rows interpolated linearly to the middles of pixels. A hole spoils its neighbours only."""
    points = heights.shape[0]
    place = (np.arange(pixels) + 0.5) / pixels * (points - 1)
    left = np.minimum(place.astype(int), points - 2)
    share = (place - left)[:, None]
    return (1 - share) * heights[left] + share * heights[left + 1]
