"""Schedules that never raise the learning rate."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.schedule import CONSTANT, Schedule
from descent.text import _

FAMILY = _("Decay")


def cosine_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""Half a cosine wave from 1 down to ``end``.

    $e + (1-e)\,\tfrac12 (1 + \cos \pi t/T)$

    ``end`` would be reached at t = T, one step after the last, as in torch's CosineAnnealingLR (eta_min = αe)
    and optax's cosine_decay_schedule (alpha = e).

    Reference: Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts.
    """
    # ½(1 + cos x) = sin²((π − x)/2), which does not cancel in float32 as the end comes near.
    wave = jnp.sin(jnp.pi * (total_steps - step) / (2 * total_steps)) ** 2
    return hyper.end + (1 - hyper.end) * wave


COSINE = Schedule(
    id="cosine",
    name=_("Cosine"),
    factor=cosine_factor,
    formula=r"e + (1-e)\,\tfrac12\left(1 + \cos\frac{\pi t}{T}\right)",
    reference="Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts",
    hypers=(
        Hyper(
            name="end",
            symbol="e",
            label=_("Final fraction"),
            help=_("The fraction of the learning rate that is left at the end."),
            default=0.0,
        ),
    ),
)

# The engine's own, so that a run with it is the same compiled program as a run without a schedule.
MEMBERS = (CONSTANT, COSINE)
