"""How runs are computed: one compiled loop for each (landscape, optimizer, schedule).

Every number that a slider can move is a traced argument, so moving it never recompiles. The loop's trip
count is traced as well and its record has a fixed capacity, of which the host slices what was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, partial, reduce
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.arrival import Arrival, Window, last
from descent.compilation import compiled_each
from descent.hyper import as_float, fill
from descent.landscape import Landscape
from descent.optimizer import Optimizer, Problem, Terms
from descent.processing import Processing
from descent.schedule import CONSTANT, Schedule

MAX_STEPS = 1_000_000
SINGLE_CAPACITY = 5_000  # the app's longest run: one compilation serves them all


class Trajectory(NamedTuple):
    """What a run did: NumPy arrays with a leading step axis, behind a batch axis when starts are a batch.

    ``position``, ``loss`` and ``gradient`` (the landscape's own, without noise or clipping) have steps + 1
    entries, the start's first. ``update`` (what was added), ``learning_rate`` (after the schedule),
    ``direction`` (M_t) and ``scale`` (G_t) have steps entries: position[t + 1] = position[t] + update[t].
    M_t and G_t are those of the unified form Δθ_t = −α_t / √(G_t + ε) · M_t; a rule without one (`Optimizer.terms` is
    None) has the gradient it was handed as M_t, and 1 as G_t; decoupled weight decay comes on top of it.

    ``position`` is where gradients are taken; ``reported`` (steps + 1 entries) is the point that the method offers as
    its result, and ``reported_loss`` the loss there. They differ only for rules that average. ``params`` (steps + 1
    entries) are all parameters of the reported point: the same, unless the plane is a slice through more. Then points,
    gradients and moves are their shares in the slice, losses those of all parameters, and ``scale`` is NaN.
    ``evaluations`` counts what each step evaluated: gradients, values of the loss, Hessian-vector products (`Cost`).

    ``diverged_at`` is the first index at which position or loss is not finite, or −1; from there on all
    entries are NaN, and everything before is kept. Of the step that led there only its evaluations are.
    """

    position: np.ndarray  # (steps + 1, 2)
    loss: np.ndarray  # (steps + 1,)
    gradient: np.ndarray  # (steps + 1, 2)
    update: np.ndarray  # (steps, 2)
    learning_rate: np.ndarray  # (steps,)
    direction: np.ndarray  # (steps, 2)
    scale: np.ndarray  # (steps, 2)
    reported: np.ndarray  # (steps + 1, 2)
    reported_loss: np.ndarray  # (steps + 1,)
    params: np.ndarray  # (steps + 1, 2), or (steps + 1, dimension) of a slice
    evaluations: np.ndarray  # (steps, 3)
    diverged_at: np.ndarray  # ()

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return self.update.shape[-2]


class Inputs(NamedTuple):
    """All traced numbers of a run, packed in two vectors because each argument costs time to hand over."""

    numbers: np.ndarray | jax.Array  # floats: shape, hyper, schedule's hyper, processing, the known minimum
    integers: np.ndarray | jax.Array  # steps, seed


class Machine(NamedTuple):
    """The static side of a run: what is compiled once."""

    landscape: Landscape
    optimizer: Optimizer
    schedule: Schedule

    def pack(
        self,
        shape: Mapping[str, object] | None,
        hyper: Mapping[str, object] | None,
        schedule_hyper: Mapping[str, object] | None,
        processing: Processing,
        steps: int,
        seed: int,
        dtype: Any,
    ) -> Inputs:
        """Check all knobs and pack them; raises ``ValueError`` as `descend` does."""
        landscape, optimizer, schedule = self
        shape_values = fill(landscape.hypers, shape, landscape.id)
        minimum = landscape.minimum(**shape_values) if optimizer.needs_minimum else None
        numbers = [
            *shape_values.values(),
            *fill(optimizer.hypers, hyper, optimizer.id).values(),
            *fill(schedule.hypers, schedule_hyper, schedule.id).values(),
            *processing,
            np.nan if minimum is None else minimum,
        ]
        with np.errstate(over="ignore"):
            packed = np.asarray(numbers, dtype)
        # All but the clipping thresholds, which may be infinite, and the minimum, which may be unknown.
        finite = np.isfinite(packed[:-3])
        if not finite.all():
            name = [*(h.name for part in self for h in part.hypers), *Processing._fields][finite.argmin()]
            allowed = f"within the range of {np.dtype(dtype)}"
            raise ValueError(f"{name} must be {allowed}; {numbers[finite.argmin()]!r} was given")
        return Inputs(packed, np.asarray([steps, seed], np.int32))

    def unpack(self, inputs: Inputs) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], Processing, Any]:
        """The inverse of `pack`, on traced numbers: shape, hyper, schedule's hyper, processing, minimum."""
        numbers = iter(inputs.numbers)
        shape, hyper, schedule_hyper = ({h.name: next(numbers) for h in part.hypers} for part in self)
        return shape, hyper, schedule_hyper, Processing(*(next(numbers) for _ in Processing._fields)), next(numbers)


class Step(NamedTuple):
    """One step's record: where it started from, and what was done there. Points are (2,) arrays."""

    position: jax.Array
    loss: jax.Array
    gradient: jax.Array
    update: jax.Array
    learning_rate: jax.Array
    direction: jax.Array
    scale: jax.Array
    evaluations: jax.Array | None  # (3,), for a rule whose count varies
    reported: jax.Array | None  # see Kernel.report
    seen: jax.Array | None  # what an observer notes, flat


# Columns of the record's table: position, loss, gradient; and the moves of a Step. Behind them come the counts and
# the reported point of those rules that have them, so that the others do not pay for them.
_STATE, _MOVE, _COUNTS = 5, 7, 3


def _report_columns(machine: Machine) -> int:
    """How many columns the reported point takes: itself, its loss, and in a slice all its parameters."""
    if machine.landscape.slice:
        return 3 + machine.landscape.dimension
    return 3 if machine.optimizer.report else 0


class Kernel(NamedTuple):
    """The traced functions of one run: what every way of running (a path, end points, a map) is made of.

    ``params`` is (x, y) as two scalars, which compiles to code twice as fast as an array of two; only rules
    that treat a layer as a whole are given the array. On a slice it is the one array that the slice goes through.
    """

    params: Callable[[jax.Array], Any]  # (2,) array -> params
    point: Callable[[Any], jax.Array]  # its inverse; of a slice: the nearest point of it
    flat: Callable[[Any], jax.Array]  # params -> (dimension,) all of them
    loss: Callable[[Any], jax.Array]
    init: Callable[[Any], Any]
    best: Callable[[Any, Any], Any]  # (state, params) -> params that the method offers as its result
    report: Callable[[Any, Any], jax.Array] | None  # (state, params) -> the point that is reported, its loss and, in a
    # slice, all its parameters; None where the point is the one that the run is at, in the plane
    step: Callable[..., tuple[Any, Any, Step]]  # (t, params, state, normals, observe) -> (params, state, Step);
    # normals are (2, dimension), or None for a gradient that is neither noisy nor clipped; observe: an Observer or None
    normals: Callable[[Any], jax.Array]  # t -> (2, dimension) standard normals of step t, drawn in the loop


# (grads, state, params, hyper, problem) -> a flat array: state after the update, params from before it.
Observer = Callable[[Any, Any, Any, Any, Problem], jax.Array]


class State(NamedTuple):
    """What a run carries beside its parameters."""

    rule: Any
    schedule: Any  # None without feedback


def multipliers(machine: Machine, inputs: Inputs, capacity: int) -> jax.Array | None:
    """What the schedule multiplies the learning rate by at each step; None where a loop must, or may as well, ask it.

    Worked out step by step in the loop of a single run, a schedule would take several times as long as the run.
    """
    schedule, total = machine.schedule, inputs.integers[0]
    if schedule.feedback or schedule is CONSTANT:
        return None
    knobs = SimpleNamespace(**machine.unpack(inputs)[2])
    return jax.vmap(lambda t: schedule.multiplier(t, total, knobs))(jnp.arange(capacity, dtype=jnp.int32))


def kernel(machine: Machine, inputs: Inputs, index: Any, factors: jax.Array | None = None) -> Kernel:
    """Bind a machine to traced inputs. ``index`` is the run's place in its batch: each has its own noise.

    ``factors`` are the schedule's `multipliers`, where they were worked out before the loop.
    """
    landscape, optimizer, schedule = machine
    shape, hyper, schedule_hyper, processing, minimum = machine.unpack(inputs)
    schedule_knobs = SimpleNamespace(**schedule_hyper)
    total, seed = inputs.integers[0], inputs.integers[1]
    dtype = inputs.numbers.dtype

    cut = landscape.slice

    def params_of(point: jax.Array) -> Any:
        if cut:
            return cut.embed(point, **shape)
        return point if optimizer.per_layer else (point[0], point[1])

    def point_of(params: Any) -> jax.Array:
        if cut:
            return cut.project(params, **shape)
        return params if optimizer.per_layer else jnp.stack(params)

    def flat(params: Any) -> jax.Array:
        return params.ravel() if cut else point_of(params)

    def unflat(vector: jax.Array) -> Any:
        return vector.reshape(cut.shape) if cut else params_of(vector)

    def key(stream: int, t: Any) -> jax.Array:
        run = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), index), stream)
        return jax.random.fold_in(run, t)

    def loss(params: Any) -> jax.Array:
        return landscape.loss(flat(params), **shape)

    def init(params: Any) -> State:
        return State(optimizer.init(params), schedule.init() if schedule.init else None)

    def best(state: State, params: Any) -> Any:
        return optimizer.report(state.rule, params) if optimizer.report else params

    def reported(state: State, params: Any) -> jax.Array:
        final = best(state, params)
        return jnp.hstack([point_of(final), loss(final), *([flat(final)] if cut else [])])

    report = reported if _report_columns(machine) else None

    def normals(t: Any) -> jax.Array:
        return jax.random.normal(key(0, t), (2, landscape.dimension), dtype)

    def step(
        t: Any, params: Any, state: State, noise: jax.Array | None, observe: Observer | None = None
    ) -> tuple[Any, State, Step]:
        factor = schedule.multiplier(t, total, schedule_knobs, state.schedule) if factors is None else factors[t]
        # A rule without a learning rate ignores the schedule.
        alpha = hyper.get("learning_rate", 1.0) * factor
        now = SimpleNamespace(**(hyper | {"learning_rate": alpha}))
        value, gradient = jax.value_and_grad(loss)(params)
        result = report(state, params) if report else None
        grads = gradient if noise is None else processing.apply(gradient, unflat(noise[0]), unflat(noise[1]))
        problem = Problem(loss, minimum, lambda: key(1, t))
        updates, rule = optimizer.update(grads, state.rule, params, now, problem)
        updates = jax.tree.map(lambda array: jnp.asarray(array, dtype), updates)
        terms = optimizer.terms(rule, now, grads) if optimizer.terms else Terms()
        direction = grads if terms.direction is None else terms.direction
        scale = jax.tree.map(jnp.ones_like, params) if terms.scale is None else terms.scale
        points = [point_of(tree) for tree in (params, gradient, updates, direction, scale)]
        if cut:
            points[-1] = jnp.full_like(points[-1], jnp.nan)  # each entry's scale is none along the slice's axes
        counts = jnp.asarray(optimizer.evaluations(rule), dtype) if optimizer.evaluations else None
        rate = jnp.asarray(alpha, dtype)
        seen = observe(grads, rule, params, now, problem) if observe else None
        record = Step(points[0], value, points[1], points[2], rate, points[3], points[4], counts, result, seen)
        after = State(rule, schedule.watch(t, value, state.schedule, schedule_knobs))
        return jax.tree.map(jnp.add, params, updates), after, record

    return Kernel(params_of, point_of, flat, loss, init, best, report, step, normals)


