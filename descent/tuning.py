"""Tuning: many runs of one optimizer, each under knobs of its own, all on one budget.

The budget is counted in gradient evaluations, because that is what a run costs, whatever its rule makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.compilation import compiled_each
from descent.engine import (
    FEWEST,
    Inputs,
    Kernel,
    Machine,
    Progress,
    check_kind,
    check_start,
    check_whole,
    kernel,
    prepare,
    tiled,
)
from descent.landscape import Landscape
from descent.optimizer import Cost, Optimizer
from descent.schedule import CONSTANT, Schedule

# What evaluations cost, in thirds of a gradient's. A gradient is the value of the loss and a backward pass of about
# twice the work; a Hessian-vector product is about the work of two gradients (Griewank & Walther, 2008, Evaluating
# derivatives; Pearlmutter, 1994, Fast exact multiplication by the Hessian).
GRADIENT = 3
PRICES = Cost(gradients=GRADIENT, values=1, hessian_vector_products=2 * GRADIENT)

MOST_EVALUATIONS = 100_000  # of a run
FEW = 256  # runs that are computed at once where there are not many; else `FEWEST`: their number does not recompile


class Trials(NamedTuple):
    """Where runs end that had the same number of gradient evaluations each. Arrays have one entry a run."""

    loss: np.ndarray  # of the point that the rule reports, NaN where the run diverged
    diverged_at: np.ndarray  # first step at which it was not finite, or −1
    steps: np.ndarray  # complete steps that the budget paid for, also beyond divergence
    rest: np.ndarray  # what was left then, in gradient evaluations: too little for a whole step


class Curves(NamedTuple):
    """The loss of runs against what they have spent."""

    loss: np.ndarray  # (runs, steps + 1) of the point that the rule reports, NaN from divergence on
    spent: np.ndarray  # (runs, steps + 1) gradient evaluations; 0 at the start

    def after(self, evaluations: Sequence[float]) -> np.ndarray:
        """The losses (runs, len(evaluations)) of the last whole step that so many evaluations pay for."""
        steps = (self.spent[..., None] <= np.asarray(evaluations) + 1e-6).sum(1) - 1
        return np.take_along_axis(self.loss, steps, 1)


def price(cost: Cost) -> Any:
    """What a step costs, in thirds of a gradient evaluation (`PRICES`)."""
    return sum(count * each for count, each in zip(cost, PRICES, strict=True))


def affordable(optimizer: Optimizer, evaluations: int) -> tuple[int, float]:
    """How many steps so many gradient evaluations pay for, and what is left of them, too little for another.

    Where the cost varies from step to step: the most steps that it can be, with nothing left.
    """
    if optimizer.evaluations:
        return evaluations // int(optimizer.cost.gradients), 0.0
    steps, rest = divmod(evaluations * GRADIENT, int(price(optimizer.cost)))
    return steps, rest / GRADIENT


def trials(
    landscape: Landscape,
    optimizer: Optimizer,
    settings: Mapping[str, np.ndarray],
    starts: np.ndarray,
    evaluations: int,
    *,
    seeds: int = 1,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    schedule: Schedule = CONSTANT,
    progress: Progress | None = None,
    **conditions: Any,
) -> Trials:
    """Run ``optimizer`` once for each setting, start and seed, for so many gradient evaluations.

    Args:
        settings: (n,) values of each knob that is set; ``hyper`` sets the others.
        starts: (starts, 2).
        evaluations: what each run may spend. A step that the rest does not pay for is not taken.
        seeds: how many noises each setting meets; all settings meet the same.
        conditions: as of `descend`: the schedule's knobs, clipping.
        progress: told the finished share now and then; what it raises ends the work.

    Returns:
        `Trials` whose arrays have shape (n, starts, seeds).

    Raises:
        ValueError: as `descend` does; an unknown knob, or values of different lengths.
    """
    points = check_start(starts)
    if points.ndim != 2:
        raise ValueError(f"starts must have shape (starts, 2); an array of shape {points.shape} was given")
    evaluations = check_whole("evaluations", evaluations, 1, MOST_EVALUATIONS)
    seeds = check_whole("seeds", seeds, 1, 10_000)
    steps, _rest = affordable(optimizer, evaluations)
    told = {"hyper": hyper, "shape": shape, "noise": noise, "seed": seed, **conditions}
    machine, numbers, integers = _settings(landscape, optimizer, settings, schedule, steps, told)
    n, processed = len(numbers), bool(noise) or any(conditions.get(clip) for clip in ("clip_value", "clip_norm"))
    budget = np.int32(evaluations * GRADIENT)
    setting, start, noisy = (index.ravel() for index in np.indices((n, len(points), seeds), np.int32))
    runs = _filled(len(setting))

    def run(runs: np.ndarray) -> Trials:
        return _ends(machine, processed, numbers[setting[runs]], points[start[runs]], noisy[runs], integers, budget)

    found = tiled(run, runs, most=FEWEST, progress=progress)
    loss, diverged_at, taken, left = (part[: len(setting)].reshape(n, len(points), seeds) for part in found)
    return Trials(loss, diverged_at, taken, left / GRADIENT)


def _filled(count: int) -> np.ndarray:
    """The indices of so many runs, the last repeated until they fill tiles of one of two sizes: few, or many."""
    size = FEW if count <= FEW else FEWEST
    return np.minimum(np.arange(-(-count // size) * size), count - 1)


def curves(
    landscape: Landscape,
    optimizer: Optimizer,
    settings: Mapping[str, np.ndarray],
    start: Sequence[float] | np.ndarray,
    evaluations: int,
    *,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
) -> Curves:
    """The whole curves of runs from one start without noise, one for each setting; arguments as for `trials`."""
    point = check_start(start)
    if point.ndim != 1:
        raise ValueError(f"start must be two finite numbers (x, y); an array of shape {point.shape} was given")
    steps, _rest = affordable(optimizer, check_whole("evaluations", evaluations, 1, MOST_EVALUATIONS))
    told = {"hyper": hyper, "shape": shape}
    machine, numbers, integers = _settings(landscape, optimizer, settings, CONSTANT, steps, told)
    capacity = 1 << max(steps, 63).bit_length()
    runs = _filled(len(numbers))
    parts = [
        np.asarray(_tables(machine, capacity, numbers[some], point, integers))[:, : steps + 1]
        for some in np.split(runs, len(runs) // FEW)
    ]
    table = np.concatenate(parts)[: len(numbers)]
    lost = np.maximum.accumulate(~np.isfinite(table[..., 0]), 1)
    spent = np.cumsum(table[..., 1], 1) / GRADIENT
    return Curves(np.where(lost, np.nan, table[..., 0]), spent)


def _settings(
    landscape: Landscape,
    optimizer: Optimizer,
    settings: Mapping[str, np.ndarray],
    schedule: Schedule,
    steps: int,
    told: Mapping[str, Any],
) -> tuple[Machine, np.ndarray, np.ndarray]:
    """The machine, a row of `Inputs.numbers` for each setting, and `Inputs.integers`."""
    check_kind(landscape, Landscape)
    check_kind(optimizer, Optimizer)
    machine, inputs = prepare(landscape, optimizer, schedule, steps=steps, **{"schedule_hyper": None, **told})
    declared = [h.name for h in (*landscape.hypers, *optimizer.hypers)]
    lengths = {len(values) for values in settings.values()}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(
            f"every knob needs as many values as the others, and at least one; lengths {lengths} were given"
        )
    numbers = np.repeat(np.asarray(inputs.numbers)[None], lengths.pop() if lengths else 1, 0)
    for name, values in settings.items():
        if name not in declared:
            raise ValueError(f"unknown knob {name!r}; {landscape.id} and {optimizer.id} have {', '.join(declared)}")
        with np.errstate(over="ignore"):
            numbers[:, declared.index(name)] = values
        if not np.isfinite(numbers[:, declared.index(name)]).all():
            raise ValueError(f"the values of {name} must be finite numbers within the range of float32")
    return machine, numbers, np.asarray(inputs.integers)


def _reported(run: Kernel, state: Any, params: Any) -> jax.Array:
    """The loss of the point that the rule reports, NaN once the run has left the finite numbers."""
    loss = run.loss(params) if run.report is None else run.report(state, params)[2]
    return jnp.where(jnp.isfinite(loss) & jnp.isfinite(run.flat(params)).all(), loss, jnp.nan)


def _cost(machine: Machine, now: Any) -> jax.Array:
    """What a step cost, in thirds of a gradient evaluation."""
    known = machine.optimizer.cost if now.evaluations is None else Cost(*now.evaluations)
    return jnp.asarray(price(known), jnp.int32)


@compiled_each(2)
def _ends(
    machine: Machine,
    noisy: bool,
    numbers: jax.Array,
    starts: jax.Array,
    indices: jax.Array,
    integers: jax.Array,
    budget: jax.Array,
) -> Trials:
    def one(row: jax.Array, start: jax.Array, index: jax.Array) -> Trials:
        run = kernel(machine, Inputs(row, integers), index)

        def body(t: Any, carry: Any) -> Any:
            params, state, left, taken, finite_until = carry
            finite_until = finite_until + (jnp.isfinite(_reported(run, state, params)) & (finite_until == t))
            moved, then, now = run.step(t, params, state, run.normals(t) if noisy else None)
            cost = _cost(machine, now)
            if machine.optimizer.evaluations is None:  # every step that is counted is paid for
                return moved, then, left - cost, taken + 1, finite_until
            # The budget ends in the middle of the first step that it does not pay for.
            paid = cost <= left
            params, state = jax.tree.map(lambda new, old: jnp.where(paid, new, old), (moved, then), (params, state))
            return params, state, jnp.where(paid, left - cost, 0), taken + paid, finite_until

        params, zero = run.params(start), jnp.zeros((), jnp.int32)
        carry = (params, run.init(params), jnp.asarray(budget), zero, zero)
        params, state, left, taken, finite_until = lax.fori_loop(0, integers[0], body, carry)
        loss = _reported(run, state, params)
        lost = (finite_until < taken) | ~jnp.isfinite(loss)
        return Trials(jnp.where(lost, jnp.nan, loss), jnp.where(lost, finite_until, -1), taken, left)  # type: ignore[arg-type]

    return jax.vmap(one)(numbers, starts, indices)


@compiled_each(2)
def _tables(machine: Machine, capacity: int, numbers: jax.Array, start: jax.Array, integers: jax.Array) -> jax.Array:
    """(runs, capacity + 1, 2): the loss at each step, and what the step to it has cost."""

    def one(row: jax.Array) -> jax.Array:
        run = kernel(machine, Inputs(row, integers), 0)

        def body(t: Any, carry: Any) -> Any:
            params, state, table = carry
            params, state, now = run.step(t, params, state, None)
            entry = jnp.stack([_reported(run, state, params), _cost(machine, now).astype(table.dtype)])
            return params, state, lax.dynamic_update_slice_in_dim(table, entry[None], t + 1, 0)

        params = run.params(start)
        state = run.init(params)
        table = jnp.zeros((capacity + 1, 2), numbers.dtype).at[0, 0].set(_reported(run, state, params))
        return lax.fori_loop(0, integers[0], body, (params, state, table))[2]

    return jax.vmap(one)(numbers)
