"""Optimizers compared: how all settings of each one ended, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from figures.studies import Axis
from figures.style import LaneStyle

BROAD = 0.8  # of a column, that its trials are spread over


class Strip(NamedTuple):
    """All trials of one optimizer."""

    name: str
    style: LaneStyle
    place: np.ndarray  # (n,) in [0, 1], where in its column each trial is
    score: np.ndarray  # (n,) NaN where it diverged
    said: Sequence[str]  # (n,) what each says when it is pointed at
    best: int  # −1: none
    pick: Any = None


def strips(columns: Sequence[Strip], y: Axis, *, median: str) -> dict[str, Any]:
    """A column for each optimizer with a point for each trial; crosses at the upper edge for what diverged.

    A bar marks the median, which ``median`` is the word for, and a ring the best.
    """
    data: list[dict[str, Any]] = []
    room = (y.high / y.low) ** 0.03
    bottom, top = y.low * room, y.high / room
    for number, strip in enumerate(columns):
        colour = {"colour": {"light": strip.style.light, "dark": strip.style.dark}}
        x = number + BROAD * (strip.place - 0.5)
        base = {"type": "scatter", "mode": "markers", "name": strip.name, "hoverinfo": "text", "cliponaxis": False}
        for who, symbol, size in (
            (np.flatnonzero(np.isfinite(strip.score)), strip.style.marker, 6),
            (np.flatnonzero(~np.isfinite(strip.score)), "x-thin", 6),
        ):
            height = np.where(np.isfinite(strip.score), np.clip(strip.score, bottom, top), top)[who]
            data.append(
                {
                    **base,
                    "x": x[who].astype(np.float32),
                    "y": height.astype(np.float32),
                    "text": [strip.said[k] for k in who.tolist()],
                    "marker": {"symbol": symbol, "size": size, "line": {"width": 1.2 if symbol == "x-thin" else 0.6}},
                    "opacity": 0.75,
                    "meta": {**colour, "edge": symbol != "x-thin", "pick": strip.pick, "points": who.tolist()},
                }
            )
        middle = np.median(np.where(np.isfinite(strip.score), strip.score, np.inf))
        if np.isfinite(middle):
            ends = np.array([number - 0.46, number + 0.46], np.float32)
            data.append(
                {
                    **base,
                    "mode": "lines",
                    "x": ends,
                    "y": np.full(2, np.clip(middle, bottom, top), np.float32),
                    "text": [f"{strip.name}, {median}: {middle:.3g}"] * 2,
                    "line": {"width": 3},
                    "meta": colour,
                }
            )
        if strip.best >= 0:
            height = np.clip(strip.score[strip.best], bottom, top)
            ring = {"symbol": "circle-open", "size": 14, "line": {"width": 2}}
            at = {"x": x[[strip.best]].astype(np.float32), "y": np.array([height], np.float32)}
            data.append({**base, **at, "hoverinfo": "skip", "marker": ring, "meta": {"colour": "ink"}})
    names = [strip.name for strip in columns]
    x = Axis("", -0.6, len(columns) - 0.4, ticks=(tuple(range(len(columns))), tuple(names)))
    return {
        "data": data,
        "layout": {
            "margin": {"l": 56, "r": 8, "t": 8, "b": 30},
            "xaxis": x.layout(showgrid=False, tickangle="auto"),
            "yaxis": y.layout(7),
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
        },
    }
