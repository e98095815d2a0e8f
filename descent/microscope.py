"""One run under the microscope: beside its trajectory, all that its rule held and all that the surface was, step by
step; and what would have come of it, had a knob been turned on the way.

One compiled loop for each (landscape, optimizer, schedule) serves both the run and its forks: knobs and the step at
which others take their place are traced. So a fork that changes nothing is the run, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import tree
from jax.flatten_util import ravel_pytree

from descent.compilation import compiled_each
from descent.engine import (
    Inputs,
    Machine,
    Trajectory,
    check_start,
    check_whole,
    columns,
    draws,
    prepare,
    record,
    trajectory,
)
from descent.hyper import fill
from descent.landscape import Landscape
from descent.optimizer import Optimizer, Problem, Terms
from descent.schedule import CONSTANT, Schedule
from descent.verdict import classify

MOST_STEPS = 500  # so that all of it reaches a browser in one message
_NEVER = np.iinfo(np.int32).max


class Fork(NamedTuple):
    """From step ``at`` on, these knobs of the optimizer hold instead; those not named stay."""

    at: int
    hyper: Mapping[str, float]


class Anatomy(NamedTuple):
    """A run, taken apart: NumPy arrays with a leading step axis, of steps or (where said) steps + 1 entries.

    After divergence all are NaN. ``handed`` is the gradient that the rule was given, maybe noisy or clipped; ``states``
    has the fields of the optimizer's state that its declaration names in ``symbols``, flat, after the step; ``probes``
    the points that it declares. ``metric`` is the matrix A of the step −α A⁻¹ M: as declared, or diag(√G + ε); NaN
    where a rule has neither. ``rest`` is what the update has on top of the unified form (weight decay), NaN for a rule
    without one. ``sharpness`` is the largest curvature measured in the metric, the largest eigenvalue of A⁻¹H, and
    ``limit`` is c/α, what it must stay below; for rules that declare no c they are those of gradient descent.

    Where the plane is a slice through more parameters, points, directions and matrices are their shares in it, and
    states and sharpness are those of all parameters; there is no unified form of the plane's coordinates then.
    """

    trajectory: Trajectory
    handed: np.ndarray  # (steps, 2)
    states: dict[str, np.ndarray]  # (steps, size) each
    probes: dict[str, np.ndarray]  # (steps, 2) each
    eps: np.ndarray  # (steps,)
    metric: np.ndarray  # (steps, 2, 2)
    rest: np.ndarray  # (steps, 2)
    eigenvalues: np.ndarray  # (steps + 1, 2) of the Hessian, ascending, in float64
    eigenvectors: np.ndarray  # (steps + 1, 2, 2), a column each
    kinds: np.ndarray  # (steps + 1,) index into `descent.verdict.KINDS`, −1 after divergence
    sharpness: np.ndarray  # (steps,)
    limit: np.ndarray  # (steps,)


def unified(optimizer: Optimizer, landscape: Landscape) -> bool:
    """Can the steps be read as Δθ = −α / (√G + ε) · M? On a slice G belongs to other axes than the plane's."""
    return optimizer.terms is not None and landscape.slice is None


def adapted(optimizer: Optimizer) -> bool:
    """Does a step of the rule have a known metric, and a known limit in it?"""
    return optimizer.limit is not None and (optimizer.terms is not None or optimizer.metric is not None)