def columns(machine: Machine) -> int:
    """How many columns the record of a run has, without what an observer adds."""
    return _STATE + _MOVE + _COUNTS * (machine.optimizer.evaluations is not None) + _report_columns(machine)


def record(
    machine: Machine,
    start: jax.Array,
    inputs: Inputs,
    normals: jax.Array,
    index: Any,
    observe: Observer | None = None,
    later: tuple[Any, Any] | None = None,
) -> jax.Array:
    """The record of one run, as long as ``normals`` (capacity, 2, dimension) are. Its row [steps] is the end.

    ``later`` is (step, numbers): from that step on those numbers hold. What ``observe`` notes at each step stands in
    the last columns.
    """
    rows, steps = normals.shape[0] + 1, inputs.integers[0]
    factors = multipliers(machine, inputs, rows - 1)
    run = kernel(machine, inputs, index, factors)
    known = columns(machine)

    def row(now: Step) -> jax.Array:
        return jnp.hstack([part for part in now if part is not None])

    def step(t: Any, params: Any, state: Any) -> tuple[Any, Any, Step]:
        if later is None:
            return run.step(t, params, state, normals[t], observe)
        numbers = jnp.where(t < later[0], inputs.numbers, later[1])
        then = kernel(machine, inputs._replace(numbers=numbers), index, factors)
        return then.step(t, params, state, normals[t], observe)

    def body(t: Any, carry: Any) -> Any:
        params, state, table = carry
        params, state, now = step(t, params, state)
        return params, state, lax.dynamic_update_slice_in_dim(table, row(now)[None], t, 0)

    params = run.params(start)
    state = run.init(params)
    width = jax.eval_shape(lambda p, s: row(step(0, p, s)[2]), params, state).shape[0] if observe else known
    empty = jnp.zeros((rows, width), start.dtype)
    params, state, table = lax.fori_loop(0, steps, body, (params, state, empty))
    value, gradient = jax.value_and_grad(run.loss)(params)
    table = table.at[steps, :_STATE].set(jnp.hstack([run.point(params), value, run.point(gradient)]))
    if run.report is None:
        return table
    return table.at[steps, known - _report_columns(machine) : known].set(run.report(state, params))


