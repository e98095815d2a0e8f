"""What is being built on the build page: a landscape and an optimizer, each a draft that may not be right yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import streamlit as st

import landscapes
import optimizers
from descent import recipe
from descent.formula import FormulaError, unknown_names
from descent.landscape import Landscape, Point
from descent.spec import Values
from descent.text import _
from landscapes.formula import AXES, MAX_SLIDERS, SLIDER, Draft, FormulaLandscape, landscape_from_text
from landscapes.formula import read as read_landscape
from optimizers import OPTIMIZERS
from optimizers.formula import GIVEN, optimizer_from_formula
from optimizers.formula import read as read_optimizer
from optimizers.templates import TEMPLATES, template
from ui.catalogue import lane
from ui.controls import forget
from ui.race import Lane, Race, setting, with_knob

# Landscapes to start from: a name, and the text.
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "valley": (_("A curved valley"), "=(1 - x)^2 + a*(y - x^2)^2; y=-1..3; start=-1.5,2; a=100 in 1..200"),
    "wells": (_("Two wells, one deeper"), "=(x^2 - 1)^2 + y^2 + tilt*x; start=0.9,1.5; tilt=0.3 in -1..1"),
    "eggs": (_("Egg box"), "=sin(k*x)*cos(k*y) + 0.1*(x^2 + y^2); x=-3..3; y=-3..3; k=2 in 0.5..4"),
    "kink": (_("A kink"), "=abs(x) + b*abs(y - x/2); start=-1.7,1.2; b=3 in 0.5..10"),
    "steps": (
        _("A cliff"),
        "=where(x < c, 0.2*(x - 3)^2, 4 + x^2/10) + y^2/2; x=-3..4; start=-2,1.5; c=1.5 in -1..3",
    ),
    "hole": (_("A surface with a hole"), "=x^2 + y^2 - log(x^2 + y^2 - r); start=1.8,-1.6; r=0.5 in 0.1..2"),
}
STEPS = 300
PACE = 150  # in so many steps, adaptive rules could cross a landscape twice
WANTED = _("a formula, which begins with “=”")


# ---- the landscape -------------------------------------------------------------------------------------------------


def with_sliders(draft: Draft, formula: str) -> Draft:
    """The draft with another formula, and a slider for each name in it that is not known, while others go."""
    try:
        names = unknown_names(formula, AXES)
    except FormulaError:
        return draft._replace(formula=formula)  # half typed: all sliders stay
    known = {slider.name: slider for slider in draft.sliders}
    sliders = [known.get(name) or recipe.knob(name, (-5.0, 5.0, 1.0), SLIDER) for name in names]
    return draft._replace(formula=formula, sliders=tuple(sliders[:MAX_SLIDERS]))


def built(draft: Draft) -> FormulaLandscape:
    """The landscape of a draft. Raises `FormulaError` with the column in the draft's formula."""
    try:
        landscape = landscape_from_text(draft.text)
        if draft.start is None or landscape.has_value(draft.start):
            return landscape
        return landscape_from_text(draft._replace(start=None).text)
    except FormulaError as error:
        raise error.within("", -len(recipe.MARK)) from None


@lru_cache(maxsize=64)
def racers(id: str) -> tuple[Lane, ...]:
    """Two runners with learning rates that suit the landscape."""
    return tuple(lane(OPTIMIZERS[name], landscapes.find(id), PACE) for name in ("sgd", "adam"))


def landscape_race(landscape: Landscape, shape: Values, start: Point | None) -> Race:
    """The race that the page shows on a landscape."""
    return _from(start, Race(landscape=landscape.id, shape=shape, lanes=racers(landscape.id), steps=STEPS))


def _from(start: Point | None, race: Race) -> Race:
    """The race from this start, as long as it is within the domain."""
    domain = landscapes.find(race.landscape).domain
    if start is None or not all(low <= v <= high for v, (low, high) in zip(start, domain, strict=True)):
        return race
    return replace(race, start=None if start == race.begin else start)


def draft_of(id: str) -> Draft:
    """The draft that a landscape's text stands for."""
    return read_landscape(id)


