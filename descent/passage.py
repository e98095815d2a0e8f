"""First passages: at which step each of many runs arrives at what it is after, without their paths.

What the studies (`descent.sensitivity`, `rotation`, `escape`, `noise`) are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.compilation import compiled_each
from descent.engine import Inputs, Machine, check_kind, check_start, kernel, prepare
from descent.landscape import Landscape
from descent.optimizer import Optimizer
from descent.processing import Processing
from descent.schedule import CONSTANT, Schedule


class Passages(NamedTuple):
    """When runs arrived, and how they ended. Arrays have the runs' batch axes; losses are those that are reported."""

    reached_at: np.ndarray  # (...) first step at which the goal was met, or −1
    diverged_at: np.ndarray  # (...) first non-finite step, or −1
    loss: np.ndarray  # (...) at the end, NaN where the run diverged
    late_loss: np.ndarray  # (...) mean over the last fifth of the steps, NaN where the run diverged


class Setup(NamedTuple):
    """A run that was checked, and is about to be varied."""

    machine: Machine
    inputs: Inputs
    start: np.ndarray  # (2,)
    processed: bool  # may its gradients be noisy or clipped?

    def rows(self, count: int) -> np.ndarray:
        """(count, …): the run's numbers, once for each variation."""
        return np.repeat(np.asarray(self.inputs.numbers)[None], count, 0)

    def column(self, name: str) -> int:
        """Where the knob ``name`` stands in these numbers; the noise is called so, too."""
        return [*(h.name for part in self.machine for h in part.hypers), *Processing._fields].index(name)


def set_up(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Any,
    steps: int,
    hyper: Mapping[str, object] | None,
    shape: Mapping[str, object] | None,
    *,
    schedule: Schedule | None = None,
    schedule_hyper: Mapping[str, object] | None = None,
    seed: int = 0,
    dtype: Any = None,
    **processing: Any,
) -> Setup:
    """Check everything as `descend` does; ``dtype`` is that of ``start`` if not given."""
    check_kind(landscape, Landscape)
    point = check_start(landscape.start if start is None else start)
    if point.ndim != 1:
        raise ValueError(f"start must be two finite numbers (x, y); an array of shape {point.shape} was given")
    if dtype is not None:
        point = np.asarray(landscape.start if start is None else start, dtype)
    machine, inputs = prepare(
        landscape,
        optimizer,
        CONSTANT if schedule is None else schedule,
        steps=steps,
        shape=shape,
        hyper=hyper,
        schedule_hyper=schedule_hyper,
        seed=seed,
        dtype=point.dtype,
        **processing,
    )
    return Setup(machine, inputs, point, any(processing.values()))


# (point (2,), loss, aim) -> has the run arrived? ``aim`` are the goal's own numbers, traced.
Goal = Callable[[Any, Any, Any], Any]


def low(point: Any, loss: Any, aim: Any) -> Any:
    """The loss is within aim[1] of aim[0]."""
    return loss - aim[0] <= aim[1]


def beyond(point: Any, loss: Any, aim: Any) -> Any:
    """Along the unit vector aim[2:4], on either side, the point is farther than aim[4] from the point aim[:2]."""
    return jnp.abs((point - aim[:2]) @ aim[2:4]) > aim[4]


def outside(point: Any, loss: Any, aim: Any) -> Any:
    """The point is farther than aim[2] from the point aim[:2]."""
    return ((point - aim[:2]) ** 2).sum() > aim[2] ** 2


