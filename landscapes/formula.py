"""Landscapes from formulas that people type.

Such a landscape is one line of text, which is its id: the formula in x and y, then its settings between semicolons:

    =a*x^2 + y^2; x=-2..2; y=-2..2; start=1,1.5; a=3 in 1..5; name=My bowl

All but the formula may be left out. `landscapes.find` makes the landscape again from that text, so it can stand in a
URL, a file or a `RunSpec` like any other id. Critical points are found numerically.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from threading import Lock
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from descent import recipe
from descent.critical import Survey, survey
from descent.field import field, slide
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
) -> FormulaLandscape:
    """The landscape of a formula in x, y and the names of ``sliders``.

    Args:
        text: such as ``(1-x)^2 + a*(y-x^2)^2``; see `descent.formula.parse` for the language.
        domain: ((x_low, x_high), (y_low, y_high)).
        start: (x, y); if None, a place where the surface has a value.
        name: what people read; the formula itself if empty.
        sliders: a value, (low, high) or (low, high, default) each.

    Critical points within the domain are found numerically, in float64, at the sliders' values: minima (also on kinks)
    become the landscape's minima. They are looked for when somebody first asks. Where a grid has lower values than any
    of them, the landscape is taken for unbounded. Where the formula has no finite value, the surface has a hole, and a
    run that gets there has diverged.

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


def landscape_from_text(text: str) -> FormulaLandscape:
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
) -> FormulaLandscape:
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
) -> FormulaLandscape:
    given = {} if start is None else {"start": start}
    return FormulaLandscape(
        id=text,
        name=name or recipe.shown(text.removeprefix(recipe.MARK).partition(";")[0]),
        fn=Surface(formula),
        domain=domain,
        formula=latex(formula),
        reference=text,
        hypers=sliders,
        smooth=is_smooth(formula),
        **given,
    )


# Shares of the domain, in the order in which they are offered as a start.
_STARTS = ((0.15, 0.8), (0.85, 0.75), (0.2, 0.25), (0.8, 0.15), (0.4, 0.9), (0.6, 0.4), (0.35, 0.55), (0.05, 0.05))
_RATES = tuple(float(f"{m}e{e}") for e in range(-6, 1) for m in (1, 2, 5))
_PLURAL: Mapping[str, Literal["minima", "saddles"]] = {"minimum": "minima", "saddle": "saddles"}


class FormulaLandscape(Landscape):
    """A landscape that nobody has explored yet: what is not given is found out when it is first asked for.

    Start, rate, height and holes are seen on the field, which every picture needs anyway. Minima, saddles and what
    follows from them take a survey, which compiles for several times as long: whoever wants a picture at once asks
    `is_surveyed` first.
    """

    _survey: Any  # the last few answers, by the sliders
    _looking: Any  # a lock: who asks for what is being looked for waits for that answer

    def __init__(self, **given: Any) -> None:
        vars(self).update(given, _survey=lru_cache(maxsize=64)(partial(survey, self)), _looking=Lock())

    def survey(self, shape: Mapping[str, float] | None = None) -> Survey:
        """What there is at these values of the sliders."""
        with self._looking:
            return self._survey(Values(fill(self.hypers, shape, self.id)))

    @property
    def is_surveyed(self) -> bool:
        """Is what `survey` needs compiled?"""
        return self._survey.cache_info().currsize > 0

    def moving(self, **shape: float) -> CriticalPoints:
        """Minima and saddles at these values of the sliders."""
        points = self.survey(shape).points
        minima = tuple(Minimum(p.point, p.value, p.kink) for p in points if p.kind == "minimum")
        return CriticalPoints(minima, tuple(p.point for p in points if p.kind == "saddle"))

    def has_value(self, point: Point) -> bool:
        """Is the surface finite there, or at least at the nearest point of its field?"""
        z = field(self).z
        shares = [(v - low) / (high - low) for v, (low, high) in zip(point, self.domain, strict=True)]
        i, j = (round(min(max(share, 0.0), 1.0) * (len(z) - 1)) for share in shares)
        return bool(np.isfinite(z[j, i]))

    @cached_property
    def start(self) -> Point:
        """The first of some round points where the surface has a value."""
        for shares in (*_STARTS, (0.5, 0.5)):
            ends = zip(shares, self.domain, strict=True)
            x, y = (float(f"{low + share * (high - low):.3g}") for share, (low, high) in ends)
            if self.has_value((x, y)):
                break
        return x, y

    @cached_property
    def height(self) -> Literal["linear", "log"]:
        """Logarithmic where much of the surface is low down, compared with its height."""
        z = field(self).z
        values = z[np.isfinite(z)].astype(np.float64)
        low, middle, high = np.quantile(values if values.size else [0.0], (0, 0.3, 1))
        return "log" if high - low > 40 * (middle - low) > 0 else "linear"

    @cached_property
    def rate(self) -> float:
        """The learning rate, of round ones, that comes lowest on the field."""
        means = slide(field(self), self.start, _RATES)
        return float(_RATES[means.argmin()]) if np.isfinite(means).any() else Landscape.rate

    @cached_property
    def teaches(self) -> str:
        """Whether the surface has holes."""
        return OWN if np.isfinite(field(self).z).all() else HOLES

    @cached_property
    def minima(self) -> tuple[Minimum, ...]:
        """Those at the sliders' defaults."""
        return self.critical_points().minima

    @cached_property
    def saddles(self) -> tuple[Point, ...]:
        """Those at the sliders' defaults."""
        return self.critical_points().saddles

    @cached_property
    def flat_minima(self) -> bool:
        """Do minima form a line or an area?"""
        return self.survey().line

    @cached_property
    def unbounded(self) -> bool:
        """Is the surface lower somewhere in the domain than at all minima?"""
        lowest = min((m.value for m in self.minima), default=math.inf)
        return not self.survey().lowest >= lowest - 1e-6 * max(1.0, abs(lowest))

    @cached_property
    def undeclared(self) -> frozenset[Literal["minima", "saddles"]]:
        """What there is too much of to list."""
        return frozenset(_PLURAL[kind] for kind in self.survey().crowded if kind in _PLURAL)

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """What can be told from the survey and the formula."""
        found = self.survey()
        tags: Mapping[Tag, bool] = {
            "multimodal": len(self.minima) > 1 and not found.line,
            "saddle": bool(self.saddles),
            "flat": found.line or any(p.flat and p.kind == "minimum" for p in found.points),
            "nonsmooth": not self.smooth,
        }
        return frozenset(tag for tag, holds in tags.items() if holds)
