"""Optimizers from formulas that people type.

Such an optimizer is one line of text, which is its id: a formula for each part of its state and for the step, then its
knobs, between semicolons:

    =m: b1*m + (1-b1)*g; delta: -lr*m; lr=0.01; b1=0.9 in 0..0.999; name=My momentum

`optimizers.find` makes the optimizer again from that text, so it can stand in a URL, a file or a `RunSpec`.

Formulas know g (the gradient), theta (the parameters), t (the number of the step, from 1), the state and the knobs, and
are computed for each parameter on its own. Each part of the state starts from 0. Lines are computed in their order: a
part that has been assigned has its new value from there on, and its old one before. ``delta`` is added to the
parameters; where it is read before it is assigned, it is the step before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import tree

from descent import recipe
from descent.formula import FUNCTIONS, Formula, FormulaError, evaluate, name_of, parse, parts
from descent.hyper import Hyper
from descent.optimizer import Optimizer, Params, Problem
from descent.text import _
from descent.typeset import latex, symbol
from optimizers import knobs
from optimizers.moments import zeros

STEP = "delta"
GIVEN = ("g", "theta", "t")
SETTINGS = (
    "name",
    "optimizer",
    "clip",
    "schedule",
    "hyper",
)  # no knob can have these names: they mean something in a URL
MAX_LINES = 12
MAX_KNOBS = 12
MAX_NODES = 400  # in all lines
MOST = 64  # optimizers that are kept
RATES = ("learning_rate", "lr", "alpha")  # the first of these that a rule has is its learning rate


class FormulaState(NamedTuple):
    """The number of steps, and what the lines have assigned."""

    count: Any  # t, () int32
    values: tuple[Params, ...]  # a pytree like params for each line


class Line(NamedTuple):
    """``name`` ← ``formula``."""

    name: str
    formula: Formula


@dataclass(frozen=True, eq=False)
class Rule:
    """The lines of an optimizer, one of which is the step."""

    lines: tuple[Line, ...]
    rate: str  # what the formulas call the learning rate; empty if they have none

    def init(self, params: Params) -> FormulaState:
        """All parts of the state start from 0."""
        return FormulaState(jnp.zeros((), jnp.int32), tuple(zeros(params) for _line in self.lines))

    def update(
        self, grads: Params, state: FormulaState, params: Params, hyper: Any, problem: Problem
    ) -> tuple[Params, FormulaState]:
        """All lines in their order, for each leaf of the parameters."""
        count = state.count + 1
        given = dict(vars(hyper))
        if self.rate and "learning_rate" in given:
            given[self.rate] = given["learning_rate"]
        leaves, structure = tree.flatten(params)
        slopes, olds = tree.leaves(grads), [tree.leaves(value) for value in state.values]
        results: list[list[Any]] = [[] for _line in self.lines]
        for index, (theta, g) in enumerate(zip(leaves, slopes, strict=True)):
            kind = jnp.result_type(theta)
            values = {name: jnp.asarray(value, kind) for name, value in given.items()}
            values |= {line.name: old[index] for line, old in zip(self.lines, olds, strict=True)}
            values |= {"g": g, "theta": theta, "t": jnp.asarray(count, kind)}
            for line, found in zip(self.lines, results, strict=True):
                value = jnp.asarray(evaluate(line.formula, values), kind)
                values[line.name] = jnp.broadcast_to(value, jnp.shape(theta))
                found.append(values[line.name])
        kept = tuple(tree.unflatten(structure, found) for found in results)
        return kept[[line.name for line in self.lines].index(STEP)], FormulaState(count, kept)


def optimizer_from_formula(
    lines: Mapping[str, str],
    hypers: Mapping[str, float | Sequence[float]] | None = None,
    *,
    name: str = "",
) -> Optimizer:
    """The optimizer of these formulas, computed in their order, on any pytree.

    Args:
        lines: a formula for each part of the state, and for "delta", which is added to the parameters. Formulas know g,
            theta, t (from 1), the state and the knobs; see `descent.formula.parse` for the language.
        hypers: the knobs: a value, (low, high) or (low, high, default) each. One named learning_rate, lr or alpha is
            the learning rate: schedules multiply it, and the race's "one learning rate for all" sets it.
        name: what people read; the step's formula if empty.

    Raises:
        FormulaError: a ``ValueError`` with the line and the column in it, saying what is allowed.
    """
    if not isinstance(lines, Mapping) or not all(isinstance(text, str) for text in lines.values()):
        message = _("an optimizer is a formula for each of its names; {given} was given")
        raise FormulaError(message, 1, given=repr(lines)[:60])
    return _optimizer({str(key): (text, 0) for key, text in lines.items()}, dict(hypers or {}), name)


# ---- text ----------------------------------------------------------------------------------------------------------


def optimizer_from_text(text: str) -> Optimizer:
    """The optimizer that an id with "=" stands for. The same text gives the same object as long as it is in use.

    Raises:
        FormulaError: with the line, and the column in ``text``.
    """
    return _optimizer(*read(text))


def read(text: str) -> tuple[dict[str, tuple[str, int]], dict[str, Any], str]:
    """The parts of a text: lines with their offsets in it, knobs as `optimizer_from_formula` takes them, the name.

    Raises `FormulaError`.
    """
    lines: dict[str, tuple[str, int]] = {}
    given: dict[str, Any] = {}
    title = ""
    for key, mark, value, column in recipe.split(text):
        if key == "name" and mark == "=":
            title = value
        elif key in lines or key in given:
            raise FormulaError(_("there is a second “{given}”"), column, given=key)
        elif mark == ":":
            lines[key] = (value, column - 1)
        elif mark == "=":
            given[key] = recipe.setting(value, column)
        else:
            message = _("a part of an optimizer is “name: formula” or “knob=value”; {given} is neither")
            raise FormulaError(message, column, given=value[:24])
    return lines, given, title


def optimizer_text(lines: Mapping[str, str], hypers: Sequence[Hyper], usual: Sequence[Hyper], name: str = "") -> str:
    """The text of an optimizer: the inverse of `optimizer_from_text`. Ranges of ``usual`` knobs need not be said."""
    found = [f"{key}: {' '.join(text.split())}" for key, text in lines.items()]
    found += map(recipe.knob_text, hypers, usual)
    if name:
        found.append(f"name={name}")
    return recipe.MARK + "; ".join(found)


# ---- the optimizer ---------------------------------------------------------------------------------------------------


def _optimizer(lines: dict[str, tuple[str, int]], given: dict[str, Any], title: str) -> Optimizer:
    """``lines`` are formulas, each with its offset in what was given."""
    if len(lines) > MAX_LINES or len(given) > MAX_KNOBS:
        message = _("an optimizer has at most {lines} lines and {knobs} knobs")
        raise FormulaError(message, 1, lines=MAX_LINES, knobs=MAX_KNOBS)
    reserved = (*GIVEN, "pi", *FUNCTIONS)
    names: list[str] = []
    for key in lines:
        known = STEP if name_of(key) == STEP else recipe.check_name(key, (*reserved, *SETTINGS, *names))
        names.append(known)
    if STEP not in names:
        raise FormulaError(_("the step is missing: a line named delta, which is added to theta"), 1)
    hypers: dict[str, Hyper] = {}
    rate = next((name for name in RATES if name in given), "")
    for key, value in given.items():
        known = recipe.check_name(key, (*reserved, *SETTINGS, *names, *hypers))
        hypers[known] = _knob(known, value, known == rate)
    formulas = []
    for known, (key, (text, offset)) in zip(names, lines.items(), strict=True):
        try:
            formulas.append(Line(known, parse(text, (*GIVEN, *names, *hypers))))
        except FormulaError as error:
            raise error.within(key, offset) from None
    if sum(len(parts(line.formula)) for line in formulas) > MAX_NODES:
        message = _("the lines are too long: together they may have {most} numbers, names and operations")
        raise FormulaError(message, 1, most=MAX_NODES)
    texts = {known: text for known, (text, _offset) in zip(names, lines.values(), strict=True)}
    plain = recipe.clean(title)
    knobs_given = tuple(hypers.values())
    usual = [_knob(name, hyper.default, name == rate) for name, hyper in hypers.items()]
    text = optimizer_text(texts, knobs_given, usual, plain)
    return _made(tuple(formulas), text, knobs_given, rate, plain or f"Δ = {recipe.shown(texts[STEP], 18)}")


_KNOWN = {
    "b1": knobs.b1,
    "b2": knobs.b2,
    "eps": knobs.eps,
    "momentum": knobs.momentum,
    "decay": knobs.decay,
    "weight_decay": knobs.weight_decay,
}


def _knob(name: str, given: Any, is_rate: bool) -> Hyper:
    """A knob; one whose name the built-in rules know has their label, help and, unless another is given, range."""
    plain = recipe.knob(name, given, KNOB)
    if is_rate:
        known = knobs.learning_rate(0.01, low=1e-7)
        known = replace(known, alias="" if name == known.name else name)
    elif name in _KNOWN:
        known = _KNOWN[name](_KNOWN_DEFAULT)
    else:
        return plain
    low, high = (min(known.low, plain.default), max(known.high, plain.default))
    if isinstance(given, Sequence) and len(given) > 1:
        low, high = plain.low, plain.high
    scale = "linear" if low <= 0 else known.scale
    return replace(known, default=plain.default, low=low, high=high, scale=scale)


_KNOWN_DEFAULT = 0.5  # within the range of each; replaced at once
KNOB = _("A knob of your formula.")
OWN = _("A rule of your own.")


@lru_cache(maxsize=MOST)
def _made(lines: tuple[Line, ...], text: str, hypers: tuple[Hyper, ...], rate: str, name: str) -> Optimizer:
    rule = Rule(lines, rate)
    return Optimizer(
        id=text,
        name=name,
        year=date.today().year,
        reference=text,
        summary=OWN,
        hypers=hypers,
        equations=equations(lines, hypers),
        init=rule.init,
        update=rule.update,
    )


def equations(lines: Sequence[Line], hypers: Sequence[Hyper]) -> str:
    """The lines as LaTeX. What has been assigned in this step has the index t, what has not yet t − 1."""
    symbols = {hyper.alias or hyper.name: hyper.symbol for hyper in hypers}
    symbols |= {hyper.alias or hyper.name: r"\alpha_t" for hyper in hypers if hyper.name == "learning_rate"}
    symbols |= {"g": "g_t", "theta": r"\theta_{t-1}"} | {line.name: _indexed(line.name, "t-1") for line in lines}
    rows = []
    for name, formula in lines:
        right = latex(formula, symbols)
        symbols[name] = _indexed(name, "t")
        rows.append(f"{symbols[name]} &= {right}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _indexed(name: str, index: str) -> str:
    written = r"\Delta\theta" if name == STEP else symbol(name)
    if written.endswith("}") and "_{" in written:
        return f"{written[:-1]},{index}}}"
    return f"{written}_{{{index}}}" if len(index) > 1 else f"{written}_{index}"
