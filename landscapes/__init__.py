"""The loss surfaces, a module a family. A new one is one `Landscape` in its family's module."""

from __future__ import annotations

from collections.abc import Mapping

from descent.landscape import Landscape
from descent.registry import Family, collect
from landscapes import flat, matrices, multimodal, nonsmooth, plateaus, quadratics, ravines, saddles

LANDSCAPES: Mapping[str, Landscape]
FAMILIES: tuple[Family, ...]
LANDSCAPES, FAMILIES = collect((quadratics, ravines, saddles, flat, plateaus, multimodal, nonsmooth, matrices))