def _run(
    machine: Machine,
    goal: Goal,
    processed: bool,
    start: Any,
    numbers: Any,
    steps: Any,
    seed: Any,
    aim: Any,
    normals: Any = None,
) -> Passages:
    """One run, traced. ``processed`` says whether gradients may be noisy or clipped.

    ``normals`` are their draws (at least steps, 2, dimension); None: they are drawn in the loop.
    """
    # The loop is as long as ``steps`` says, which all runs share; the seed need not be the same.
    run = kernel(machine, Inputs(numbers, jnp.stack([steps, seed])), 0)

    def drawn(t: Any) -> Any:
        if not processed:
            return None
        return run.normals(t) if normals is None else normals[t]

    late = steps - jnp.maximum(steps // 5, 1)

    def seen(position: Any, loss: Any, reported: Any) -> tuple[Any, Any]:
        return (position, loss) if reported is None else (reported[:2], reported[2])

    def arrived(t: Any, reached_at: Any, survived: Any, point: Any, value: Any) -> Any:
        return jnp.where((reached_at < 0) & survived & goal(point, value, aim), t, reached_at)

    def finite(loss: Any, position: Any) -> Any:
        return jnp.isfinite(loss) & jnp.isfinite(position).all()

    def body(t: Any, carry: Any) -> Any:
        params, state, finite_until, reached_at, late_loss = carry
        params, state, now = run.step(t, params, state, drawn(t))
        survived = finite(now.loss, now.position) & (finite_until == t)
        point, value = seen(now.position, now.loss, now.reported)
        reached_at = arrived(t, reached_at, survived, point, value)
        return params, state, finite_until + survived, reached_at, late_loss + jnp.where(t > late, value, 0)

    params, zero = run.params(start), jnp.zeros((), jnp.int32)
    carry = (params, run.init(params), zero, zero - 1, jnp.zeros((), start.dtype))
    params, state, finite_until, reached_at, late_loss = lax.fori_loop(0, steps, body, carry)
    position, loss = run.point(params), run.loss(params)
    survived = finite(loss, position) & (finite_until == steps)
    position, loss = seen(position, loss, run.report(state, params) if run.report else None)
    return Passages(
        arrived(steps, reached_at, survived, position, loss),
        jnp.where(survived, -1, finite_until),  # type: ignore[arg-type]
        jnp.where(survived, loss, jnp.nan),  # type: ignore[arg-type]
        jnp.where(survived, (late_loss + loss) / (steps - late), jnp.nan),  # type: ignore[arg-type]
    )


@compiled_each(3)
def _passages(
    machine: Machine, goal: Goal, processed: bool, starts: Any, numbers: Any, integers: Any, aims: Any
) -> Passages:
    steps, seed = integers[0], integers[1]
    return jax.vmap(lambda start, row, aim: _run(machine, goal, processed, start, row, steps, seed, aim))(
        starts, numbers, aims
    )


@compiled_each(2)
def _noisy_passages(
    machine: Machine, goal: Goal, start: Any, numbers: Any, steps: Any, seeds: Any, aim: Any, normals: Any
) -> Passages:
    def seeded(row: Any) -> Passages:
        one = partial(_run, machine, goal, True, start, row, steps)
        return jax.vmap(lambda seed, drawn: one(seed, aim, drawn))(seeds, normals)

    return jax.vmap(seeded)(numbers)


def passages(
    machine: Machine,
    goal: Goal,
    starts: np.ndarray,
    numbers: np.ndarray,
    integers: Any,
    aims: np.ndarray,
    processed: bool = False,
) -> Passages:
    """Runs side by side: ``starts`` (n, 2), ``numbers`` (n, …) with a row of `Inputs.numbers` a run, ``aims`` (n, …).

    ``integers`` are those of `Inputs`, the same for all; so is the noise, if gradients are ``processed``. The dtype of
    ``starts`` decides float32 or float64.
    """
    with jax.enable_x64(starts.dtype == np.float64):
        found = _passages(machine, goal, processed, starts, numbers, integers, aims.astype(starts.dtype))
        return Passages(*(np.asarray(part) for part in found))


def noisy_passages(
    machine: Machine,
    goal: Goal,
    start: np.ndarray,
    numbers: np.ndarray,
    steps: int,
    aim: np.ndarray,
    seeds: np.ndarray,
    normals: np.ndarray,
) -> Passages:
    """Runs under noise, (cells, seeds): one for each row of ``numbers`` and each of the ``seeds``.

    ``normals`` (seeds, at least steps, 2, dimension) are the draws of each seed, which all cells share: what differs
    between two cells is then their knobs, and not their luck.
    """
    with jax.enable_x64(start.dtype == np.float64):
        found = _noisy_passages(
            machine, goal, start, numbers, np.int32(steps), seeds.astype(np.int32), aim.astype(start.dtype), normals
        )
        return Passages(*(np.asarray(part) for part in found))