@lru_cache(maxsize=256)
def _observer(optimizer: Optimizer, layout: bool = False) -> Any:
    """What is noted at each step: as a dict of flat arrays (``layout``), or all in one array."""

    def flat(part: Any) -> jax.Array:
        return ravel_pytree(part)[0]

    def note(grads: Any, state: Any, params: Any, hyper: Any, problem: Problem) -> dict[str, Any]:
        terms = optimizer.terms(state, hyper, grads) if optimizer.terms else Terms()
        eps = jnp.asarray(0.0 if terms.eps is None else terms.eps)
        if optimizer.metric:
            metric = flat(optimizer.metric(state, params, hyper, problem))
        elif optimizer.terms:
            root = flat(tree.map(jnp.ones_like, params)) if terms.scale is None else jnp.sqrt(flat(terms.scale))
            metric = flat(jnp.diag(root + eps))
        else:
            metric = jnp.full(flat(params).size ** 2, jnp.nan)
        probes = optimizer.probes(grads, state, params, hyper, problem) if optimizer.probes else {}
        limit = jnp.asarray(optimizer.limit(hyper) if adapted(optimizer) and optimizer.limit else 2.0)
        return {
            "params": flat(params),
            "handed": flat(grads),
            "eps": eps,
            "metric": metric,
            "limit": limit,
            "probes": {name: flat(point) for name, point in probes.items()},
            "states": {name: flat(getattr(state, name)) for name in optimizer.symbols},
        }

    def observe(*step: Any) -> jax.Array:
        leaves = tree.leaves(note(*step))
        dtype = jnp.result_type(*tree.leaves(step[2]))
        return jnp.hstack([jnp.ravel(jnp.asarray(leaf, dtype)) for leaf in leaves])

    return note if layout else observe


@lru_cache(maxsize=256)
def _layout(landscape: Landscape, optimizer: Optimizer) -> Any:
    """What `_observer` notes on a landscape, as shapes."""
    if landscape.slice:
        params: Any = jnp.zeros(landscape.slice.shape)
    else:
        params = jnp.zeros(2) if optimizer.per_layer else (jnp.zeros(()), jnp.zeros(()))
    knobs = {h.name: h.default for h in optimizer.hypers} | {"learning_rate": 1.0}

    def note(params: Any) -> Any:
        problem = Problem(lambda p: jnp.sum(ravel_pytree(p)[0] ** 2), 0.0, lambda: jax.random.key(0))
        return _observer(optimizer, True)(params, optimizer.init(params), params, SimpleNamespace(**knobs), problem)

    return jax.eval_shape(note, params)


@compiled_each(1)
def _dissect(
    machine: Machine, start: jax.Array, inputs: Inputs, normals: jax.Array, at: Any, numbers: jax.Array
) -> jax.Array:
    return record(machine, start, inputs, normals, 0, _observer(machine.optimizer), (at, numbers))


def dissect(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 200,
    hyper: Mapping[str, object] | None = None,
    schedule: Schedule | None = None,
    schedule_hyper: Mapping[str, object] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    *,
    fork: Fork | None = None,
    shape: Mapping[str, object] | None = None,
    **processing: Any,
) -> Anatomy:
    """Run as `descend` does, from one start, for at most ``MOST_STEPS`` steps, and take every step apart.

    The numbers are those of `descend` up to rounding, which two programs may do in different places. With a ``fork``
    it is the other future: the run up to that step, and from there with the other knobs.

    Raises ``ValueError`` as `descend` does, and for a batch of starts, more steps, or a fork beyond the last step.
    """
    point = check_start(landscape.start if start is None else start)
    if point.ndim != 1:
        raise ValueError(f"start must be two finite numbers (x, y); an array of shape {point.shape} was given")
    steps = check_whole("steps", steps, 0, MOST_STEPS)
    hyper = fill(optimizer.hypers, hyper, optimizer.id)
    told: dict[str, Any] = {"steps": steps, "shape": shape, "schedule_hyper": schedule_hyper, "noise": noise}
    told |= {"seed": seed, "dtype": point.dtype, **processing}
    schedule = CONSTANT if schedule is None else schedule
    machine, inputs = prepare(landscape, optimizer, schedule, hyper=hyper, **told)
    at, numbers = _NEVER, inputs.numbers
    if fork is not None:
        at = check_whole("the step of a fork", fork.at, 0, max(steps - 1, 0))
        numbers = prepare(landscape, optimizer, schedule, hyper=hyper | dict(fork.hyper), **told)[1].numbers
    noisy = noise or processing.get("relative_noise", 0.0)
    normals = draws(seed, steps, None, landscape.dimension, point.dtype, noisy, MOST_STEPS)
    with jax.enable_x64(point.dtype == np.float64):
        table = np.asarray(_dissect(machine, point, inputs, normals, np.asarray(at, np.int32), numbers))
    known = columns(machine)
    run = trajectory(table[:, :known], steps, machine)
    return _anatomy(landscape, optimizer, run, table[:steps, known:], shape)


