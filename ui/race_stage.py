"""The race's pictures: from trajectories to what the stage is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

import landscapes
import optimizers
from descent import Trajectory
from descent.field import Field, field
from descent.hyper import fill
from descent.landscape import CriticalPoints, Landscape
from descent.verdict import judge, off_slice, steps_to
from figures import Height, contour, loss_curves, surface
from landscapes.formula import FormulaLandscape
from ui import words
from ui.controls import text
from ui.export import file_name
from ui.language import _, language
from ui.race import Race
from ui.race_controls import lane_names, styles


def identity(race: Race) -> list[Any]:
    """The plain values that the still part of the picture depends on."""
    return [race.landscape, sorted(race.shape.items()), race.axis, race.projector, language()]


class Ground(NamedTuple):
    """The landscape of a race at its knobs, and how high it is drawn."""

    landscape: Landscape
    field: Field
    points: CriticalPoints
    minimum: float | None
    height: Height

    @classmethod
    def of(cls, race: Race) -> Ground:
        landscape = landscapes.find(race.landscape)
        shape = fill(landscape.hypers, race.shape, landscape.id)
        ground = field(landscape, shape)
        minimum = landscape.minimum(**shape)
        height = _height(landscape, ground.z, minimum)
        return cls(landscape, ground, landscape.critical_points(**shape), minimum, height)


def still(race: Race) -> dict[str, Any]:
    """The part of the picture that rests while runs change: surface, axes, words, look."""
    landscape, ground, points, minimum, height = Ground.of(race)
    distance = minimum is not None
    logarithmic = race.axis == "log" and (distance or float(np.nanmin(ground.z)) > 0)
    ordinate = _("loss − minimum") if distance and logarithmic else _("loss")
    return {
        "name": file_name(race.landscape),
        "contour": _plane(race, ground, height, points),
        "surface": surface(*ground, height, label=_("loss")),
        "loss": loss_curves(step=_("step"), loss=ordinate, logarithmic=logarithmic),
        "height": height.to_json(),
        "domain": landscape.domain,
        "minimum": minimum,
        "look": {
            "log": logarithmic,
            "distance": distance and logarithmic,
            "projector": race.projector,
            "slice": landscape.slice is not None,
        },
        "words": stage_words(),
    }


def _height(landscape: Landscape, z: np.ndarray, minimum: float | None) -> Height:
    """How losses become heights and colours. On a formula's surface they must not change once its minimum is found."""
    known = None if isinstance(landscape, FormulaLandscape) else minimum
    return Height.of(z, landscape.height == "log", known)


def _plane(race: Race, ground: Field, height: Height, points: CriticalPoints) -> dict[str, Any]:
    minima = [m.point for m in points.minima]
    names = (_("minimum"), _("saddle"))
    return contour(*ground, height, minima, points.saddles, names=names, label=_("loss"), key=race.landscape)


def stage_words() -> dict[str, str]:
    """All words on the stage itself."""
    return {
        "first": _("to the start (Home)"),
        "back": _("one step back (←)"),
        "play": _("play (space)"),
        "pause": _("pause (space)"),
        "on": _("one step on (→)"),
        "last": _("to the end (End)"),
        "speed": _("speed"),
        "loop": _("repeat"),
        "png": _("save the picture as PNG"),
        "scrub": _("step shown"),
        "step": _("step"),
        "loss": _("loss"),
        "start": _("start point: drag it, or move it with the arrow keys"),
        "live": _("Live"),
        "live_help": _(
            "Choose any knob of the race and drag it: paths, curves and numbers follow at once, without asking the "
            "server. Let go, and the slider on the left has the value. While you drag, long runs show a part of their "
            "steps, and large races a part of their stops."
        ),
        "runner": _("runner"),
        "position": _("position"),
        "verdict": _("verdict at the end"),
        "final": _("final loss"),
        "final_help": _("of the point that the method reports"),
        "reported": _(
            "Hollow markers on thin lines: the point that an averaging method reports, and that its verdict is about. "
            "Filled markers: where gradients are taken."
        ),
        "slope": _("‖∇f‖ at the end"),
        "reached": _("steps to tolerance"),
        "evaluations": _("gradient evaluations"),
        "loss_help": _("at the step shown, where the gradient is taken"),
        "position_help": _("at the step shown, where the gradient is taken"),
        "slope_help": _("norm of the gradient at the end point"),
        "reached_help": _("first step whose loss is within the tolerance of the lowest value"),
        "evaluations_help": _("how many gradients were computed in all"),
        "off": _("off the slice"),
        "off_help": _(
            "how far from the plane that is drawn the run was at its farthest, in the space of all parameters"
        ),
        "nobody": _("Nobody is running. Add an optimizer on the left."),
    }


