"""Noise: what a rule does under noisy gradients, over many seeds instead of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from descent.compilation import compiled_each
from descent.engine import SINGLE_CAPACITY, Inputs, Machine, Progress, check_kind, check_whole, draws, kernel, tiled
from descent.hyper import fill
from descent.landscape import Landscape, Point
from descent.optimizer import Optimizer
from descent.passage import Passages, Setup, noisy_passages, outside, set_up
from descent.verdict import local

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
ROWS = 250  # of the losses that are kept: a longer run keeps every second, every third, …
SEEDS, CELL_SEEDS = 256, 64  # of an ensemble, and of each cell of a map
TOGETHER = 24  # cells that are computed at once


class Ensemble(NamedTuple):
    """The same run under the noise of many seeds."""

    seeds: np.ndarray  # (n,)
    step: np.ndarray  # (rows,) of which losses are kept; the last is the end
    loss: np.ndarray  # (n, rows) that is reported, NaN from divergence on
    position: np.ndarray  # (n, 2) that is reported at the end, NaN where the run diverged
    diverged_at: np.ndarray  # (n,) first non-finite step, or −1

    def quantiles(self) -> np.ndarray:
        """(5, rows): the 5, 25, 50, 75 and 95 % quantiles of the loss; a run that diverged has an infinite one."""
        loss = np.where(np.isfinite(self.loss), self.loss, np.inf)
        return np.quantile(loss, LEVELS, axis=0, method="nearest")


class Basin(NamedTuple):
    """The basin of a minimizer, as a ball that reaches as far as the nearest saddle."""

    point: Point
    radius: float
    sharpness: float  # λ_max at the minimizer


class BasinEscapes(NamedTuple):
    """Out of a basin by noise. The first axis is the learning rate, the second σ."""

    basin: Basin
    rate: np.ndarray
    noise: np.ndarray
    share: np.ndarray  # of the seeds whose run was outside at some step, or diverged
    steps: np.ndarray  # median of the first such step over those runs; NaN if there were none


class Floors(NamedTuple):
    """Where noise does not let the loss fall any further, against the learning rate."""

    rate: np.ndarray
    loss: np.ndarray  # mean over seeds and the last fifth of the steps; NaN where a run diverged


@compiled_each(1)
def _ensemble(machine: Machine, start: Any, numbers: Any, steps: Any, stride: Any, seeds: Any, normals: Any) -> Any:
    """Of each seed: the losses at every ``stride``-th step, (x, y, loss) at the end, and how long all was finite."""

    def one(seed: Any, drawn: Any) -> Any:
        run = kernel(machine, Inputs(numbers, jnp.stack([steps, seed])), 0)

        def seen(state: Any, params: Any) -> Any:
            if run.report:
                return run.report(state, params)[:3]
            return jnp.hstack([run.point(params), run.loss(params)])

        def body(t: Any, carry: Any) -> Any:
            params, state, finite_until, losses = carry
            reported = seen(state, params)
            finite_until = finite_until + (jnp.isfinite(reported).all() & (finite_until == t))
            row = jnp.where(t % stride == 0, t // stride, ROWS)  # the last is for what is not kept
            losses = lax.dynamic_update_index_in_dim(losses, reported[2], row, 0)
            params, state, _ = run.step(t, params, state, drawn[t])
            return params, state, finite_until, losses

        params = run.params(start)
        losses = jnp.full(ROWS + 1, jnp.nan, start.dtype)
        carry = (params, run.init(params), jnp.zeros((), jnp.int32), losses)
        params, state, finite_until, losses = lax.fori_loop(0, steps, body, carry)
        return losses, seen(state, params), finite_until

    return jax.vmap(one)(seeds, normals)


def ensemble(
    landscape: Landscape,
    optimizer: Optimizer,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    noise: float,
    seeds: int = SEEDS,
    seed: int = 0,
    **conditions: Any,
) -> Ensemble:
    """The same run with the seeds ``seed``, ``seed`` + 1, …, ``seeds`` of them: each is what `descend` gives for it.

    ``conditions`` are `descend`'s: schedule, clipping. Raises ``ValueError`` as it does, and for more than 5,000 steps.
    """
    check_whole("steps", steps, 0, SINGLE_CAPACITY)
    check_whole("seeds", seeds, 1, 4_096)
    run = set_up(landscape, optimizer, start, steps, hyper, shape, seed=seed, noise=noise, **conditions)
    stride = max(-(-steps // ROWS), 1)
    drawn = _draws(run, seed, seeds)
    with jax.enable_x64(run.start.dtype == np.float64):
        found = _ensemble(run.machine, run.start, run.inputs.numbers, np.int32(steps), np.int32(stride), *drawn)
        losses, end, finite_until = (np.asarray(part) for part in found)
    survived = (finite_until == steps) & np.isfinite(end).all(-1)
    kept = np.arange(0, steps, stride)
    step = np.append(kept, steps)
    loss = np.concatenate([losses[:, : len(kept)], end[:, 2:]], 1)
    lost = ~survived[:, None] & (step >= finite_until[:, None])
    return Ensemble(
        drawn[0],
        step,
        np.where(lost, np.nan, loss),
        np.where(survived[:, None], end[:, :2], np.nan),
        np.where(survived, -1, finite_until),
    )


def _draws(run: Setup, first: int, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Seeds, and (seeds, capacity, 2, dimension) draws: each seed has those of its single run."""
    steps, capacity = int(run.inputs.integers[0]), 1 << max(int(run.inputs.integers[0]) - 1, 511).bit_length()
    numbers = np.arange(first, first + seeds, dtype=np.int32)
    dimension, dtype = run.machine.landscape.dimension, run.start.dtype
    return numbers, np.stack([draws(int(k), steps, None, dimension, dtype, 1.0, capacity) for k in numbers])


