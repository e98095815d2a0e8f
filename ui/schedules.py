"""What the schedules page shows, in plain values: a race of schedules, and the range test. It is the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

import landscapes
import optimizers
from descent import Trajectory
from descent.hyper import Hyper
from descent.range_test import RangeTest, range_test
from descent.schedule import multipliers
from descent.spec import Values
from descent.text import _
from lessons.rates import DEMONSTRATIONS
from schedules import SCHEDULES
from ui import race as races
from ui.race import Lane, Note, Race, Reader, as_text, setting

VIEWS = {"runs": _("Schedules"), "range": _("Range test")}
LOW = Hyper("low", r"\alpha_0", _("First rate"), _("The learning rate of the first step."), 1e-5, 1e-8, 1.0, "log")
HIGH = Hyper("high", r"\alpha_T", _("Last rate"), _("The learning rate of the last step."), 10.0, 1e-4, 1e3, "log")
LENGTH = Hyper("length", "T", _("Steps"), _("How many steps the sweep has."), 200, 10, 2_000, "integer")
SWEEP = (LOW, HIGH, LENGTH)
RANGE = "range."  # before their names in the URL


@dataclass(frozen=True)
class Plan:
    """Runners under their schedules, or the range test of the first of them."""

    race: Race
    view: str = "runs"
    sweep: Values = field(default_factory=Values)

    @property
    def lane(self) -> Lane:
        """Whom the range test is of."""
        return self.race.lanes[0]


DEFAULT = Plan(
    Race(
        landscape="sphere_weighted",
        lanes=(
            Lane("sgd"),
            Lane("sgd", schedule="step"),
            Lane("sgd", schedule="cosine"),
            Lane("sgd", schedule="sgdr"),
        ),
        noise=1.0,
        rate=0.1,
    )
)


def rates(race: Race, lane: Lane, run: Trajectory) -> np.ndarray:
    """The learning rate of each step; of a run that diverged, what it would have been, if that can be known."""
    schedule = SCHEDULES[race.schedule_of(lane)[0]]
    if run.diverged_at < 0 or schedule.feedback:
        return run.learning_rate
    spec = race.run(lane)
    knob = next((h for h in optimizers.find(spec.optimizer).hypers if h.name == "learning_rate"), None)
    rate = setting(spec.hyper, knob) if knob else 1.0
    return (rate * multipliers(schedule, spec.steps, spec.schedule_hyper)).astype(np.float32)


def events(race: Race, lane: Lane, run: Trajectory) -> list[int]:
    """The steps at which a schedule with feedback has lowered the rate."""
    if not SCHEDULES[race.schedule_of(lane)[0]].feedback:
        return []
    return [int(step) for step in np.flatnonzero(np.diff(run.learning_rate) < 0) + 1]


def tested(plan: Plan) -> RangeTest:
    """The range test. Raises ``ValueError`` where the first rate is not below the last."""
    spec = plan.race.run(plan.lane)
    low, high, length = (setting(plan.sweep, hyper) for hyper in SWEEP)
    return range_test(
        landscapes.find(spec.landscape),
        optimizers.find(spec.optimizer),
        low,
        high,
        spec.start,
        int(length),
        spec.hyper,
        noise=spec.noise,
        seed=spec.seed,
        shape=spec.shape,
        clip_value=spec.clip_value,
        clip_norm=spec.clip_norm,
    )


def two_digits(rate: float) -> float:
    """A suggested rate as it is used."""
    return float(f"{rate:.2g}")


def with_rate(plan: Plan, rate: float) -> Plan:
    """The plan with a suggested learning rate for all."""
    return replace(plan, view="runs", race=replace(plan.race, rate=two_digits(rate), situation=""))


# ---- URL -------------------------------------------------------------------------------------------------------------


def to_query(plan: Plan) -> dict[str, str]:
    """The plan as flat text, without what is at its default."""
    query = races.to_query(plan.race)
    if plan.view != "runs":
        query["view"] = plan.view
    return query | {f"{RANGE}{name}": as_text(value) for name, value in plan.sweep.items()}


def from_query(query: Mapping[str, str], fallback: Plan = DEFAULT) -> tuple[Plan, list[Note]]:
    """The plan that a URL asks for, and notes on what of it could not be used."""
    known = {demonstration.id: demonstration for demonstration in DEMONSTRATIONS}
    own = {key: value for key, value in query.items() if key == "view" or key.startswith(RANGE)}
    asked = {key: value for key, value in query.items() if key not in own}
    if asked.keys() == {"situation"} and asked["situation"] in known:
        race, notes = staged(asked["situation"]), []
    else:
        race, notes = races.from_query(asked, fallback.race, list(known))
    if not race.lanes:
        race = replace(race, lanes=fallback.race.lanes)
    reader = Reader(race, ())
    view = reader.choice(own, "view", VIEWS, "runs")
    sweep = reader.knobs(own, SWEEP, RANGE)
    for key, value in own.items():
        reader.note(key, value, _("nothing of this name is known"))
    return Plan(race, view, sweep), [*notes, *reader.notes]


def staged(id: str) -> Race:
    """The race of a demonstration."""
    demonstration = next(d for d in DEMONSTRATIONS if d.id == id)
    return Race.of(demonstration.runs, situation=id, **demonstration.view)
