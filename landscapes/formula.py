"""Landscapes from formulas that people type.

Such a landscape is one line of text, which is its id: the formula in x and y, then its settings between semicolons:

    =a*x^2 + y^2; x=-2..2; y=-2..2; start=1,1.5; a=3 in 1..5; name=My bowl

All but the formula may be left out. `landscapes.find` makes the landscape again from that text, so it can stand in a
URL, a file or a `RunSpec` like any other id. Critical points are found numerically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from descent import recipe
from descent.critical import Survey, survey
from descent.formula import FUNCTIONS, Formula, FormulaError, evaluate, is_smooth, parse
from descent.hyper import Hyper, as_float, fill
from descent.landscape import CriticalPoints, Landscape, Minimum, Point, Tag
from descent.recipe import number
from descent.spec import Values
from descent.text import _
from descent.typeset import latex

AXES = ("x", "y")
DOMAIN = ((-2.0, 2.0), (-2.0, 2.0))
SETTINGS = ("start", "name")  # no slider can have these names
MAX_SLIDERS = 8
MOST = 64  # landscapes that are kept

OWN = _("A formula of your own.")
HOLES = _("A formula of your own. It has no value in a part of the domain: the surface has a hole there.")


@dataclass(frozen=True, eq=False)
class Surface:
    """The function of a landscape: a formula in x, y and sliders."""

    formula: Formula

    def __call__(self, p: jax.Array, **shape: Any) -> jax.Array:
        @jax.custom_jvp
        def height(p: jax.Array) -> jax.Array:
            return self._value(p, shape)

        # Backwards through `where`, the branch not taken would add 0 · ∞ = NaN; forwards it adds nothing. As the
        # gradient is two numbers, forwards is no slower.
        @height.defjvp
        def _(points: Any, steps: Any) -> Any:
            (point,), (step,) = points, steps
            value, slope = self._value(point, shape), []
            for axis in jnp.eye(2, dtype=point.dtype):
                slope.append(jax.jvp(lambda q: self._value(q, shape), (point,), (axis,))[1])
            return value, slope[0] * step[0] + slope[1] * step[1]

        return height(p)

    def _value(self, p: jax.Array, shape: Mapping[str, Any]) -> jax.Array:
        value = evaluate(self.formula, {"x": p[0], "y": p[1], **shape})
        return jnp.asarray(value, p.dtype)


def landscape_from_formula(
    text: str,
    domain: Sequence[Sequence[float]] = DOMAIN,
    start: Sequence[float] | None = None,
    *,
    name: str = "",
    **sliders: float | Sequence[float],
) -> Landscape:
    """The landscape of a formula in x, y and the names of ``sliders``.

    Args:
        text: such as ``(1-x)^2 + a*(y-x^2)^2``; see `descent.formula.parse` for the language.
        domain: ((x_low, x_high), (y_low, y_high)).
        start: (x, y); if None, a place where the surface has a value.
        name: what people read; the formula itself if empty.
        sliders: a value, (low, high) or (low, high, default) each.

    Critical points within the domain are found numerically, in float64, at the sliders' values: minima (also on kinks)
    become the landscape's minima. Where the grid has lower values than any of them, the landscape is taken for
    unbounded. Where the formula has no finite value, the surface has a hole, and a run that gets there has diverged.

    Raises:
        FormulaError: a ``ValueError`` with the column in ``text``, saying what is allowed.
    """
    knobs: dict[str, Hyper] = {}
    for given, values in sliders.items():
        known = recipe.check_name(given, (*AXES, *SETTINGS, "pi", *FUNCTIONS, *knobs))
        knobs[known] = recipe.knob(known, values, SLIDER)
    return _landscape(text, _domain(domain), _start(start), tuple(knobs.values()), name)


SLIDER = _("A slider of your formula.")


def _domain(given: Any) -> tuple[Point, Point]:
    try:
        (x0, x1), (y0, y1) = given
    except (TypeError, ValueError):
        message = _("the domain must be ((x_low, x_high), (y_low, y_high)); {given} was given")
        raise FormulaError(message, 1, given=repr(given)[:60]) from None
    return recipe.ordered((x0, x1)), recipe.ordered((y0, y1))


def _start(given: Any, column: int = 1) -> Point | None:
    if given is None:
        return None
    values = [as_float(v) for v in given] if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(values) != 2 or not all(abs(v) <= 1e6 for v in values):
        message = _("the start must be two numbers, x and y; {given} was given")
        raise FormulaError(message, column, given=repr(given)[:40])
    return values[0], values[1]


# ---- text ----------------------------------------------------------------------------------------------------------


def landscape_from_text(text: str) -> Landscape:
    """The landscape that an id with "=" stands for. The same text gives the same object as long as it is in use.

    Raises:
        FormulaError: with the column in ``text``.
    """
    draft = read(text)
    return _landscape(draft.formula, draft.domain, draft.start, draft.sliders, draft.name, draft.column - 1)


class Draft(NamedTuple):
    """What a landscape's text says. The formula in it has not been parsed."""

    formula: str
    column: int = 1  # of the formula in the text
    domain: tuple[Point, Point] = DOMAIN
    start: Point | None = None
    sliders: tuple[Hyper, ...] = ()
    name: str = ""

    @property
    def text(self) -> str:
        """The text that says it."""
        return landscape_text(self.formula, self.domain, self.start, self.sliders, self.name)


