"""Curves against the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from figures.style import PALETTE


def loss_curves(*, step: str = "step", loss: str = "loss", logarithmic: bool = True) -> dict[str, Any]:
    """The axes of loss against step. The stage adds a line for each runner and keeps their ranges."""
    return {
        "data": [],
        "layout": {
            "margin": {"l": 52, "r": 10, "t": 8, "b": 32},
            "xaxis": {"title": {"text": step, "standoff": 4}, "zeroline": False, "tickfont": {"size": 10}},
            "yaxis": {
                "title": {"text": loss, "standoff": 2},
                "type": "log" if logarithmic else "linear",
                "exponentformat": "power",
                "zeroline": False,
                "tickfont": {"size": 10},
                "nticks": 6,
            },
            "dragmode": False,
            "hovermode": False,
            "showlegend": False,
        },
    }


def trace_axes(title: str, *, logarithmic: bool = False) -> dict[str, Any]:
    """The axes of a small chart of something against the step, its title inside. The stage adds lines and ranges."""
    figure = loss_curves(step="", loss="", logarithmic=logarithmic)
    layout = figure["layout"]
    layout["margin"] = {"l": 46, "r": 8, "t": 20, "b": 20}
    layout["yaxis"] |= {"nticks": 5, "exponentformat": "power" if logarithmic else "e", "title": {"text": ""}}
    layout["xaxis"] |= {"nticks": 6, "title": {"text": ""}}
    layout["annotations"] = [
        {
            "text": title,
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 12},
        }
    ]
    return figure


def shares(
    dimension: np.ndarray,
    share: np.ndarray,
    error: np.ndarray,
    asymptotic: np.ndarray,
    exact: Mapping[int, float],
    *,
    words: tuple[str, str, str, str, str],
) -> dict[str, Any]:
    """Share of positive definite matrices against dimension, on a logarithmic axis.

    ``words`` are: dimension, share, measured, exact, asymptotic. Error bars are two standard errors.
    """
    measured, theory = PALETTE[6][1], PALETTE[1][0]  # of those in the middle, which both pages bear
    known = {"x": list(exact), "y": list(exact.values()), "mode": "markers", "name": words[3]}
    return {
        "data": [
            {
                "type": "scatter",
                "x": dimension,
                "y": asymptotic,
                "mode": "lines",
                "name": words[4],
                "line": {"dash": "dash", "color": theory, "width": 2},
            },
            {
                "type": "scatter",
                "x": dimension,
                "y": share,
                "error_y": {"type": "data", "array": 2 * error, "thickness": 1.5, "width": 5},
                "mode": "markers+lines",
                "name": words[2],
                "line": {"color": measured, "width": 2},
                "marker": {"size": 7},
            },
            {
                "type": "scatter",
                **known,
                "marker": {"symbol": "circle-open", "size": 13, "color": theory, "line": {"width": 2}},
            },
        ],
        "layout": {
            "margin": {"l": 64, "r": 10, "t": 8, "b": 40},
            "height": 320,
            "xaxis": {"title": {"text": words[0]}, "dtick": 1},
            "yaxis": {"title": {"text": words[1]}, "type": "log", "exponentformat": "power", "nticks": 8},
            "legend": {"x": 0.02, "y": 0.02, "xanchor": "left", "yanchor": "bottom"},
        },
    }


def sweep_curve(
    rate: np.ndarray,
    loss: np.ndarray,
    smoothed: np.ndarray,
    suggested: Sequence[tuple[str, float]],
    *,
    words: tuple[str, str, str],
    logarithmic: bool = True,
) -> dict[str, Any]:
    """Loss against the learning rate of a sweep, on a logarithmic axis, with the rates that it suggests.

    ``words`` are: learning rate, loss, smoothed. A loss that blows up leaves the picture at ten times its first value.
    """
    finite = loss[np.isfinite(loss)]
    first = float(finite[0]) if finite.size else 1.0
    low, high = (float(finite.min()), min(float(finite.max()), first + 9 * abs(first))) if finite.size else (0.0, 1.0)
    if logarithmic:
        low, high = np.log10(low), np.log10(max(high, 2 * low))
    room = 0.04 * (high - low or 1.0)
    raw, average, mark = PALETTE[6][1], PALETTE[6][0], PALETTE[1][0]
    lines = [
        {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
        | {"line": {"color": mark, "width": 2, "dash": "dash"}}
        for _name, value in suggested
    ]
    names = [
        {"x": np.log10(value), "yref": "paper", "y": 1 - 0.08 * number, "text": name, "showarrow": False}
        | {"xanchor": side, "xshift": 6 if side == "left" else -6, "font": {"color": mark, "size": 14}}
        for number, (name, value) in enumerate(suggested)
        for side in ["right" if value < max(other for _, other in suggested) else "left"]
    ]
    return {
        "data": [
            {"type": "scatter", "x": rate, "y": loss, "name": words[1], "line": {"color": raw, "width": 1}},
            {"type": "scatter", "x": rate, "y": smoothed, "name": words[2], "line": {"color": average, "width": 2.5}},
        ],
        "layout": {
            "margin": {"l": 64, "r": 10, "t": 10, "b": 44},
            "height": 560,
            "xaxis": {"title": {"text": words[0]}, "type": "log", "exponentformat": "power"},
            "yaxis": {
                "title": {"text": words[1]},
                "type": "log" if logarithmic else "linear",
                "exponentformat": "power",
                "range": [low - room, high + room],
            },
            "legend": {"x": 0.01, "y": 0.02, "xanchor": "left", "yanchor": "bottom"},
            "shapes": lines,
            "annotations": names,
        },
    }
