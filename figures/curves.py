"""Curves against the step."""

from __future__ import annotations

from collections.abc import Mapping
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
