"""Curves against the step."""

from __future__ import annotations

from typing import Any


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