def sharpest_basin(landscape: Landscape, shape: Mapping[str, object] | None = None) -> Basin | None:
    """The basin of the sharpest declared minimizer, where there is another one and a saddle between; else None."""
    shapes = fill(landscape.hypers, shape, landscape.id)
    known = landscape.critical_points(**shapes)
    if len(known.minima) < 2 or not known.saddles or landscape.flat_minima or landscape.slice:
        return None
    points = np.array([m.point for m in known.minima])
    sharpness = local(landscape, points, shapes).eigenvalues[:, -1]
    if not np.isfinite(sharpness).any():
        return None
    index = int(np.nanargmax(sharpness))
    radius = np.linalg.norm(np.array(known.saddles) - points[index], axis=-1).min()
    return Basin((float(points[index][0]), float(points[index][1])), float(radius), float(sharpness[index]))


def basin_escapes(
    landscape: Landscape,
    optimizer: Optimizer,
    rates: np.ndarray,
    noises: np.ndarray,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    seeds: int = CELL_SEEDS,
    seed: int = 0,
    progress: Progress | None = None,
    **conditions: Any,
) -> BasinEscapes:
    """How often noise throws a run out of the sharpest basin, over ``seeds`` seeds at each of rates (a,), noises (s,).

    Runs start at the bottom. One is out once it is farther from there than the nearest saddle is. Every cell has the
    same draws. ``progress`` is told now and then which share is computed; if it raises, nothing more is.

    Raises ``ValueError`` as `descend` does, where `sharpest_basin` knows none, and for an optimizer without a learning
    rate.
    """
    basin = sharpest_basin(landscape, shape)
    if basin is None:
        raise ValueError(f"{landscape.id} has no minimum known to be sharper than another beyond a saddle")
    grid = np.stack(np.meshgrid(rates, noises, indexing="ij"), -1).reshape(-1, 2)
    run = set_up(landscape, optimizer, basin.point, steps, hyper, shape, seed=seed, noise=1.0, **conditions)
    aim = np.array([*basin.point, basin.radius])
    found = _noisy(run, grid, aim, seed, seeds, progress)
    out = (found.reached_at >= 0) | (found.diverged_at >= 0)
    when = np.where(found.reached_at >= 0, found.reached_at, found.diverged_at)
    # The median of those that are out: the others sort behind them.
    ordered, count = np.sort(np.where(out, when, steps + 1), -1), out.sum(-1)
    middle = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[:, None], -1)[:, 0]
    form = (len(rates), len(noises))
    steps_out = np.where(count > 0, middle, np.nan).reshape(form)
    return BasinEscapes(basin, np.asarray(rates), np.asarray(noises), out.mean(-1).reshape(form), steps_out)