@compiled_each(1)
def _record_one(machine: Machine, start: jax.Array, inputs: Inputs, normals: jax.Array) -> jax.Array:
    return record(machine, start, inputs, normals, 0)


@compiled_each(1)
def _record_many(machine: Machine, starts: jax.Array, inputs: Inputs, normals: jax.Array) -> jax.Array:
    """``normals`` has shape (batch or 1, capacity, 2, dimension)."""
    runs = len(starts)
    each = jnp.broadcast_to(normals, (runs, *normals.shape[1:])) if len(normals) == runs else None
    one = partial(record, machine)
    if each is None:
        return jax.vmap(lambda s, i: one(s, inputs, normals[0], i))(starts, jnp.arange(runs))
    return jax.vmap(lambda s, n, i: one(s, inputs, n, i))(starts, each, jnp.arange(runs))


class Ends(NamedTuple):
    """Where runs end, without their paths: the points that they report. Arrays have the starts' batch axis."""

    position: np.ndarray  # (batch, 2), NaN where the run diverged
    params: np.ndarray  # (batch, dimension) all parameters, which in the plane is the same
    loss: np.ndarray  # (batch,)
    diverged_at: np.ndarray  # (batch,) first non-finite step, or −1
    settled_at: np.ndarray  # (batch,) step from which on every update stays below the tolerance; −1 if not asked
    arrival: Arrival  # (batch,) each; NaN and False if not asked
    reached_at: np.ndarray  # (batch,) first step whose loss is close enough to the minimum; −1 if none, or not asked


