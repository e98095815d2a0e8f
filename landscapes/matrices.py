"""Landscapes whose parameters are a matrix, of which the plane shows a slice: where its singular values lie."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from descent.hyper import Hyper
from descent.landscape import Landscape, Minimum, Slice
from descent.text import _

FAMILY = _("Matrices")


def _turn(degrees: Any) -> jax.Array:
    """The rotation by an angle, (2, 2)."""
    angle = jnp.radians(degrees)
    return jnp.array([[jnp.cos(angle), -jnp.sin(angle)], [jnp.sin(angle), jnp.cos(angle)]])


def layer_axes(kappa: Any, rows: Any, columns: Any) -> jax.Array:
    """$u_1 v_1^\\top$ and $u_2 v_2^\\top$, (2, 2, 2)."""
    return jnp.einsum("ik,jk->kij", _turn(rows), _turn(columns))


def layer_loss(params: Any, kappa: Any, rows: Any, columns: Any) -> jax.Array:
    """½ Σ a_i a_j (u_iᵀ W v_j)² with a = (1, √κ)."""
    inner = _turn(rows).T @ params @ _turn(columns)
    curvature = jnp.array([1, jnp.sqrt(kappa)])
    return 0.5 * jnp.sum(jnp.outer(curvature, curvature) * inner**2)


LAYER_SLICE = Slice((2, 2), layer_axes, layer_loss)

LINEAR_LAYER = Landscape(
    id="linear_layer",
    name=_("Weights of a layer"),
    fn=LAYER_SLICE.fn,
    slice=LAYER_SLICE,
    domain=((-3.0, 3.0), (-2.0, 2.0)),
    start=(2.2, 1.2),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"\tfrac12 \bigl\lVert A^{1/2}\, W\, B^{1/2} \bigr\rVert_F^2, \quad "
    r"W = x\, u_1 v_1^\top + y\, u_2 v_2^\top, \quad "
    r"A = U \bigl(\begin{smallmatrix} 1 & \\ & \sqrt\kappa \end{smallmatrix}\bigr) U^\top, \quad "
    r"B = V \bigl(\begin{smallmatrix} 1 & \\ & \sqrt\kappa \end{smallmatrix}\bigr) V^\top",
    reference="Martens & Grosse (2015), Optimizing Neural Networks with Kronecker-factored Approximate Curvature",
    teaches=_(
        "The plane is a slice through the four weights of a matrix: turn its directions against rows and columns, and "
        "methods that scale each weight lose their way and leave the slice; Muon, Shampoo and SOAP notice nothing."
    ),
    tags=frozenset({"convex", "ravine"}),
    hypers=(
        Hyper(
            name="kappa",
            symbol=r"\kappa",
            label=_("Condition number"),
            help=_("How much steeper the loss is along y than along x; in the directions off the slice it is √κ."),
            default=100.0,
            low=1.0,
            high=1_000.0,
            scale="log",
        ),
        Hyper(
            name="rows",
            symbol=r"\theta_U",
            label=_("Turn of rows (degrees)"),
            help=_(
                "How far the left singular directions U are turned from the rows. With both angles at 0°, x and y are "
                "two of the weights themselves."
            ),
            default=30.0,
            low=0.0,
            high=90.0,
        ),
        Hyper(
            name="columns",
            symbol=r"\theta_V",
            label=_("Turn of columns (degrees)"),
            help=_("How far the right singular directions V are turned from the columns."),
            default=60.0,
            low=0.0,
            high=90.0,
        ),
    ),
)

MEMBERS = (LINEAR_LAYER,)