def read(text: str) -> Draft:
    """The settings in a text that begins with "=". Raises `FormulaError`."""
    formula, start, name = None, None, ""
    domain, knobs = dict(zip(AXES, DOMAIN, strict=True)), {}
    for part in recipe.split(text):
        key, _mark, value, column = part
        if key == "":
            if formula is not None:
                raise FormulaError(_("there is a second formula; a landscape has one"), column)
            formula = part
        elif key in AXES:
            domain[key] = recipe.interval(value, column)
        elif key == "start":
            start = _start(_pair(value, column), column)
        elif key == "name":
            name = value
        elif len(knobs) == MAX_SLIDERS:
            raise FormulaError(_("a landscape has at most {most} sliders"), column, most=MAX_SLIDERS)
        else:
            known = recipe.check_name(key, (*AXES, *SETTINGS, "pi", *FUNCTIONS, *knobs), column)
            knobs[known] = recipe.knob(known, recipe.setting(value, column), SLIDER, column)
    if formula is None:
        raise FormulaError(_("a formula in x and y is missing"), len(recipe.MARK) + 1)
    sliders = tuple(knobs.values())
    return Draft(formula.value, formula.column, (domain["x"], domain["y"]), start, sliders, recipe.clean(name))


def _pair(text: str, column: int) -> tuple[float, ...]:
    values = []
    for piece in text.split(",", 2):
        values.append(recipe.constant(piece, column))
        column += len(piece) + 1
    return tuple(values)


def landscape_text(
    formula: str,
    domain: tuple[Point, Point] = DOMAIN,
    start: Point | None = None,
    sliders: Sequence[Hyper] = (),
    name: str = "",
) -> str:
    """The text of a landscape: the inverse of `landscape_from_text`."""
    found = [recipe.MARK + " ".join(formula.split())]
    for axis, (low, high), usual in zip(AXES, domain, DOMAIN, strict=True):
        if (low, high) != usual:
            found.append(f"{axis}={number(low)}..{number(high)}")
    if start is not None:
        found.append(f"start={number(start[0])},{number(start[1])}")
    found += [recipe.knob_text(slider, recipe.knob(slider.name, slider.default, SLIDER)) for slider in sliders]
    if name:
        found.append(f"name={name}")
    return "; ".join(found)


# ---- the landscape -------------------------------------------------------------------------------------------------


def _landscape(
    text: str,
    domain: tuple[Point, Point],
    start: Point | None,
    sliders: tuple[Hyper, ...],
    name: str,
    offset: int = 0,
) -> Landscape:
    plain_name = recipe.clean(name)
    try:
        formula = parse(text, (*AXES, *(h.name for h in sliders)))
    except FormulaError as error:
        raise error.within("", offset) from None
    return _made(formula, landscape_text(text, domain, start, sliders, plain_name), domain, start, sliders, plain_name)


@lru_cache(maxsize=MOST)
def _made(
    formula: Formula,
    text: str,
    domain: tuple[Point, Point],
    start: Point | None,
    sliders: tuple[Hyper, ...],
    name: str,
) -> Landscape:
    bare = Landscape(
        id=text,
        name=name or recipe.shown(text.removeprefix(recipe.MARK).partition(";")[0]),
        fn=Surface(formula),
        domain=domain,
        start=start or (0.0, 0.0),
        minima=(),
        formula=latex(formula),
        reference=text,
        teaches=OWN,
        hypers=sliders,
        smooth=is_smooth(formula),
    )
    moving = _Moving(bare)
    found = moving.survey(Values({h.name: h.default for h in sliders}))
    points = _declared(found)
    tags: set[Tag] = set()
    if len(points.minima) > 1 and not found.line:
        tags.add("multimodal")
    if points.saddles:
        tags.add("saddle")
    if found.line or any(p.flat and p.kind == "minimum" for p in found.points):
        tags.add("flat")
    if not bare.smooth:
        tags.add("nonsmooth")
    return replace(
        bare,
        start=start or (found.starts[0] if found.starts else tuple(0.5 * (low + high) for low, high in domain)),
        minima=points.minima,
        saddles=points.saddles,
        moving=moving,
        tags=frozenset(tags),
        height="log" if found.decades else "linear",
        unbounded=_falls_on(found, points),
        flat_minima=found.line,
        undeclared=frozenset(_PLURAL[kind] for kind in found.crowded if kind in _PLURAL),
        teaches=HOLES if found.holes else OWN,
    )


_PLURAL: Mapping[str, Literal["minima", "saddles"]] = {"minimum": "minima", "saddle": "saddles"}


def _declared(found: Survey) -> CriticalPoints:
    minima = tuple(Minimum(p.point, p.value, p.kink) for p in found.points if p.kind == "minimum")
    return CriticalPoints(minima, tuple(p.point for p in found.points if p.kind == "saddle"))


def _falls_on(found: Survey, points: CriticalPoints) -> bool:
    """Is the surface lower somewhere in the domain than at all minima?"""
    lowest = min((m.value for m in points.minima), default=math.inf)
    return not found.lowest >= lowest - 1e-6 * max(1.0, abs(lowest))


class _Moving:
    """Where minima and saddles are at given values of the sliders; the last few answers are kept."""

    def __init__(self, landscape: Landscape) -> None:
        self.survey = lru_cache(maxsize=64)(lambda shape: survey(landscape, shape))

    def __call__(self, **shape: float) -> CriticalPoints:
        return _declared(self.survey(Values(shape)))


def surveyed(landscape: Landscape, shape: Mapping[str, float] | None = None) -> Survey:
    """What was found on a formula's landscape at these values of its sliders."""
    assert isinstance(landscape.moving, _Moving)
    return landscape.moving.survey(Values(fill(landscape.hypers, shape, landscape.id)))
