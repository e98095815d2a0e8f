"""The live knob: what of a race can be turned on the stage itself, and at which stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import landscapes
import optimizers
from descent.hyper import Hyper
from schedules import SCHEDULES
from ui.controls import FINE, grain, ladder, text
from ui.language import _
from ui.race import CLIP_AT, FACTOR, NOISE, RATE, Lane, Race, setting, with_knob
from ui.race_controls import lane_names

MOST_STOPS = 101


class Knob(NamedTuple):
    """A number of a race that can be turned while the race is watched.

    ``id`` is the key of its widget in the sidebar, which it shares with others if there are several ``widgets``;
    ``turn(value)`` is the race with the knob at that value.
    """

    id: str
    label: str
    group: str
    hyper: Hyper
    value: float
    turn: Callable[[float], Race]
    widgets: tuple[str, ...]

    @property
    def stops(self) -> tuple[float, ...]:
        """The values that it can be turned to, its own among them."""
        return stops(self.hyper, self.value)

    def text(self, value: float) -> str:
        """A value as the sidebar writes it."""
        return f"× {text(value)}" if self.hyper is FACTOR else text(value)


@lru_cache(maxsize=1024)
def stops(hyper: Hyper, value: float) -> tuple[float, ...]:
    """Values that the knob's slider can have, ascending: at most 101 of them, and ``value``.

    On a knob such as β₂, whose last thousandth matters as much as all the rest, they are dense towards 1.
    """
    low, high = hyper.low, hyper.high
    if hyper.scale == "log":
        found = ladder(low, high, value)
        return tuple(sorted({*found[:: -(-len(found) // MOST_STOPS)], value}))
    unit = grain(hyper)
    if 0.99 <= high < 1 and low < 0.5:
        near = {round(1 - float(f"{m}e{d}"), 4) for d in range(-4, 1) for m in FINE}
        return tuple(sorted({stop for stop in near if low <= stop <= high} | {low, value}))
    count = round((high - low) / unit)
    stride = next(m * 10**d for d in range(9) for m in (1, 2, 5) if count <= m * 10**d * (MOST_STOPS - 1))
    return tuple(sorted({*(round(low + k * unit, 9) for k in range(0, count + 1, stride)), value}))


def knobs(race: Race) -> list[Knob]:
    """All knobs of a race, learning rates first; none without runners."""
    if not race.lanes:
        return []
    names = lane_names(race)
    found = [*_rates(race, names), *_surface(race), *_runners(race, names), *_conditions(race)]
    return [knob for knob in found if knob.hyper.scale != "switch"]


def find(race: Race, id: str) -> Knob | None:
    """The knob of that id, if the race has it."""
    return next((knob for knob in knobs(race) if knob.id == id), None)


def menu(race: Race) -> list[list[Any]]:
    """What the stage needs of each knob before it is touched: id, label, group, value's text, its place, stops."""
    return [
        [k.id, k.label, k.group, k.text(k.value), k.stops.index(k.value), len(k.stops)] for k in knobs(race)
    ]  # fmt: skip


def _lane_with(race: Race, number: int, hyper: Hyper, value: float, part: str = "hyper") -> Race:
    lanes = list(race.lanes)
    values = with_knob(getattr(lanes[number], part), hyper, value)
    lanes[number] = replace(lanes[number], **{part: values})
    return replace(race, lanes=tuple(lanes))


def _rate_of(lane: Lane) -> Hyper | None:
    return next((h for h in optimizers.find(lane.optimizer).hypers if h.name == "learning_rate"), None)


def _rates(race: Race, names: Sequence[str]) -> Iterator[Knob]:
    group = _(RATE.label)
    if race.rate is not None:
        yield Knob("rate", group, group, RATE, race.rate, lambda value: replace(race, rate=value), ("rate",))
        return
    own = [(n, lane, hyper) for n, lane in enumerate(race.lanes) if (hyper := _rate_of(lane))]
    keys = tuple(f"{n}.{lane.optimizer}.learning_rate" for n, lane, _hyper in own)

    def all_by(factor: float) -> Race:
        turned = race
        for n, lane, hyper in own:
            value = float(f"{setting(lane.hyper, hyper) * factor:.4g}")
            turned = _lane_with(turned, n, hyper, min(max(value, hyper.low), hyper.high)) if factor != 1 else turned
        return turned

    if len(own) > 1:
        yield Knob(FACTOR.name, _(FACTOR.label), group, FACTOR, 1.0, all_by, keys)
    for (n, lane, hyper), key in zip(own, keys, strict=True):
        label = f"{_(hyper.label)} · {names[n]}"
        yield Knob(key, label, group, hyper, setting(lane.hyper, hyper), partial(_lane_with, race, n, hyper), (key,))


def _surface(race: Race) -> Iterator[Knob]:
    landscape = landscapes.find(race.landscape)
    for hyper in landscape.hypers:
        key = f"{landscape.id}.{hyper.name}"

        def turn(value: float, hyper: Hyper = hyper) -> Race:
            return replace(race, shape=with_knob(race.shape, hyper, value))

        yield Knob(key, _(hyper.label), _(landscape.name), hyper, setting(race.shape, hyper), turn, (key,))


def _runners(race: Race, names: Sequence[str]) -> Iterator[Knob]:
    for n, (lane, name) in enumerate(zip(race.lanes, names, strict=True)):
        for hyper in optimizers.find(lane.optimizer).hypers:
            if hyper.name != "learning_rate":
                key, label = f"{n}.{lane.optimizer}.{hyper.name}", f"{_(hyper.label)} · {name}"
                turn = partial(_lane_with, race, n, hyper)
                yield Knob(key, label, name, hyper, setting(lane.hyper, hyper), turn, (key,))
        for hyper in SCHEDULES[lane.schedule].hypers if lane.schedule else ():
            key, label = f"{n}.{lane.optimizer}.{lane.schedule}.{hyper.name}", f"{_(hyper.label)} · {name}"
            turn = partial(_lane_with, race, n, hyper, part="schedule_hyper")
            yield Knob(key, label, name, hyper, setting(lane.schedule_hyper, hyper), turn, (key,))


def _conditions(race: Race) -> Iterator[Knob]:
    group = _("Noise, clipping, schedule")
    for hyper in (NOISE, CLIP_AT) if race.clip != "off" else (NOISE,):

        def turn(value: float, hyper: Hyper = hyper) -> Race:
            return replace(race, **{hyper.name: value})

        yield Knob(hyper.name, _(hyper.label), group, hyper, getattr(race, hyper.name), turn, (hyper.name,))
    for hyper in SCHEDULES[race.schedule].hypers:
        key = f"{race.schedule}.{hyper.name}"

        def schedule(value: float, hyper: Hyper = hyper) -> Race:
            return replace(race, schedule_hyper=with_knob(race.schedule_hyper, hyper, value))

        yield Knob(key, _(hyper.label), group, hyper, setting(race.schedule_hyper, hyper), schedule, (key,))
