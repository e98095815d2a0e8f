"""Schedules that watch the loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from descent.hyper import Hyper
from descent.schedule import Schedule
from descent.text import _

FAMILY = _("Feedback")


class PlateauState(NamedTuple):
    """What ReduceLROnPlateau remembers; all are scalars."""

    factor: jax.Array
    best: jax.Array  # lowest loss that counted as better
    waited: jax.Array  # steps since
    cooling: jax.Array  # steps of the cool-down that are left


def plateau_init() -> PlateauState:
    """Nothing seen yet."""
    return PlateauState(jnp.ones(()), jnp.asarray(jnp.inf), jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


def plateau_update(loss: Any, state: PlateauState, hyper: Any) -> PlateauState:
    """Multiply the rate by ``gamma`` after more than ``patience`` steps without a loss below (1 − threshold)·best.

    torch's ReduceLROnPlateau (mode "min", relative threshold), told the loss of every step: that of step t changes
    the rate of step t + 1. (optax.contrib.reduce_on_plateau changes that of step t.) Two differences: the threshold
    is a part of the size of the best loss, so it is also one where losses are negative; and torch leaves a rate be
    that would change by less than 1e−8.
    """
    better = loss < state.best * (1 - hyper.threshold * jnp.sign(state.best))
    best = jnp.where(better, loss, state.best)
    waited = jnp.where(better | (state.cooling > 0), 0, state.waited + 1)
    reduce = waited > hyper.patience
    lower = jnp.minimum(state.factor, jnp.maximum(state.factor * hyper.gamma, hyper.floor))
    return PlateauState(
        jnp.where(reduce, lower, state.factor),
        best,
        jnp.where(reduce, 0, waited),
        jnp.where(reduce, hyper.cooldown, jnp.maximum(state.cooling - 1, 0)).astype(jnp.int32),
    )


REDUCE_ON_PLATEAU = Schedule(
    id="reduce_on_plateau",
    name=_("Reduce on plateau"),
    factor=None,
    init=plateau_init,
    update=plateau_update,
    formula=r"\gamma^{k},\quad k \leftarrow k+1 \text{ after } P \text{ steps without } L < (1-\tau)\,L_\text{best}",
    reference="PyTorch, torch.optim.lr_scheduler.ReduceLROnPlateau",
    convention=_(
        "As torch’s ReduceLROnPlateau: the loss of a step changes the rate of the next. "
        "It is watched from the end of the warm-up on."
    ),
    hypers=(
        Hyper(
            name="gamma",
            symbol=r"\gamma",
            label=_("Kept at a plateau"),
            help=_("What the learning rate is multiplied by when the loss has stopped falling."),
            default=0.1,
            low=0.01,
        ),
        Hyper(
            name="patience",
            symbol="P",
            label=_("Patience"),
            help=_("How many steps without improvement are borne."),
            default=10,
            high=200,
            scale="integer",
        ),
        Hyper(
            name="threshold",
            symbol=r"\tau",
            label=_("Threshold"),
            help=_("A loss is an improvement if it is lower than the best by this fraction of it."),
            default=1e-4,
            low=1e-6,
            high=0.5,
            scale="log",
        ),
        Hyper(
            name="cooldown",
            symbol="C",
            label=_("Cool-down"),
            help=_("For so many steps after a reduction no plateau is looked for."),
            default=0,
            high=200,
            scale="integer",
        ),
        Hyper(
            name="floor",
            symbol="l",
            label=_("Lowest fraction"),
            help=_("The fraction of the learning rate below which it is not reduced."),
            default=0.0,
        ),
    ),
)

MEMBERS = (REDUCE_ON_PLATEAU,)
