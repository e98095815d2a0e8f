"""Running what the microscope shows, with a word to the user while something is compiled."""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from threading import Lock

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from descent.microscope import Anatomy
from lessons.definiteness import EXACT, Shares, shares
from ui.language import _
from ui.microscope import Scope, anatomy
from ui.runner import Machine, machine

_compiled: set[Machine] = set()
_locks: defaultdict[Machine, Lock] = defaultdict(Lock)


@lru_cache(maxsize=16)
def _anatomy(scope: Scope, forked: bool) -> Anatomy:
    return anatomy(scope, forked)


def examine(scope: Scope, place: DeltaGenerator | None = None) -> tuple[Anatomy, Anatomy | None]:
    """The run, and the other future if there is a fork; the last few are kept."""
    what = machine(scope.spec)
    waiting = place or st.container()
    known = what in _compiled
    said = st.spinner(_("Taking every step apart …")) if not known else nullcontext()
    with waiting, said, _locks[what]:
        run = _anatomy(replace(scope, fork=None), False)
        _compiled.add(what)
    return run, _anatomy(scope, True) if scope.fork else None


def random_hessians() -> tuple[Shares, dict[int, float]]:
    """The study of random symmetric matrices: measured once a process, 0.3 s."""
    return shares(), EXACT
