"""The microscope's pictures: from a run that was taken apart to what its stage is sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

import landscapes
import optimizers
from descent.field import field
from descent.hyper import fill
from descent.microscope import Anatomy, adapted, unified
from descent.verdict import KINDS
from figures import COORDINATES, Height, LaneStyle, contour, lane_styles, trace_axes
from figures.style import PALETTE, style_number
from ui import words
from ui.language import _, language
from ui.microscope import HOME, Scope
from ui.race_controls import LOOKS
from ui.race_stage import stage_words

INK, LIMIT = LaneStyle(*PALETTE[0], (), "circle"), LaneStyle(*PALETTE[1], (5, 3), "")
ARROWS = {"gradient": PALETTE[3], "direction": PALETTE[4]}


def scaled(anatomy: Anatomy) -> bool:
    """Does the rule divide by something that is not 1?"""
    scale = anatomy.trajectory.scale
    return bool((scale[np.isfinite(scale)] != 1).any())


def identity(scope: Scope) -> list[Any]:
    """The plain values that the still part of the picture depends on."""
    race = scope.race
    return ["microscope", race.landscape, sorted(race.shape.items()), race.projector, language()]


def still(scope: Scope) -> dict[str, Any]:
    """The part that rests: the surface, the words, the look."""
    landscape = landscapes.find(scope.race.landscape)
    shape = fill(landscape.hypers, scope.race.shape, landscape.id)
    ground, points = field(landscape, shape), landscape.critical_points(**shape)
    height = Height.of(ground.z, landscape.height == "log", landscape.minimum(**shape))
    return {
        "name": landscape.id,
        "contour": contour(
            *ground,
            height,
            [m.point for m in points.minima],
            points.saddles,
            names=(_("minimum"), _("saddle")),
            label=_("loss"),
            key=landscape.id,
        ),
        "height": height.to_json(),
        "domain": landscape.domain,
        "look": {"projector": scope.race.projector},
        "words": stage_words() | _words(),
        "colours": {name: {"light": light, "dark": dark} for name, (light, dark) in ARROWS.items()},
    }


def _words() -> dict[str, Any]:
    return {
        "gradient": _("−∇f"),
        "direction": _("−M"),
        "update": _("Δθ"),
        "metric": _("the rule's metric"),
        "hessian": _("Hessian"),
        "dome": _("Hessian: down everywhere"),
        "indefinite": _("Hessian: up (solid), down (dashed)"),
        "trough": _("Hessian: level along the line"),
        "fork": _("fork"),
        "fork_help": _("turn a knob at the step shown, and see the other future"),
        "ellipses": _("ellipses"),
        "ellipses_help": _("the metric of the rule against the curvature of the surface, both of one area"),
        "reported_here": _("reported"),
        "other": _("other future"),
        "diverged": _("diverged"),
        "kinds": {
            "minimum": _("at a minimum"),
            "saddle": _("at a saddle"),
            "maximum": _("at a maximum"),
            "plateau": _("on a plateau"),
            "moving": _("on a slope"),
        },
        "shapes": {
            "bowl": _("curves up in all directions"),
            "saddle": _("curves up in one direction and down in the other"),
            "dome": _("curves down in all directions"),
            "trough": _("is straight in one direction"),
        },
        "below": _("below it"),
        "above": _("above it"),
        "no_limit": _("no curvature limits it here"),
    }


def _line(series: str, label: str, style: LaneStyle, faint: bool = False) -> dict[str, Any]:
    look = asdict(style) | ({"dash": (4, 3), "marker": ""} if faint else {})
    return {"series": series, "label": label, "style": look, "faint": faint}


def _spans(values: np.ndarray) -> bool:
    """Does a logarithmic axis suit?"""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() >= 0 and finite.max() > 0)


def traces(scope: Scope, anatomy: Anatomy) -> list[dict[str, Any]]:
    """The four small charts: what stands on their axes, and which series they show."""
    optimizer = optimizers.find(scope.lane.optimizer)
    x, y = COORDINATES
    sizes = {name: values.shape[1] for name, values in shown_states(anatomy).items()}
    raw = {name: f"s{number}" for number, (name, size) in enumerate(sizes.items()) if size == 2 and name in "mv"}

    def both(series: str, label: str, past: str | None = None, name: str = "") -> list[dict[str, Any]]:
        lines = [_line(f"{series}x", f"{label}₁", x), _line(f"{series}y", f"{label}₂", y)]
        if past:
            lines += [_line(f"{past}a", f"{name}₁", x, True), _line(f"{past}b", f"{name}₂", y, True)]
        return lines

    def chart(title: str, lines: list[dict[str, Any]], logarithmic: bool) -> dict[str, Any]:
        return {"figure": trace_axes(title, logarithmic=logarithmic), "lines": lines, "log": logarithmic}

    divides = scaled(anatomy)
    whole = unified(optimizer, landscapes.find(scope.race.landscape))
    if whole:
        charts = [chart(_("effective learning rate α/(√G + ε)"), both("e", "α"), True)]
        charts.append(chart(_("direction M"), both("m", "M", raw.get("m"), "m"), False))
    else:
        charts = [chart(_("length of the step"), [_line("ratio", "‖Δθ‖/‖g‖", INK)], True)]
        charts.append(chart(_("gradient g"), both("g", "g"), False))
    if divides and whole:
        charts.append(chart(_("scale G"), both("s", "G", raw.get("v"), "v"), True))
    else:
        charts.append(chart(_("loss"), [_line("loss", "L", INK)], _spans(anatomy.trajectory.loss)))
    if not adapted(optimizer):
        title, names = _("sharpness λmax"), ("λ", _("2/α of SGD"))
    elif optimizer.metric is None and whole and not divides:
        title, names = _("sharpness λmax"), ("λ", _("limit c/α"))
    else:
        title, names = _("sharpness in the metric"), ("λ", _("limit c/α"))
    charts.append(chart(title, [_line("sharp", names[0], INK), _line("limit", names[1], LIMIT)], True))
    return charts


def series(scope: Scope, anatomy: Anatomy) -> dict[str, np.ndarray]:
    """All numbers, as one array a quantity with an entry for each step and one for the end."""
    optimizer, run = optimizers.find(scope.lane.optimizer), anatomy.trajectory

    def moves(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, [np.nan]]).astype(np.float32)

    angle = np.degrees(np.arctan2(anatomy.eigenvectors[:, 1, 1], anatomy.eigenvectors[:, 0, 1]))
    out = {"x": run.position[:, 0], "y": run.position[:, 1], "loss": run.loss}
    out |= {"gx": run.gradient[:, 0], "gy": run.gradient[:, 1]}
    out |= {"l1": anatomy.eigenvalues[:, 0], "l2": anatomy.eigenvalues[:, 1], "phi": angle % 180}
    out |= {"kind": anatomy.kinds.astype(np.float32)}
    out |= {"ux": moves(run.update[:, 0]), "uy": moves(run.update[:, 1]), "alpha": moves(run.learning_rate)}
    out |= {"sharp": moves(anatomy.sharpness), "limit": moves(anatomy.limit)}
    if unified(optimizer, landscapes.find(scope.race.landscape)):
        out |= {"mx": moves(run.direction[:, 0]), "my": moves(run.direction[:, 1]), "eps": moves(anatomy.eps)}
        out |= {"sx": moves(run.scale[:, 0]), "sy": moves(run.scale[:, 1])}
    if has_rest(anatomy):
        out |= {"rx": moves(anatomy.rest[:, 0]), "ry": moves(anatomy.rest[:, 1])}
    if handed_apart(scope):
        out |= {"hx": moves(anatomy.handed[:, 0]), "hy": moves(anatomy.handed[:, 1])}
    if optimizer.metric or not unified(optimizer, landscapes.find(scope.race.landscape)):
        (a, b), (_c, d) = anatomy.metric.transpose(1, 2, 0)
        out |= {"a": moves(a), "b": moves(b), "d": moves(d)}
    for number, values in enumerate(shown_states(anatomy).values()):
        out |= {f"s{number}{'abcd'[k]}": moves(values[:, k]) for k in range(values.shape[1])}
    for number, points in enumerate(anatomy.probes.values()):
        out |= {f"p{number}x": moves(points[:, 0]), f"p{number}y": moves(points[:, 1])}
    if optimizer.report:
        out |= {"qx": run.reported[:, 0], "qy": run.reported[:, 1]}
    return {name: np.asarray(values, np.float32) for name, values in out.items()}


def shown_states(anatomy: Anatomy) -> dict[str, np.ndarray]:
    """The parts of the state that are short enough to be read."""
    return {name: values for name, values in anatomy.states.items() if values.shape[1] <= 4}


def has_rest(anatomy: Anatomy) -> bool:
    """Has the update something on top of the unified form that is more than rounding?"""
    rest, update = np.abs(anatomy.rest), np.abs(anatomy.trajectory.update)
    finite = np.isfinite(rest)
    return bool(finite.any() and rest[finite].max() > 1e-5 * update[finite].max())


def handed_apart(scope: Scope) -> bool:
    """Was the rule given another gradient than the surface's?"""
    return scope.race.noise > 0 or scope.race.clip != "off"


