"""Anything may be typed: the parsers give a result or a `FormulaError`, soon, and execute nothing.

`make fuzz` runs these with many more cases: DESCENT_FUZZ says how many.
"""

from __future__ import annotations

import builtins
import gc
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from descent.formula import FUNCTIONS, FormulaError, parse, unknown_names
from descent.recipe import constant, split
from descent.typeset import latex
from landscapes.formula import read as read_landscape
from optimizers.formula import read as read_optimizer
from optimizers.templates import TEMPLATES
from ui.build import EXAMPLES

CASES = int(os.environ.get("DESCENT_FUZZ", "1200"))
many = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
SECOND = 1.0

NAMES = ("x", "y", "g", "m", "theta", "t", "b1")
WORDS = [*NAMES, *FUNCTIONS, "pi", "e", "π", "β₁", "import", "__import__", "eval", "lambda", "os", "None", "x.y"]
SIGNS = [*"+-*/^(),<>=;:.!@#$%&|~`'\"[]{}\\ ×·−÷≤≥≠²³⁻₁中🙂\t\n\0", "**", "..", "<=", "==", "!=", " in ", "\ud800"]
NUMBERS = ["0", "1", "2.5", ".5", "1e9", "1e308", "1e999", "9" * 60, "0x10", "1_000", "1e", "१२"]
SOUP = st.lists(st.sampled_from(WORDS + SIGNS + NUMBERS), max_size=60).map("".join)
NESTED = st.builds(
    lambda opening, inside, closing, times: opening * times + inside + closing * times,
    st.sampled_from(["(", "-", "sin(", "2^", "x^(", "min(x,", "[", "+", "(-"]),
    st.sampled_from(["x", "", "1"]),
    st.sampled_from([")", "", "))", ",1)"]),
    st.integers(0, 3_000),
)
VALID = [
    *(text for _name, text in EXAMPLES.values()),
    *(text for lines in TEMPLATES.values() for text in lines.values()),
]
RECIPES = [text for text in VALID if text.startswith("=")] + [
    "=" + "; ".join(f"{name}: {text}" for name, text in lines.items()) + "; learning_rate=0.1 in 1e-5..10; name=Mine"
    for lines in TEMPLATES.values()
]


@st.composite
def mutated(draw: Any, texts: list[str]) -> str:
    """A valid text with a few places changed."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 5))
        text = text[:at] + draw(st.sampled_from(["", *SIGNS, *WORDS, *NUMBERS])) + text[at + length :]
    return text


def check(work: Callable[[str], object], text: str) -> None:
    """A result or a FormulaError that can be shown, within a second (of this thread: the machine may be busy)."""
    gc.disable()  # what these tests leave behind is not the parser's to sweep
    begin = time.thread_time()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for place, name in FORBIDDEN:
                patch.setattr(place, name, refuse)
            work(text)
    except FormulaError as error:
        said = error
    else:
        said = FormulaError("", 1)
    took = time.thread_time() - begin
    gc.enable()
    str(said).encode()
    said.message.format(**said.fields)
    assert said.column >= 1
    assert took < SECOND, text[:200]


def understand(text: str) -> None:
    latex(parse(text, NAMES))


def understand_recipe(text: str) -> None:
    split(text)
    for read in (read_landscape, read_optimizer):
        try:
            read(text)
        except FormulaError:
            continue


def refuse(*_arguments: object, **_more: object) -> None:
    raise AssertionError("something was executed")


FORBIDDEN = ((builtins, "eval"), (builtins, "exec"), (os, "system"), (subprocess, "Popen"))


@pytest.fixture(scope="module", autouse=True)
def _jax_is_awake() -> None:
    constant("1 + 1")


@many
@given(SOUP | NESTED | st.text(max_size=450) | mutated(VALID))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    check(understand, text)
    check(lambda t: unknown_names(t, NAMES), text)


@many
@given(
    st.builds("={}".format, SOUP)
    | st.text(max_size=4_000)
    | mutated(RECIPES)
    | st.builds("=m: {}; x={}".format, SOUP, NESTED)
)
def test_any_text_is_a_recipe_or_a_formula_error(text: str) -> None:
    check(understand_recipe, text)
