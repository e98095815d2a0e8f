"""What the stage is sent of a live knob: the whole race at each of its stops, in at most 400 kB.

While the knob is dragged the stage draws from this alone. The runs are made one after the other by the program that
makes the race's own, so that they are the same bit for bit and nothing is compiled. All in one vectorized program they
would hardly be made sooner, and would be rounded otherwise: chaotic runs then end elsewhere, and jump when the knob is
let go.

What is sent is an image of them: positions to 1/16,000 of the picture, losses to 0.2 %. Of long runs a part of the
steps is sent, of large races a part of the stops, and what still is too much in fewer bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

import optimizers
from ui import live, race_stage
from ui.language import language
from ui.race import Race
from ui.race_controls import lane_names
from ui.runner import run_one
from ui.stage import desk
from ui.stage.payload import LEVELS, pack

BYTES = 400_000
STEPS = 3_000_000  # that are computed in all: 101 stops of 6 runners × 5,000 steps
FEWEST_STOPS, FEWEST_STEPS = 16, 501  # that are worth dragging, and looking at


class Plan(NamedTuple):
    """How much to send of what was computed."""

    points: int  # of all paths at all stops
    coarser: int  # how many bits less than there are
    every: int  # how many of the surface's points are one
    levels: int  # how many levels of the surface are one


# Until it is small enough. The last is, however badly it deflates.
PLANS = (
    Plan(360_000, 0, 1, 4),  # 101 stops of 7 runners × 500 steps, all of it
    Plan(360_000, 2, 1, 16),
    Plan(240_000, 3, 1, 16),
    Plan(160_000, 3, 2, 16),
    Plan(100_000, 4, 2, 64),
    Plan(45_000, 4, 2, 64),
)

# A coordinate is a 16-bit level: linear from the picture's centre to its edge, and logarithmic beyond. So is a loss,
# logarithmic above the reference.
EDGE, DOUBLING, LAST = 8_191, 1_229, 32_767
TINY = 1e-14  # where the chart of losses ends

Tree = dict[str, Any]


class Track(NamedTuple):
    """Where a runner is taken, or what it reports: (points,) each."""

    x: np.ndarray  # the picture's edge is ±1
    y: np.ndarray
    loss: np.ndarray  # above the reference


class Stop(NamedTuple):
    """The race at one stop, as far as the knob moves it."""

    value: float
    names: list[str]
    outcomes: list[dict[str, str]]
    diverged: list[int]
    paths: list[Track]
    reported: list[Track | None]
    reference: float
    ground: Tree | None


def packet(
    race: Race, id: str, have: str = "", cancelled: Callable[[], bool] = lambda: False
) -> tuple[Tree, bytes] | None:
    """All that the stage needs to show a race at every stop of a knob: as a tree, and as the bytes that are sent.

    ``have`` is the key of what the browser already has: if that is still right, it is told so. None if the race
    has no such knob, or nobody wants to know any more.
    """
    knob = live.find(race, id)
    if knob is None:
        return None
    tree: Tree = {"knob": id, "key": key(race, knob)}
    if tree["key"] == have:
        return tree, pack({"live": tree})
    races = {value: knob.turn(value) for value in knob.stops}
    specs = [one.runs() for one in races.values()]
    moved = [n for n, spec in enumerate(specs[0]) if any(other[n] != spec for other in specs)]
    tracks = sum(1 + (optimizers.find(race.lanes[n].optimizer).report is not None) for n in moved)
    surface = any(one.shape != race.shape for one in races.values())
    share = min(1.0, STEPS / (len(races) * len(moved) * (race.steps + 1)))
    stops, steps = fit(len(races), knob.stops.index(knob.value), race.steps + 1, tracks, PLANS[0].points, share)
    found = []
    for value in (knob.stops[k] for k in stops):
        if cancelled():
            return None
        found.append(_stop(races[value], value, moved, steps, surface))
    sent = b""
    for plan in PLANS:
        here = [stop.value for stop in found].index(knob.value)
        stops, points = fit(len(found), here, len(steps), tracks, plan.points)
        tree |= _tree(knob, [found[k] for k in stops], moved, steps, points, plan)
        sent = pack({"live": tree}, 6)
        if len(sent) <= BYTES:
            break
    return tree, sent


def answers(race: Race) -> desk.Answer:
    """How questions about the knobs of a race are answered, in the language of the session that this is called in."""
    session = copy_context()

    def answer(question: Tree, cancelled: Callable[[], bool]) -> bytes | None:
        found = session.copy().run(packet, race, str(question["knob"]), str(question["have"]), cancelled)
        return found and found[1]

    return answer


def key(race: Race, knob: live.Knob) -> str:
    """Of what a packet depends on: the race but for where the knob stands, and the language."""
    same = replace(knob.turn(knob.stops[0]), axis="log", projector=False, situation="")
    return hashlib.sha256(repr((same, knob.id, knob.stops, language())).encode()).hexdigest()[:16]


def fit(
    stops: int, here: int, steps: int, tracks: int, points: int, share: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the stops, always ``here``, and which of the steps of each track to keep, so that few enough points do.

    Stops are given up before a track has too few steps, and steps before there are too few stops.
    """
    worth = min(steps, FEWEST_STEPS)
    count = min(max(FEWEST_STOPS, points // (tracks * worth)), max(FEWEST_STOPS, int(share * stops)), stops)
    kept = np.unique(np.r_[np.linspace(0, stops - 1, count).round().astype(int), here])
    return kept, some(steps, max(points // (tracks * len(kept)), 8))


def some(steps: int, count: int) -> np.ndarray:
    """``count`` of the steps 0 … ``steps`` − 1: the first half of them one after the other, then pairs.

    Pairs show a zigzag as one, which every tenth step would not.
    """
    if steps <= count:
        return np.arange(steps)
    first = count // 2
    pairs = np.linspace(first, steps - 2, (count - first) // 2).round().astype(int)
    return np.unique(np.r_[np.arange(first), pairs, pairs + 1])


def _stop(race: Race, value: float, moved: Sequence[int], steps: np.ndarray, surface: bool) -> Stop:
    lanes = [race.lanes[n] for n in moved]
    runs = [run_one(race.run(lane)) for lane in lanes]
    names = lane_names(race)
    ground = race_stage.Ground.of(race)
    (x0, x1), (y0, y1) = ground.landscape.domain
    reference = ground.height.base if ground.minimum is None else ground.minimum
    paths: list[Track] = []
    reported: list[Track | None] = []
    for lane, run in zip(lanes, runs, strict=True):
        # A run that diverged stays where it was last.
        last = len(run.loss) - 1 if run.diverged_at < 0 else max(int(run.diverged_at) - 1, 0)
        at = np.minimum(steps, last)

        def track(position: np.ndarray, loss: np.ndarray, at: np.ndarray = at) -> Track:
            x, y = position[at].T.astype(np.float64)
            above = np.nan_to_num(loss[at].astype(np.float64) - reference)
            return Track((2 * x - x0 - x1) / (x1 - x0), (2 * y - y0 - y1) / (y1 - y0), above)

        paths.append(track(run.position, run.loss))
        averages = optimizers.find(lane.optimizer).report is not None
        reported.append(track(run.reported, run.reported_loss) if averages else None)
    return Stop(
        value,
        [names[n] for n in moved],
        [{**outcome, "help": ""} for outcome in race_stage.outcomes(race, runs)],
        [int(run.diverged_at) for run in runs],
        paths,
        reported,
        reference,
        _rest(ground) if surface else None,
    )


def _rest(ground: race_stage.Ground) -> Tree:
    """What rests while runs change, and moves with a knob of the landscape."""
    return {
        "z": ground.height(ground.field.z[::2, ::2]),
        "height": ground.height.to_json(),
        "minimum": ground.minimum,
        "minima": [m.point for m in ground.points.minima],
        "saddles": list(ground.points.saddles),
    }


def _tree(
    knob: live.Knob, stops: list[Stop], moved: Sequence[int], steps: np.ndarray, points: np.ndarray, plan: Plan
) -> Tree:
    def losses() -> Iterator[np.ndarray]:
        for stop in stops:
            for track in (*stop.paths, *stop.reported):
                if track is not None:
                    yield np.abs(track.loss[points])

    sizes = np.concatenate([*losses(), [1.0]])
    low, high = np.log2(max(sizes[sizes > 0].min(), TINY)), np.log2(sizes.max()) + 1e-9

    def packed(tracks: Sequence[Track | None]) -> Tree | None:
        if any(track is None for track in tracks):
            return None
        x, y, loss = (np.stack(parts)[:, points] for parts in zip(*filter(None, tracks), strict=True))
        return {"x": levels(x, plan.coarser), "y": levels(y, plan.coarser), "loss": sizes_of(loss)}

    def sizes_of(loss: np.ndarray) -> np.ndarray:
        top = (LAST >> plan.coarser) - 1
        size = np.abs(loss)
        share = (np.log2(np.maximum(size, TINY)) - low) / (high - low)
        return np.where(size < TINY, 0, np.sign(loss) * (1 + np.round(np.clip(share, 0, 1) * top))).astype(np.int16)

    lanes = [
        {
            "lane": n,
            "names": [stop.names[k] for stop in stops],
            "verdicts": [stop.outcomes[k] for stop in stops],
            "diverged": [stop.diverged[k] for stop in stops],
            "path": packed([stop.paths[k] for stop in stops]),
            "reported": packed([stop.reported[k] for stop in stops]),
        }
        for k, n in enumerate(moved)
    ]
    return {
        "at": [stop.value for stop in stops].index(knob.value),
        "values": [stop.value for stop in stops],
        "texts": [knob.text(stop.value) for stop in stops],
        "steps": steps[points].astype(np.float32),
        "coarser": plan.coarser,
        "range": [float(low), float(high)],
        "references": [stop.reference for stop in stops],
        "lanes": lanes,
        "grounds": [_coarse(stop.ground, plan) for stop in stops if stop.ground],
    }


def levels(shares: np.ndarray, coarser: int) -> np.ndarray:
    """Coordinates (±1 at the picture's edge) as int16 levels, of ``coarser`` bits less."""
    size = np.abs(shares)
    level = np.where(size > 1, EDGE + DOUBLING * np.log2(np.maximum(size, 1)), EDGE * size)
    return np.round(np.sign(shares) * np.minimum(level, LAST) / (1 << coarser)).astype(np.int16)


def _coarse(ground: Tree, plan: Plan) -> Tree:
    steps = LEVELS / plan.levels
    return ground | {"z": np.round(ground["z"][:: plan.every, :: plan.every] * steps) / steps}
