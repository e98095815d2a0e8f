"""What the stage is sent of a race, made without a page around it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from descent import Trajectory
from descent.spec import Values
from landscapes import LANDSCAPES
from lessons.situations import run
from optimizers import OPTIMIZERS
from ui import race_stage
from ui.race import Lane, Race
from ui.stage.payload import pack

AVERAGING = [optimizer.id for optimizer in OPTIMIZERS.values() if optimizer.report]


def path(race: Race, steps: int) -> Trajectory:
    """A run that creeps away from the start: nothing need be compiled for it."""
    landscape, t = LANDSCAPES[race.landscape], np.arange(steps + 1)
    position = np.float32(race.begin) + 0.001 * np.stack([t, -t], -1, dtype=np.float32)
    loss = np.float32([landscape.fn(point, **{h.name: h.default for h in landscape.hypers}) for point in position])
    moves = np.zeros((steps, 2))
    gradient = np.zeros_like(position)
    counts = np.ones((steps, 3))
    params = landscape.lift(position, **{h.name: h.default for h in landscape.hypers})
    return Trajectory(
        position, loss, gradient, moves, moves[:, 0], moves, moves, position, loss, params, counts, np.array(-1)
    )


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_every_landscape_is_drawn_with_a_path_and_a_verdict(landscape: str) -> None:
    race = Race(landscape=landscape, lanes=(Lane("sgd"), Lane("adam")), steps=3)
    runs = [path(race, 3)] * 2
    message = {"still": race_stage.still(race), **race_stage.moving(race, runs)}
    for lane in message["runs"]["lanes"]:
        assert lane["verdict"]["text"] and math.isfinite(float(lane["verdict"]["final"]))
        assert lane["verdict"]["evaluations"] == "3"
    assert message["still"]["name"] == landscape and message["runs"]["x"].shape == (8,)
    assert len(pack(message)) < 40_000


def test_what_averaging_methods_report_is_drawn_and_judged() -> None:
    """The mean of a noisy path lies on the minimum when the path itself does not."""
    knobs = Values(learning_rate=0.05)
    lanes = (Lane("sgd", knobs), Lane("polyak_average", Values(knobs, burn_in=100)))
    race = Race("ellipse", lanes=lanes, steps=2_000, noise=3.0)
    runs = [run(spec) for spec in race.runs()]
    sent = race_stage.moving(race, runs)["runs"]
    assert [lane["reported"] for lane in sent["lanes"]] == [None, 0]
    np.testing.assert_array_equal(sent["reported"]["losses"], runs[1].reported_loss)
    assert runs[1].reported_loss[-1] < runs[1].loss[-1] / 10
    assert float(sent["lanes"][1]["verdict"]["final"]) == pytest.approx(runs[1].reported_loss[-1], rel=1e-3)
    assert float(sent["lanes"][0]["verdict"]["final"]) == pytest.approx(runs[0].loss[-1], rel=1e-3)


def test_a_race_of_all_that_average_takes_few_bytes() -> None:
    race = Race("rosenbrock", lanes=tuple(map(Lane, AVERAGING)))
    assert len(AVERAGING) >= 4
    assert len(pack(race_stage.moving(race, [run(spec) for spec in race.runs()]))) < 64_000


def test_of_a_slice_the_table_says_how_far_runs_left_it() -> None:
    race = Race("linear_layer", lanes=(Lane("adam", Values(learning_rate=0.05)), Lane("sgd")), steps=60)
    message = {"still": race_stage.still(race), **race_stage.moving(race, [run(spec) for spec in race.runs()])}
    assert message["still"]["look"]["slice"] and not race_stage.still(Race())["look"]["slice"]
    adam, descent = (lane["verdict"] for lane in message["runs"]["lanes"])
    assert float(adam["off"]) > 0.1 > float(descent["off"])
    assert adam["help"].endswith("0.03915 off the slice"), "the evidence is about the end point"
