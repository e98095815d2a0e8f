"""Searching two knobs: trials on the square and on each axis, the best against the budget, runs that are halved.

Squares are drawn in shares of the two ranges, with ticks at round values of the knobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from descent.hyper import Hyper
from figures.style import PALETTE, RAMPS, LaneStyle

# A layout's looks, and those of the two sides of successive halving.
LAYOUT_STYLES = {
    "grid": LaneStyle(*PALETTE[1], (5, 2), "square"),
    "random": LaneStyle(*PALETTE[6], (), "circle"),
    "sobol": LaneStyle(*PALETTE[3], (2, 1.6), "diamond"),
}
LEGEND = {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
STRIP = 0.16  # of a square's picture that each of the strips beside it takes
MEMORIES = (0.0, 0.9, 0.99, 0.999, 0.9999)
FINE_MEMORIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)


def ticks(axis: Hyper, most: int = 6) -> tuple[list[float], list[str]]:
    """Places and labels of round values along a knob's axis."""
    if axis.high <= axis.low:
        return [0.5], [f"{axis.low:g}"]
    if axis.memory:
        values = [value for value in MEMORIES if axis.low <= value <= axis.high]
        if len(values) < 3:
            values = [value for value in FINE_MEMORIES if axis.low <= value <= axis.high]
        if len(values) < 2:
            values = [axis.low, axis.high]
    elif axis.scale == "log":
        first, last = np.ceil(np.log10(axis.low) - 1e-9), np.floor(np.log10(axis.high) + 1e-9)
        stride = max(1, -(-int(last - first + 1) // most))
        values = [float(f"1e{int(power)}") for power in np.arange(first, last + 1, stride)]
        if len(values) < 2:
            values = [axis.low, axis.high]
    else:
        rough = (axis.high - axis.low) / most
        power = 10.0 ** np.floor(np.log10(rough))
        step = next(float(m * power) for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
        step = max(step, 1.0) if axis.whole else step
        first = np.ceil(axis.low / step - 1e-9) * step
        values = [float(v) for v in np.arange(first, axis.high + step * 1e-6, step).round(12)]
    return [float(axis.share(value)) for value in values], [_label(value) for value in values]


def _label(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-") if 0 < value < 1e-3 else f"{value + 0.0:.6g}"


class Trials(NamedTuple):
    """The trials of one search: places (n, 2) on the square, and what each hover says."""

    points: np.ndarray
    said: Sequence[str]
    best: int  # index of the best, −1: all diverged


def _colour(style: LaneStyle, **more: Any) -> dict[str, Any]:
    return {"colour": {"light": style.light, "dark": style.dark}, **more}


def _axis(axis: Hyper, name: str) -> dict[str, Any]:
    places, labels = ticks(axis)
    return {
        "range": [0, 1],
        "tickvals": places,
        "ticktext": labels,
        "title": {"text": name, "standoff": 3},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def square(heights: np.ndarray, axes: tuple[Hyper, Hyper], names: tuple[str, str], lost: np.ndarray) -> dict[str, Any]:
    """A response over the square of two knobs; above and beside it, its mean along each axis.

    ``heights`` (n, m) lie in [0, 1], the first knob along the first axis; ``lost`` says where runs diverged.
    """
    one, other = ((np.arange(size) + 0.5) / size for size in heights.shape)
    shown = np.where(lost, np.nan, heights)
    curves = [np.asarray(heights.mean(axis), np.float32) for axis in (1, 0)]
    strip = {"range": [-0.12, 1.12], "visible": False, "fixedrange": True}
    inner = 1 - STRIP - 0.02
    data: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "x": one,
            "y": other,
            "z": np.ascontiguousarray(shown.T, np.float32),
            "zmin": 0,
            "zmax": 1,
            "zsmooth": "fast",
            "showscale": False,
            "colorscale": RAMPS["light"],
            "hoverinfo": "skip",
        }
    ]
    if lost.any():
        veil = np.ascontiguousarray(np.where(lost, 1.0, np.nan).T, np.float32)
        data.append(
            {
                "type": "heatmap",
                "x": one,
                "y": other,
                "z": veil,
                "zmin": 0,
                "zmax": 1,
                "showscale": False,
                "hoverinfo": "skip",
                "meta": {"veil": True},
            }
        )
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"width": 1.6}, "meta": {"colour": "ink"}}
    data += [
        {**line, "x": one, "y": curves[0], "yaxis": "y2"},
        {**line, "x": curves[1], "y": other, "xaxis": "x2"},
    ]
    return {
        "data": data,
        "layout": {
            "margin": {"l": 58, "r": 6, "t": 26, "b": 40},
            "xaxis": {**_axis(axes[0], names[0]), "domain": [0, inner]},
            "yaxis": {**_axis(axes[1], names[1]), "domain": [0, inner]},
            "yaxis2": {**strip, "domain": [1 - STRIP, 1]},
            "xaxis2": {**strip, "domain": [1 - STRIP, 1]},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "meta": {"ramps": RAMPS},
        },
    }


def projected(
    trials: Trials, style: LaneStyle, curves: tuple[np.ndarray, np.ndarray], title: str, counts: str, pick: Any = None
) -> dict[str, Any]:
    """What lies over a `square`: the trials, and their places on each axis.

    ``curves`` are the means along the axes, on which the projected trials are drawn; ``counts`` stands between the
    strips and says how many places differ. With ``pick``, a click on a trial tells that and its number.
    """
    x, y = (np.asarray(trials.points[:, k], np.float32) for k in (0, 1))
    heights = [
        np.interp(values, (np.arange(len(curve)) + 0.5) / len(curve), curve)
        for values, curve in zip((x, y), curves, strict=True)
    ]
    few = len(x) <= 36
    size = 8 if few else 5
    dots = {"type": "scatter", "mode": "markers", "cliponaxis": False, "hoverinfo": "skip"}
    dots["meta"] = _colour(style, edge=True)
    mark = {"symbol": style.marker, "size": size, "line": {"width": 1}}
    drops = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.stack([x, x, np.full_like(x, np.nan)], 1).ravel(),
            "y": np.stack([y, np.ones_like(y), np.full_like(y, np.nan)], 1).ravel(),
            "hoverinfo": "skip",
            "line": {"width": 1, "dash": "dot"},
            "opacity": 0.55,
            "meta": _colour(style),
        }
    ]
    rug = {**dots, "marker": {"symbol": "line-ns-open", "size": 8, "line": {"width": 1.6}}, "meta": _colour(style)}
    rug_beside = {**rug, "marker": {**rug["marker"], "symbol": "line-ew-open"}}
    data: list[dict[str, Any]] = drops if few else []
    data += [
        {**rug, "x": x, "y": np.full_like(x, -0.08), "yaxis": "y2"},
        {**rug_beside, "x": np.full_like(y, -0.08), "y": y, "xaxis": "x2"},
        {**dots, "x": x, "y": heights[0].astype(np.float32), "yaxis": "y2", "marker": {**mark, "size": size - 2}},
        {**dots, "x": heights[1].astype(np.float32), "y": y, "xaxis": "x2", "marker": {**mark, "size": size - 2}},
        {
            **dots,
            "x": x,
            "y": y,
            "marker": mark,
            "text": list(trials.said),
            "hoverinfo": "text",
            "meta": {**dots["meta"], "pick": pick},
        },
    ]
    if trials.best >= 0:
        ring = {"symbol": "circle-open", "size": size + 8, "line": {"width": 2}}
        at = {"x": x[[trials.best]], "y": y[[trials.best]]}
        data.append({**dots, **at, "marker": ring, "meta": {"colour": "ink"}})
    note = {"showarrow": False, "xref": "paper", "yref": "paper"}
    corner = {"x": 1 - STRIP / 2, "y": 1 - STRIP / 2, "xanchor": "center", "yanchor": "middle"}
    return {
        "data": data,
        "layout": {
            "annotations": [
                {**note, "text": title, "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "yshift": 4},
                {**note, **corner, "text": counts},
            ]
        },
    }


class Band(NamedTuple):
    """A line with a band around it, against x."""

    name: str
    style: LaneStyle
    x: np.ndarray
    line: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


DASHES = {"": "solid", "5": "dash", "2": "dot"}


def bands(
    lines: Sequence[Band],
    *,
    words: tuple[str, str],
    logarithmic: bool,
    percent: bool = False,
    at: float | None = None,
    theory: tuple[np.ndarray, np.ndarray, str] | None = None,
    steps: bool = False,
) -> dict[str, Any]:
    """Lines with bands against the budget; ``at`` marks the budget chosen, ``theory`` is a dashed line of ink.

    ``words`` name the axes. With ``steps`` the lines are stairs.
    """
    data: list[dict[str, Any]] = []
    for band in lines:
        if band.low is not None and band.high is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": np.concatenate([band.x, band.x[::-1]]).astype(np.float32),
                    "y": np.concatenate([band.high, band.low[::-1]]).astype(np.float32),
                    "fill": "toself",
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "meta": _colour(band.style, fill=0.14),
                }
            )
    for band in lines:
        few = len(band.x) <= 16
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if few and not steps else "lines",
                "x": np.asarray(band.x, np.float32),
                "y": np.asarray(band.line, np.float32),
                "name": band.name,
                "line": {"width": 2.2, "dash": _dash(band.style), "shape": "hv" if steps else "linear"},
                "marker": {"symbol": band.style.marker, "size": 7},
                "hovertemplate": f"{band.name}: %{{y:{'.1%' if percent else '.4g'}}}<extra></extra>",
                "meta": _colour(band.style),
            }
        )
    if theory is not None:
        x, y, name = theory
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.asarray(x, np.float32),
                "y": np.asarray(y, np.float32),
                "name": name,
                "line": {"width": 1.4, "dash": "dash"},
                "hoverinfo": "skip",
                "meta": {"colour": "ink"},
            }
        )
    upright = {
        "type": "line",
        "x0": at,
        "x1": at,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "dash": "dot"},
    }
    yaxis: dict[str, Any] = {
        "title": {"text": words[1], "standoff": 4},
        "zeroline": False,
        "nticks": 6,
        "fixedrange": True,
    }
    if percent:
        yaxis |= {"tickformat": ".0%", "range": [-0.02, 1.02]}
    elif logarithmic:
        yaxis |= {"type": "log", "exponentformat": "power", "range": _decades(lines)}
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 10, "t": 26, "b": 36},
            "xaxis": {"title": {"text": words[0], "standoff": 3}, "zeroline": False, "nticks": 8, "fixedrange": True},
            "yaxis": yaxis,
            "legend": LEGEND,
            "showlegend": True,
            "dragmode": False,
            "hovermode": "x unified",
            "shapes": [] if at is None else [upright],
        },
    }


