"""The engine beside the loops that one would write in torch (what people use) and in numba (the floor).

All compute in float32, and the same: that is checked before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
import torch

from benchmarks.table import Row, in_turn
from descent import descend
from descent.engine import ends
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from schedules import SCHEDULES

F = np.float32

LEARNING_RATE, B1, B2, EPS = 0.02, 0.9, 0.999, 1e-8
HYPER = {"learning_rate": LEARNING_RATE, "b1": B1, "b2": B2, "eps": EPS}
START = (-1.2, 1.0)
STEPS = 1_000
MAP_SIDE, MAP_STEPS = 128, 500


def torch_loop(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (steps + 1, 2) and losses (steps + 1,) of torch.optim.Adam on Rosenbrock."""
    params = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.Adam([params], lr=LEARNING_RATE, betas=(B1, B2), eps=EPS)
    positions, losses = np.empty((steps + 1, 2), F), np.empty(steps + 1, F)
    for t in range(steps + 1):
        optimizer.zero_grad()
        x, y = params
        loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        positions[t], losses[t] = params.detach().numpy(), loss.item()
        if t < steps:
            loss.backward()
            optimizer.step()
    return positions, losses


@numba.njit(cache=False)
def _rosenbrock(x: Any, y: Any) -> Any:
    """Loss and its two derivatives, float32 throughout."""
    across, along = y - x * x, F(1) - x
    return along * along + F(100) * across * across, F(-2) * along - F(400) * x * across, F(200) * across


@numba.njit(cache=False)
def _adam_step(g: Any, m: Any, v: Any, correction_m: Any, correction_v: Any) -> Any:
    """One coordinate of Adam: its update and both moments."""
    m = F(B1) * m + F(1 - B1) * g
    v = F(B2) * v + F(1 - B2) * g * g
    return F(-LEARNING_RATE) * (m / correction_m) / (np.sqrt(v / correction_v) + F(EPS)), m, v


@numba.njit(cache=False)
def _numba_path(start_x: Any, start_y: Any, positions: Any, losses: Any) -> None:
    x, y, mx, my, vx, vy = start_x, start_y, F(0), F(0), F(0), F(0)
    power_1, power_2 = F(1), F(1)
    for t in range(len(losses) - 1):
        loss, gx, gy = _rosenbrock(x, y)
        positions[t, 0], positions[t, 1], losses[t] = x, y, loss
        power_1, power_2 = power_1 * F(B1), power_2 * F(B2)
        dx, mx, vx = _adam_step(gx, mx, vx, F(1) - power_1, F(1) - power_2)
        dy, my, vy = _adam_step(gy, my, vy, F(1) - power_1, F(1) - power_2)
        x, y = x + dx, y + dy
    positions[-1, 0], positions[-1, 1], losses[-1] = x, y, _rosenbrock(x, y)[0]


def numba_loop(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """What `torch_loop` computes, compiled by numba."""
    positions, losses = np.empty((steps + 1, 2), F), np.empty(steps + 1, F)
    _numba_path(F(START[0]), F(START[1]), positions, losses)
    return positions, losses


@numba.njit(parallel=True, cache=False)
def _numba_ends(starts: Any, steps: int) -> Any:
    """Where each start (batch, 2) is after ``steps`` Adam steps on Rosenbrock, on all cores."""
    found = np.empty_like(starts)
    for i in numba.prange(len(starts)):
        x, y, mx, my, vx, vy = starts[i, 0], starts[i, 1], F(0), F(0), F(0), F(0)
        power_1, power_2 = F(1), F(1)
        for _ in range(steps):
            _loss, gx, gy = _rosenbrock(x, y)
            power_1, power_2 = power_1 * F(B1), power_2 * F(B2)
            dx, mx, vx = _adam_step(gx, mx, vx, F(1) - power_1, F(1) - power_2)
            dy, my, vy = _adam_step(gy, my, vy, F(1) - power_1, F(1) - power_2)
            x, y = x + dx, y + dy
        found[i, 0], found[i, 1] = x, y
    return found


def agree(what: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    """Raise ``AssertionError`` where two results differ by more than float32's rounding explains."""
    worst = float(np.max(np.abs(ours - theirs) / (1 + np.abs(theirs))))
    if not worst <= tolerance:  # NaN too
        raise AssertionError(f"{what}: the results differ by {worst:.2g}, so the times mean nothing")


def one_run() -> Iterator[Row]:
    """1,000 recorded steps of one run."""
    rosenbrock, adam = LANDSCAPES["rosenbrock"], OPTIMIZERS["adam"]

    def ours() -> Any:
        return descend(rosenbrock, adam, start=START, steps=STEPS, hyper=HYPER)

    peers: tuple[tuple[str, float, Callable[[], tuple[np.ndarray, np.ndarray]]], ...] = (
        ("torch.optim loop", 1 / 200, lambda: torch_loop(STEPS)),
        ("numba loop", 15, lambda: numba_loop(STEPS)),
    )
    for peer_name, target, peer in peers:
        path, (positions, losses) = ours(), peer()
        agree(f"{peer_name}, positions", path.position, positions, 1e-3)
        agree(f"{peer_name}, losses", path.loss, losses, 1e-3)
        pair = in_turn(ours, peer)
        yield Row(f"{STEPS:,} Adam steps, recorded", pair.ours, "ms", pair.peer, peer_name, pair.ratio, at_most=target)


def scheduled_run() -> Iterator[Row]:
    """What a schedule costs a run."""
    rosenbrock, adam = LANDSCAPES["rosenbrock"], OPTIMIZERS["adam"]

    def ours() -> Any:
        return descend(rosenbrock, adam, start=START, steps=STEPS, hyper=HYPER, schedule=SCHEDULES["cosine"])

    def plain() -> Any:
        return descend(rosenbrock, adam, start=START, steps=STEPS, hyper=HYPER)

    pair = in_turn(ours, plain)
    name = f"{STEPS:,} Adam steps under a cosine"
    yield Row(name, pair.ours, "ms", pair.peer, "at a constant rate", pair.ratio, at_most=3)


def many_ends() -> Iterator[Row]:
    """Where a whole grid of starts ends."""
    rosenbrock, adam = LANDSCAPES["rosenbrock"], OPTIMIZERS["adam"]
    (left, right), (bottom, top) = rosenbrock.domain
    grid = np.meshgrid(np.linspace(left, right, MAP_SIDE), np.linspace(bottom, top, MAP_SIDE))
    starts = np.stack(grid, axis=-1).reshape(-1, 2).astype(F)

    def ours() -> Any:
        return ends(rosenbrock, adam, starts, steps=MAP_STEPS, hyper=HYPER)

    def peer() -> np.ndarray:
        return _numba_ends(starts, MAP_STEPS)

    agree("numba prange, end points", ours().position, peer(), 1e-2)
    pair = in_turn(ours, peer)
    name = f"{MAP_SIDE}×{MAP_SIDE} starts × {MAP_STEPS} Adam steps"
    yield Row(name, pair.ours, "ms", pair.peer, "numba prange", pair.ratio, at_most=1 / 4)


def rows() -> Iterator[Row]:
    """All of them."""
    yield from one_run()
    yield from scheduled_run()
    yield from many_ends()
