"""A race in plain values: one landscape, one start, any number of runners. It is the URL, and it is RunSpecs.

Reading is lenient: whatever is malformed, out of range or unknown is left out, the default is used, and a `Note`
says so. The same reader serves the URL and an uploaded file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from descent import RunSpec
from descent.hyper import Hyper
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
NUMBERS = (STEPS, NOISE, SEED, CLIP_AT, TOLERANCE)
CLIPS = {"off": _("off"), "value": _("by value"), "norm": _("by norm")}
AXES = {"log": _("log"), "linear": _("linear")}


class Note(NamedTuple):
    """Something that was given and not used, and what is allowed instead: a message with its fields."""

    key: str
    given: str
    allowed: str
    fields: Mapping[str, str] = {}


@dataclass(frozen=True)
class Lane:
    """One runner: an optimizer, the knobs that differ from their default, and whether the race clips its gradient."""

    optimizer: str
    hyper: Values = field(default_factory=Values)
    clipped: bool = True


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
        return self.start or LANDSCAPES[self.landscape].start

    def runs(self) -> list[RunSpec]:
        """A RunSpec for each lane."""
        return [self.run(lane) for lane in self.lanes]

    def run(self, lane: Lane) -> RunSpec:
        """The RunSpec of a lane."""
        hyper = dict(lane.hyper)
        if self.rate is not None and any(h.name == "learning_rate" for h in OPTIMIZERS[lane.optimizer].hypers):
            hyper["learning_rate"] = self.rate
        clip = self.clip if lane.clipped else "off"
        return RunSpec(
            landscape=self.landscape,
            optimizer=lane.optimizer,
            start=self.begin,
            steps=self.steps,
            hyper=hyper,
            shape=self.shape,
            schedule=self.schedule,
            schedule_hyper=self.schedule_hyper,
            noise=self.noise,
            clip_value=self.clip_at if clip == "value" else None,
            clip_norm=self.clip_at if clip == "norm" else None,
            seed=self.seed,
        )

    @classmethod
    def of(cls, runs: Sequence[RunSpec], **more: Any) -> Race:
        """The race of runs that share everything but their optimizer (and whether they are clipped)."""
        first = runs[0]
        clipped = next((r for r in runs if r.clip_norm is not None or r.clip_value is not None), first)
        threshold = clipped.clip_norm if clipped.clip_norm is not None else clipped.clip_value
        return cls(
            landscape=first.landscape,
            shape=_without_defaults(first.shape, LANDSCAPES[first.landscape].hypers),
            start=None if first.start == LANDSCAPES[first.landscape].start else first.start,
            lanes=tuple(
                Lane(
                    run.optimizer,
                    _without_defaults(run.hyper, OPTIMIZERS[run.optimizer].hypers),
                    threshold is None or run.clip_norm is not None or run.clip_value is not None,
                )
                for run in runs
            ),
            steps=first.steps,
            noise=first.noise,
            seed=first.seed,
            clip="off" if threshold is None else "norm" if clipped.clip_norm is not None else "value",
            clip_at=CLIP_AT.default if threshold is None else threshold,
            schedule=first.schedule,
            schedule_hyper=_without_defaults(first.schedule_hyper, SCHEDULES[first.schedule].hypers),
            **more,
        )


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
    query |= {name: _text(value) for name, value in race.shape.items()}
    if race.start is not None:
        query |= {"x": _text(race.start[0]), "y": _text(race.start[1])}
    query |= {h.name: _text(getattr(race, h.name)) for h in NUMBERS if getattr(race, h.name) != h.default}
    if race.clip != "off":
        query["clip"] = race.clip
    if race.rate is not None:
        query["rate"] = _text(race.rate)
    if race.schedule != "constant":
        query["schedule"] = race.schedule
        query |= {f"schedule.{name}": _text(value) for name, value in race.schedule_hyper.items()}
    if race.axis != "log":
        query["axis"] = race.axis
    if race.projector:
        query["projector"] = "1"
    if race.situation:
        query["situation"] = race.situation
    for number, lane in enumerate(race.lanes, 1):
        query[f"o{number}"] = lane.optimizer
        query |= {f"o{number}.{name}": _text(value) for name, value in lane.hyper.items()}
        if not lane.clipped:
            query[f"o{number}.clip"] = "0"
    if not race.lanes:
        query["o1"] = "none"
    return query


def _text(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def from_query(query: Mapping[str, str], fallback: Race, situations: Sequence[str] = ()) -> tuple[Race, list[Note]]:
    """The race that a URL asks for, and notes on what of it could not be used. Without lanes: the fallback's."""
    if not query:
        return fallback, []
    plain: dict[str, Any] = {}
    lanes: dict[int, dict[str, Any]] = {}
    for key, value in query.items():
        match = re.fullmatch(r"o(\d{1,3})(?:\.(\w{1,40}))?", key)
        if match:
            lanes.setdefault(int(match[1]), {})[match[2] or "optimizer"] = value
        else:
            plain[key] = value
    return _Reader(fallback, situations).read(plain, [lanes[n] for n in sorted(lanes)] if lanes else None)


