"""The Chinese catalogue: complete, nothing left over, and faithful to what a message is built from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from landscapes import FAMILIES as LANDSCAPE_FAMILIES
from landscapes import LANDSCAPES
from lessons.claims import CLAIMS
from lessons.responses import FAMILIES as RESPONSE_FAMILIES
from lessons.searches import LESSONS
from lessons.situations import SITUATIONS
from optimizers import FAMILIES as OPTIMIZER_FAMILIES
from optimizers import OPTIMIZERS
from schedules import FAMILIES as SCHEDULE_FAMILIES
from schedules import SCHEDULES
from ui import search
from ui.race import NUMBERS, RATE

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locales" / "zh_CN" / "LC_MESSAGES" / "descent_lab.po"
TO_MEND = "run `make messages`, then translate what is new"


@cache
def catalogue() -> Catalog:
    """The catalogue as it is on disk."""
    with open(PO, "rb") as file:
        return read_po(file, locale="zh_CN", abort_invalid=True)


def translations() -> dict[str, str]:
    """Each message with its translation, without the header."""
    return {str(message.id): str(message.string) for message in catalogue() if message.id}


@cache
def extracted() -> dict[str, str]:
    """Each message in the sources with the file it stands in: what `make messages` collects now."""
    rule = re.search(r"^SOURCES := \$\(wildcard (.+)\)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert rule, "the Makefile no longer says where messages are"
    keywords = DEFAULT_KEYWORDS | {"_": None}
    found: dict[str, str] = {}
    for source in filter(Path.exists, (ROOT / name for name in rule[1].split())):
        if source.is_dir():
            entries = [(f"{source.name}/{entry[0]}", entry[2]) for entry in extract_from_dir(source, keywords=keywords)]
        else:
            entries = [(source.name, entry[1]) for entry in extract_from_file("python", source, keywords=keywords)]
        for file, message in entries:
            assert isinstance(message, str), f"{file}: a message with plural forms, which nothing here translates"
            found.setdefault(message, file)
    return found


def test_every_message_is_translated():
    translated = translations()
    missing = [f"{file}: {text!r}" for text, file in extracted().items() if not translated.get(text, "").strip()]
    assert len(extracted()) > 200
    assert not missing, f"{TO_MEND}:\n" + "\n".join(missing)


def test_nothing_is_left_over():
    unused = [message for message in translations() if message not in extracted()]
    assert not unused, f"{TO_MEND}:\n" + "\n".join(unused)
    assert not catalogue().obsolete


def test_nothing_is_fuzzy():
    assert not catalogue().fuzzy, "the header"
    assert not [message.id for message in catalogue() if message.id and message.fuzzy]


def test_the_header_names_the_language():
    header = dict(catalogue().mime_headers)
    assert header["Language"] == "zh_CN"
    assert header["Plural-Forms"] == "nplurals=1; plural=0;"


# What must be the same in a message and its translation, in any order; Greek letters may be repeated.
PARTS = {
    "placeholders": r"\{[^{}]*\}",
    "LaTeX": r"\$[^$]+\$",
    "slots": r"@\w+@",
    "Markdown": r"\*\*|`[^`]*`|\]\([^)]*\)",
    "space at its ends": r"^\s+|\s+$",
}
GREEK = re.compile(r"[Α-Ωα-ω][₀-₉]?")


def differences(message: str, translation: str) -> list[str]:
    """The kinds of parts in which the two differ."""
    found = [
        kind
        for kind, pattern in PARTS.items()
        if sorted(re.findall(pattern, message)) != sorted(re.findall(pattern, translation))
    ]
    if set(GREEK.findall(message)) != set(GREEK.findall(translation)):
        found.append("Greek letters")
    return found


def test_translations_keep_what_messages_are_built_from():
    found = {message: kinds for message, text in translations().items() if (kinds := differences(message, text))}
    assert not found, "\n".join(f"{message!r}: {', '.join(kinds)}" for message, kinds in found.items())


@pytest.mark.parametrize(
    ("message", "translation", "kind"),
    [
        ("diverged at step {step}", "第 步发散", "placeholders"),
        ("diverged at step {step}", "第 {stop} 步发散", "placeholders"),
        ("at {point:.2f}", "在 {point} 处", "placeholders"),
        ("steps of $\\alpha$", "步长 $\\beta$", "LaTeX"),
        ("steps of $\\alpha$", "步长 \\alpha", "LaTeX"),
        ("the **first** step", "第*一*步", "Markdown"),
        ("grows to β₁", "增至 β", "Greek letters"),
        ("loss ", "损失", "space at its ends"),
    ],
)
def test_a_planted_difference_is_found(message: str, translation: str, kind: str):
    assert differences(message, translation) == [kind]


def test_order_and_punctuation_are_free():
    assert not differences("from {low} to {high}, $x$ of $y$", "{high}：以 {low} 起，$y$ 的 $x$")


def words(declared: Any) -> Iterator[str]:
    """All words of a declaration that people read, those of its knobs too."""
    for field in ("name", "label", "help", "teaches", "summary", "adds", "look_for", "about", "sentence", "evidence"):
        # A knob's ``name`` is its key in the URL; its ``label`` is what people read.
        if not (field == "name" and hasattr(declared, "label")):
            yield getattr(declared, field, "")
    for hyper in getattr(declared, "hypers", ()):
        yield from words(hyper)


DECLARED = {
    **{f"landscape {d.id}": d for d in LANDSCAPES.values()},
    **{f"landscape family {d.id}": d for d in LANDSCAPE_FAMILIES},
    **{f"optimizer {d.id}": d for d in OPTIMIZERS.values()},
    **{f"optimizer family {d.id}": d for d in OPTIMIZER_FAMILIES},
    **{f"schedule {d.id}": d for d in SCHEDULES.values()},
    **{f"schedule family {d.id}": d for d in SCHEDULE_FAMILIES},
    **{f"situation {d.id}": d for d in SITUATIONS},
    **{f"claim {d.id}": d for d in CLAIMS},
    **{f"response {d.id}": d for d in RESPONSE_FAMILIES},
    **{f"lesson {d.id}": d for d in LESSONS.values()},
    **{f"knob {d.name}": d for d in (*NUMBERS, RATE, *search.NUMBERS)},
}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)
def test_every_declared_word_is_in_the_catalogue(declared: Any):
    unmarked = [word for word in words(declared) if word and word not in translations()]
    assert not unmarked, f"not marked with _(), or {TO_MEND}: {unmarked}"
