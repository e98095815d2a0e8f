"""Formulas that people type: a small language of arithmetic, parsed here and computed by JAX.

Nothing that is typed is ever executed: text becomes tokens, tokens become a tree of numbers, names and calls of the
operations listed here, and the tree is computed or typeset. Length, depth, size and exponents are bounded, and all
numbers are floats, so no formula can make the parser work long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from descent.text import _

MAX_LENGTH = 400  # characters
MAX_DEPTH = 40  # of brackets, signs and exponents within each other
MAX_NODES = 200  # numbers, names and operations
MAX_EXPONENT = 1_000  # a constant one
MAX_NAME = 20


class FormulaError(ValueError):
    """What is wrong with a formula, and where.

    ``column`` counts from 1 in the text that was given; ``line`` names the line of an optimizer, else it is empty.
    ``message`` with its ``fields`` is for translation; ``str()`` has all of it in English.
    """

    def __init__(self, message: str, column: int, line: str = "", **fields: object) -> None:
        self.message = message
        self.column = column
        self.line = line
        # What comes from outside may hold half a surrogate pair, which nothing can show.
        self.fields = {key: str(value).encode("utf-8", "replace").decode() for key, value in fields.items()}
        where = f"{line}, column {column}" if line else f"column {column}"
        super().__init__(f"{where}: {message.format(**self.fields)}")

    def within(self, line: str, offset: int = 0) -> FormulaError:
        """The same error in a line of this name, or in a text in which the formula begins ``offset`` further on."""
        return FormulaError(self.message, self.column + offset, line, **self.fields)


# ---- the tree ----------------------------------------------------------------------------------------------------


class Number(NamedTuple):
    """A constant."""

    value: float


class Name(NamedTuple):
    """A variable, or a constant with a name."""

    name: str


class Call(NamedTuple):
    """An operation on formulas: its key in `OPERATIONS`."""

    operation: str
    arguments: tuple[Formula, ...]


Formula = Number | Name | Call


class Operation(NamedTuple):
    """What can be done with numbers. ``most`` of None takes any number of arguments."""

    apply: Callable[..., Any]
    least: int = 1
    most: int | None = 1
    smooth: bool = True


def _absolute(t: Any) -> Any:
    # The derivative of jnp.abs at 0 is 1; a run that has reached the bottom of a kink should rest there.
    return jnp.where(t == 0, 0.0, jnp.abs(t))


def _root(t: Any) -> Any:
    # The derivative at 0 would be infinite, and 0 · ∞ in the chain rule NaN.
    return jnp.where(t == 0, 0.0, jnp.sqrt(jnp.where(t == 0, 1.0, t)))


def _cube_root(t: Any) -> Any:
    return jnp.where(t == 0, 0.0, jnp.cbrt(jnp.where(t == 0, 1.0, t)))


def _power(base: Any, exponent: Any) -> Any:
    # A whole exponent is a product of factors: right for negative numbers, with all derivatives.
    if isinstance(exponent, float) and exponent.is_integer():
        return jax.lax.integer_pow(jnp.asarray(base), int(exponent))
    return jnp.power(base, exponent)


def _truth(relation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: jnp.where(relation(a, b), 1.0, 0.0)


def _fold(operation: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *arguments: reduce(operation, arguments)


OPERATIONS: Mapping[str, Operation] = {
    "+": Operation(jnp.add, 2, 2),
    "-": Operation(jnp.subtract, 2, 2),
    "*": Operation(jnp.multiply, 2, 2),
    "/": Operation(jnp.divide, 2, 2),
    "^": Operation(_power, 2, 2),
    "negative": Operation(jnp.negative),
    "<": Operation(_truth(jnp.less), 2, 2, smooth=False),
    "<=": Operation(_truth(jnp.less_equal), 2, 2, smooth=False),
    ">": Operation(_truth(jnp.greater), 2, 2, smooth=False),
    ">=": Operation(_truth(jnp.greater_equal), 2, 2, smooth=False),
    "==": Operation(_truth(jnp.equal), 2, 2, smooth=False),
    "!=": Operation(_truth(jnp.not_equal), 2, 2, smooth=False),
    "sin": Operation(jnp.sin),
    "cos": Operation(jnp.cos),
    "tan": Operation(jnp.tan),
    "asin": Operation(jnp.arcsin),
    "acos": Operation(jnp.arccos),
    "atan": Operation(jnp.arctan),
    "atan2": Operation(jnp.arctan2, 2, 2),
    "sinh": Operation(jnp.sinh),
    "cosh": Operation(jnp.cosh),
    "tanh": Operation(jnp.tanh),
    "exp": Operation(jnp.exp),
    "log": Operation(jnp.log),
    "log2": Operation(jnp.log2),
    "log10": Operation(jnp.log10),
    "sqrt": Operation(_root),
    "cbrt": Operation(_cube_root),
    "hypot": Operation(lambda a, b: _root(a * a + b * b), 2, 2),
    "sigmoid": Operation(jax.nn.sigmoid),
    "softplus": Operation(jax.nn.softplus),
    "relu": Operation(lambda t: jnp.maximum(t, 0.0), smooth=False),
    "abs": Operation(_absolute, smooth=False),
    "sign": Operation(jnp.sign, smooth=False),
    "floor": Operation(jnp.floor, smooth=False),
    "ceil": Operation(jnp.ceil, smooth=False),
    "min": Operation(_fold(jnp.minimum), 2, None, smooth=False),
    "max": Operation(_fold(jnp.maximum), 2, None, smooth=False),
    "clip": Operation(lambda t, low, high: jnp.minimum(jnp.maximum(t, low), high), 3, 3, smooth=False),
    "where": Operation(lambda condition, a, b: jnp.where(jnp.not_equal(condition, 0), a, b), 3, 3, smooth=False),
}
ALIASES = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "maximum": "max",
    "minimum": "min",
}
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS = tuple(name for name in OPERATIONS if name.isalnum() and name != "negative")


def evaluate(formula: Formula, values: Mapping[str, Any]) -> Any:
    """Compute a formula, elementwise, from the values of its names; those of `CONSTANTS` may be left out.

    Outside of an operation's range the result is NaN or infinite, as in NumPy. A formula of numbers alone may give a
    plain float.
    """
    if isinstance(formula, Number):
        return formula.value
    if isinstance(formula, Name):
        return values[formula.name] if formula.name in values else CONSTANTS[formula.name]
    return OPERATIONS[formula.operation].apply(*[evaluate(part, values) for part in formula.arguments])


def parts(formula: Formula) -> list[Formula]:
    """A formula and all formulas in it."""
    found: list[Formula] = [formula]
    for part in found:
        if isinstance(part, Call):
            found.extend(part.arguments)
    return found


def is_smooth(formula: Formula) -> bool:
    """Is it made of differentiable operations only?"""
    return all(OPERATIONS[part.operation].smooth for part in parts(formula) if isinstance(part, Call))


# ---- tokens ------------------------------------------------------------------------------------------------------

_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
    "Δ": "delta",
}
GREEK = tuple(dict.fromkeys(_GREEK.values()))  # names that are typeset as letters
_LETTERS = str.maketrans(_GREEK | {sub: str(digit) for digit, sub in enumerate("₀₁₂₃₄₅₆₇₈₉")})
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SIGNS = {"×": "*", "·": "*", "⋅": "*", "−": "-", "÷": "/", "**": "^", "≤": "<=", "≥": ">=", "≠": "!="}
_letter = "A-Za-z" + "".join(_GREEK).replace("π", "")
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>π|[{_letter}][{_letter}0-9_₀-₉]*)"
    r"|(?P<power>⁻?[⁰¹²³⁴-⁹]+)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^<>(),×·⋅−÷≤≥≠])"
)


class Token(NamedTuple):
    """A piece of text, with the column where it begins. Signs are their own kind; the last token is an empty "end"."""

    kind: str  # "number", "name", "end" or the sign
    text: str
    column: int


def name_of(text: str) -> str:
    """A name as it is known within formulas: Greek letters spelled out, subscripts as digits."""
    return text.translate(_LETTERS)


def is_name(text: str) -> bool:
    """Can this be the name of a variable?"""
    match = _TOKEN.fullmatch(text)
    return bool(match and match.lastgroup == "name" and len(name_of(text)) <= MAX_NAME)


def tokens(text: str) -> list[Token]:
    """Cut a formula into tokens. Raises `FormulaError`."""
    if len(text) > MAX_LENGTH:
        message = _("a formula has at most {most} characters; this one has {count}")
        raise FormulaError(message, MAX_LENGTH + 1, most=MAX_LENGTH, count=len(text))
    found, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if not match:
            message = _("“{given}” means nothing here; allowed are numbers, names, + - * / ^ ( ) , and < <= > >= == !=")
            raise FormulaError(message, at + 1, given=text[at])
        kind, piece = str(match.lastgroup), match[0]
        if kind == "power":
            found.append(Token("^", piece, at + 1))
            found.append(Token("number", piece.translate(_SUPERSCRIPTS), at + 1))
        elif kind == "sign":
            found.append(Token(_SIGNS.get(piece, piece), piece, at + 1))
        else:
            found.append(Token(kind, piece, at + 1))
        at = match.end()
    return [*found, Token("end", "", len(text) + 1)]


# ---- the parser --------------------------------------------------------------------------------------------------

# How strongly an operator binds: (what stands left of it, what stands right of it).
_BINDING = {
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), (1, 2)),
    **dict.fromkeys(("+", "-"), (3, 4)),
    **dict.fromkeys(("*", "/"), (5, 6)),
    "^": (9, 8),  # from the right: 2^3^4 is 2^(3^4)
}
_RELATIONS = {sign for sign, (left, _right) in _BINDING.items() if left == 1}
_SIGN = 7  # −x² is −(x²), and −x·y is (−x)·y
_PRODUCT = _BINDING["*"]  # of factors without a sign between them


def parse(text: str, names: Collection[str]) -> Formula:
    """The tree of a formula in these names, those of `CONSTANTS` and the functions of `OPERATIONS`.

    A number or a bracket may stand directly before a factor: 2x, 3sin(x), 2(x + 1)(x − 1). Powers are ^ or **, and ²
    and other superscripts work, as do ×, ·, −, ÷, ≤ and Greek letters. A comparison is 1 where it holds, else 0.

    Raises:
        FormulaError: with the column, and what is allowed there.
    """
    return _Parser(text, names).whole()


class _Parser:
    """A Pratt parser over tokens."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.tokens = tokens(text)
        self.names = names
        self.at = 0
        self.depth = 0
        self.nodes = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.now
        self.at += 1
        return token

    def whole(self) -> Formula:
        formula = self.expression(0)
        if self.now.kind != "end":
            self.unexpected(_("an operator such as + or *"))
        return formula

    def unexpected(self, allowed: str) -> None:
        """Refuse the token that is there."""
        token = self.now
        if token.kind == "end":
            raise FormulaError(_("the formula ends where {allowed} is missing"), token.column, allowed=allowed)
        if token.kind == "name" and allowed != OPERAND:
            message = _("“{given}” stands directly behind something else; write * between factors")
            raise FormulaError(message, token.column, given=token.text)
        message = _("“{given}” cannot stand here; {allowed} can")
        raise FormulaError(message, token.column, given=token.text, allowed=allowed)

    def node(self, formula: Formula, column: int) -> Formula:
        """Count a new node."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = _("the formula is too long: it may have {most} numbers, names and operations")
            raise FormulaError(message, column, most=MAX_NODES)
        return formula

    def expression(self, least: int) -> Formula:
        """What binds at least this strongly, from here on."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = _("brackets, signs and exponents may be nested {most} deep at most")
            raise FormulaError(message, self.now.column, most=MAX_DEPTH)
        left = self.operand()
        while True:
            token, before = self.now, self.tokens[self.at - 1]
            factor = token.kind in ("name", "(") and (before.kind in ("number", ")") or before.text == "π")
            binding = _PRODUCT if factor else _BINDING.get(token.kind)
            if binding is None or binding[0] < least:
                break
            if not factor:
                self.take()
            column = self.now.column
            right = self.expression(binding[1])
            sign = "*" if factor else token.kind
            if sign == "^" and isinstance(right, Number) and abs(right.value) > MAX_EXPONENT:
                message = _("an exponent may be {most} at most; {given} was given")
                raise FormulaError(message, column, most=MAX_EXPONENT, given=f"{right.value:g}")
            left = self.node(Call(sign, (left, right)), token.column)
            if sign in _RELATIONS and self.now.kind in _RELATIONS:
                message = _("comparisons do not chain; write (a < b) * (b < c)")
                raise FormulaError(message, self.now.column)
        self.depth -= 1
        return left

    def operand(self) -> Formula:
        """A number, a name, a call, something in brackets, or one of these with a sign."""
        token = self.now
        if token.kind == "number":
            value = float(self.take().text)
            if not math.isfinite(value):
                raise FormulaError(_("{given} is too large a number"), token.column, given=_brief(token.text))
            return self.node(Number(value), token.column)
        if token.kind == "name":
            return self.named()
        if token.kind in ("-", "+"):
            self.take()
            inner = self.expression(_SIGN)
            if token.kind == "+":
                return inner
            if isinstance(inner, Number):
                return Number(-inner.value)
            return self.node(Call("negative", (inner,)), token.column)
        if token.kind == "(":
            self.take()
            inner = self.expression(0)
            self.close(token)
            return inner
        self.unexpected(OPERAND)
        raise AssertionError

    def close(self, opening: Token) -> None:
        if self.now.kind == "end":
            raise FormulaError(_("this bracket is never closed"), opening.column)
        if self.now.kind != ")":
            self.unexpected(_("an operator or “)”"))
        self.take()

    def named(self) -> Formula:
        """A variable, a constant or a call."""
        token = self.take()
        name = name_of(token.text)
        if name in self.names or (name in CONSTANTS and self.now.kind != "("):
            if self.now.kind == "(" and token.text != "π":
                message = _("“{given}” is not a function; write {given} * ( … ) for a product")
                raise FormulaError(message, token.column, given=_brief(token.text))
            return self.node(Name(name), token.column)
        function = ALIASES.get(name, name)
        if function not in FUNCTIONS:
            given = _brief(token.text)
            if self.now.kind == "(":
                message = _("there is no function “{given}”; there are {functions}")
                raise FormulaError(message, token.column, given=given, functions=", ".join(FUNCTIONS))
            known = ", ".join([*self.names, *(c for c in CONSTANTS if c not in self.names)])
            message = _("“{given}” is unknown; the names here are {names}")
            raise FormulaError(message, token.column, given=given, names=known)
        if self.now.kind != "(":
            message = _("{name} needs its argument in brackets: {name}( … )")
            raise FormulaError(message, token.column, name=name)
        opening = self.take()
        arguments = [self.expression(0)]
        while self.now.kind == ",":
            self.take()
            arguments.append(self.expression(0))
        self.close(opening)
        least, most = OPERATIONS[function].least, OPERATIONS[function].most
        if len(arguments) < least or (most is not None and len(arguments) > most):
            message = _("{name} takes {least} arguments; {count} were given")
            if most is None:
                message = _("{name} takes {least} arguments or more; {count} were given")
            raise FormulaError(message, token.column, name=name, least=least, count=len(arguments))
        return self.node(Call(function, tuple(arguments)), token.column)


OPERAND = _("a number, a name or “(”")


def _brief(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


def unknown_names(text: str, names: Collection[str]) -> list[str]:
    """The names in a text that are neither among these nor known to every formula, in the order they appear.

    What stands directly before a bracket is meant to be a function. Raises `FormulaError` for what has no tokens.
    """
    found = tokens(text)
    free = [
        name_of(token.text) for token, following in pairwise(found) if token.kind == "name" and following.kind != "("
    ]
    known = {*names, *CONSTANTS, *FUNCTIONS, *ALIASES}
    return [name for name in dict.fromkeys(free) if name not in known and len(name) <= MAX_NAME]
