"""A race in plain values: one landscape, one start, any number of runners. It is the URL, and it is RunSpecs.

Reading is lenient: whatever is malformed, out of range or unknown is left out, the default is used, and a `Note`
says so. The same reader serves the URL and an uploaded file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import landscapes
import optimizers
from descent import RunSpec
from descent.formula import FormulaError
from descent.hyper import Hyper
from descent.recipe import is_recipe
from descent.spec import Values
from descent.text import _
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from schedules import SCHEDULES

MAX_LANES = 24
FAR = 1e6  # start points beyond this are surely mistakes

# The race's own knobs, declared like any other.
STEPS = Hyper("steps", "T", _("Steps"), _("How many updates each optimizer makes."), 500, 1, 5_000, "integer")
NOISE = Hyper(
    "noise",
    r"\sigma",
    _("Gradient noise"),
    _("Standard deviation of Gaussian noise added to each coordinate of every gradient, as mini-batches add it."),
    0.0,
    0.0,
    10.0,
)
SEED = Hyper(
    "seed",
    "",
    _("Seed"),
    _("Of the noise. The same seed gives the same noise to every runner."),
    0,
    0,
    9_999,
    "integer",
)
CLIP_AT = Hyper(
    "clip_at", "b", _("Clip at"), _("Threshold of gradient clipping."), 1.0, 1e-3, 1e3, "log"
)  # fmt: skip
TOLERANCE = Hyper(
    "tolerance",
    r"\varepsilon",
    _("Tolerance"),
    _("The table counts the steps until the loss is this close to the lowest value."),
    1e-3,
    1e-12,
    1e2,
    "log",
)
RATE = Hyper(
    "rate",
    r"\alpha",
    _("Learning rate"),
    _("One learning rate for all runners that have one."),
    0.01,
    1e-6,
    10.0,
    "log",
)
FACTOR = Hyper(
    "factor",
    "",
    _("All learning rates"),
    _("Multiplies each runner's own."),
    1.0,
    0.1,
    10.0,
    "log",
)
NUMBERS = (STEPS, NOISE, SEED, CLIP_AT, TOLERANCE)
CLIPS = {"off": _("off"), "value": _("by value"), "norm": _("by norm")}
AXES = {"log": _("log"), "linear": _("linear")}


class Note(NamedTuple):
    """Something that was given and not used, and what is allowed instead: a message with its fields.

    Of a formula, the message says what is wrong at the ``column``.
    """

    key: str
    given: str
    allowed: str
    fields: Mapping[str, str] = {}
    column: int = 0


@dataclass(frozen=True)
class Lane:
    """One runner: an optimizer, the knobs that differ from their default, whether the race clips its gradient, and a
    learning-rate schedule of its own, if it does not follow the race's."""

    optimizer: str
    hyper: Values = field(default_factory=Values)
    clipped: bool = True
    schedule: str = ""  # empty: the race's
    schedule_hyper: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Race:
    """Everything on the race page that a picture depends on."""

    landscape: str = "ellipse"
    shape: Values = field(default_factory=Values)
    start: tuple[float, float] | None = None  # None: the landscape's own
    lanes: tuple[Lane, ...] = ()
    steps: int = 500
    noise: float = 0.0
    seed: int = 0
    clip: str = "off"
    clip_at: float = 1.0
    tolerance: float = 1e-3
    rate: float | None = None  # one learning rate for all, if not None
    schedule: str = "constant"
    schedule_hyper: Values = field(default_factory=Values)
    axis: str = "log"
    projector: bool = False
    situation: str = ""  # the preset it began as

    @property
    def begin(self) -> tuple[float, float]:
        """The start point."""
        return self.start or landscapes.find(self.landscape).start

    def runs(self) -> list[RunSpec]:
        """A RunSpec for each lane."""
        return [self.run(lane) for lane in self.lanes]

    def run(self, lane: Lane) -> RunSpec:
        """The RunSpec of a lane."""
        hyper = dict(lane.hyper)
        if self.rate is not None and any(h.name == "learning_rate" for h in optimizers.find(lane.optimizer).hypers):
            hyper["learning_rate"] = self.rate
        clip = self.clip if lane.clipped else "off"
        schedule, schedule_hyper = self.schedule_of(lane)
        return RunSpec(
            landscape=self.landscape,
            optimizer=lane.optimizer,
            start=self.begin,
            steps=self.steps,
            hyper=hyper,
            shape=self.shape,
            schedule=schedule,
            schedule_hyper=schedule_hyper,
            noise=self.noise,
            clip_value=self.clip_at if clip == "value" else None,
            clip_norm=self.clip_at if clip == "norm" else None,
            seed=self.seed,
        )

    def schedule_of(self, lane: Lane) -> tuple[str, Values]:
        """The schedule that a lane follows, and its knobs."""
        return (lane.schedule, lane.schedule_hyper) if lane.schedule else (self.schedule, self.schedule_hyper)

    @classmethod
    def of(cls, runs: Sequence[RunSpec], **more: Any) -> Race:
        """The race of runs that share everything but their optimizer, their schedule, and whether they are clipped."""
        first = runs[0]
        schedules = [(r.schedule, _without_defaults(r.schedule_hyper, SCHEDULES[r.schedule].hypers)) for r in runs]
        shared = schedules[0] if schedules.count(schedules[0]) == len(runs) else USUAL
        own = [("", Values()) if schedule == shared else schedule for schedule in schedules]
        clipped = next((r for r in runs if r.clip_norm is not None or r.clip_value is not None), first)
        threshold = clipped.clip_norm if clipped.clip_norm is not None else clipped.clip_value
        return cls(
            landscape=first.landscape,
            shape=_without_defaults(first.shape, landscapes.find(first.landscape).hypers),
            start=None if first.start == landscapes.find(first.landscape).start else first.start,
            lanes=tuple(
                Lane(
                    run.optimizer,
                    _without_defaults(run.hyper, optimizers.find(run.optimizer).hypers),
                    threshold is None or run.clip_norm is not None or run.clip_value is not None,
                    *schedule,
                )
                for run, schedule in zip(runs, own, strict=True)
            ),
            steps=first.steps,
            noise=first.noise,
            seed=first.seed,
            clip="off" if threshold is None else "norm" if clipped.clip_norm is not None else "value",
            clip_at=CLIP_AT.default if threshold is None else threshold,
            schedule=shared[0],
            schedule_hyper=shared[1],
            **more,
        )


