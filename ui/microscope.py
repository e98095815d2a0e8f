"""What the microscope looks at, in plain values: a race with one lane, and a fork. It is the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import optimizers
from descent import RunSpec
from descent.hyper import Hyper
from descent.microscope import MOST_STEPS, Anatomy, dissect
from descent.microscope import Fork as Turn
from descent.spec import Values
from descent.text import _
from lessons.situations import call
from ui import race
from ui.race import Lane, Note, Race, Reader, setting

STEPS = replace(
    race.STEPS, high=MOST_STEPS, help=_("How many updates the optimizer makes; all of them are taken apart.")
)


@dataclass(frozen=True)
class Fork:
    """From step ``at`` on, one knob of the optimizer is set to another value."""

    at: int
    knob: str
    to: float


@dataclass(frozen=True)
class Scope:
    """One run, and perhaps its other future."""

    race: Race
    fork: Fork | None = None

    @property
    def lane(self) -> Lane:
        """The runner."""
        return self.race.lanes[0]

    @property
    def spec(self) -> RunSpec:
        """The run."""
        return self.race.run(self.lane)

    @property
    def hypers(self) -> tuple[Hyper, ...]:
        """The optimizer's knobs; their reach is that of the race."""
        return optimizers.find(self.lane.optimizer).hypers

    @classmethod
    def of(cls, race: Race, number: int = 0) -> Scope:
        """A lane of a race, with no more steps than are shown here."""
        lane = race.lanes[number]
        own = race.run(lane)
        alone = Race.of([replace(own, steps=min(own.steps, MOST_STEPS))], projector=race.projector)
        return cls(alone)


def anatomy(scope: Scope, forked: bool = False) -> Anatomy:
    """The run, or the other future."""
    fork = scope.fork if forked else None
    return call(dissect, scope.spec, fork=Turn(fork.at, {fork.knob: fork.to}) if fork else None)


def fork_at(scope: Scope, step: int) -> Scope:
    """The scope with its fork at another step; a first fork takes the first knob and moves it noticeably."""
    step = max(0, min(step, scope.race.steps - 1))
    if scope.fork is not None:
        return replace(scope, fork=replace(scope.fork, at=step))
    return replace(scope, fork=first_fork(scope, scope.hypers[0], step)) if scope.hypers else scope


def first_fork(scope: Scope, knob: Hyper, step: int) -> Fork:
    """A fork that moves ``knob`` noticeably, within its range."""
    value = setting(scope.spec.hyper, knob)
    if knob.scale == "switch":
        other = 1 - value
    elif knob.scale == "log":
        other = value * 2 if value * 2 <= knob.high else value / 2
    else:
        middle = (knob.low + knob.high) / 2
        other = (value + (knob.high if value < middle else knob.low)) / 2
        other = round(other) if knob.whole else float(f"{other:.3g}")
    return Fork(step, knob.name, float(other))


# ---- URL -------------------------------------------------------------------------------------------------------------

FORK = ("fork", "fork.at", "fork.to")


def to_query(scope: Scope) -> dict[str, str]:
    """The scope as flat text."""
    query = race.to_query(scope.race)
    if scope.fork is not None:
        query |= dict(zip(FORK, (scope.fork.knob, f"{scope.fork.at}", f"{scope.fork.to:.12g}"), strict=True))
    return query


def from_query(query: Mapping[str, str], fallback: Scope) -> tuple[Scope, list[Note]]:
    """The scope that a URL asks for, which may be that of a race, and notes on what of it could not be used."""
    asked = {key: value for key, value in query.items() if key not in (*FORK, "situation")}
    if not query:
        return fallback, []
    read, notes = race.from_query(asked, fallback.race) if asked else (fallback.race, [])
    if not read.lanes:
        read = replace(read, lanes=fallback.race.lanes)
    for number, lane in enumerate(read.lanes[1:], 2):
        notes.append(Note(f"o{number}", lane.optimizer, _("one optimizer, o1"), {}))
    if read.steps > STEPS.high:
        allowed = _("a whole number from {low} to {high}")
        notes.append(Note("steps", str(read.steps), allowed, {"low": f"{STEPS.low:g}", "high": f"{STEPS.high:g}"}))
    scope = Scope.of(read)
    fork, more = _read_fork({key: value for key, value in query.items() if key in FORK}, scope)
    return replace(scope, fork=fork), [*notes, *more]


def _read_fork(plain: dict[str, str], scope: Scope) -> tuple[Fork | None, list[Note]]:
    reader = Reader(scope.race, ())
    if not plain:
        return None, reader.notes
    knobs = {h.name: h for h in scope.hypers}
    name = reader.choice(plain | {"fork": plain.get("fork", "")}, "fork", knobs, "")
    if not name or scope.race.steps < 1:
        return None, reader.notes
    usual = first_fork(scope, knobs[name], min(HOME, scope.race.steps - 1))
    step = Hyper("fork.at", "", "", "", 0, 0, scope.race.steps - 1, "integer")
    at = reader.number(plain, "fork.at", step, usual.at)
    return Fork(int(at), name, reader.number(plain, "fork.to", knobs[name], usual.to)), reader.notes


HOME = 20  # the step shown at first: what the first ones show is the beginning, not the rule


def with_hyper(scope: Scope, values: Values) -> Scope:
    """The scope with the optimizer's knobs set."""
    return replace(scope, race=replace(scope.race, lanes=(replace(scope.lane, hyper=values),)))
