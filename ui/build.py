"""What is being built on the build page: a landscape and an optimizer, each a draft that may not be right yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

import landscapes
import optimizers
from descent import recipe
from descent.field import field
from descent.formula import FormulaError, unknown_names
from descent.landscape import Landscape
from descent.spec import Values
from descent.text import _
from descent.verdict import diagonal
from landscapes.formula import AXES, MAX_SLIDERS, SLIDER, Draft, FormulaLandscape, landscape_from_text
from landscapes.formula import read as read_landscape
from optimizers.formula import GIVEN, optimizer_from_formula
from optimizers.formula import read as read_optimizer
from optimizers.templates import TEMPLATES, template
from ui.race import Lane, Race, with_knob

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
    """Two runners with learning rates that suit the landscape: its curvature decides SGD's, its size Adam's."""
    landscape = landscapes.find(id)
    grid = field(landscape).z.astype(np.float64)
    spacing = [(high - low) / (len(grid) - 1) for low, high in landscape.domain]
    with np.errstate(invalid="ignore", over="ignore"):
        bends = [np.abs(np.diff(grid, 2, axis)) / h**2 for axis, h in zip((1, 0), spacing, strict=True)]
    values = np.concatenate([bend[np.isfinite(bend) & (bend > 0)] for bend in bends])
    sgd = _round(float(np.clip(0.5 / np.quantile(values, 0.9), 1e-6, 1.0))) if values.size else 0.1
    adam = _round(min(diagonal(landscape) / 100, 5.0))
    return Lane("sgd", Values(learning_rate=sgd)), Lane("adam", Values(learning_rate=adam))


def _round(value: float) -> float:
    """The round number below."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(f"{next(m for m in (5, 2, 1) if m * power <= value * (1 + 1e-9)) * power:.1g}")


def landscape_race(landscape: Landscape, shape: Values) -> Race:
    """The race that the page shows on a landscape."""
    return Race(landscape=landscape.id, shape=shape, lanes=racers(landscape.id), steps=STEPS)


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
        knobs = dict(template(self.base)[1]) | dict(self.knobs)
        kept = {name: knobs.get(name, (0.0, 1.0, 0.5)) for name in names}
        return replace(self, lines=tuple(lines), knobs=tuple(kept.items()))


def rule_of(id: str) -> Rule:
    """The rule of a template, or of an optimizer's text."""
    if id in TEMPLATES:
        lines, knobs = template(id)
        return Rule(tuple(lines.items()), tuple(knobs.items()), id)
    lines, knobs, name = read_optimizer(id)
    return Rule(tuple((key, text) for key, (text, _offset) in lines.items()), tuple(knobs.items()), "adam", name)


def rule_race(rule: Rule, landscape: str, settings: Mapping[str, float]) -> Race:
    """The rule beside the built-in one that it came from, with the same knobs as far as that has them."""
    mine = rule.built()
    own, base = Values(), Values()
    theirs = {hyper.name: hyper for hyper in optimizers.find(rule.base).hypers}
    for hyper in mine.hypers:
        value = settings.get(hyper.name, hyper.default)
        own = with_knob(own, hyper, value)
        if hyper.name in theirs:
            base = with_knob(base, theirs[hyper.name], value)
    return Race(landscape=landscape, lanes=(Lane(mine.id, own), Lane(rule.base, base)), steps=STEPS)


# ---- the session ---------------------------------------------------------------------------------------------------


def landscape_draft() -> Draft:
    """The session's draft of a landscape."""
    return st.session_state.setdefault("building.landscape", draft_of(EXAMPLES["valley"][1]))


def rule() -> Rule:
    """The session's optimizer in the making."""
    return st.session_state.setdefault("building.rule", rule_of("adam"))


def ground() -> str:
    """The landscape on which the session tries its optimizer."""
    return st.session_state.get("building.ground", "rosenbrock")


def begin_with(landscape: Draft | None = None, optimizer: Rule | None = None) -> None:
    """Put another draft on the page: its widgets begin anew."""
    if landscape is not None:
        st.session_state["building.landscape"] = landscape
    if optimizer is not None:
        st.session_state["building.rule"] = optimizer
    prefix = "build.landscape." if landscape is not None else "build.optimizer."
    for key in [key for key in st.session_state if str(key).startswith(prefix)]:
        del st.session_state[key]