class Asked(NamedTuple):
    """What maps may want to know of runs beside where they end. None costs nothing."""

    tolerance: Any = None  # the size of an update, in each coordinate, below which a run has settled
    closeness: Any = None  # of the loss to the minimum


def advance(machine: Machine, processed: bool, start: jax.Array, inputs: Inputs, index: Any, asked: Asked) -> Ends:
    """Run without a record: traced, for one start, so that maps can vmap it over starts or knobs.

    ``processed`` says whether the gradient may be noisy or clipped.
    """
    run = kernel(machine, inputs, index)
    steps, goal = inputs.integers[0], inputs.numbers[-1]
    points = last(steps + 1)
    begin = steps + 1 - points

    def finite(value: jax.Array, params: Any) -> jax.Array:
        x, y = run.point(params)
        return jnp.isfinite(value) & jnp.isfinite(x) & jnp.isfinite(y)

    def reach(t: Any, value: jax.Array, reached_at: jax.Array) -> jax.Array:
        return jnp.where((reached_at < 0) & (value - goal <= asked.closeness), t, reached_at)

    def see(t: Any, window: Window, state: Any, params: Any) -> Window:
        return window.see(run.best(state, params), t - begin, points)

    def body(t: Any, carry: Any) -> Any:
        params, state, finite_until, settled_at, window, reached_at = carry
        if window is not None:
            window = see(t, window, state, params)
        moved, after, now = run.step(t, params, state, run.normals(t) if processed else None)
        finite_until = finite_until + (finite(now.loss, params) & (finite_until == t))
        if asked.tolerance is not None:
            change = run.flat(moved) - run.flat(params) if machine.landscape.slice else now.update
            small = reduce(jnp.logical_and, [part < asked.tolerance for part in jnp.abs(change)])
            settled_at = jnp.where(small, settled_at, t + 1)
        if asked.closeness is not None:
            reached_at = reach(t, now.loss if now.reported is None else now.reported[2], reached_at)
        return moved, after, finite_until, settled_at, window, reached_at

    params, zero = run.params(start), jnp.zeros((), jnp.int32)
    state = run.init(params)
    settled_at = zero - 1 if asked.tolerance is None else zero
    carry = (params, state, zero, settled_at, None, zero - 1)
    if asked.tolerance is not None:
        params, state, *seen, _, reached_at = lax.fori_loop(0, begin, body, carry)
        carry = (params, state, *seen, Window.empty(run.best(state, params)), reached_at)
    first = 0 if asked.tolerance is None else begin
    params, state, finite_until, settled_at, window, reached_at = lax.fori_loop(first, steps, body, carry)
    final = run.best(state, params)
    value = run.loss(final)
    survived = finite(run.loss(params), params) & (finite_until == steps)
    if asked.closeness is not None:
        reached_at = reach(steps, value, reached_at)
    nan = jnp.full((), jnp.nan, start.dtype)
    arrived = Arrival(nan, nan, jnp.zeros((), bool))
    if window is not None:
        arrived = see(steps, window, state, params).arrival(points)
    return Ends(
        jnp.where(survived, run.point(final), jnp.nan),  # type: ignore[arg-type]
        jnp.where(survived, run.flat(final), jnp.nan),  # type: ignore[arg-type]
        jnp.where(survived, value, jnp.nan),  # type: ignore[arg-type]
        jnp.where(survived, -1, finite_until),  # type: ignore[arg-type]
        settled_at,
        arrived,
        reached_at,  # type: ignore[arg-type]
    )


