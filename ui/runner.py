"""Running a race: what was compiled is kept, and the first race is compiled before anybody asks."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock, Thread

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from descent import RunSpec, Trajectory
from descent.compilation import keep_compilations
from descent.field import field
from descent.verdict import judge
from landscapes import LANDSCAPES
from lessons.situations import run
from ui.language import _
from ui.race import Race

Machine = tuple[str, str, str]
_compiled: set[Machine] = set()
_locks: defaultdict[Machine, Lock] = defaultdict(Lock)


def machine(spec: RunSpec) -> Machine:
    """What is compiled once for all knobs of a run."""
    return spec.landscape, spec.optimizer, spec.schedule


def _run(spec: RunSpec) -> Trajectory:
    """`run`; two threads never compile the same thing at the same time."""
    if machine(spec) in _compiled:
        return run(spec)
    with _locks[machine(spec)]:
        trajectory = run(spec)
        _compiled.add(machine(spec))
    return trajectory


def ready(race: Race) -> bool:
    """Is all that the race needs compiled?"""
    return _compiled.issuperset(map(machine, race.runs()))


def run_all(race: Race, place: DeltaGenerator | None = None) -> list[Trajectory]:
    """The trajectory of each lane, with a word to the user, at ``place``, while something is compiled."""
    specs = race.runs()
    if ready(race):
        return [_run(spec) for spec in specs]
    said = _("Preparing {count} optimizers on this surface …").format(count=len(specs))
    with place or st.container(), st.spinner(said), ThreadPoolExecutor(2) as pool:
        return list(pool.map(_run, specs))


@cache
def warm_up(race: Race) -> Thread:
    """Compile a race in the background, once a process. Compilations are kept on disk from here on."""
    keep_compilations()

    def work() -> None:
        landscape = LANDSCAPES[race.landscape]
        field(landscape, race.shape)
        with ThreadPoolExecutor(2) as pool:
            judge(landscape, list(pool.map(_run, race.runs())), race.shape)

    thread = Thread(target=work, name="warm-up", daemon=True)
    thread.start()
    return thread