def moving(scope: Scope, anatomy: Anatomy, other: Anatomy | None) -> dict[str, Any]:
    """The part that changes with every run: all its numbers, the other future, descriptions."""
    optimizer, run = optimizers.find(scope.lane.optimizer), anatomy.trajectory
    landscape = landscapes.find(scope.race.landscape)
    (style,) = lane_styles(LOOKS, [optimizer.id])
    at = scope.fork.at if scope.fork else 0
    charts = traces(scope, anatomy)
    ghost = None
    if other is not None:
        future = other.trajectory
        colour = style_number(4)
        ghost = {
            "at": at,
            "diverged": int(future.diverged_at),
            "style": asdict(colour) | {"dash": (4, 2)},
            "x": future.position[at:, 0],
            "y": future.position[at:, 1],
            "losses": future.loss[at:],
        }
    where = {"landscape": _(landscape.name), "optimizer": _(optimizer.name), "start": words.point(scope.race.begin)}
    return {
        "start": list(scope.race.begin),
        "home": min(HOME, scope.race.steps),
        "runs": {"steps": scope.race.steps, "diverged": int(run.diverged_at)},
        "style": asdict(style),
        "name": _(optimizer.name),
        "series": series(scope, anatomy),
        "unified": unified(optimizer, landscape),
        "probes": [_(name) for name in anatomy.probes],
        "charts": charts,
        "kinds": list(KINDS),
        "ghost": ghost,
        "alt": {
            "contour": _(
                "Contour of {landscape} with the path of {optimizer} from {start}, and arrows at the step shown."
            ).format(**where),
            "charts": [chart["figure"]["layout"]["annotations"][0]["text"] for chart in charts],
        },
    }
