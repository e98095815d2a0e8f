"""The loss surfaces, a module a family. A new one is one `Landscape` in its family's module."""

from __future__ import annotations

from collections.abc import Mapping

from descent.landscape import Landscape
from descent.recipe import is_recipe
from descent.registry import Family, collect
from landscapes import flat, matrices, multimodal, nonsmooth, plateaus, quadratics, ravines, saddles
from landscapes.formula import landscape_from_text

LANDSCAPES: Mapping[str, Landscape]
FAMILIES: tuple[Family, ...]
LANDSCAPES, FAMILIES = collect((quadratics, ravines, saddles, flat, plateaus, multimodal, nonsmooth, matrices))


def find(id: str) -> Landscape:
    """The landscape with this id: one of `LANDSCAPES`, or, where the id begins with "=", that of a formula.

    Raises:
        ValueError: an unknown id; `FormulaError` with the column if the formula cannot be read.
    """
    if is_recipe(id):
        return landscape_from_text(id)
    if id not in LANDSCAPES:
        raise ValueError(f"unknown id {id!r}; there are {', '.join(LANDSCAPES)}, and formulas: '=x^2 + y^2'")
    return LANDSCAPES[id]
