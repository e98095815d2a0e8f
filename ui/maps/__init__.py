"""Maps: many runs at once, where the race shows a few.

Each kind of map is a module that declares a `Kind`; listed here, it is on the page and in the address.
"""

from ui.maps import basins, escape, fair, knobs, noise, rotation, sensitivity
from ui.maps.kind import Kind

KINDS: tuple[Kind, ...] = (basins.KIND, knobs.KIND, sensitivity.KIND, rotation.KIND, escape.KIND, noise.KIND, fair.KIND)


def find(id: str) -> Kind:
    """The kind with this id."""
    return next(kind for kind in KINDS if kind.id == id)
