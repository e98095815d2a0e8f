"""The update rules, a module a family: an entry in a module's MEMBERS is all that a new one needs."""

from descent.optimizer import Optimizer
from descent.recipe import is_recipe
from descent.registry import collect
from optimizers import (
    adam,
    adaptive,
    averaging,
    curvature,
    gradient,
    layerwise,
    matrix,
    momentum,
    parameter_free,
    sharpness,
    sign,
)
from optimizers.formula import optimizer_from_text

OPTIMIZERS, FAMILIES = collect(
    (gradient, momentum, adaptive, adam, layerwise, sign, curvature, sharpness, averaging, parameter_free, matrix)
)

__all__ = ["FAMILIES", "OPTIMIZERS", "find"]


def find(id: str) -> Optimizer:
    """The optimizer with this id: one of `OPTIMIZERS`, or, where the id begins with "=", that of formulas.

    Raises:
        ValueError: an unknown id; `FormulaError` with the column if a formula cannot be read.
    """
    if is_recipe(id):
        return optimizer_from_text(id)
    if id not in OPTIMIZERS:
        raise ValueError(f"unknown id {id!r}; there are {', '.join(OPTIMIZERS)}, and formulas: '=delta: -lr*g; lr=0.1'")
    return OPTIMIZERS[id]