def _dash(style: LaneStyle) -> str:
    return DASHES[f"{style.dash[0]:g}" if style.dash else ""]


def _decades(lines: Sequence[Band]) -> list[float]:
    """The range of a logarithmic axis that shows all lines and what of the bands is finite."""
    parts = [part for band in lines for part in (band.line, band.low, band.high) if part is not None]
    values = np.concatenate(parts) if parts else np.ones(1)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return [-1.0, 1.0]
    low, high = np.log10(values.min()), np.log10(values.max())
    room = 0.05 * max(high - low, 0.5)
    return [float(low - room), float(high + room)]


def halved(
    loss: np.ndarray, spent: np.ndarray, reached: np.ndarray, ladder: Sequence[int], words: Mapping[str, str]
) -> dict[str, Any]:
    """Learning curves (n, steps + 1) that end where their configuration was eliminated, the longer lived the stronger.

    ``spent`` (n, steps + 1) counts gradient evaluations, ``reached`` (n,) the last rung, ``ladder`` what each allows.
    """
    data: list[dict[str, Any]] = []
    last = len(ladder) - 1
    for rung, most in enumerate(ladder):
        who = np.flatnonzero(reached == rung)
        if not who.size:
            continue
        xs, ys = [], []
        for k in who:
            upto = spent[k] <= most + 1e-6
            # No more points than the picture can show.
            at = np.unique(np.linspace(0, upto.sum() - 1, min(int(upto.sum()), 160)).astype(int))
            xs += [spent[k][at], [np.nan]]
            ys += [loss[k][at], [np.nan]]
        x, y = (np.concatenate(parts).astype(np.float32) for parts in (xs, ys))
        style = RUNGS[min(last - rung, len(RUNGS) - 1)]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": np.where(y > 0, y, np.nan),
                "name": words[f"rung{rung}"],
                "line": {"width": 1 + 1.6 * (rung == last)},
                "opacity": 0.35 + 0.65 * rung / max(last, 1),
                "hoverinfo": "skip",
                "meta": _colour(style),
            }
        )
    values = np.concatenate([np.asarray(trace["y"]) for trace in data]) if data else np.ones(1)
    values = values[np.isfinite(values)]
    start = float(np.nanmax(loss[:, 0])) if np.isfinite(loss[:, 0]).any() else 1.0
    high = min(float(values.max(initial=1e-12)), max(start, 1e-9) * 1e3)
    low = max(float(values.min(initial=high)), 1e-14)
    room = 0.04 * max(np.log10(high / low), 0.5)
    edges = [
        {"type": "line", "x0": r, "x1": r, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1, "dash": "dot"}}
        for r in ladder
    ]
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 10, "t": 26, "b": 36},
            "xaxis": {
                "title": {"text": words["x"], "standoff": 3},
                "type": "log",
                "range": [float(np.log10(max(ladder[0] / 3, 0.8))), float(np.log10(ladder[-1])) + 0.03],
                "tickvals": [1, *ladder],
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {
                "title": {"text": words["y"], "standoff": 4},
                "type": "log",
                "exponentformat": "power",
                "range": [float(np.log10(low) - room), float(np.log10(high) + room)],
                "zeroline": False,
                "nticks": 7,
                "fixedrange": True,
            },
            "legend": LEGEND,
            "showlegend": True,
            "dragmode": False,
            "hovermode": False,
            "shapes": edges,
        },
    }


# From the last rung, which only the winners see, down to the first.
RUNGS = tuple(LaneStyle(*PALETTE[number], (), "circle") for number in (1, 4, 6, 7, 3, 2, 5))


def rung_marks(
    points: np.ndarray, reached: np.ndarray, last: int, said: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """What lies over a `square`: configurations in the colours of the rung that they reached, the winners largest.

    A click on one tells "halving" and its number.
    """
    data: list[dict[str, Any]] = []
    for rung in range(last + 1):
        who = np.flatnonzero(reached == rung)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": np.asarray(points[who, 0], np.float32),
                "y": np.asarray(points[who, 1], np.float32),
                "text": [said[k] for k in who.tolist()],
                "hoverinfo": "text",
                "name": names[rung],
                "marker": {"symbol": "circle", "size": 5 + 2 * rung, "line": {"width": 1}},
                "meta": _colour(
                    RUNGS[min(last - rung, len(RUNGS) - 1)], edge=True, pick="halving", points=who.tolist()
                ),
            }
        )
    return {"data": data, "layout": {}}