# ---- the optimizer -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """An optimizer in the making: its lines, its knobs, and the built-in rule that it came from."""

    lines: tuple[tuple[str, str], ...]
    knobs: tuple[tuple[str, tuple[float, ...]], ...] = ()
    base: str = "adam"
    name: str = ""

    def built(self) -> Any:
        """The optimizer. Raises `FormulaError`."""
        if len({name for name, _text in self.lines}) < len(self.lines):
            raise FormulaError(_("two lines have the same name"), 1)
        return optimizer_from_formula(dict(self.lines), dict(self.knobs), name=self.name)

    def with_lines(self, lines: Sequence[tuple[str, str]]) -> Rule:
        """The rule with other lines, and a knob for each name in them that is not known, while others go."""
        known = {*GIVEN, *(recipe.name_of(name) for name, _text in lines)}
        names: list[str] = []
        try:
            for _name, text in lines:
                names += [name for name in unknown_names(text, known) if name not in names]
        except FormulaError:
            return replace(self, lines=tuple(lines))
        known_knobs = dict(template(self.base)[1]) | dict(self.knobs)
        ordered = [name for name, _range in self.knobs if name in names]
        ordered += [name for name in names if name not in ordered]
        kept = {name: known_knobs.get(name, (0.0, 1.0, 0.5)) for name in ordered}
        return replace(self, lines=tuple(lines), knobs=tuple(kept.items()))


def rule_of(id: str) -> Rule:
    """The rule of a template, or of an optimizer's text."""
    if id in TEMPLATES:
        lines, knobs = template(id)
        return Rule(tuple(lines.items()), tuple(knobs.items()), id)
    lines, knobs, name = read_optimizer(id)
    return Rule(tuple((key, text) for key, (text, _offset) in lines.items()), tuple(knobs.items()), name=name)


def rule_race(rule: Rule, landscape: str, values: Values, start: Point | None) -> Race:
    """The rule beside the built-in one that it came from, with the same knobs as far as that has them."""
    mine = rule.built()
    theirs = {hyper.name: hyper for hyper in optimizers.find(rule.base).hypers}
    base = Values()
    for hyper in mine.hypers:
        if hyper.name in theirs:
            base = with_knob(base, theirs[hyper.name], setting(values, hyper))
    return _from(start, Race(landscape=landscape, lanes=(Lane(mine.id, values), Lane(rule.base, base)), steps=STEPS))


def suited(rule: Rule, landscape: str) -> Values:
    """The learning rate that the built-in rule would be given on this landscape, if the rule has such a knob."""
    usual = lane(OPTIMIZERS[rule.base], landscapes.find(landscape), PACE).hyper
    rates = [hyper for hyper in rule.built().hypers if hyper.name == "learning_rate"]
    fits = usual and rates and rates[0].low <= usual["learning_rate"] <= rates[0].high
    return with_knob(Values(), rates[0], usual["learning_rate"]) if fits else Values()


# ---- the session ---------------------------------------------------------------------------------------------------

Kind = Literal["landscape", "optimizer"]
GROUND, BASE = "rosenbrock", "adam"  # what an optimizer is tried on, and begins as


def landscape_draft() -> Draft:
    """The session's draft of a landscape."""
    return st.session_state.setdefault("building.landscape", draft_of(EXAMPLES["valley"][1]))


def rule() -> Rule:
    """The session's optimizer in the making."""
    return st.session_state.setdefault("building.rule", rule_of(BASE))


def ground() -> str:
    """The landscape on which the session tries its optimizer."""
    return st.session_state.get("building.ground", GROUND)


def values(kind: Kind) -> Values:
    """What the landscape's sliders or the optimizer's knobs are set to, where that is not their default."""
    key = f"building.{kind}.values"
    if key not in st.session_state:
        st.session_state[key] = Values() if kind == "landscape" else suited(rule(), ground())
    return st.session_state[key]


def start(kind: Kind) -> Point | None:
    """Where runs start from; None: where the landscape says."""
    return st.session_state.get(f"building.{kind}.start")


def begin_with(
    kind: Kind, draft: Draft | Rule, values: Values | None = None, start: Point | None = None, on: str = ""
) -> None:
    """Put another draft on the page: its widgets begin anew. ``on`` is the landscape on which a rule is tried."""
    st.session_state["building.landscape" if kind == "landscape" else "building.rule"] = draft
    if on:
        st.session_state["building.ground"] = on
    for name, value in (("values", values), ("start", start)):
        st.session_state.pop(f"building.{kind}.{name}", None)
        if value is not None:
            st.session_state[f"building.{kind}.{name}"] = value
    forget(f"build.{kind}.")