@compiled_each(2)
def _ends(
    machine: Machine, processed: bool, starts: jax.Array, indices: jax.Array, inputs: Inputs, asked: Asked
) -> Ends:
    return jax.vmap(lambda s, i: advance(machine, processed, s, inputs, i, asked))(starts, indices)


@compiled_each(2)
def _ends_of_knobs(
    machine: Machine, processed: bool, start: jax.Array, numbers: jax.Array, integers: jax.Array, asked: Asked
) -> Ends:
    return jax.vmap(lambda row: advance(machine, processed, start, Inputs(row, integers), 0, asked))(numbers)


def check_kind(given: object, kind: type) -> None:
    """Raise ``ValueError`` if a declaration is needed and something else, its id for instance, was given."""
    if not isinstance(given, kind):
        raise ValueError(f"one of {kind.__name__.upper()}S is needed, not its id or anything else; {given!r} was given")


def check_start(start: object) -> np.ndarray:
    """``start`` as a float32 or float64 array of shape (2,) or (batch, 2)."""
    allowed = "start must be two finite numbers (x, y), or an array of shape (batch, 2)"
    try:
        array = np.asarray(start)
    except ValueError:  # ragged
        raise ValueError(f"{allowed}; {start!r} was given") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{allowed}; {start!r} was given")
    if array.ndim not in (1, 2) or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(f"{allowed}; an array of shape {array.shape} was given")
    with np.errstate(over="ignore"):
        array = array.astype(np.float64 if array.dtype == np.float64 and hasattr(start, "dtype") else np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{allowed}; {start!r} was given")
    return array


def check_whole(name: str, value: object, low: int, high: int) -> int:
    """``value`` as an int in [low, high]."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}; {value!r} was given")
    return int(value)


def _check_amount(name: str, value: object, zero: bool) -> float:
    """``value`` as a finite float, at least 0, or above it if ``zero`` is not allowed."""
    number = as_float(value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ValueError(f"{name} must be a finite number {'≥' if zero else '>'} 0; {value!r} was given")
    return number


def prepare(
    landscape: Landscape,
    optimizer: Optimizer,
    schedule: Schedule,
    *,
    steps: int,
    shape: Mapping[str, object] | None,
    hyper: Mapping[str, object] | None,
    schedule_hyper: Mapping[str, object] | None,
    noise: float = 0.0,
    relative_noise: float = 0.0,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    seed: int = 0,
    dtype: Any = np.float32,
) -> tuple[Machine, Inputs]:
    """Check everything that a run is told, and pack it. Raises ``ValueError`` as `descend` does."""
    for given, kind in ((landscape, Landscape), (optimizer, Optimizer), (schedule, Schedule)):
        check_kind(given, kind)
    processing = Processing(
        _check_amount("noise", noise, zero=True),  # type: ignore[arg-type]
        _check_amount("relative_noise", relative_noise, zero=True),  # type: ignore[arg-type]
        np.inf if clip_value is None else _check_amount("clip_value", clip_value, zero=False),  # type: ignore[arg-type]
        np.inf if clip_norm is None else _check_amount("clip_norm", clip_norm, zero=False),  # type: ignore[arg-type]
    )
    machine = Machine(landscape, optimizer, schedule)
    steps = check_whole("steps", steps, 0, MAX_STEPS)
    seed = check_whole("seed", seed, 0, 2**31 - 1)
    return machine, machine.pack(shape, hyper, schedule_hyper, processing, steps, seed, dtype)


def _capacity(steps: int, single: bool) -> int:
    """How many steps the compiled record holds: one size for the app, powers of two beyond it or in batches."""
    if single and steps <= SINGLE_CAPACITY:
        return SINGLE_CAPACITY
    return 1 << max(steps - 1, 63).bit_length()


@cache
def _silence(shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Zeros that stay on the device: what a run without noise is given."""
    return jnp.zeros(shape, dtype)


def draws(
    seed: int, steps: int, batch: int | None, dimension: int, dtype: Any, noisy: float, capacity: int | None = None
) -> np.ndarray | jax.Array:
    """Standard normals for `record`, drawn on the host.

    They are an argument because drawing them in the loop costs more than the steps do, and compiling a
    generator into every run more than a user waits for. A longer run begins like a shorter one.
    """
    capacity = capacity or _capacity(steps, batch is None)
    if not noisy:
        with jax.enable_x64(dtype == np.float64):
            return _silence((*(() if batch is None else (1,)), capacity, 2, dimension), dtype)
    drawn = np.zeros((batch or 1, capacity, 2, dimension), dtype)
    for index, draw in enumerate(drawn):
        draw[:steps] = np.random.default_rng((seed, index)).standard_normal((steps, 2, dimension))
    return drawn[0] if batch is None else drawn


def trajectory(table: np.ndarray, steps: int, machine: Machine) -> Trajectory:
    """Cut the table of a record into its parts, find where it stopped being finite, and blank what follows."""
    landscape, optimizer, _ = machine
    table = table[..., : steps + 1, :]
    states, moves, counts = (
        table[..., :_STATE],
        table[..., :steps, _STATE : _STATE + _MOVE],
        table[..., :steps, _STATE + _MOVE : _STATE + _MOVE + _COUNTS],
    )
    reported = table[..., -_report_columns(machine) :] if _report_columns(machine) else states[..., :3]
    if not optimizer.evaluations:
        counts = np.broadcast_to(np.asarray(optimizer.cost, table.dtype), (*moves.shape[:-1], _COUNTS))
    finite = np.isfinite(states)
    if finite.all():
        diverged_at = np.full(states.shape[:-2], -1)
    else:
        bad = ~finite[..., :3].all(-1)
        diverged_at = np.where(bad.any(-1), bad.argmax(-1), -1)
        lost = (np.arange(steps + 1) >= diverged_at[..., None]) & (diverged_at >= 0)[..., None]
        states = np.where(lost[..., None], np.nan, states)
        # The step that led out of the finite numbers belongs to what is lost, too; but it was computed.
        moves = np.where(lost[..., 1:, None], np.nan, moves)
        counts = np.where(lost[..., :-1, None], np.nan, counts)
        reported = np.where(lost[..., None], np.nan, reported)
    return Trajectory(
        position=states[..., 0:2],
        loss=states[..., 2],
        gradient=states[..., 3:5],
        update=moves[..., 0:2],
        learning_rate=moves[..., 2],
        direction=moves[..., 3:5],
        scale=moves[..., 5:7],
        reported=reported[..., 0:2],
        reported_loss=reported[..., 2],
        params=reported[..., 3:] if landscape.slice else reported[..., 0:2],
        evaluations=counts,
        diverged_at=diverged_at,
    )


def descend(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | Sequence[Sequence[float]] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    schedule: Schedule | None = None,
    schedule_hyper: Mapping[str, object] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    *,
    shape: Mapping[str, object] | None = None,
    relative_noise: float = 0.0,
    clip_value: float | None = None,
    clip_norm: float | None = None,
) -> Trajectory:
    """Run ``optimizer`` on ``landscape`` and return everything that happened.

    Args:
        start: (2,), or (batch, 2) for many runs in one call; the landscape's own start if None. A float64
            array is computed in float64, everything else in float32.
        steps: number of updates.
        hyper: the optimizer's knobs; missing ones take their declared default.
        schedule: multiplies the learning rate; constant if None. ``schedule_hyper`` are its knobs.
        noise: standard deviation σ of Gaussian noise added to each coordinate of each gradient. (A mini-batch
            of K examples with per-example deviation s has σ = s/√K.) ``relative_noise`` is in proportion to
            the gradient. In a batch each run has its own noise; the first has that of a single run.
        seed: of the noise; the same seed gives the same run.
        shape: the landscape's knobs.
        clip_value, clip_norm: gradient clipping, each coordinate to ±clip_value, then the norm to clip_norm.

    Raises:
        ValueError: an unknown knob, a non-finite number, a wrong shape; the message says what is allowed.
    """
    check_kind(landscape, Landscape)
    points = check_start(landscape.start if start is None else start)
    machine, inputs = prepare(
        landscape,
        optimizer,
        CONSTANT if schedule is None else schedule,
        steps=steps,
        shape=shape,
        hyper=hyper,
        schedule_hyper=schedule_hyper,
        noise=noise,
        relative_noise=relative_noise,
        clip_value=clip_value,
        clip_norm=clip_norm,
        seed=seed,
        dtype=points.dtype,
    )
    steps, single = int(steps), points.ndim == 1
    batch = None if single else len(points)
    normals = draws(seed, steps, batch, landscape.dimension, points.dtype, noise or relative_noise)
    run = _record_one if single else _record_many
    with jax.enable_x64(points.dtype == np.float64):
        return trajectory(np.asarray(run(machine, points, inputs, normals)), steps, machine)


def ends(
    landscape: Landscape,
    optimizer: Optimizer,
    starts: np.ndarray,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    schedule: Schedule | None = None,
    schedule_hyper: Mapping[str, object] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    *,
    shape: Mapping[str, object] | None = None,
    tolerance: float | None = None,
    **processing: Any,
) -> Ends:
    """`descend` for a batch of starts, keeping only where each run ends: memory does not grow with steps.

    Noise has the same distribution as in `descend`, but is drawn in the loop: the numbers differ.

    With a ``tolerance``, also the step from which on every update stays below it in each coordinate, and how the run
    arrives.
    """
    points = check_start(starts)
    if points.ndim != 2:
        raise ValueError(f"starts must have shape (batch, 2); an array of shape {points.shape} was given")
    run = ends_from(
        landscape,
        optimizer,
        points.dtype,
        steps,
        hyper,
        schedule,
        schedule_hyper,
        noise,
        seed,
        shape=shape,
        tolerance=tolerance,
        **processing,
    )
    return tiled(run, points, np.arange(len(points), dtype=np.int32))


def ends_from(
    landscape: Landscape,
    optimizer: Optimizer,
    dtype: Any,
    steps: int,
    hyper: Mapping[str, object] | None,
    schedule: Schedule | None = None,
    schedule_hyper: Mapping[str, object] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    *,
    shape: Mapping[str, object] | None = None,
    tolerance: float | None = None,
    **processing: Any,
) -> Callable[[np.ndarray, np.ndarray], Ends]:
    """What `ends` does to a tile of starts (n, 2) with their places in the whole batch (n,)."""
    machine, inputs = prepare(
        landscape,
        optimizer,
        CONSTANT if schedule is None else schedule,
        steps=steps,
        shape=shape,
        hyper=hyper,
        schedule_hyper=schedule_hyper,
        noise=noise,
        seed=seed,
        dtype=dtype,
        **processing,
    )
    processed = bool(noise) or any(processing.values())
    asked = Asked(None if tolerance is None else np.asarray(tolerance, dtype))
    return lambda points, indices: _ends(machine, processed, points, indices, inputs, asked)


# Runs of which a core computes a step at a time: fewer would not pay for the loop around them; with more, the first
# would be done only when nearly all are.
FEWEST, TILE = 1_024, 8_192


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="descent")


