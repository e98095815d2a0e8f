"""Formulas as LaTeX: what was understood, for people to check."""

from __future__ import annotations

import re
from collections.abc import Mapping

from descent.formula import GREEK, Call, Formula, Name, Number

# How tightly a piece holds together; what is put into a place that needs more gets brackets.
_RELATION, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)

_RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_NAMED = {
    **{name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "min", "max")},
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "atan2": r"\operatorname{atan2}",
    "log": r"\ln",
    "log2": r"\log_2",
    "log10": r"\log_{10}",
    "sigmoid": r"\sigma",
    **{name: rf"\operatorname{{{name}}}" for name in ("hypot", "softplus", "relu", "sign", "clip")},
}
_AROUND = {
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
    "abs": (r"\left|", r"\right|"),
    "floor": (r"\left\lfloor ", r"\right\rfloor "),
    "ceil": (r"\left\lceil ", r"\right\rceil "),
}


def latex(formula: Formula, symbols: Mapping[str, str] | None = None) -> str:
    """A formula as LaTeX; ``symbols`` says how names are written that are not written as `symbol` does."""
    return _piece(formula, symbols or {})[0]


def symbol(name: str) -> str:
    """A name as LaTeX: Greek letters as letters, digits at its end as its index, long names upright."""
    match = re.fullmatch(r"([A-Za-z_]+?)_?([0-9]*)", name)
    stem, index = (match[1], match[2]) if match else (name, "")
    if stem in GREEK:
        stem = r"\varepsilon" if stem == "epsilon" else rf"\{stem}"
    elif len(stem) > 1:
        stem = r"\mathrm{" + stem.replace("_", r"\_") + "}"
    return f"{stem}_{{{index}}}" if index else stem


def number(value: float) -> str:
    """A number as LaTeX."""
    mantissa, _e, exponent = f"{value:.12g}".partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


def _piece(formula: Formula, symbols: Mapping[str, str]) -> tuple[str, int]:
    """LaTeX, and how tightly it holds together."""
    if isinstance(formula, Number):
        text = number(formula.value)
        return text, _SIGN if formula.value < 0 else _PRODUCT if "10^" in text else _ATOM
    if isinstance(formula, Name):
        written = symbols.get(formula.name) or symbol(formula.name)
        return written, _SIGN if written.startswith("-") else _ATOM
    return _call(formula, symbols)


def _call(formula: Call, symbols: Mapping[str, str]) -> tuple[str, int]:
    bare = _unsigned(formula) if formula.operation in ("*", "/") else None
    if bare is not None:
        return f"-{_piece(bare, symbols)[0]}", _SUM
    name, arguments = formula

    def at_least(part: Formula, tightness: int) -> str:
        text, holds = _piece(part, symbols)
        return text if holds >= tightness else rf"\left({text}\right)"

    if name in _RELATIONS:
        a, b = (at_least(part, _SUM) for part in arguments)
        return f"{a} {_RELATIONS[name]} {b}", _RELATION
    if name == "+":
        return " + ".join(at_least(part, place) for part, place in zip(arguments, (_SUM, _PRODUCT), strict=True)), _SUM
    if name == "-":
        a, b = (at_least(part, place) for part, place in zip(arguments, (_SUM, _PRODUCT), strict=True))
        return f"{a} - {b}", _SUM
    if name == "*":
        a, b = at_least(arguments[0], _PRODUCT), at_least(arguments[1], _POWER)
        between = r" \cdot " if re.match(r"[0-9]|\\left\([-0-9.]+\\right", b) else r"\, "
        return f"{a}{between}{b}", _PRODUCT
    if name == "/":
        a, b = (_piece(part, symbols)[0] for part in arguments)
        return rf"\frac{{{a}}}{{{b}}}", _POWER
    if name == "negative":
        return f"-{at_least(arguments[0], _PRODUCT)}", _SUM
    if name == "^":
        return _power(formula, symbols)
    if name == "exp":
        return f"e^{{{_piece(arguments[0], symbols)[0]}}}", _POWER
    if name == "where":
        condition, a, b = (_piece(part, symbols)[0] for part in arguments)
        if not (isinstance(arguments[0], Call) and arguments[0].operation in _RELATIONS):
            condition += r" \ne 0"
        return rf"\begin{{cases}}{a} & {condition} \\ {b} & \text{{else}}\end{{cases}}", _SUM
    inside = ", ".join(_piece(part, symbols)[0] for part in arguments)
    if name in _AROUND:
        before, after = _AROUND[name]
        return f"{before}{inside}{after}", _ATOM
    return rf"{_NAMED[name]}\left({inside}\right)", _POWER


def _unsigned(formula: Formula) -> Formula | None:
    """The formula without the sign of its first factor; None if that has none."""
    if not isinstance(formula, Call):
        return None
    if formula.operation == "negative":
        return formula.arguments[0]
    if formula.operation in ("*", "/"):
        first = _unsigned(formula.arguments[0])
        return None if first is None else Call(formula.operation, (first, formula.arguments[1]))
    return None


def _power(formula: Call, symbols: Mapping[str, str]) -> tuple[str, int]:
    base, exponent = formula.arguments
    raised = _piece(exponent, symbols)[0]
    # sin²(x), as it is usually written
    if isinstance(base, Call) and base.operation in _NAMED and isinstance(exponent, Number) and exponent.value > 1:
        inside = ", ".join(_piece(part, symbols)[0] for part in base.arguments)
        if "_" not in _NAMED[base.operation]:
            return rf"{_NAMED[base.operation]}^{{{raised}}}\left({inside}\right)", _POWER
    text, holds = _piece(base, symbols)
    # A symbol that already has an exponent, such as a hat's or an average's, is put into brackets as well.
    return (text if holds >= _ATOM and "^" not in text else rf"\left({text}\right)") + f"^{{{raised}}}", _POWER
