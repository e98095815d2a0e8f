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
    Traces have their colours for both themes in ``meta``; the suggested rates are one that can be picked.
    """
    finite = loss[np.isfinite(loss)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if finite.size:
        high = min(high, float(finite[0]) + 9 * abs(float(finite[0])))
    logarithmic = logarithmic and low > 0
    if logarithmic:
        low, high = (float(np.log10(end)) for end in (low, max(high, 2 * low)))
    room = 0.04 * (high - low or 1.0)
    rates = np.array([value for _name, value in suggested])

    def line(values: np.ndarray, name: str, colour: int, width: float) -> dict[str, Any]:
        meta = {"colour": dict(zip(("light", "dark"), PALETTE[colour], strict=True))}
        return {"type": "scatter", "mode": "lines", "x": rate, "y": values, "name": name, "line": {"width": width}} | {
            "meta": meta
        }

    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": rates,
        "y": np.interp(rates, rate, smoothed),
        "showlegend": False,
        "marker": {"size": 15, "symbol": "diamond", "line": {"width": 2}},
        "meta": {"colour": dict(zip(("light", "dark"), PALETTE[1], strict=True)), "edge": True, "pick": "rate"},
        "hoverinfo": "x",
    }
    edges = [
        {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
        | {"line": {"width": 1.5, "dash": "dash"}}
        for _name, value in suggested
    ]
    names = [
        {"x": float(np.log10(value)), "yref": "paper", "y": 1, "yanchor": "top", "text": name, "showarrow": False}
        | {"xanchor": side, "xshift": 6 if side == "left" else -6}
        for name, value in suggested
        for side in ["right" if value < rates.max() else "left"]
    ]
    return {
        "data": [line(loss, words[1], 7, 1), line(smoothed, words[2], 6, 2.5), *([marks] if suggested else [])],
        "layout": {
            "margin": {"l": 60, "r": 14, "t": 10, "b": 44},
            "xaxis": {"title": {"text": words[0]}, "type": "log", "exponentformat": "power", "dtick": 1},
            "yaxis": {
                "title": {"text": words[1]},
                "type": "log" if logarithmic else "linear",
                "exponentformat": "power",
                "dtick": 1 if logarithmic else None,
                "range": [low - room, high + room],
            },
            "legend": {"x": 0.01, "y": 0.02, "xanchor": "left", "yanchor": "bottom"},
            "hovermode": "closest",
            "dragmode": False,
            "shapes": edges,
            "annotations": names,
        },
    }
