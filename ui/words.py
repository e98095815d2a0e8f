"""Sentences about runs: verdicts, descriptions of pictures, notes on what was ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

from descent.formula import FormulaError
from descent.landscape import Landscape
from descent.verdict import Verdict
from ui.controls import text
from ui.language import _
from ui.race import FILE, Note


def point(position: Sequence[float]) -> str:
    """A point to four digits."""
    x, y = (text(round(value, 6) + 0.0) for value in position)  # + 0.0 makes −0 a 0
    return f"({x}, {y})"


def verdict(found: Verdict, landscape: Landscape, shape: dict[str, float]) -> tuple[str, str]:
    """A verdict in a few words, and the evidence for it."""
    low, high = found.eigenvalues
    evidence = _("Hessian eigenvalues {low} and {high}, gradient norm {slope}, at {point}").format(
        low=text(low), high=text(high), slope=text(found.gradient_norm), point=point(found.position)
    )
    if landscape.slice:
        evidence = _("{evidence}, {distance} off the slice").format(evidence=evidence, distance=text(found.off_slice))
    if found.kind == "diverged":
        return _("diverged at step {step}").format(step=found.diverged_at), evidence
    if found.kind == "minimum":
        kinds = {"global": _("global minimum"), "local": _("local minimum"), "flat": _("flat minimum")}
        name = kinds.get(found.detail, _("minimum"))
        several = len(landscape.critical_points(**shape).minima) > 1 or "minima" in landscape.undeclared
        return f"{name} {point(found.position)}" if several else name, evidence
    names = {
        "saddle": _("saddle point"),
        "maximum": _("maximum"),
        "plateau": _("plateau"),
        "cycling": _("cycling"),
        "moving": _("still moving, off the plot") if found.detail == "outside" else _("still moving"),
    }
    return names[found.kind], evidence


def note(ignored: Note) -> str:
    """What was ignored, and what would have been allowed."""
    allowed = _(ignored.allowed).format(**{name: _plain(_(text)) for name, text in ignored.fields.items()})
    if ignored.column:
        return _("{key} = {given} was ignored; column {column}: {problem}").format(
            key=_literal(ignored.key), given=_literal(ignored.given), column=ignored.column, problem=allowed
        )
    return _("{key} = {given} was ignored; allowed: {allowed}").format(
        key=_literal(_(FILE) if ignored.key == FILE else ignored.key),
        given=_literal(ignored.given) or _("nothing"),
        allowed=allowed,
    )


def problem(error: FormulaError) -> str:
    """What is wrong with a formula, without the place, as Markdown."""
    return _(error.message).format(**{name: _plain(_(text)) for name, text in error.fields.items()})


def _plain(given: str) -> str:
    """Text from outside, without the signs that mean something in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$:])", r"\\\1", given)


def _literal(given: str) -> str:
    """Text from outside as Markdown that shows it as it is, and does nothing else."""
    plain = " ".join(given.replace("`", "'").split())
    return f"`{plain}`" if plain else ""


def join(names: Sequence[str]) -> str:
    """Names in a row."""
    return reduce(lambda some, one: _("{some}, {one}").format(some=some, one=one), names) if names else ""