Found = TypeVar("Found", bound=tuple[Any, ...])
# Told now and then which share of the tiles is done. If it raises, those that have not begun never do.
Progress = Callable[[float], None]


def tiled(run: Callable[..., Found], *arrays: np.ndarray, most: int = TILE, progress: Progress | None = None) -> Found:
    """``run`` on tiles of the arrays' first axis, one tile a core: XLA keeps such a loop on a single core.

    All tiles have one size (the last is filled up with copies of its last row), so one compilation serves them.
    The first array's dtype decides float32 or float64. What ``run`` returns is a NamedTuple of arrays, put together.
    """
    count = len(arrays[0])
    share = count if count <= FEWEST else max(-(-count // (os.cpu_count() or 1)), FEWEST)
    size = min(most, 1 << max(share - 1, 0).bit_length())

    def tile(first: int) -> Found:
        rows = np.minimum(np.arange(first, first + size), count - 1)
        with jax.enable_x64(arrays[0].dtype == np.float64):
            found = run(*(array[rows] for array in arrays))
            return jax.tree.map(np.asarray, found)

    if count <= size:
        return jax.tree.map(lambda part: part[:count], tile(0))
    tiles = [_workers().submit(tile, first) for first in range(0, count, size)]
    try:
        while waiting := wait(tiles, timeout=None if progress is None else 0.05).not_done:
            if progress:
                progress(1 - len(waiting) / len(tiles))
    finally:
        for future in tiles:
            future.cancel()
    parts = [future.result() for future in tiles]
    return jax.tree.map(lambda *pieces: np.concatenate(pieces)[:count], *parts)


def ends_over_knobs(
    machine: Machine,
    processed: bool,
    start: np.ndarray,
    numbers: np.ndarray,
    integers: np.ndarray,
    asked: Asked,
    progress: Progress | None = None,
) -> Ends:
    """Where one start ends under many knobs: ``numbers`` has a row of `Inputs.numbers` a run."""
    return tiled(
        lambda rows: _ends_of_knobs(machine, processed, start, rows, integers, asked), numbers, progress=progress
    )
