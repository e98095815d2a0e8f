"""Figures that lessons lean on, measured once with other code: with these settings they come out here as well."""

from __future__ import annotations

import math

import numpy as np
import pytest

from descent import Trajectory, basins, descend
from descent.engine import ends
from descent.verdict import KINDS
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS


def first(condition: np.ndarray) -> np.ndarray:
    """First step at which it holds, −1 if it never does: (batch,) of (batch, steps + 1)."""
    return np.where(condition.any(-1), condition.argmax(-1), -1)


def run(landscape: str, optimizer: str, start: object, steps: int, rate: float, **more: float) -> Trajectory:
    shape = {name: more.pop(name) for name in ("kappa", "theta") if name in more}
    hyper = {"learning_rate": rate, **more}
    return descend(LANDSCAPES[landscape], OPTIMIZERS[optimizer], np.array(start, float), steps, hyper, shape=shape)


# Turned ellipse: steps to a loss of 1e-6, κ = 100, from the same point of the valley (3.75 along it and 0.89 across) at
# θ = 0° and 45°. Gradient descent and heavy ball have their best knobs: 2/(1 + κ); 4/(1 + √κ)², ((√κ − 1)/(√κ + 1))².
ROTATION = [
    ("sgd", {"rate": 2 / 101}, 442, 442),
    ("momentum", {"rate": 4 / 121, "momentum": (9 / 11) ** 2}, 69, 69),
    ("adam", {"rate": 0.09}, 150, 551),
    ("adagrad", {"rate": 1.3}, 28, 596),
]


@pytest.mark.parametrize(("optimizer", "knobs", "straight", "turned"), ROTATION, ids=[row[0] for row in ROTATION])
def test_only_methods_that_scale_coordinates_notice_a_turn(optimizer: str, knobs: dict, straight: int, turned: int):
    found = []
    for theta in (0.0, 45.0):
        cos, sin = math.cos(math.radians(theta)), math.sin(math.radians(theta))
        start = [(3.75 * cos - 0.89 * sin, 3.75 * sin + 0.89 * cos)]
        path = run("ellipse", optimizer, start, 1_000, kappa=100.0, theta=theta, **knobs)
        found.append(int(first(path.loss <= 1e-6)[0]))
    assert found == pytest.approx([straight, turned], rel=0.04)
    assert (straight == turned) == (found[0] == found[1])


# Bounded saddle, from 10⁻², 10⁻⁴ and 10⁻⁸ beside the ridge at x = −1.5, α = 0.05: steps until the loss is below −0.9.
ESCAPES = [
    ("sgd", {}, (56, 104, 201)),
    ("momentum", {"momentum": 0.9}, (25, 37, 70)),
    ("rmsprop", {"decay": 0.9}, (22, 22, 22)),
    ("adam", {}, (27, 27, 27)),
]


@pytest.mark.parametrize(("optimizer", "knobs", "steps"), ESCAPES, ids=[row[0] for row in ESCAPES])
def test_the_closer_to_the_ridge_the_longer_at_the_saddle_unless_steps_are_scaled(optimizer, knobs, steps):
    path = run("bounded_saddle", optimizer, [(-1.5, side) for side in (1e-2, 1e-4, 1e-8)], 300, 0.05, **knobs)
    assert first(path.loss < -0.9).tolist() == list(steps)


# Product valley, gradient descent from (3, 0.6): the sharpness x² + y² of the floor where it ends.
SHARPNESS = {0.05: 8.85, 0.25: 6.29, 0.3: 3.11, 0.4: 3.98}


@pytest.mark.parametrize("rate", SHARPNESS)
def test_gradient_descent_rests_only_where_the_valley_is_flat_enough(rate: float):
    path = run("product_valley", "sgd", (3.0, 0.6), 20_000, rate)
    x, y = path.position[-1]
    assert x * y == pytest.approx(1, abs=1e-6)
    assert x**2 + y**2 == pytest.approx(SHARPNESS[rate], abs=0.01)
    assert x**2 + y**2 < 2 / rate


@pytest.mark.parametrize("rate", [0.6, 0.8, 1.0])
def test_gradient_descent_diverges_where_no_floor_is_flat_enough(rate: float):
    assert run("product_valley", "sgd", (3.0, 0.6), 1_000, rate).diverged_at > 0


def test_on_himmelblau_gradient_descent_arrives_from_everywhere_and_a_slow_adam_from_half():
    surface, share = LANDSCAPES["himmelblau"], {}
    axis = np.linspace(-6, 6, 48, dtype=np.float32)
    starts = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    for optimizer, rate in (("sgd", 0.005), ("adam", 0.012)):
        # (As basins asks, with its tolerance: one compilation serves both.)
        end = ends(surface, OPTIMIZERS[optimizer], starts, 300, {"learning_rate": rate}, tolerance=1e-3).position
        distance = np.linalg.norm(end[:, None] - [m.point for m in surface.minima], axis=-1).min(-1)
        seen = basins(surface, OPTIMIZERS[optimizer], 48, 300, {"learning_rate": rate}).verdict
        share[optimizer] = (distance < 0.05).mean(), (seen == KINDS.index("minimum")).mean()
    assert share["sgd"] == (1, 1)
    assert share["adam"][0] == pytest.approx(0.51, abs=0.03)
    # A map asks for more than being near: the run must have come to rest.
    assert share["adam"][1] == pytest.approx(0.47, abs=0.03)