USUAL = ("constant", Values())  # the schedule of who has none


def _without_defaults(values: Mapping[str, float], hypers: Sequence[Hyper]) -> Values:
    """The values that differ from their default: what a URL needs to say."""
    defaults = {h.name: h.default for h in hypers}
    return Values({k: v for k, v in values.items() if v != defaults.get(k)})


def setting(values: Mapping[str, float], hyper: Hyper) -> float:
    """What a knob is set to: its default where ``values`` does not say."""
    value = values.get(hyper.name)
    return hyper.default if value is None else value


def with_knob(values: Values, hyper: Hyper, value: float) -> Values:
    """``values`` with one knob set, left out if it is its default."""
    rest = {k: v for k, v in values.items() if k != hyper.name}
    return Values(rest if value == hyper.default else rest | {hyper.name: value})


# ---- URL ---------------------------------------------------------------------------------------------------------


def to_query(race: Race) -> dict[str, str]:
    """The race as flat text, without what is at its default."""
    query = {"landscape": race.landscape}
    query |= {f"{_prefix(race.landscape)}{name}": as_text(value) for name, value in race.shape.items()}
    if race.start is not None:
        query |= {"x": as_text(race.start[0]), "y": as_text(race.start[1])}
    query |= {h.name: as_text(getattr(race, h.name)) for h in NUMBERS if getattr(race, h.name) != h.default}
    if race.clip != "off":
        query["clip"] = race.clip
    if race.rate is not None:
        query["rate"] = as_text(race.rate)
    if race.schedule != "constant":
        query["schedule"] = race.schedule
    query |= {f"{SCHEDULE}{name}": as_text(value) for name, value in race.schedule_hyper.items()}
    if race.axis != "log":
        query["axis"] = race.axis
    if race.projector:
        query["projector"] = "1"
    if race.situation:
        query["situation"] = race.situation
    for number, lane in enumerate(race.lanes, 1):
        query[f"o{number}"] = lane.optimizer
        query |= {f"o{number}.{name}": as_text(value) for name, value in lane.hyper.items()}
        if not lane.clipped:
            query[f"o{number}.clip"] = "0"
        if lane.schedule:
            query[f"o{number}.schedule"] = lane.schedule
            own = {f"o{number}.{SCHEDULE}{name}": as_text(value) for name, value in lane.schedule_hyper.items()}
            query |= own
    if not race.lanes:
        query["o1"] = "none"
    return query