def outcomes(race: Race, runs: Sequence[Trajectory]) -> list[dict[str, str]]:
    """What the table says at the end of each of these runs of the race."""
    landscape = landscapes.find(race.landscape)
    shape = fill(landscape.hypers, race.shape, landscape.id)
    minimum = landscape.minimum(**shape)
    found = []
    for run, verdict in zip(runs, judge(landscape, runs, shape) if runs else [], strict=True):
        said, evidence = words.verdict(verdict, landscape, shape)
        reached = steps_to(run, minimum, race.tolerance)
        found.append(
            {
                "kind": verdict.kind,
                "text": said,
                "help": evidence,
                "final": "✕" if run.diverged_at >= 0 else text(verdict.loss),
                "slope": "✕" if run.diverged_at >= 0 else text(verdict.gradient_norm),
                "reached": "–" if reached < 0 else str(reached),
                "evaluations": str(int(np.nansum(run.evaluations[:, 0]))),
                "off": "✕" if run.diverged_at >= 0 else text(round(off_slice(landscape, run, shape).max(), 5)),
            }
        )
    return found


def moving(race: Race, runs: Sequence[Trajectory]) -> dict[str, Any]:
    """The part that changes with every run: paths, start, verdicts, descriptions."""
    landscape = landscapes.find(race.landscape)
    names = lane_names(race)
    averaged = [run for run, lane in zip(runs, race.lanes, strict=True) if optimizers.find(lane.optimizer).report]
    lanes = [
        {
            "name": name,
            "style": asdict(style),
            "diverged": int(run.diverged_at),
            "reported": next((k for k, other in enumerate(averaged) if other is run), None),
            "verdict": outcome,
        }
        for run, style, name, outcome in zip(runs, styles(race), names, outcomes(race, runs), strict=True)
    ]
    where = {"landscape": _(landscape.name), "runners": words.join(names) or "–", "start": words.point(race.begin)}
    ends = words.join([f"{lane['name']} – {lane['verdict']['text']}" for lane in lanes])
    return {
        "start": list(race.begin),
        "runs": _tracks(race, runs, averaged) | {"lanes": lanes},
        "alt": {
            "contour": _("Contour of {landscape} with the paths of {runners} from {start}.").format(**where)
            + f" {ends}",
            "surface": _("{landscape} in perspective with the same paths.").format(**where),
            "loss": _("Loss against step of {runners}.").format(**where),
        },
    }


def _tracks(race: Race, runs: Sequence[Trajectory], averaged: Sequence[Trajectory]) -> dict[str, Any]:
    """Paths and losses of all runs, one behind the other."""

    def joined(runs: Sequence[Trajectory], name: str, *column: int) -> np.ndarray:
        return np.concatenate([getattr(r, name)[:, *column] for r in runs]) if runs else np.zeros(0, np.float32)

    return {
        "steps": race.steps,
        "x": joined(runs, "position", 0),
        "y": joined(runs, "position", 1),
        "losses": joined(runs, "loss"),
        "reported": {
            "x": joined(averaged, "reported", 0),
            "y": joined(averaged, "reported", 1),
            "losses": joined(averaged, "reported_loss"),
        },
    }


def ahead(race: Race, runs: Sequence[Trajectory]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of `still` and `moving` that need no critical points: the surface in the plane, and the paths."""
    landscape = landscapes.find(race.landscape)
    ground = field(landscape, race.shape)
    height = _height(landscape, ground.z, None)
    lanes = [
        {"style": asdict(style), "diverged": int(run.diverged_at), "reported": None}
        for run, style in zip(runs, styles(race), strict=True)
    ]
    still = {
        "name": file_name(race.landscape),
        "contour": _plane(race, ground, height, CriticalPoints(())),
        "height": height.to_json(),
        "domain": landscape.domain,
        "minimum": None,
        "look": {"log": False, "distance": False, "projector": race.projector, "slice": landscape.slice is not None},
        "words": stage_words(),
    }
    return still, {"start": list(race.begin), "runs": _tracks(race, runs, ()) | {"lanes": lanes}}
