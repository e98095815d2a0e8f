"""What is said of update rules, as claims that are measured on the run at hand: true here, or not.

A claim is about a kind of rule, told by what its declaration has, and says what it measured either way. Turning the
knob that it is about turns the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from descent.microscope import Anatomy, adapted
from descent.optimizer import Optimizer
from descent.text import _
from optimizers import stability
from optimizers.curvature import CRITICAL


class Measured(NamedTuple):
    """Does a claim hold on a run, and the numbers that say so, by the names in the claim's ``evidence``."""

    holds: bool
    numbers: dict[str, float]


@dataclass(frozen=True)
class Claim:
    """``applies(optimizer)`` says of which rules it speaks; ``measure`` gives None where a run cannot tell."""

    id: str
    sentence: str
    evidence: str
    applies: Callable[[Optimizer], bool]
    measure: Callable[[Anatomy, Mapping[str, float]], Measured | None] = field(repr=False)


def measured(anatomy: Anatomy, optimizer: Optimizer, hyper: Mapping[str, float]) -> list[tuple[Claim, Measured]]:
    """All claims about this rule that the run can tell, in their order. ``hyper`` has all of its knobs."""
    found = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for claim in CLAIMS:
            result = claim.measure(anatomy, hyper) if claim.applies(optimizer) else None
            if result is not None and all(np.isfinite(number) for number in result.numbers.values()):
                found.append((claim, result))
    return found


def _finite_steps(anatomy: Anatomy) -> slice:
    diverged = int(anatomy.trajectory.diverged_at)
    return slice(0, anatomy.trajectory.steps if diverged < 0 else max(diverged - 1, 0))


def _scaled(anatomy: Anatomy) -> bool:
    scale = anatomy.trajectory.scale[_finite_steps(anatomy)]
    return bool((np.isfinite(scale) & (scale != 1)).any())