# ---- files -------------------------------------------------------------------------------------------------------


def to_json(race: Race) -> str:
    """The runs as an indented JSON list of RunSpecs."""
    return json.dumps([run.to_json() for run in race.runs()], indent=2)


MAX_FILE = 1_000_000


def from_json(text: bytes, fallback: Race) -> tuple[Race, list[Note]]:
    """The race in a file: one RunSpec or a list of them. What differs between the runs is taken from the first."""
    what = _("a RunSpec as this page exports it, or a list of them")
    try:
        given = json.loads(text) if len(text) <= MAX_FILE else None
    except (ValueError, RecursionError):
        given = None
    runs = [run for run in (given if isinstance(given, list) else [given]) if isinstance(run, dict)]
    if not runs or (isinstance(given, list) and len(runs) != len(given)):
        return fallback, [Note(_("file"), text[:40].decode("utf-8", "replace"), what)]
    plain: dict[str, Any] = {}
    first: dict[str, Any] = runs[0]
    for key in ("landscape", "steps", "noise", "seed", "schedule"):
        if key in first:
            plain[key] = first[key]
    start = first.get("start")
    if isinstance(start, list) and len(start) == 2:
        plain |= {"x": start[0], "y": start[1]}
    elif "start" in first:
        plain["start"] = start
    for key, prefix in (("shape", ""), ("schedule_hyper", "schedule.")):
        knobs = first.get(key) or {}
        plain |= {f"{prefix}{name}": v for name, v in knobs.items()} if isinstance(knobs, dict) else {key: knobs}
    clips = [(run.get("clip_norm"), run.get("clip_value")) for run in runs]
    norm, value = next(((n, v) for n, v in clips if n is not None or v is not None), (None, None))
    if norm is not None or value is not None:
        plain |= {"clip": "norm" if norm is not None else "value", "clip_at": norm if norm is not None else value}
    known = {*RunSpec.__dataclass_fields__}
    plain |= {key: first[key] for key in first if key not in known}
    if first.get("relative_noise"):
        plain["relative_noise"] = first["relative_noise"]
    lanes = []
    for run, clip in zip(runs, clips, strict=True):
        hyper = run.get("hyper") or {}
        lane = {"optimizer": run.get("optimizer")} | (hyper if isinstance(hyper, dict) else {"hyper": hyper})
        lanes.append(lane | ({"clip": "0"} if clip == (None, None) and "clip" in plain else {}))
    return _Reader(fallback, ()).read(plain, lanes)


# ---- reading -----------------------------------------------------------------------------------------------------

IGNORED = {"lang", "embed", "embed_options", "step"}


