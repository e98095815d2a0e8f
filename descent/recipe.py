"""A formula with its settings in one line of text, which can stand wherever an id can: in a URL, in a file.

Such an id begins with "=". What follows are parts between semicolons, ``name=value`` or ``name: formula``; numbers in
them may be formulas themselves (x=-2pi..2pi). What the names mean is said in `landscapes.formula` and
`optimizers.formula`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import jax

from descent.formula import MAX_NAME, FormulaError, evaluate, is_name, name_of, parse
from descent.hyper import Hyper, as_float
from descent.text import _
from descent.typeset import symbol

MARK = "="
MAX_TEXT = 3_000  # characters


class Part(NamedTuple):
    """``key``, what stands behind it (":", "=", or "" for a part that has no key), the value and its column."""

    key: str
    mark: str
    value: str
    column: int


def is_recipe(given: str) -> bool:
    """Is this id a formula?"""
    return given.startswith(MARK)


def split(text: str) -> list[Part]:
    """The parts of a text that begins with "="; empty ones are left out. Raises `FormulaError`."""
    if len(text) > MAX_TEXT:
        message = _("a formula with its settings has at most {most} characters; this one has {count}")
        raise FormulaError(message, MAX_TEXT + 1, most=MAX_TEXT, count=len(text))
    parts, at = [], len(MARK)
    for piece in text[len(MARK) :].split(";"):
        match = re.match(r"\s*([^\W\d]\w*)\s*(:|=(?!=))", piece)
        begin = match.end() if match else 0
        value = piece[begin:]
        indent = len(value) - len(value.lstrip())
        if value.strip() or match:
            key, mark = (match[1], match[2]) if match else ("", "")
            parts.append(Part(key, mark, value.strip(), at + begin + indent + 1))
        at += len(piece) + 1
    return parts


def constant(text: str, column: int = 1) -> float:
    """A number, or a formula of numbers, pi and e. Raises `FormulaError`."""
    try:
        formula = parse(text, ())
    except FormulaError as error:
        raise error.within("", column - 1) from None
    with jax.enable_x64(True):
        value = as_float(evaluate(formula, {}))
    if not math.isfinite(value):
        raise FormulaError(_("{given} is not a finite number"), column, given=text.strip()[:24])
    return value


def interval(text: str, column: int = 1) -> tuple[float, float]:
    """The two ends of ``low..high``. Raises `FormulaError`."""
    low, dots, high = text.partition("..")
    if not dots:
        message = _("a range is written low..high, such as -2..2; {given} was given")
        raise FormulaError(message, column, given=text[:24] or "…")
    ends = constant(low, column), constant(high, column + len(low) + len(dots))
    return ordered(ends, column)


def ordered(ends: tuple[float, float], column: int = 1) -> tuple[float, float]:
    """A range, if its ends are finite and in order, and it is neither too narrow nor too wide to compute with."""
    low, high = (as_float(end) for end in ends)
    far = 1e6
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        message = _("a range must begin below its end; {low}..{high} does not")
        raise FormulaError(message, column, low=f"{low:g}", high=f"{high:g}")
    if max(abs(low), abs(high)) > far or high - low < 1e-6 * max(1.0, abs(low), abs(high)):
        message = _("a range must lie within ±{far} and not be too narrow; {low}..{high} was given")
        raise FormulaError(message, column, far=f"{far:g}", low=f"{low:g}", high=f"{high:g}")
    return low, high


def setting(text: str, column: int = 1) -> tuple[float, ...]:
    """What a knob's part says: ``3``, ``1..5`` or ``3 in 1..5``, as (default,), (low, high) or (low, high, default)."""
    first, within, rest = text.partition(" in ")
    if within:
        low, high = interval(rest, column + len(first) + len(within))
        return low, high, constant(first, column)
    return interval(text, column) if ".." in text else (constant(text, column),)


def knob(name: str, given: object, help: str, column: int = 1) -> Hyper:
    """The knob of a formula from a value, (low, high) or (low, high, default).

    Without a range it reaches from 0 to twice its value; without a value it begins in the middle. A range over more
    than two decades is logarithmic. Raises `FormulaError`.
    """
    numbers: tuple[object, ...] = (
        tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    )
    values = [as_float(value) for value in numbers]
    if len(values) not in (1, 2, 3) or not all(map(math.isfinite, values)):
        message = _("{name} must be a number, (low, high) or (low, high, default); {given} was given")
        raise FormulaError(message, column, name=name, given=repr(given)[:40])
    if len(values) == 1:
        (default,) = values
        low, high = (min(0.0, 2 * default), max(0.0, 2 * default)) if default else (-1.0, 1.0)
    else:
        low, high = ordered((values[0], values[1]), column)
        default = values[2] if len(values) == 3 else 0.5 * (low + high)
    if not low <= default <= high:
        message = _("{name} = {default} lies outside of its range {low}..{high}")
        raise FormulaError(message, column, name=name, default=f"{default:g}", low=f"{low:g}", high=f"{high:g}")
    scale = "log" if low > 0 and high / low >= 100 else "linear"
    return Hyper(name, symbol(name), "", help, default, low, high, scale)


def check_name(given: str, taken: Sequence[str], column: int = 1) -> str:
    """A name for a knob or a state, as formulas know it. Raises `FormulaError` if it cannot be one."""
    name = name_of(given)
    if not is_name(given):
        message = _("“{given}” cannot be a name; names are letters and digits, at most {most} of them")
        raise FormulaError(message, column, given=given[:24], most=MAX_NAME)
    if name in taken:
        raise FormulaError(_("the name “{given}” is taken"), column, given=given)
    return name


def number(value: float) -> str:
    """A number as it stands in a recipe: the shortest text that is read back as the same."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def knob_text(hyper: Hyper, usual: Hyper) -> str:
    """The inverse of `setting`, with the name. The range is left out if it is that of the ``usual`` knob."""
    text = f"{hyper.alias or hyper.name}={number(hyper.default)}"
    same = (hyper.low, hyper.high) == (usual.low, usual.high)
    return text if same else f"{text} in {number(hyper.low)}..{number(hyper.high)}"


def shown(formula: str, most: int = 36) -> str:
    """A formula as a short name. No sign in it has a meaning in Markdown."""
    text = " ".join(formula.replace("**", "^").replace("*", "·").split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def clean(name: str) -> str:
    """A name without anything that would end it in a recipe, or be more than text where it is shown."""
    return " ".join(re.sub(r"[^\w .,+\-()/’]", " ", name).split())[:40]