def _first_step(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    run = anatomy.trajectory
    sloping = np.abs(run.gradient[0]) > 0
    if not run.steps or not sloping.any():
        return None
    lengths = np.abs(run.update[0] - anatomy.rest[0])[sloping] / run.learning_rate[0]
    most = lengths[np.abs(lengths - 1).argmax()]
    return Measured(bool(abs(most - 1) < 0.01), {"length": float(most)})


def _epsilon(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    steps = _finite_steps(anatomy)
    eps = anatomy.eps[steps, None]
    shares = eps / (np.sqrt(anatomy.trajectory.scale[steps]) + eps)
    if not shares.size or not np.isfinite(shares).any():
        return None
    t, k = np.unravel_index(np.nanargmax(shares), shares.shape)
    return Measured(bool(shares[t, k] < 0.01), {"share": 100 * float(shares[t, k]), "step": float(t + 1)})


def _gain(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    velocity = anatomy.states["velocity"][_finite_steps(anatomy)]
    if not velocity.size:
        return None
    rho, full = hyper["momentum"], 1 / (1 - hyper["momentum"])
    # What entered the velocity, which is not the surface's own gradient where there is noise or clipping.
    gradient = np.abs(velocity - rho * np.concatenate([0 * velocity[:1], velocity[:-1]]))
    late = min(int(10 * full), len(gradient))  # older ones have faded to 5e−5
    if rho == 0:
        return None
    most = sliding_window_view(np.concatenate([np.zeros((late - 1, gradient.shape[1])), gradient]), late, axis=0).max(
        -1
    )
    gain = np.where(most > 0, np.abs(velocity) / most, 0).max(1)
    t = int(gain.argmax())
    return Measured(bool(gain[t] >= 0.9 * full), {"gain": float(gain[t]), "step": float(t + 1), "full": full})


def _grows(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    scale = anatomy.trajectory.scale[_finite_steps(anatomy)]
    if len(scale) < 2 or not _scaled(anatomy):
        return None
    shrank = int((np.diff(scale, axis=0) < -1e-6 * scale[1:]).any(1).sum())
    return Measured(shrank == 0, {"count": float(shrank), "steps": float(len(scale) - 1)})


def _bounded(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    run, steps = anatomy.trajectory, _finite_steps(anatomy)
    signs = np.isin(run.direction[steps], (-1, 0, 1)).all()
    if not run.update[steps].size or not (_scaled(anatomy) or signs):
        return None
    lengths = np.abs(run.update[steps] - anatomy.rest[steps]).max(1) / run.learning_rate[steps]
    if not np.isfinite(lengths).any():
        return None
    t = int(np.nanargmax(lengths))
    return Measured(bool(lengths[t] <= 1.0001), {"length": float(lengths[t]), "step": float(t + 1)})


def _downhill(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    run = anatomy.trajectory
    loss = run.loss[np.isfinite(run.loss)].astype(np.float64)
    if len(loss) < 2:
        return None
    # What rounding alone could do does not count.
    up = np.diff(loss) > 4 * np.finfo(run.loss.dtype).eps * np.abs(loss[1:]).max()
    return Measured(not up.any(), {"count": float(up.sum()), "steps": float(len(loss) - 1)})


def _stable(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    ratio = anatomy.sharpness[_finite_steps(anatomy)] / anatomy.limit[_finite_steps(anatomy)]
    if not np.isfinite(ratio).any():
        return None
    t = int(np.nanargmax(ratio))
    return Measured(bool(ratio[t] < 1), {"ratio": float(ratio[t]), "step": float(t)})


def _model(anatomy: Anatomy, hyper: Mapping[str, float]) -> Measured | None:
    run, steps = anatomy.trajectory, _finite_steps(anatomy)
    way = anatomy.probes[CRITICAL][steps] - run.position[:-1][steps]
    length = np.hypot(*way.T)
    reach = np.abs(run.position[:-1][steps]).max(1, initial=1e-3)
    moving = np.isfinite(length) & (length > 1e-4 * reach)
    if not moving.any():
        return None
    off = (np.hypot(*(run.update[steps] - way).T) / length)[moving]
    return Measured(bool(off.max() < 0.01), {"off": 100 * float(off.max())})


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "first_step",
        _("The first step is as long as α in each coordinate, because the bias of both averages is corrected."),
        _("|Δθ₁| is {length} α"),
        lambda o: o.terms is not None and {"m", "v"} <= o.symbols.keys(),
        _first_step,
    ),
    Claim(
        "epsilon",
        _("ε is too small to matter: it never makes up 1 % of the denominator."),
        _("at most {share} %, in step {step}"),
        lambda o: o.terms is not None and any(h.name == "eps" for h in o.hypers),
        _epsilon,
    ),
    Claim(
        "gain",
        _("On a steady slope the velocity reaches its full gain: 1/(1 − ρ) times the largest of the latest gradients."),
        _("it reaches {gain} times in step {step}; 1/(1 − ρ) is {full}"),
        lambda o: [*o.symbols] == ["velocity"] and o.limit in (stability.heavy_ball, stability.nesterov),
        _gain,
    ),
    Claim(
        "grows",
        _("G only grows, so the effective learning rates only shrink."),
        _("G shrank in {count} of {steps} steps"),
        lambda o: o.terms is not None,
        _grows,
    ),
    Claim(
        "bounded",
        _("No coordinate moves further than α in one step."),
        _("the longest move is {length} α, in step {step}"),
        lambda o: o.terms is not None,
        _bounded,
    ),
    Claim(
        "model",
        _("Each step leads to the critical point of the quadratic model."),
        _("it misses by at most {off} % of the way"),
        lambda o: o.metric is not None and o.probes is not None and "damping" in {h.name for h in o.hypers},
        _model,
    ),
    Claim(
        "stable",
        _("The surface is never too sharp for this learning rate."),
        _("the sharpness comes to {ratio} of its limit, at step {step}"),
        adapted,
        _stable,
    ),
    Claim(
        "downhill",
        _("Every step leads downhill."),
        _("{count} of {steps} steps led uphill"),
        lambda o: True,
        _downhill,
    ),
)