class _Reader:
    """Builds a race from plain values, noting what cannot be used."""

    def __init__(self, fallback: Race, situations: Sequence[str]) -> None:
        self.fallback = fallback
        self.situations = situations
        self.notes: list[Note] = []

    def read(self, plain: dict[str, Any], lanes: list[dict[str, Any]] | None) -> tuple[Race, list[Note]]:
        plain = {key: value for key, value in plain.items() if key not in IGNORED}
        name = self.choice(plain, "landscape", LANDSCAPES, self.fallback.landscape)
        landscape = LANDSCAPES[name]
        race = replace(
            Race(),
            landscape=name,
            shape=self.knobs(plain, landscape.hypers),
            start=self.start(plain, landscape.start),
            lanes=self.fallback.lanes if lanes is None else self.lanes(lanes),
            **{h.name: self.number(plain, h.name, h, h.default) for h in NUMBERS},
            clip=self.choice(plain, "clip", CLIPS, "off"),
            rate=self.number(plain, "rate", RATE, None),
            schedule=(schedule := self.choice(plain, "schedule", SCHEDULES, "constant")),
            schedule_hyper=self.knobs(plain, SCHEDULES[schedule].hypers, "schedule."),
            axis=self.choice(plain, "axis", AXES, "log"),
            projector=self.choice(plain, "projector", {"0": "", "1": ""}, "0") == "1",
            situation=self.choice(plain, "situation", self.situations, ""),
        )
        for key, value in plain.items():
            self.note(key, value, _("nothing of this name is known"))
        return replace(race, steps=int(race.steps), seed=int(race.seed)), self.notes

    def note(self, key: str, given: Any, allowed: str, **fields: str) -> None:
        text = given if isinstance(given, str) else json.dumps(given, default=str)
        self.notes.append(Note(key[:40], text if len(text) <= 40 else text[:39] + "…", allowed, fields))

    def choice(self, plain: dict[str, Any], key: str, allowed: Mapping[str, Any] | Sequence[str], default: str) -> str:
        if key not in plain:
            return default
        given = plain.pop(key)
        if isinstance(given, str) and given in allowed:
            return given
        self.note(key, given, _("one of {choices}"), choices=", ".join(allowed))
        return default

    def value(self, given: Any) -> float:
        """A finite float from text or a number; NaN for anything else."""
        if isinstance(given, str) and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", given[:60]):
            given = float(given[:60])
        if isinstance(given, (int, float)) and not isinstance(given, bool):
            try:
                number = float(given)
            except OverflowError:
                return math.nan
            return number if math.isfinite(number) else math.nan
        return math.nan

    def number(self, plain: dict[str, Any], key: str, hyper: Hyper, default: Any) -> Any:
        if key not in plain:
            return default
        given = plain.pop(key)
        value = self.value(given)
        try:
            return hyper.check_range(value, key)
        except ValueError:
            kind = _("a whole number from {low} to {high}") if hyper.whole else _("a number from {low} to {high}")
            self.note(key, given, kind, low=f"{hyper.low:g}", high=f"{hyper.high:g}")
            return default

    def knobs(self, plain: dict[str, Any], hypers: Sequence[Hyper], prefix: str = "") -> Values:
        read = {h.name: self.number(plain, prefix + h.name, h, h.default) for h in hypers}
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

    def lanes(self, given: list[dict[str, Any]]) -> tuple[Lane, ...]:
        lanes = []
        for number, plain in enumerate(given, 1):
            if plain == {"optimizer": "none"}:
                continue
            if number > MAX_LANES:
                self.note(f"o{number}", plain.get("optimizer"), _("at most {count} runners"), count=str(MAX_LANES))
                break
            plain = dict(plain)
            name = self.choice(plain, "optimizer", OPTIMIZERS, "") if "optimizer" in plain else ""
            if not name:
                if "optimizer" not in given[number - 1]:
                    self.note(f"o{number}", "", _("one of {choices}"), choices=", ".join(OPTIMIZERS))
                continue
            clipped = self.choice(plain, "clip", {"0": "", "1": ""}, "1") == "1"
            lanes.append(Lane(name, self.knobs(plain, OPTIMIZERS[name].hypers), clipped))
            for key, value in plain.items():
                has = ", ".join(h.name for h in OPTIMIZERS[name].hypers)
                self.note(f"o{number}.{key}", value, _("one of {choices}"), choices=has)
        return tuple(lanes)
