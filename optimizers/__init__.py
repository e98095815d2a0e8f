"""The update rules, a module a family: an entry in a module's MEMBERS is all that a new one needs."""

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

OPTIMIZERS, FAMILIES = collect(
    (gradient, momentum, adaptive, adam, layerwise, sign, curvature, sharpness, averaging, parameter_free, matrix)
)

__all__ = ["FAMILIES", "OPTIMIZERS"]
