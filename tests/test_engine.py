"""Running: what `descend` promises about its arrays, noise, clipping, divergence, misuse and compilations."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from descent import Trajectory, descend
from descent.compilation import counting
from descent.engine import SINGLE_CAPACITY, ends
from descent.field import field
from descent.verdict import judge
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from schedules import SCHEDULES

# Nearly all tests run on these, so that few programs are compiled.
ELLIPSE, ROSENBROCK = LANDSCAPES["ellipse"], LANDSCAPES["rosenbrock"]
SGD, ADAM = OPTIMIZERS["sgd"], OPTIMIZERS["adam"]
START = (-3.0, 1.5)
STARTS = np.array([START, (2.0, -1.0), (0.5, 0.5)], np.float32)
STEPS = 100
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
SINGLE_AND_BATCH = pytest.mark.parametrize("start", [np.float32(START), STARTS], ids=["single", "batch"])


def lively(optimizer: Any) -> dict[str, float]:
    """Knobs at which a rule gets somewhere on the ellipse within a hundred steps."""
    first = {"prodigy": {"d0": 0.1}, "dog": {"initial": 0.1}, "lars": {"trust": 0.1}}.get(optimizer.id, {})
    return first | {
        "learning_rate": {"sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adadelta": 10.0}.get(optimizer.id, 0.1)
    }


def ellipse_gradient(position: np.ndarray, kappa: float = 20.0) -> np.ndarray:
    return position * np.array([1.0, kappa], position.dtype)


# Arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 7, STEPS])
@SINGLE_AND_BATCH
def test_arrays_have_a_step_axis_behind_the_batch_axis(start: np.ndarray, steps: int) -> None:
    t = descend(ELLIPSE, SGD, start, steps)
    batch = start.shape[:-1]
    for name in ("position", "gradient"):
        assert getattr(t, name).shape == (*batch, steps + 1, 2), name
    for name in ("update", "direction", "scale"):
        assert getattr(t, name).shape == (*batch, steps, 2), name
    assert t.loss.shape == (*batch, steps + 1)
    assert t.learning_rate.shape == (*batch, steps)
    assert t.diverged_at.shape == batch
    assert t.steps == steps
    np.testing.assert_array_equal(t.position[..., 0, :], start)
    assert all(np.isfinite(array).all() for array in t)


@pytest.mark.parametrize(
    ("start", "dtype"),
    [
        ((1.5, -1.0), np.float32),
        ([1, 2], np.float32),
        (np.array([1, 2]), np.float32),
        (np.array([1, 2], np.float16), np.float32),
        (np.array([1, 2], np.float32), np.float32),
        (np.array([1, 2], np.float64), np.float64),
        (STARTS, np.float32),
        (STARTS.astype(np.float64), np.float64),
        (STARTS.tolist(), np.float32),
        (None, np.float32),
    ],
    ids=lambda value: getattr(value, "__name__", None) or f"{type(value).__name__}-{np.asarray(value).dtype}",
)
def test_a_float64_start_is_computed_in_float64_and_all_else_in_float32(start: Any, dtype: Any) -> None:
    t = descend(ELLIPSE, SGD, start, 3)
    assert {array.dtype for array in t[:-1]} == {np.dtype(dtype)}
    assert t.diverged_at.dtype.kind == "i"


def test_float64_is_computed_in_float64_not_merely_stored() -> None:
    position = np.array(START)
    for _ in range(STEPS):
        position = position - 0.03 * ellipse_gradient(position)
    t = descend(ELLIPSE, SGD, np.array(START), STEPS, {"learning_rate": 0.03})
    np.testing.assert_allclose(t.position[-1], position, rtol=1e-12)


def test_without_a_start_a_run_begins_at_the_landscapes_own() -> None:
    np.testing.assert_array_equal(descend(ELLIPSE, SGD, steps=1).position[0], np.float32(ELLIPSE.start))


@EVERY_OPTIMIZER
def test_every_position_is_the_last_one_plus_the_update(optimizer: Any) -> None:
    t = descend(ELLIPSE, optimizer, START, STEPS, lively(optimizer), SCHEDULES["constant"], noise=0.1)
    assert np.abs(t.update).max() > 0
    # A unit in the last place of rounding, as a compiler may fuse the multiplication with the addition.
    size = np.maximum(np.abs(t.position[:-1]), np.abs(t.update)) + 1e-30
    assert (np.abs(t.position[1:] - (t.position[:-1] + t.update)) <= 2.4e-7 * size).all()


@pytest.mark.parametrize("processing", [{}, {"noise": 0.5}, {"clip_norm": 0.1}, {"clip_value": 0.1}], ids=str)
def test_loss_and_gradient_are_the_landscapes_own_without_noise_or_clipping(processing: dict[str, float]) -> None:
    t = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.05}, shape={"kappa": 7.0}, **processing)
    x, y = t.position.T.astype(np.float64)
    np.testing.assert_allclose(t.loss, 0.5 * (x**2 + 7 * y**2), rtol=1e-5)
    np.testing.assert_allclose(t.gradient, np.stack([x, 7 * y], -1), rtol=1e-5)


def test_the_learning_rate_follows_the_schedule() -> None:
    constant = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.02})
    np.testing.assert_array_equal(constant.learning_rate, np.full(STEPS, np.float32(0.02)))
    t = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.02}, SCHEDULES["cosine"], {"end": 0.1})
    expected = 0.02 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)))
    np.testing.assert_allclose(t.learning_rate, expected, rtol=1e-5)
    np.testing.assert_allclose(t.update, -t.learning_rate[:, None] * t.gradient[:-1], rtol=1e-5)


# Noise -----------------------------------------------------------------------------------------------------------


def same(first: Trajectory, second: Trajectory) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


@SINGLE_AND_BATCH
def test_the_seed_decides_the_noise_and_nothing_else(start: np.ndarray) -> None:
    noisy = [descend(ELLIPSE, SGD, start, STEPS, noise=0.3, seed=seed) for seed in (5, 5, 6)]
    assert same(noisy[0], noisy[1])
    assert (noisy[0].update != noisy[2].update).all()
    assert same(descend(ELLIPSE, SGD, start, STEPS, seed=5), descend(ELLIPSE, SGD, start, STEPS, seed=6))


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize(
    ("start", "short", "long"),
    [(START, 40, 300), (START, SINGLE_CAPACITY, SINGLE_CAPACITY + 1_000), (STARTS, 40, 60), (STARTS, 40, 200)],
    ids=["single", "single-beyond-capacity", "batch", "batch-beyond-capacity"],
)
def test_a_longer_run_begins_like_a_shorter_one(start: Any, short: int, long: int, noise: float) -> None:
    first, second = (descend(ELLIPSE, SGD, start, steps, noise=noise, seed=1) for steps in (short, long))
    assert second.steps == long and np.isfinite(second.position).all()
    np.testing.assert_array_equal(first.position, second.position[..., : short + 1, :])
    np.testing.assert_array_equal(first.update, second.update[..., :short, :])


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_first_run_of_a_batch_is_the_single_run(noise: float) -> None:
    single = descend(ELLIPSE, SGD, START, STEPS, noise=noise, seed=2)
    batch = descend(ELLIPSE, SGD, STARTS, STEPS, noise=noise, seed=2)
    for name, alone, among in zip(Trajectory._fields, single, batch, strict=True):
        np.testing.assert_allclose(among[0], alone, rtol=1e-5, atol=1e-6, err_msg=name)


def test_each_run_of_a_batch_has_its_own_noise() -> None:
    t = descend(ELLIPSE, SGD, np.repeat(STARTS[:1], 3, 0), STEPS, noise=0.3)
    noise = t.direction - t.gradient[:, :-1]
    assert not np.allclose(noise[0], noise[1], atol=1e-3) and not np.allclose(noise[1], noise[2], atol=1e-3)


@pytest.mark.parametrize("sigma", [0.2, 2.0])
def test_noise_has_mean_0_and_the_deviation_asked_for(sigma: float) -> None:
    t = descend(ELLIPSE, SGD, START, 5_000, {"learning_rate": 0.01}, noise=sigma)
    noise = (t.direction - t.gradient[:-1]) / sigma
    np.testing.assert_allclose(noise.mean(0), 0, atol=5 / np.sqrt(5_000))
    np.testing.assert_allclose(noise.std(0), 1, atol=5 / np.sqrt(5_000))


# Clipping --------------------------------------------------------------------------------------------------------


def test_clipping_is_off_by_default() -> None:
    t = descend(ELLIPSE, SGD, START, STEPS)
    assert np.abs(t.gradient).max() > 20
    np.testing.assert_array_equal(t.direction, t.gradient[:-1])


def test_clipping_by_value_bounds_each_coordinate() -> None:
    t = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.05}, clip_value=2.5)
    np.testing.assert_array_equal(t.direction, np.clip(t.gradient[:-1], -2.5, 2.5))
    assert 0 < (np.abs(t.gradient) > 2.5).mean() < 1, "some are clipped and some are not"


def test_clipping_by_norm_shortens_and_does_not_turn() -> None:
    t = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.05}, clip_norm=2.5)
    norm = np.linalg.norm(t.gradient[:-1], axis=-1, keepdims=True)
    np.testing.assert_allclose(t.direction, t.gradient[:-1] * np.minimum(1, 2.5 / norm), rtol=1e-5)
    assert 0 < (norm > 2.5).mean() < 1, "some are clipped and some are not"


@EVERY_OPTIMIZER
def test_every_rule_sees_the_clipped_gradient(optimizer: Any) -> None:
    """Where all of it is clipped, a run is the same however steep the slope, unless the rule looks at more."""
    gentle, steep = (
        descend(ELLIPSE, optimizer, (300.0, 300.0), 20, lively(optimizer), shape={"kappa": kappa}, clip_value=1.0)
        for kappa in (2.0, 200.0)
    )
    if optimizer.cost.gradients == 1 and optimizer.cost.hessian_vector_products == 0:
        np.testing.assert_array_equal(gentle.position, steep.position)
    free, clipped = (
        descend(ELLIPSE, optimizer, START, STEPS, lively(optimizer), clip_value=bound) for bound in (None, 0.01)
    )
    only_signs = optimizer.id in ("sign_sgd", "rprop")
    assert np.allclose(free.position, clipped.position, rtol=1e-2) == only_signs


# Divergence ------------------------------------------------------------------------------------------------------


def textbook_path(start: tuple[float, float], rate: float, rho: float, steps: int) -> tuple[np.ndarray, int]:
    """Momentum on the textbook saddle in plain NumPy float32, and its first index that is not finite."""
    f = np.float32
    (x, y), vx, vy = np.array(start, f), f(0), f(0)
    path = [(x, y)]
    with np.errstate(all="ignore"):
        for t in range(steps + 1):
            if not np.isfinite([x, y, x * x + y * y + y * y * y + x * y]).all():
                return np.array(path, f), t
            vx, vy = f(rho) * vx + (f(2) * x + y), f(rho) * vy + (f(2) * y + f(3) * y * y + x)
            x, y = x - f(rate) * vx, y - f(rate) * vy
            path.append((x, y))
    return np.array(path, f), -1


@pytest.mark.parametrize(
    ("start", "rate"),
    [((2.0, 3.0), 0.01), ((2.0, 3.0), 0.02), ((-1.0, -2.0), 0.01), ((2.0, 0.5), 0.01), ((2.0, 0.5), 0.001)],
)
def test_divergence_is_the_first_non_finite_step(start: tuple[float, float], rate: float) -> None:
    path, expected = textbook_path(start, rate, 0.9, 400)
    t = descend(
        LANDSCAPES["textbook_saddle"], OPTIMIZERS["momentum"], start, 400, {"learning_rate": rate, "momentum": 0.9}
    )
    assert t.diverged_at == expected
    kept = expected if expected >= 0 else 401
    np.testing.assert_allclose(t.position[:kept], path[:kept], rtol=1e-3, atol=1e-4)


def assert_lost_from(t: Trajectory, index: int) -> None:
    """Everything before ``index`` is finite; everything from there on, and the step that led there, is NaN."""
    assert t.diverged_at == index
    for name in ("position", "loss", "gradient"):
        values = getattr(t, name)
        assert np.isfinite(values[:index]).all() and np.isnan(values[index:]).all(), name
    for name in ("update", "learning_rate", "direction", "scale"):
        values = getattr(t, name)
        assert np.isfinite(values[: max(index - 1, 0)]).all() and np.isnan(values[max(index - 1, 0) :]).all(), name
    assert (t.evaluations[:index] == SGD.cost).all(), "the step that led there was computed, too"
    assert np.isnan(t.evaluations[index:]).all()


def test_everything_before_divergence_is_kept_and_nothing_after() -> None:
    """Above 2/λ = 0.1: each step multiplies y by 1 − 20α = −3, until the loss overflows."""
    t = descend(ELLIPSE, SGD, (0.0, 1.0), 500, {"learning_rate": 0.2})
    y = 1.0 * (-3.0) ** np.arange(100)
    overflows = int((10 * y**2 > np.finfo(np.float32).max).argmax())
    assert_lost_from(t, overflows)
    np.testing.assert_allclose(t.position[:overflows, 1], y[:overflows], rtol=1e-4)


def test_a_start_whose_loss_overflows_diverges_at_0() -> None:
    assert_lost_from(descend(ELLIPSE, SGD, (1e30, 0.0), 5), 0)


def test_a_diverging_run_harms_no_other_of_its_batch() -> None:
    t = descend(ELLIPSE, SGD, [(1e18, 1e18), START, (1e30, 0.0)], STEPS, {"learning_rate": 0.101})
    alone = descend(ELLIPSE, SGD, START, STEPS, {"learning_rate": 0.101})
    assert t.diverged_at[0] > 0 and t.diverged_at[1] == -1 and t.diverged_at[2] == 0
    np.testing.assert_allclose(t.position[1], alone.position, rtol=1e-3)
    assert np.isfinite(t.position[0, : t.diverged_at[0]]).all() and np.isnan(t.position[0, t.diverged_at[0] :]).all()


# Misuse ----------------------------------------------------------------------------------------------------------

MISUSE: list[tuple[dict[str, Any], str]] = [
    ({"hyper": {"lr": 0.1}}, "unknown hyper-parameter 'lr' for sgd; it has learning_rate"),
    ({"hyper": {1: 0.1}}, "unknown hyper-parameter 1 for sgd; it has learning_rate"),
    ({"shape": {"b": 1.0}}, "unknown hyper-parameter 'b' for ellipse; it has kappa, theta"),
    ({"schedule": SCHEDULES["cosine"], "schedule_hyper": {"start": 1}}, "'start' for cosine; it has end"),
    ({"schedule_hyper": {"end": 1}}, "'end' for constant; it has warmup"),
    *(
        ({"hyper": {"learning_rate": value}}, "learning_rate of sgd must be one finite number")
        for value in (np.nan, np.inf, -np.inf, None, "0.1", "abc", b"1", [0.1, 0.2], (), 1j, 10**400, {})
    ),
    ({"hyper": {"learning_rate": 1e300}}, "learning_rate must be within the range of float32; 1e\\+300 was given"),
    ({"shape": {"kappa": np.nan}}, "kappa of ellipse must be one finite number; nan was given"),
    ({"optimizer": ADAM, "hyper": {"bias_correction": 0.5}}, "bias_correction of adam must be a whole number; 0.5"),
    ({"hyper": [("learning_rate", 0.1)]}, "must be a mapping"),
    ({"hyper": 0.1}, "must be a mapping"),
    *(
        ({"start": value}, r"start must be two finite numbers \(x, y\), or an array of shape \(batch, 2\)")
        for value in (
            (1.0,),
            (1.0, 2.0, 3.0),
            1.0,
            "ab",
            ("1", "2"),
            (np.nan, 0.0),
            (0.0, np.inf),
            (1e300, 0.0),
            (10**400, 0),
            (None, 0.0),
            (1j, 0.0),
            (True, False),
            [[1.0, 2.0], [3.0]],
            np.zeros((0, 2)),
            np.zeros((1, 1, 2)),
            np.zeros((2, 3)),
            [],
        )
    ),
    *(
        ({"steps": value}, "steps must be a whole number from 0 to 1000000")
        for value in (-1, 1_000_001, 10.0, "10", None, True, np.nan)
    ),
    *(
        ({"seed": value}, "seed must be a whole number from 0 to 2147483647")
        for value in (-1, 2**31, 0.5, "0", None, True)
    ),
    *(
        ({name: value}, f"{name} must be a finite number ≥ 0")
        for name in ("noise", "relative_noise")
        for value in (-0.1, np.nan, np.inf, "1", None, 10**400)
    ),
    *(
        ({name: value}, f"{name} must be a finite number > 0")
        for name in ("clip_value", "clip_norm")
        for value in (0, -1.0, np.nan, np.inf, "1", [1.0, 2.0])
    ),
    ({"noise": 1e300}, "noise must be within the range of float32"),
    ({"landscape": "ellipse"}, "one of LANDSCAPES is needed.* 'ellipse' was given"),
    ({"landscape": "ellipse", "start": None}, "one of LANDSCAPES is needed"),
    ({"optimizer": "sgd"}, "one of OPTIMIZERS is needed"),
    ({"optimizer": ELLIPSE}, "one of OPTIMIZERS is needed"),
    ({"schedule": "cosine"}, "one of SCHEDULES is needed"),
]


@pytest.mark.parametrize(("given", "message"), MISUSE, ids=lambda value: str(value)[:50])
def test_misuse_raises_an_error_that_says_what_is_allowed(given: dict[str, Any], message: str) -> None:
    arguments = {"landscape": ELLIPSE, "optimizer": SGD, "start": START, "steps": 5} | given
    with pytest.raises(ValueError, match=message):
        descend(**arguments)


@pytest.mark.parametrize(
    "given",
    [
        {"steps": np.int64(6_000)},
        {"seed": np.int32(7), "noise": np.float32(0.1)},
        {"hyper": {"learning_rate": np.float32(0.1)}},
        {"hyper": {"learning_rate": np.array(0.1)}},
        {"hyper": {"learning_rate": -0.01}, "shape": {"kappa": 0.0, "theta": 1_000}},
        {"clip_norm": 1e300},
        {"hyper": {}},
    ],
    ids=str,
)
def test_numbers_of_numpy_and_outside_the_sliders_are_welcome(given: dict[str, Any]) -> None:
    arguments = {"steps": 5} | given
    t = descend(ELLIPSE, SGD, START, **arguments)
    assert t.steps == arguments["steps"] and t.diverged_at == -1


# End points ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "hyper"), [(SGD, {"learning_rate": 0.0015}), (ADAM, {"learning_rate": 0.05})], ids=["sgd", "adam"]
)
def test_ends_are_the_ends_of_descend(optimizer: Any, hyper: dict[str, float]) -> None:
    low, high = np.transpose(ROSENBROCK.domain)
    starts = np.random.default_rng(1).uniform(1.5 * low, 1.5 * high, (64, 2))
    paths = descend(ROSENBROCK, optimizer, starts, 60, hyper)
    found = ends(ROSENBROCK, optimizer, starts, 60, hyper, tolerance=1e-3)
    np.testing.assert_array_equal(found.diverged_at, paths.diverged_at)
    assert optimizer is ADAM or 0 < (found.diverged_at >= 0).mean() < 1, "some diverge and some do not"
    np.testing.assert_allclose(found.position, paths.position[:, -1], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.loss, paths.loss[:, -1], rtol=1e-6, atol=1e-9)
    for moves, settled, diverged in zip(np.abs(paths.update).max(-1), found.settled_at, found.diverged_at, strict=True):
        if diverged < 0:
            large = np.flatnonzero(moves >= 1e-3)
            assert settled == (large[-1] + 1 if large.size else 0)


def test_ends_without_a_tolerance_ask_nothing_about_settling() -> None:
    found = ends(ELLIPSE, SGD, STARTS, 10)
    assert (found.settled_at == -1).all() and found.position.dtype == np.float32


def test_ends_clip_and_add_noise_as_descend_does() -> None:
    clipped = ends(ELLIPSE, SGD, STARTS, 10, clip_norm=1.0)
    path = descend(ELLIPSE, SGD, STARTS, 10, clip_norm=1.0)
    np.testing.assert_allclose(clipped.position, path.position[:, -1], rtol=1e-5)
    many = ends(ELLIPSE, SGD, np.zeros((4_000, 2), np.float32), 1, {"learning_rate": 1.0}, noise=0.5)
    np.testing.assert_allclose(many.position.std(0), 0.5, rtol=5 / np.sqrt(4_000))


@pytest.mark.parametrize("starts", [START, [1.0], None], ids=str)
def test_ends_need_a_batch(starts: Any) -> None:
    with pytest.raises(ValueError, match=r"shape \(batch, 2\)"):
        ends(ELLIPSE, SGD, starts, 10)


# Compilations ----------------------------------------------------------------------------------------------------


def test_counting_sees_a_new_program() -> None:
    with counting() as programs:
        jax.jit(lambda x: x + 1)(np.float32(1))
    assert programs


@EVERY_OPTIMIZER
def test_moving_any_slider_compiles_nothing(optimizer: Any) -> None:
    hypers = [(hyper.name, end) for hyper in optimizer.hypers for end in (hyper.low, hyper.high)]
    changes: list[dict[str, Any]] = [
        *({"hyper": {name: value}} for name, value in hypers),
        {"start": (1.0, -2.0)},
        {"start": (1, 2)},
        *({"shape": {"kappa": kappa, "theta": theta}} for kappa, theta in ((1.0, 90.0), (1000, 1))),
        {"noise": 0.5},
        {"noise": 1, "relative_noise": 0.5, "seed": 9_999},
        {"clip_value": 0.1},
        {"clip_norm": 0.1},
        *({"steps": steps} for steps in (0, 1, 2, 499, 4_999, 5_000)),
    ]
    descend(ELLIPSE, optimizer, START, 500)
    with counting() as programs:
        for change in changes:
            descend(ELLIPSE, optimizer, **{"start": START, "steps": 500} | change)
    assert not programs


def test_another_slider_of_the_schedule_compiles_nothing() -> None:
    descend(ELLIPSE, SGD, START, 500, schedule=SCHEDULES["cosine"])
    with counting() as programs:
        descend(ELLIPSE, SGD, START, 300, schedule=SCHEDULES["cosine"], schedule_hyper={"end": 0.5})
    assert not programs


def test_the_surface_and_the_verdicts_of_another_shape_compile_nothing() -> None:
    def look(kappa: float, runs: int, start: tuple[float, float]) -> None:
        shape = {"kappa": kappa}
        field(ELLIPSE, shape)
        judge(ELLIPSE, [descend(ELLIPSE, SGD, start, 50, shape=shape)] * runs, shape)

    look(20.0, 1, START)
    with counting() as programs:
        look(3.0, 2, (1.0, 1.0))
        look(900.0, 10, START)
    assert not programs
