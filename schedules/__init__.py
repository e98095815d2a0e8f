"""Learning-rate schedules: an entry in a module's MEMBERS is all that a new one needs."""

from descent.registry import collect
from schedules import cyclical, decay, feedback

SCHEDULES, FAMILIES = collect((decay, cyclical, feedback))

__all__ = ["FAMILIES", "SCHEDULES"]
