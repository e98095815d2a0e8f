"""Running what the microscope shows, with a word to the user while something is compiled."""

from __future__ import annotations

from collections import defaultdict
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


def examine(scope: Scope, place: DeltaGenerator) -> tuple[Anatomy, Anatomy | None]:
    """The run, and the other future if there is a fork, with a word at ``place`` while something is compiled."""
    what = machine(scope.spec)
    if what not in _compiled:
        # Two sessions never compile the same thing at the same time.
        with place, st.spinner(_("Taking every step apart …")), _locks[what]:
            _anatomy(replace(scope, fork=None), False)
            _compiled.add(what)
    return _anatomy(replace(scope, fork=None), False), _anatomy(scope, True) if scope.fork else None


def random_hessians() -> tuple[Shares, dict[int, float]]:
    """The study of random symmetric matrices: measured once a process, 0.3 s."""
    return shares(), EXACT
