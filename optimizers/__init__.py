"""The update rules, a module a family: an entry in a module's MEMBERS is all that a new one needs."""

from descent.registry import collect
from optimizers import adam, adaptive, curvature, gradient, momentum, sign

OPTIMIZERS, FAMILIES = collect((gradient, momentum, adaptive, adam, sign, curvature))

__all__ = ["FAMILIES", "OPTIMIZERS"]
