"""The update rules, a module a family: an entry in a module's MEMBERS is all that a new one needs."""

from descent.registry import collect
from optimizers import adam, adaptive, gradient, momentum, sign

OPTIMIZERS, FAMILIES = collect((gradient, momentum, adaptive, adam, sign))

__all__ = ["FAMILIES", "OPTIMIZERS"]
