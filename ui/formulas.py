"""The formulas of a session: landscapes and optimizers that its user has built, beside the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

import landscapes
import optimizers
from descent.recipe import is_recipe
from ui.language import _

Kind = Literal["landscape", "optimizer"]
MOST = 12  # of a kind that a session remembers


def remember(kind: Kind, id: str) -> None:
    """Put a formula first in the session's list; what is no formula is not listed."""
    if is_recipe(id):
        known = st.session_state.get(f"formulas.{kind}", [])
        st.session_state[f"formulas.{kind}"] = [id, *(other for other in known if other != id)][:MOST]


def working_on(kind: Kind, id: str) -> None:
    """What is on the workbench counts among the session's formulas, as long as it is there."""
    if is_recipe(id):
        st.session_state[f"formulas.{kind}.draft"] = id


def mine(kind: Kind) -> list[str]:
    """The session's formulas of a kind, the newest first."""
    draft = st.session_state.get(f"formulas.{kind}.draft")
    return list(dict.fromkeys([*([draft] if draft else []), *st.session_state.get(f"formulas.{kind}", [])]))


def items(kind: Kind) -> list[Any]:
    """The session's formulas of a kind as what they stand for."""
    return [(landscapes if kind == "landscape" else optimizers).find(id) for id in mine(kind)]


def landscape_names(*shown: str) -> dict[str, str]:
    """All landscapes to choose from by id, with the names that people read: built-in ones, the session's formulas and
    those ``shown`` at the moment."""
    return _names(landscapes.FAMILIES, mine("landscape"), shown, landscapes.find)


def optimizer_names(*shown: str) -> dict[str, str]:
    """All optimizers to choose from, like `landscape_names`."""
    return _names(optimizers.FAMILIES, mine("optimizer"), shown, optimizers.find)


def _names(families: Any, own: list[str], shown: tuple[str, ...], find: Any) -> dict[str, str]:
    named: Mapping[str, str] = {
        member.id: f"{_(member.name)} · {_(family.name)}" for family in families for member in family.members
    }
    ids = dict.fromkeys([*own, *filter(is_recipe, shown)])
    heading = _("My formulas")
    return {id: f"{find(id).name} · {heading}" for id in ids} | dict(named)
