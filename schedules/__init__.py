"""Learning-rate schedules: an entry in a module's MEMBERS is all that a new one needs."""

from descent.registry import collect
from schedules import decay

SCHEDULES, FAMILIES = collect((decay,))

__all__ = ["FAMILIES", "SCHEDULES"]
