"""The schedules' pictures: from trajectories to what their stage is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from descent import Trajectory
from figures import loss_curves, sweep_curve
from ui import race_stage
from ui.controls import text
from ui.language import _, language
from ui.race import STEPS, Race
from ui.race_controls import lane_names
from ui.schedules import Plan, events, rates, tested, two_digits


def identity(race: Race) -> list[Any]:
    """The plain values that the still part of the picture depends on."""
    return ["schedules", *race_stage.identity(race)]


def still(race: Race) -> dict[str, Any]:
    """The race's, with axes for the rates instead of the perspective."""
    rests = {name: part for name, part in race_stage.still(race).items() if name != "surface"}
    axes = loss_curves(step="", loss=_("learning rate α"), logarithmic=False)
    axes["layout"]["margin"] |= {"t": 14, "b": 20}
    words = rests["words"] | {"horizon": _("number of steps T: drag it, or move it with the arrow keys")}
    return rests | {"rates": axes, "words": words, "longest": int(STEPS.high)}


def moving(race: Race, runs: Sequence[Trajectory]) -> dict[str, Any]:
    """The part that changes with every run: what the race's has, the rates, and where the loss has lowered them."""
    moves = race_stage.moving(race, runs)
    for lane, found, run in zip(race.lanes, moves["runs"]["lanes"], runs, strict=True):
        found["events"] = events(race, lane, run)
    all_rates = [rates(race, lane, run) for lane, run in zip(race.lanes, runs, strict=True)]
    moves["runs"]["rates"] = np.concatenate(all_rates) if all_rates else np.zeros(0, np.float32)
    moves["alt"]["rates"] = _("Learning rate against step of {runners}.").format(runners=", ".join(lane_names(race)))
    return moves


def range_picture(plan: Plan) -> tuple[dict[str, Any], list[tuple[str, float]]]:
    """Loss against learning rate, and the rates that it suggests with the rule that each comes from.

    Raises ``ValueError`` where the first rate is not below the last.
    """
    found = tested(plan)
    rules = [(_("lowest loss / 10"), found.below_lowest), (_("steepest fall"), found.steepest)]
    suggested = [(rule, rate) for rule, rate in rules if np.isfinite(rate)]
    figure = sweep_curve(
        found.learning_rate,
        found.loss,
        found.smoothed,
        [(f"{rule}: α = {text(two_digits(rate))}", rate) for rule, rate in suggested],
        words=(_("learning rate α"), _("loss"), _("smoothed")),
        logarithmic=plan.race.axis == "log",
    )
    alt = _("Loss against the learning rate of a range test.")
    chart = {"name": "sweep", "wide": 20, "tall": "clamp(300px, calc(100vh - 250px), 900px)", "rest": "", "alt": alt}
    return {"charts": [chart | figure]}, suggested


def range_identity(plan: Plan) -> list[Any]:
    """The plain values that what rests of `range_picture` depends on."""
    return ["range", plan.race.projector, language()]


def range_still(plan: Plan) -> dict[str, Any]:
    """What rests of `range_picture`: how it looks."""
    return {"figures": {}, "look": {"projector": plan.race.projector}}
