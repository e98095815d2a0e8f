"""Running a race: what was compiled is kept, and the first race is compiled before anybody asks."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Lock, Thread
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import landscapes
from descent import RunSpec, Trajectory
from descent.compilation import keep_compilations
from descent.field import field
from descent.verdict import judge
from lessons.situations import run
from ui.language import _
from ui.race import Race

T = TypeVar("T")
Machine = tuple[str, str, str]


class Compiled:
    """The machines that were run, the last ``MOST`` of them; two threads never run one for the first time at once."""

    MOST = 4_096  # formulas make ever new ones

    def __init__(self) -> None:
        self._done: OrderedDict[Machine, bool] = OrderedDict()
        self._locks: OrderedDict[Machine, Lock] = OrderedDict()
        self._keeping = Lock()

    def __contains__(self, key: Machine) -> bool:
        return key in self._done

    def run(self, key: Machine, work: Callable[[], T]) -> T:
        """What ``work`` returns, which is run by this machine."""
        if key in self:
            self._keep(self._done, key, True)
            return work()
        with self._keep(self._locks, key, Lock()):
            found = work()
            self._keep(self._done, key, True)
        return found

    def _keep(self, kept: OrderedDict[Machine, T], key: Machine, value: T) -> T:
        """What is kept under ``key``, which is the newest now; the oldest goes when there are too many."""
        with self._keeping:
            found = kept.setdefault(key, value)
            kept.move_to_end(key)
            while len(kept) > self.MOST:
                kept.popitem(last=False)
        return found


_compiled = Compiled()


def machine(spec: RunSpec) -> Machine:
    """What is compiled once for all knobs of a run."""
    return spec.landscape, spec.optimizer, spec.schedule


def run_one(spec: RunSpec) -> Trajectory:
    """The trajectory of a run."""
    return _compiled.run(machine(spec), partial(run, spec))


def ready(race: Race) -> bool:
    """Is all that the race needs compiled?"""
    return all(machine(spec) in _compiled for spec in race.runs())


def run_all(race: Race, place: DeltaGenerator | None = None) -> list[Trajectory]:
    """The trajectory of each lane, with a word to the user, at ``place``, while something is compiled."""
    specs = race.runs()
    if ready(race):
        return [run_one(spec) for spec in specs]
    said = _("Preparing {count} optimizers on this surface …").format(count=len(specs))
    with place or st.container(), st.spinner(said), ThreadPoolExecutor(2) as pool:
        return list(pool.map(run_one, specs))


@cache
def warm_up(race: Race) -> Thread:
    """Compile a race in the background, once a process. Compilations are kept on disk from here on."""
    keep_compilations()

    def work() -> None:
        landscape = landscapes.find(race.landscape)
        field(landscape, race.shape)
        with ThreadPoolExecutor(2) as pool:
            judge(landscape, list(pool.map(run_one, race.runs())), race.shape)
        # After each rerun Streamlit has Python search all objects for garbage, and sends nothing meanwhile. What is
        # here by now is here to stay: not to search it makes 5 ms out of 150.
        gc.collect()
        gc.freeze()

    thread = Thread(target=work, name="warm-up", daemon=True)
    thread.start()
    return thread
