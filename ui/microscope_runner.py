"""Running what the microscope shows, with a word to the user while something is compiled."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from descent.microscope import Anatomy
from lessons.definiteness import EXACT, Shares, shares
from ui.language import _
from ui.microscope import Scope, anatomy
from ui.runner import Compiled, machine

_compiled = Compiled()


@lru_cache(maxsize=16)
def _anatomy(scope: Scope, forked: bool) -> Anatomy:
    return anatomy(scope, forked)


def examine(scope: Scope, place: DeltaGenerator) -> tuple[Anatomy, Anatomy | None]:
    """The run, and the other future if there is a fork, with a word at ``place`` while something is compiled."""
    what, look = machine(scope.spec), partial(_anatomy, replace(scope, fork=None), False)
    if what in _compiled:
        run = _compiled.run(what, look)
    else:
        with place, st.spinner(_("Taking every step apart …")):
            run = _compiled.run(what, look)
    return run, _anatomy(scope, True) if scope.fork else None


def random_hessians() -> tuple[Shares, dict[int, float]]:
    """The study of random symmetric matrices: measured once a process, 0.3 s."""
    return shares(), EXACT