def _anatomy(
    landscape: Landscape, optimizer: Optimizer, run: Trajectory, seen: np.ndarray, shape: Mapping[str, object] | None
) -> Anatomy:
    knobs = fill(landscape.hypers, shape, landscape.id)
    axes = np.eye(2) if landscape.slice is None else landscape.lift(np.eye(2), **knobs)
    lost = np.isnan(run.position[:, 0])
    shapes, structure = tree.flatten(_layout(landscape, optimizer))
    ends = np.cumsum([leaf.size for leaf in shapes])[:-1]
    noted = tree.unflatten(structure, np.split(np.where(lost[1:, None], np.nan, seen), ends, axis=1))
    eps, metric = noted["eps"][:, 0], noted["metric"].reshape(-1, axes.shape[1], axes.shape[1])

    points = run.position
    if landscape.slice:
        end = run.params[-1:] if optimizer.report is None else landscape.lift(run.position[-1:], **knobs)
        points = np.concatenate([noted["params"], end])
    # One size for all lengths of runs, so that no slider compiles.
    padded = np.zeros((MOST_STEPS + 1, axes.shape[1]))
    padded[: len(lost)] = np.where(np.isnan(points).any(1, keepdims=True), 0.0, points)
    still = np.ones(len(padded), bool)
    kinds, _, around = classify(landscape, padded, still, ~still, knobs)
    values, vectors = around.eigenvalues[: len(lost)], around.eigenvectors[: len(lost)]
    values[lost] = np.nan
    hessian = np.einsum("nij,nj,nkj->nik", vectors, values, vectors)
    sharpness = _generalized(hessian[:-1], metric) if adapted(optimizer) else values[:-1, -1].copy()
    if landscape.slice:
        within = np.einsum("ij,njk,lk->nil", axes, hessian, axes)
        values, vectors = np.linalg.eigh(np.where(lost[:, None, None], 0.0, within))
        values[lost] = np.nan

    with np.errstate(divide="ignore", invalid="ignore"):
        step = run.learning_rate[:, None] / (np.sqrt(run.scale) + eps[:, None]) * run.direction
        rest = run.update + (step if unified(optimizer, landscape) else np.nan)
        limit = noted["limit"][:, 0] / run.learning_rate
    return Anatomy(
        run,
        noted["handed"] @ axes.T,
        noted["states"],
        {name: probe @ axes.T for name, probe in noted["probes"].items()},
        eps,
        np.einsum("ij,njk,lk->nil", axes, metric, axes),
        rest,
        values,
        vectors,
        np.where(lost, -1, kinds[: len(lost)]),
        sharpness,
        limit,
    )


def _generalized(hessian: np.ndarray, metric: np.ndarray) -> np.ndarray:
    """The largest eigenvalue of A⁻¹H at each step, from the Hessian H and the metric A; NaN where A is singular."""
    metric = metric.astype(np.float64)
    finite = np.flatnonzero(np.isfinite(hessian).all((1, 2)) & np.isfinite(metric).all((1, 2)))
    regular = finite[np.linalg.det(metric[finite]) != 0]
    largest = np.full(len(hessian), np.nan)
    largest[regular] = np.linalg.eigvals(np.linalg.solve(metric[regular], hessian[regular])).real.max(1)
    return largest
