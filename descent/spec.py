"""A run in plain values: at once cache key, URL, lesson preset, test case and what "export" writes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from descent.hyper import as_float


class Values(dict[str, float]):
    """Knob values by name: a mapping that can be hashed, so that a spec can be a cache key. Do not mutate."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@dataclass(frozen=True)
class RunSpec:
    """Everything that determines one run. Ids are those of LANDSCAPES, OPTIMIZERS and SCHEDULES.

    Only the form is checked here (`ValueError`); what the ids and knobs mean is checked where they are
    looked up. Missing knobs take their declared default. ``clip_value`` and ``clip_norm`` of None clip nothing.
    """

    landscape: str
    optimizer: str
    start: tuple[float, float]
    steps: int = 500
    hyper: Mapping[str, float] = field(default_factory=Values)
    shape: Mapping[str, float] = field(default_factory=Values)
    schedule: str = "constant"
    schedule_hyper: Mapping[str, float] = field(default_factory=Values)
    noise: float = 0.0
    relative_noise: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        start = self.start
        if isinstance(start, str) or not isinstance(start, Iterable) or len(start := tuple(start)) != 2:
            raise ValueError(f"start must be two numbers [x, y]; {self.start!r} was given")
        object.__setattr__(self, "start", tuple(_number("start", v) for v in start))
        for name in ("landscape", "optimizer", "schedule"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be an id in quotes; {getattr(self, name)!r} was given")
        for name in ("steps", "seed"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise ValueError(f"{name} must be a whole number; {value!r} was given")
            object.__setattr__(self, name, int(value))
        for name in ("noise", "relative_noise"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        for name in ("clip_value", "clip_norm"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _number(name, getattr(self, name)))
        for name in ("hyper", "shape", "schedule_hyper"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise ValueError(f"{name} must map names to numbers; {given!r} was given")
            object.__setattr__(self, name, Values({str(k): _number(k, v) for k, v in given.items()}))

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers, ready for `json.dumps`."""
        return asdict(self) | {name: dict(getattr(self, name)) for name in ("hyper", "shape", "schedule_hyper")}

    @classmethod
    def from_json(cls, given: Any) -> RunSpec:
        """The inverse of `to_json`; also takes its text. Raises ``ValueError`` that says what is wrong."""
        if isinstance(given, (str, bytes)):
            try:
                given = json.loads(given)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"this is not JSON: {error}") from None
        if not isinstance(given, Mapping):
            raise ValueError(f"a run is an object with the keys {_names(cls)}; {type(given).__name__} was given")
        for key in given:
            if key not in {f.name for f in fields(cls)}:
                raise ValueError(f"unknown key {key!r}; a run has {_names(cls)}")
        for key in ("landscape", "optimizer", "start"):
            if key not in given:
                raise ValueError(f"the key {key!r} is missing")
        return cls(**given)


def _names(cls: type) -> str:
    return ", ".join(f.name for f in fields(cls))


def _number(name: object, value: object) -> float:
    number = math.nan if isinstance(value, bool) or not isinstance(value, Real) else as_float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number; {value!r} was given")
    return number
