"""The update rules, a module a family: an entry in a module's MEMBERS is all that a new one needs."""

from descent.registry import collect
from optimizers import adam, adaptive, averaging, curvature, gradient, momentum, parameter_free, sharpness, sign

OPTIMIZERS, FAMILIES = collect(
    (gradient, momentum, adaptive, adam, sign, curvature, sharpness, averaging, parameter_free)
)

__all__ = ["FAMILIES", "OPTIMIZERS"]
