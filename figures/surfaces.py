"""The loss surface from above (contour) and in perspective (surface)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from figures.height import Height
from figures.style import RAMPS

Points = Sequence[tuple[float, float]]
LEVELS = 22


def contour(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    height: Height,
    minima: Points = (),
    saddles: Points = (),
    *,
    names: tuple[str, str] = ("minimum", "saddle"),
    label: str = "loss",
    key: str = "",
) -> dict[str, Any]:
    """A filled contour of ``z`` (rows along y), its levels evenly spaced in ``height``; minima and saddles marked.

    ``key`` names what the zoom belongs to: it survives redraws as long as the key stays.
    """
    heights = height(z).astype(np.float32)
    ticks, texts = height.ticks()
    return {
        "data": [
            {
                "type": "contour",
                "x": x,
                "y": y,
                "z": heights,
                "zmin": 0,
                "zmax": 1,
                "autocontour": False,
                "contours": {"start": 0, "end": 1, "size": 1 / LEVELS, "coloring": "fill"},
                "line": {"width": 0.6, "smoothing": 1},
                "colorscale": RAMPS["light"],
                "colorbar": {
                    "tickvals": ticks,
                    "ticktext": texts,
                    "thickness": 8,
                    "outlinewidth": 0,
                    "len": 1,
                    "x": 1.005,
                    "ticks": "",
                    "tickfont": {"size": 10},
                },
                "hoverinfo": "none",
                "name": label,
            },
            _marks(minima, names[0], "star", 11),
            _marks(saddles, names[1], "x-thin-open", 8),
        ],
        "layout": {
            "margin": {"l": 34, "r": 44, "t": 8, "b": 26},
            "xaxis": _axis(x),
            "yaxis": _axis(y),
            "dragmode": False,
            "hovermode": "closest",
            "showlegend": False,
            "uirevision": key,
            "meta": {"ramps": RAMPS},
        },
    }


def _axis(values: np.ndarray) -> dict[str, Any]:
    return {
        "range": [float(values[0]), float(values[-1])],
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 10},
        "nticks": 7,
    }


def _marks(points: Points, name: str, symbol: str, size: float) -> dict[str, Any]:
    # A hundred minima are a texture, not a hundred things to look at.
    size = size if len(points) <= 16 else size * 0.55
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [p[0] for p in points],
        "y": [p[1] for p in points],
        "name": name,
        "marker": {"symbol": symbol, "size": size, "line": {"width": 1.6}},
        "meta": {"ink": True},
        "hovertemplate": f"{name} (%{{x:.4g}}, %{{y:.4g}})<extra></extra>",
    }


def surface(x: np.ndarray, y: np.ndarray, z: np.ndarray, height: Height, *, label: str = "loss") -> dict[str, Any]:
    """The same surface in perspective, every second point of it. The camera survives redraws."""
    heights = height(z[::2, ::2]).astype(np.float32)
    axis = {"showbackground": False, "showspikes": False, "showticklabels": False, "showgrid": False, "zeroline": False}
    return {
        "data": [
            {
                "type": "surface",
                "x": x[::2],
                "y": y[::2],
                "z": heights,
                "cmin": 0,
                "cmax": 1,
                "colorscale": RAMPS["light"],
                "showscale": False,
                "hoverinfo": "none",
                "contours": {"z": {"show": True, "start": 0, "end": 1, "size": 1 / 11, "width": 1}},
                "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9, "fresnel": 0.05},
                "name": label,
            }
        ],
        "layout": {
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "showlegend": False,
            "scene": {
                "xaxis": {**axis, "title": {"text": "x"}, "range": [float(x[0]), float(x[-1])]},
                "yaxis": {**axis, "title": {"text": "y"}, "range": [float(y[0]), float(y[-1])]},
                "zaxis": {**axis, "title": {"text": label}, "range": [-0.02, 1.05]},
                "aspectmode": "manual",
                "aspectratio": {"x": 1.1, "y": 1.1, "z": 0.62},
                "camera": {"eye": {"x": -0.9, "y": -1.1, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.16}},
                "dragmode": "turntable",
                "uirevision": "camera",
            },
            "uirevision": "camera",
            "meta": {"ramps": RAMPS},
        },
    }
