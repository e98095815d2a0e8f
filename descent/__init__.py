"""Descent Lab's core: what a landscape, an optimizer, a schedule and a run are, and how a run is computed."""

from descent.engine import Trajectory, descend
from descent.maps import basins, sweep
from descent.spec import RunSpec

__all__ = ["RunSpec", "Trajectory", "basins", "descend", "sweep"]
