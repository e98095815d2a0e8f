"""Noise and clipping of gradients: against torch and optax, and by their statistics."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from descent import Trajectory, descend
from descent.landscape import Landscape
from descent.processing import Processing
from optimizers import OPTIMIZERS

# A constant gradient: whatever a step differs by is noise.
SLOPE = Landscape(
    id="slope",
    name="Slope",
    fn=lambda p: 3 * p[0] - 0.5 * p[1],
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(0.0, 0.0),
    minima=(),
    formula="",
    reference="",
    teaches="",
)
GRADIENT = np.array([3.0, -0.5])
STEPS = 5000


def noisy_gradients(**processing: Any) -> np.ndarray:
    """The gradients that SGD was handed, (steps, 2), read from its updates."""
    t: Trajectory = descend(SLOPE, OPTIMIZERS["sgd"], np.zeros(2), STEPS, {"learning_rate": 1.0}, **processing)
    return -t.update


def gradients(dtype: Any, scale: float = 1.0) -> dict[str, Any]:
    """A pytree of gradients with norms on both sides of 1 in its parts."""
    rng = np.random.default_rng(0)
    return {
        "w": jnp.asarray(scale * rng.normal(size=(3, 4)), dtype),
        "b": jnp.asarray(scale * 0.1 * rng.normal(size=4), dtype),
        "gain": jnp.asarray(scale * 0.3, dtype),
    }


def clipped(grads: Any, value: float = np.inf, norm: float = np.inf) -> Any:
    """The gradients without noise, clipped."""
    zeros = jax.tree.map(jnp.zeros_like, grads)
    dtype = jax.tree.leaves(grads)[0].dtype
    amounts = (jnp.asarray(number, dtype) for number in (0, 0, value, norm))
    return Processing(*amounts).apply(grads, zeros, zeros)


def assert_same(ours: Any, theirs: Any, rtol: float) -> None:
    """Both pytrees hold the same numbers."""
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol), ours, theirs)


@pytest.mark.parametrize("bound", [0.01, 1.0, 100.0])
def test_clipping_by_norm_is_that_of_torch_and_optax(bound: float) -> None:
    with jax.enable_x64(True):
        grads = gradients(np.float64)
        ours = clipped(grads, norm=bound)
        assert_same(ours, optax.clip_by_global_norm(bound).update(grads, optax.EmptyState())[0], rtol=1e-12)
    tensors = {name: torch.zeros(g.shape, dtype=torch.float64) for name, g in grads.items()}
    for name, tensor in tensors.items():
        tensor.grad = torch.tensor(np.asarray(grads[name]))
    torch.nn.utils.clip_grad_norm_(list(tensors.values()), bound)
    # torch divides by the norm + 1e-6.
    assert_same(ours, {name: tensor.grad.numpy() for name, tensor in tensors.items()}, rtol=1e-6)


@pytest.mark.parametrize("bound", [0.01, 1.0, 100.0])
def test_clipping_by_value_is_that_of_optax(bound: float) -> None:
    with jax.enable_x64(True):
        grads = gradients(np.float64)
        assert_same(clipped(grads, value=bound), optax.clip(bound).update(grads, optax.EmptyState())[0], rtol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_clipping_by_norm_does_not_overflow(scale: float) -> None:
    """Squares of such gradients leave float32, which is when clipping is needed most."""
    ours = clipped(gradients(np.float32, scale), norm=scale / 1000)
    norm = np.sqrt(sum(np.sum(np.asarray(g, np.float64) ** 2) for g in jax.tree.leaves(ours)))
    assert norm == pytest.approx(scale / 1000, rel=1e-5)


def test_clipping_is_off_by_default() -> None:
    np.testing.assert_array_equal(noisy_gradients(), np.broadcast_to(GRADIENT, (STEPS, 2)))


def test_a_run_clips_values_before_the_norm() -> None:
    """(3, −½) to ±2 is (2, −½), and that to norm 1 points the same way."""
    direction = np.array([2.0, -0.5])
    both = noisy_gradients(clip_value=2.0, clip_norm=1.0)
    np.testing.assert_allclose(both, np.broadcast_to(direction / np.hypot(*direction), (STEPS, 2)), rtol=1e-12)


def test_noise_is_reproduced_by_its_seed() -> None:
    np.testing.assert_array_equal(noisy_gradients(noise=1.0, seed=3), noisy_gradients(noise=1.0, seed=3))
    assert (noisy_gradients(noise=1.0, seed=3) != noisy_gradients(noise=1.0, seed=4)).all()


@pytest.mark.parametrize(
    ("processing", "deviation"),
    [({"noise": 0.7}, (0.7, 0.7)), ({"relative_noise": 0.2}, (0.6, 0.1))],
    ids=["additive", "relative"],
)
def test_noise_has_the_right_statistics(processing: dict[str, float], deviation: tuple[float, float]) -> None:
    """Mean 0, the deviation that was asked for, no memory, and coordinates of their own: all within 5 sigmas."""
    normals = (noisy_gradients(**processing) - GRADIENT) / deviation
    tolerance = 5 / np.sqrt(STEPS)
    np.testing.assert_allclose(normals.mean(0), 0, atol=tolerance)
    np.testing.assert_allclose(normals.std(0), 1, atol=tolerance)
    assert abs(np.mean(normals[:, 0] * normals[:, 1])) < tolerance
    assert abs(np.mean(normals[1:] * normals[:-1])) < tolerance
    # Normal, not merely of the right variance: 68.3% lie within one deviation.
    assert np.mean(np.abs(normals) < 1) == pytest.approx(0.6827, abs=tolerance)


def test_both_noises_are_drawn_apart() -> None:
    """The additive and the relative noise of a step are independent, so their variances add up."""
    both = noisy_gradients(noise=0.7, relative_noise=0.2)
    np.testing.assert_allclose(both.std(0), np.hypot((0.7, 0.7), (0.6, 0.1)), rtol=5 / np.sqrt(STEPS))


def test_noise_comes_before_clipping() -> None:
    assert np.abs(noisy_gradients(noise=1.0, clip_value=2.0)).max() == 2.0
