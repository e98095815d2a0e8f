"""Studies: knobs turned one at a time, steps against an angle or a distance, runs over many seeds.

Colours of both themes are in the traces' ``meta``, of which the stage applies one (`ui/stage/charts.js`). Where a trace
has ``meta.pick``, a click on one of its points tells the server that and the number of the point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from figures.style import PALETTE, RAMPS, LaneStyle

FEW = 12  # values that are drawn as points
EDGE = LaneStyle(*PALETTE[1], (5, 3), "")


class Curve(NamedTuple):
    """Something against x, in the look of a runner."""

    name: str
    style: LaneStyle
    x: np.ndarray  # (n,)
    y: np.ndarray  # (n,) NaN where there is nothing
    said: Sequence[str]  # (n,) what each point says when it is pointed at
    lost: np.ndarray  # (n,) where to set a cross at the upper edge: diverged, or never there
    mark: int = -1  # the point that is marked, −1: none
    pick: Any = None  # what a click on a point tells


class Axis(NamedTuple):
    """One axis: its name, its range, and whether it is logarithmic."""

    name: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[tuple[float, ...], tuple[str, ...]] | None = None

    def layout(self, most: int = 7, **more: Any) -> dict[str, Any]:
        """As Plotly wants it, with about as many ticks as ``most``."""
        ends = [float(np.log10(v)) for v in (self.low, self.high)] if self.log else [self.low, self.high]
        decades = ends[1] - ends[0]
        named: dict[str, Any] = {}
        if self.ticks:
            named = {"tickvals": list(self.ticks[0]), "ticktext": list(self.ticks[1])}
        elif self.log and decades > 2.5:
            named = {"dtick": max(1, math.ceil(decades / most))}
        elif self.log:
            powers = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
            values = [float(f"{m}e{power}") for power in powers for m in (1, 2, 5)]
            values = [value for value in values if self.low <= value <= self.high]
            named = {"tickvals": values, "ticktext": [f"{value:g}" for value in values]}
        return {
            "title": {"text": self.name, "standoff": 6},
            "type": "log" if self.log else "linear",
            "range": ends,
            "exponentformat": "power",
            "zeroline": False,
            "fixedrange": True,
            "nticks": most,
            "tickangle": 0,
            **named,
            **more,
        }


def curves(
    lines: Sequence[Curve],
    x: Axis,
    y: Axis,
    *,
    title: str = "",
    theory: Sequence[tuple[str, LaneStyle, np.ndarray, np.ndarray]] = (),
) -> dict[str, Any]:
    """Curves with their points; crosses at the upper edge for what was lost, rings around the marked points.

    ``theory`` are thin lines of dots: name, look, x, y.
    """
    data: list[dict[str, Any]] = []
    top = y.high / 10 ** (0.03 * np.log10(y.high / y.low)) if y.log else y.high - 0.03 * (y.high - y.low)
    for name, style, xs, ys in theory:
        line = {"width": 1.6, "dash": "dot"}
        data.append({**_line(xs, ys, name, style), "line": line, "hoverinfo": "skip", "opacity": 0.85})
    for curve in lines:
        line = {"width": 2, "dash": _dash(curve.style, 2)}
        # A line shows no point that stands alone.
        there = np.concatenate([[False], np.isfinite(curve.y), [False]])
        alone = there[1:-1] & ~there[:-2] & ~there[2:]
        few = len(curve.x) <= FEW
        marker = {"symbol": "circle", "size": [5 if few or single else 0 for single in alone.tolist()]}
        data.append(
            {
                **_line(curve.x, curve.y, curve.name, curve.style, pick=curve.pick),
                "mode": "lines+markers",
                "line": line,
                "marker": marker,
                "text": list(curve.said),
                "hoverinfo": "text",
            }
        )
        lost = [k for k, gone in enumerate(curve.lost) if gone]
        if lost:
            marker = {"symbol": "x-thin", "size": 6, "line": {"width": 1.5}}
            data.append(
                {
                    **_line(curve.x[lost], np.full(len(lost), top), curve.name, curve.style, pick=curve.pick),
                    "mode": "markers",
                    "marker": marker,
                    "text": [curve.said[k] for k in lost],
                    "hoverinfo": "text",
                }
            )
            data[-1]["meta"]["points"] = lost
        if curve.mark >= 0:
            height = curve.y[curve.mark] if np.isfinite(curve.y[curve.mark]) else top
            marker = {"symbol": curve.style.marker, "size": 11, "line": {"width": 2}}
            data.append(
                {
                    **_line(curve.x[[curve.mark]], np.array([height]), curve.name, curve.style, edge=True),
                    "mode": "markers",
                    "marker": marker,
                    "cliponaxis": False,
                    "hoverinfo": "skip",
                }
            )
    return {
        "data": data,
        "layout": {
            "margin": {"l": 56, "r": 12, "t": 24 if title else 8, "b": 42 if x.name else 22},
            "xaxis": x.layout(5 if title else 8),
            "yaxis": y.layout(6),
            "annotations": [_title(title)] if title else [],
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
        },
    }


class Tube(NamedTuple):
    """Quantiles of something over seeds, against the step."""

    name: str
    style: LaneStyle
    quantiles: np.ndarray  # (5, rows): 5, 25, 50, 75 and 95 %
    theory: float | None = None  # the floor that theory gives


def tubes(step: np.ndarray, lanes: Sequence[Tube], x: Axis, y: Axis, *, theory: str = "") -> dict[str, Any]:
    """Medians of the loss, with bands from quarter to quarter and from 5 to 95 %; floors of theory at the right."""
    data: list[dict[str, Any]] = []
    for tube in lanes:
        for low, high, fill in ((0, 4, 0.11), (1, 3, 0.2)):
            bottom, upper = (np.clip(tube.quantiles[k], y.low / 10, y.high * 10) for k in (low, high))
            band = _line(
                np.concatenate([step, step[::-1]]),
                np.concatenate([upper, bottom[::-1]]),
                tube.name,
                tube.style,
                fill=fill,
            )
            data.append({**band, "fill": "toself", "line": {"width": 0}, "hoverinfo": "skip"})
    for tube in lanes:
        middle = tube.quantiles[2]
        line = {"width": 2.2, "dash": _dash(tube.style, 2.2)}
        low, high = tube.quantiles[0], tube.quantiles[4]
        said = [f"{tube.name}: {m:.3g} ({a:.2g} … {b:.2g})" for m, a, b in zip(middle, low, high, strict=True)]
        data.append({**_line(step, middle, tube.name, tube.style), "line": line, "text": said, "hoverinfo": "text+x"})
    for tube in lanes:
        if tube.theory is not None and np.isfinite(tube.theory):
            ends = np.array([step[-1] * 0.8, step[-1]])
            floor = _line(ends, np.full(2, tube.theory), theory, tube.style)
            said = [f"{tube.name}, {theory}: {tube.theory:.3g}"] * 2
            data.append({**floor, "line": {"width": 3, "dash": "dot"}, "text": said, "hoverinfo": "text"})
    return {
        "data": data,
        "layout": {
            "margin": {"l": 56, "r": 12, "t": 8, "b": 42},
            "xaxis": x.layout(),
            "yaxis": y.layout(6),
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
        },
    }


class Ends(NamedTuple):
    """Where the runs of all seeds ended."""

    name: str
    style: LaneStyle
    points: np.ndarray  # (n, 2) NaN where a run diverged
    said: Sequence[str]
    pick: Any = None


def cloud(lanes: Sequence[Ends]) -> dict[str, Any]:
    """End points, which lie over a contour (`figures.contour`)."""
    data = []
    for lane in lanes:
        marker = {"symbol": lane.style.marker, "size": 5, "line": {"width": 0.6}}
        data.append(
            {
                **_line(lane.points[:, 0], lane.points[:, 1], lane.name, lane.style, edge=True, pick=lane.pick),
                "mode": "markers",
                "marker": marker,
                "opacity": 0.75,
                "text": list(lane.said),
                "hoverinfo": "text",
            }
        )
    return {"data": data, "layout": {}}


def shares(
    values: np.ndarray,
    said: Sequence[Sequence[str]],
    x: Axis,
    y: Axis,
    *,
    title: str,
    edge: float | None = None,
    pick: Any = None,
    scale: bool = False,
) -> dict[str, Any]:
    """Shares in [0, 1] over two knobs, (columns, rows): a map of cells, white at 0.

    ``edge`` is a value of x where theory has a line; with ``scale`` it is said what the colours mean.
    """
    xs, ys = (middles(axis, size) for axis, size in zip((x, y), values.shape, strict=True))
    data: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "x": xs,
            "y": ys,
            "z": np.ascontiguousarray(values.T, np.float32),
            "zmin": 0,
            "zmax": 1,
            "showscale": scale,
            "colorbar": {
                "tickvals": [0, 0.5, 1],
                "ticktext": ["0", "50 %", "100 %"],
                "thickness": 8,
                "outlinewidth": 0,
                "len": 1,
                "x": 1.005,
                "ticks": "",
            },
            "colorscale": RAMPS["light"],
            "text": [list(row) for row in zip(*said, strict=True)],
            "hoverinfo": "text",
            "meta": {"pick": pick},
        }
    ]
    if edge is not None and x.low < edge < x.high:
        line = _line(np.array([edge, edge]), np.array([y.low, y.high]), "", EDGE)
        data.append({**line, "line": {"width": 2, "dash": "8px,5px"}, "hoverinfo": "skip"})
    return {
        "data": data,
        "layout": {
            "margin": {"l": 46, "r": 44 if scale else 12, "t": 24, "b": 42},
            "xaxis": x.layout(6, showgrid=False),
            "yaxis": y.layout(6, showgrid=False),
            "annotations": [_title(title)],
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
            "meta": {"ramps": RAMPS},
        },
    }


def rings(places: Sequence[tuple[float, float, LaneStyle]]) -> dict[str, Any]:
    """What lies over `shares`: rings (x, y, look), where the runners are."""
    ring = {"symbol": "circle-open", "size": 12, "line": {"width": 2.5}}
    data = [
        {**_line(np.array([x]), np.array([y]), "", look), "mode": "markers", "marker": ring, "hoverinfo": "skip"}
        for x, y, look in places
    ]
    return {"data": data, "layout": {}}


def middles(axis: Axis, size: int) -> np.ndarray:
    """The middles (size,) of as many cells along an axis."""
    spaced = np.geomspace if axis.log else np.linspace
    ends = spaced(axis.low, axis.high, 2 * size + 1)
    return ends[1::2].astype(np.float32)


def _line(x: np.ndarray, y: np.ndarray, name: str, style: LaneStyle, **meta: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x, np.float32),
        "y": np.asarray(y, np.float32),
        "name": name,
        "meta": {"colour": {"light": style.light, "dark": style.dark}, **meta},
    }


def _dash(style: LaneStyle, width: float) -> str:
    return ",".join(f"{part * width:g}px" for part in style.dash) or "solid"


def _title(text: str) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, **place}