def _prefix(landscape: str) -> str:
    """What stands before the names of a landscape's knobs: a formula's may be called like any of the race's own."""
    return SHAPE if is_recipe(landscape) else ""


def as_text(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def from_query(query: Mapping[str, str], fallback: Race, situations: Sequence[str] = ()) -> tuple[Race, list[Note]]:
    """The race that a URL asks for, and notes on what of it could not be used. Without lanes: the fallback's."""
    if not query:
        return fallback, []
    plain: dict[str, Any] = {}
    lanes: dict[int, dict[str, Any]] = {}
    for key, value in query.items():
        match = re.fullmatch(r"o([0-9]{1,3})(?:\.((?:schedule\.)?\w{1,40}))?", key)
        if match:
            lanes.setdefault(int(match[1]), {})[match[2] or "optimizer"] = value
        else:
            plain[key] = value
    named = {f"o{number}": lanes[number] for number in sorted(lanes)}
    return Reader(fallback, situations).read(plain, named or None)


# ---- files -------------------------------------------------------------------------------------------------------


def to_json(race: Race) -> str:
    """The runs as an indented JSON list of RunSpecs."""
    return json.dumps([run.to_json() for run in race.runs()], indent=2)


MAX_FILE = 1_000_000
FILE = _("file")


def from_json(text: bytes, fallback: Race) -> tuple[Race, list[Note]]:
    """The race in a file: one RunSpec or a list of them. What differs between the runs is taken from the first."""
    what = _("a RunSpec as this page exports it, or a list of them")
    try:
        given = json.loads(text) if len(text) <= MAX_FILE else None
    except (ValueError, RecursionError):
        given = None
    runs = [run for run in (given if isinstance(given, list) else [given]) if isinstance(run, dict)]
    if not runs or (isinstance(given, list) and len(runs) != len(given)):
        return fallback, [Note(FILE, text[:40].decode("utf-8", "replace"), what)]
    reader = Reader(fallback, ())
    first: dict[str, Any] = runs[0]
    schedules = [(run.get("schedule", "constant"), run.get("schedule_hyper") or {}) for run in runs]
    alike = all(schedule == schedules[0] for schedule in schedules)
    together = ("landscape", "steps", "noise", "seed", *(("schedule",) if alike else ()))
    plain = {key: first[key] for key in together if key in first}
    start = first.get("start")
    if isinstance(start, list) and len(start) == 2:
        plain |= {"x": start[0], "y": start[1]}
    elif "start" in first:
        plain["start"] = start
    for key, prefix in (("shape", SHAPE), *((("schedule_hyper", SCHEDULE),) if alike else ())):
        knobs = first.get(key) or {}
        plain |= {f"{prefix}{name}": v for name, v in knobs.items()} if isinstance(knobs, dict) else {key: knobs}
    clips = [{name: run[name] for name in ("clip_norm", "clip_value") if run.get(name) is not None} for run in runs]
    clip = next((name for thresholds in clips for name in thresholds), None)
    if clip is not None:
        at = next(thresholds[clip] for thresholds in clips if clip in thresholds)
        plain |= {"clip": clip.removeprefix("clip_"), "clip_at": at}
        for number, thresholds in enumerate(clips, 1):
            for name, threshold in thresholds.items():
                if (name, threshold) != (clip, at):
                    reader.note(f"o{number}.{name}", threshold, _("the same for all runners"))
    own = {"optimizer", "hyper", "clip_norm", "clip_value", "schedule", "schedule_hyper"}
    for number, run in enumerate(runs, 1):
        for key, value in run.items():
            if key not in RunSpec.__dataclass_fields__ or (key == "relative_noise" and value):
                reader.note(key if number == 1 else f"o{number}.{key}", value, _("nothing of this name is known"))
            elif number > 1 and key not in own and value != first.get(key):
                reader.note(f"o{number}.{key}", value, _("the same for all runners"))
    lanes: dict[str, dict[str, Any]] = {}
    for number, run in enumerate(runs, 1):
        hyper = run.get("hyper") or {}
        lane: dict[str, Any] = {"optimizer": run.get("optimizer")}
        if clip is not None and not clips[number - 1]:
            lane["clip"] = "0"
        schedule, values = schedules[number - 1]
        if not alike and (schedule, values) != ("constant", {}):
            values = values.items() if isinstance(values, dict) else [("", values)]
            lane |= {"schedule": schedule} | {f"{SCHEDULE}{name}": value for name, value in values}
        for name, value in hyper.items() if isinstance(hyper, dict) else [("hyper", hyper)]:
            if name in ("optimizer", "clip", "schedule") or name.startswith(SCHEDULE):
                reader.note(f"o{number}.{name}", value, _("nothing of this name is known"))
            else:
                lane[name] = value
        lanes[f"o{number}"] = lane
    return reader.read(plain, lanes, SHAPE)


# ---- reading -----------------------------------------------------------------------------------------------------

IGNORED = {"lang", "embed", "embed_options", "step"}
SHAPE, SCHEDULE = "shape.", "schedule."  # before the names of knobs, where a race's own would clash with them


NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?\s*", re.ASCII | re.IGNORECASE)


class Reader:
    """Builds a race from plain values, noting what cannot be used."""

    def __init__(self, fallback: Race, situations: Sequence[str]) -> None:
        self.fallback = fallback
        self.situations = situations
        self.notes: list[Note] = []

    def read(
        self, plain: dict[str, Any], lanes: dict[str, dict[str, Any]] | None, shape: str = ""
    ) -> tuple[Race, list[Note]]:
        """``lanes`` by their names, which notes give; ``shape`` stands before the names of the landscape's knobs."""
        plain = {key: value for key, value in plain.items() if key not in IGNORED}
        name = self.choice(plain, "landscape", LANDSCAPES, self.fallback.landscape, find=landscapes.find)
        landscape = landscapes.find(name)
        race = replace(
            Race(),
            landscape=name,
            shape=self.knobs(plain, landscape.hypers, shape or _prefix(name)),
            start=self.start(plain, landscape.start),
            lanes=self.fallback.lanes if lanes is None else self.lanes(lanes),
            **{h.name: self.number(plain, h.name, h, h.default) for h in NUMBERS},
            clip=self.choice(plain, "clip", CLIPS, "off"),
            rate=self.number(plain, "rate", RATE, None),
            schedule=(schedule := self.choice(plain, "schedule", SCHEDULES, "constant")),
            schedule_hyper=self.knobs(plain, SCHEDULES[schedule].hypers, SCHEDULE),
            axis=self.choice(plain, "axis", AXES, "log"),
            projector=self.choice(plain, "projector", {"0": "", "1": ""}, "0") == "1",
            situation=self.choice(plain, "situation", self.situations, ""),
        )
        for key, value in plain.items():
            self.note(key, value, _("nothing of this name is known"))
        return replace(race, steps=int(race.steps), seed=int(race.seed)), self.notes

    def note(self, key: str, given: Any, allowed: str, column: int = 0, /, **fields: str) -> None:
        self.notes.append(Note(_brief(key), _brief(given), allowed, fields, column))

    def choice(
        self,
        plain: dict[str, Any],
        key: str,
        allowed: Mapping[str, Any] | Sequence[str],
        default: str,
        name: str | None = None,
        find: Callable[[str], Any] | None = None,
    ) -> str:
        """The choice under ``key``, which notes call ``name``; with ``find``, it may also be a formula."""
        if key not in plain:
            return default
        given = plain.pop(key)
        if find and isinstance(given, str) and is_recipe(given):
            try:
                return find(given).id
            except FormulaError as error:
                self.note(name or key, given, error.message, error.column, **error.fields)
                return default
        if isinstance(given, str) and given in allowed:
            return given
        self.note(name or key, given, _("one of {choices}"), choices=", ".join(allowed))
        return default

    def value(self, given: Any) -> float:
        """A finite float from text or a number; NaN for anything else."""
        if isinstance(given, str) and len(given) <= 60 and NUMBER.fullmatch(given):
            given = float(given)
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            try:
                number = float(given)
            except OverflowError:
                return math.nan
            return number if math.isfinite(number) else math.nan
        return math.nan

    def number(self, plain: dict[str, Any], key: str, hyper: Hyper, default: Any, name: str | None = None) -> Any:
        """The number under ``key``, which notes call ``name``."""
        if key not in plain:
            return default
        given = plain.pop(key)
        value = self.value(given)
        try:
            return hyper.check_range(value, key)
        except ValueError:
            kind = _("a whole number from {low} to {high}") if hyper.whole else _("a number from {low} to {high}")
            self.note(name or key, given, kind, low=f"{hyper.low:g}", high=f"{hyper.high:g}")
            return default

    def knobs(self, plain: dict[str, Any], hypers: Sequence[Hyper], prefix: str = "", owner: str = "") -> Values:
        read = {h.name: self.number(plain, prefix + h.name, h, h.default, owner + prefix + h.name) for h in hypers}
        return _without_defaults(read, hypers)

    def start(self, plain: dict[str, Any], default: tuple[float, float]) -> tuple[float, float] | None:
        point = []
        for key, fallback in zip(("x", "y"), default, strict=True):
            given = plain.pop(key, fallback)
            value = self.value(given)
            if not abs(value) <= FAR:
                self.note(key, given, _("a number from {low} to {high}"), low=f"{-FAR:g}", high=f"{FAR:g}")
                value = fallback
            point.append(value)
        return None if tuple(point) == tuple(default) else (point[0], point[1])

    def lanes(self, given: dict[str, dict[str, Any]]) -> tuple[Lane, ...]:
        lanes: list[Lane] = []
        for lane, plain in given.items():
            if plain == {"optimizer": "none"}:
                continue
            if len(lanes) == MAX_LANES:
                self.note(lane, plain.get("optimizer"), _("at most {count} runners"), count=str(MAX_LANES))
                break
            plain = {"optimizer": ""} | plain
            name = self.choice(plain, "optimizer", OPTIMIZERS, "", lane, optimizers.find)
            if not name:
                continue
            clipped = self.choice(plain, "clip", {"0": "", "1": ""}, "1", f"{lane}.clip") == "1"
            hypers = [_reachable(hyper) for hyper in optimizers.find(name).hypers]
            schedule = self.choice(plain, "schedule", SCHEDULES, "", f"{lane}.schedule")
            knobs = SCHEDULES[schedule].hypers if schedule else ()
            schedule_hyper = self.knobs(plain, knobs, SCHEDULE, f"{lane}.")
            values = self.knobs(plain, hypers, owner=f"{lane}.")
            lanes.append(Lane(name, values, clipped, schedule, schedule_hyper))
            for key, value in plain.items():
                self.note(f"{lane}.{key}", value, _("one of {choices}"), choices=", ".join(h.name for h in hypers))
        return tuple(lanes)


def _reachable(hyper: Hyper) -> Hyper:
    """A runner's own learning rate may also be what the one for all could be set to: a file says it so."""
    if hyper.name != "learning_rate":
        return hyper
    return replace(hyper, low=min(hyper.low, RATE.low), high=max(hyper.high, RATE.high))


def _brief(value: Any) -> str:
    """A value as text of at most 40 characters, which any browser can show."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
    except (ValueError, RecursionError):
        text = "…"
    text = text if len(text) <= 40 else text[:39] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")
