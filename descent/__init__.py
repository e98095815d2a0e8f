"""Descent Lab's core: what a landscape, an optimizer, a schedule and a run are, and how a run is computed."""

from descent.engine import Trajectory, descend

__all__ = ["Trajectory", "descend"]
