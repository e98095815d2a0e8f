"""Data to Plotly figures: pure functions of NumPy arrays, which know neither Streamlit nor JAX.

A figure is a plain dict with "data" and "layout", as `plotly.graph_objects.Figure(figure)` takes it; dicts are
built a hundred times faster than graph objects. Colours that depend on the theme are given for both, under
`layout.meta`, and the stage applies the one in use: a switch of theme needs no server. `figures.thumbnail`
makes small pictures without Plotly, and `figures.tree` lays out a family tree.
"""

from figures.curves import loss_curves, shares, sweep_curve, trace_axes
from figures.height import Height
from figures.style import COORDINATES, LaneStyle, lane_styles, style_number
from figures.surfaces import contour, surface

__all__ = [
    "COORDINATES",
    "Height",
    "LaneStyle",
    "contour",
    "lane_styles",
    "loss_curves",
    "shares",
    "style_number",
    "surface",
    "sweep_curve",
    "trace_axes",
]