def floors(
    landscape: Landscape,
    optimizer: Optimizer,
    rates: np.ndarray,
    start: Sequence[float] | np.ndarray | None = None,
    steps: int = 500,
    hyper: Mapping[str, object] | None = None,
    shape: Mapping[str, object] | None = None,
    *,
    noise: float,
    seeds: int = CELL_SEEDS,
    seed: int = 0,
    **conditions: Any,
) -> Floors:
    """The loss under noise at the end of the runs, at each of ``rates`` (a,), as the mean over ``seeds`` seeds.

    Whether runs have come down that far by then, ``steps`` decides. Raises ``ValueError`` as `descend` does, and for an
    optimizer without a learning rate.
    """
    run = set_up(landscape, optimizer, start, steps, hyper, shape, seed=seed, noise=noise, **conditions)
    grid = np.stack([rates, np.full(len(rates), noise)], -1)
    found = _noisy(run, grid, np.array([0.0, 0.0, np.inf]), seed, seeds)
    return Floors(np.asarray(rates), found.late_loss.mean(-1))


def _noisy(
    run: Setup, cells: np.ndarray, aim: np.ndarray, seed: int, seeds: int, progress: Progress | None = None
) -> Passages:
    """(cells, seeds): runs at each (learning rate, σ) of ``cells`` (n, 2)."""
    check_whole("seeds", seeds, 1, 4_096)
    if not any(h.name == "learning_rate" for h in run.machine.optimizer.hypers):
        raise ValueError(f"{run.machine.optimizer.id} has no learning rate")
    numbers = run.rows(len(cells))
    numbers[:, [run.column("learning_rate"), run.column("noise")]] = cells
    drawn = _draws(run, seed, seeds)

    def part(rows: np.ndarray) -> Passages:
        return noisy_passages(run.machine, outside, run.start, rows, int(run.inputs.integers[0]), aim, *drawn)

    return tiled(part, numbers, most=TOGETHER, progress=progress)


def stationary_variance(learning_rate: Any, curvature: Any, noise: float, momentum: float = 0.0) -> Any:
    """Variance at rest of a coordinate with curvature λ under gradient noise σ: ασ²(1 + ρ) / (λ(1 − ρ)(2(1 + ρ) − αλ)).

    Of gradient descent (ρ = 0) that is ασ² / (λ(2 − αλ)), of the heavy ball what its velocity makes of it. Infinite
    from the stability edge on. Reference: Mandt, Hoffman and Blei, Stochastic Gradient Descent as Approximate Bayesian
    Inference (2017); the discrete recursions are solved exactly here.
    """
    curvature = np.asarray(curvature)
    rest = np.asarray(2 * (1 + momentum) - learning_rate * curvature)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = learning_rate * noise**2 * (1 + momentum) / (curvature * (1 - momentum) * rest)
    return np.where((rest > 0) & (curvature > 0), variance, np.inf)


def floor(
    landscape: Landscape,
    point: Sequence[float],
    learning_rate: Any,
    noise: float,
    momentum: float = 0.0,
    shape: Mapping[str, object] | None = None,
) -> Any:
    """Mean loss at rest around a minimizer, by its Hessian: f* + Σ ½λ·`stationary_variance`. Exact on a quadratic."""
    check_kind(landscape, Landscape)
    around = local(landscape, np.array([point]), shape)
    with np.errstate(invalid="ignore"):
        return around.loss[0] + sum(
            0.5 * curvature * stationary_variance(learning_rate, curvature, noise, momentum)
            for curvature in around.eigenvalues[0]
        )
