"""Every landscape keeps what its declaration promises. In float64, unless a test says otherwise."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple, get_args

import jax
import numpy as np
import pytest

from descent.landscape import CriticalPoints, Landscape, Tag
from landscapes import FAMILIES, LANDSCAPES

ROWS = 2048  # every evaluation is filled up to whole blocks of this size: one compilation a landscape
SADDLES_LEFT_OUT = {"rastrigin"}  # hundreds of them


class Surface(NamedTuple):
    """A landscape at many points."""

    value: np.ndarray  # (points,)
    gradient: np.ndarray  # (points, 2)
    hessian: np.ndarray  # (points, 2, 2)

    @property
    def eigenvalues(self) -> np.ndarray:
        """Of the Hessian, ascending: (points, 2)."""
        return np.linalg.eigvalsh(self.hessian)


@cache
def compiled(landscape: Landscape):
    def at_point(point, shape):
        def loss(p):
            return landscape.fn(p, **shape)

        return loss(point), jax.grad(loss)(point), jax.hessian(loss)(point)

    return jax.jit(jax.vmap(at_point, in_axes=(0, None)))


def evaluate(landscape: Landscape, points, dtype=np.float64, **shape: float) -> Surface:
    points = np.asarray(points, dtype).reshape(-1, 2)
    blocks = -(-len(points) // ROWS)
    filled = np.resize(points, (blocks, ROWS, 2))
    knobs = {name: dtype(value) for name, value in ({h.name: h.default for h in landscape.hypers} | shape).items()}
    with jax.enable_x64(True):
        parts = [jax.tree.map(np.asarray, compiled(landscape)(block, knobs)) for block in filled]
    return Surface(*(np.concatenate(part)[: len(points)] for part in zip(*parts, strict=True)))


def grid(landscape: Landscape, count: int) -> np.ndarray:
    axes = [np.linspace(low, high, count) for low, high in landscape.domain]
    return np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)


def scattered(landscape: Landscape, count: int) -> np.ndarray:
    low, high = np.transpose(landscape.domain)
    return np.random.default_rng(0).uniform(low, high, (count, 2))


def inside(landscape: Landscape, points) -> np.ndarray:
    low, high = np.transpose(landscape.domain)
    return ((low <= points) & (points <= high)).all(-1)


def circle(radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)  # fine enough for a saddle's narrow way down
    return radius * np.stack([np.cos(angle), np.sin(angle)], -1)


def array(points) -> np.ndarray:
    return np.asarray(points, float).reshape(-1, 2)


def near(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of ``points``: is it one of ``others``?"""
    return (np.linalg.norm(points[:, None] - others[None], axis=-1) < 1e-6).any(-1)


def knob_values(landscape: Landscape):
    """The default shape, and each knob in turn from its low to its high end."""
    yield {}
    for h in landscape.hypers:
        for f in (0.0, 0.03, 0.5, 1.0):
            yield {h.name: h.low * (h.high / h.low) ** f if h.scale == "log" else h.low + f * (h.high - h.low)}


def table(landscapes):
    return pytest.mark.parametrize("landscape", [pytest.param(each, id=each.id) for each in landscapes])


def shape_table(landscapes):
    cases = [(each, shape) for each in landscapes for shape in knob_values(each)]
    names = ["-".join([each.id, *(f"{name}={value:.3g}" for name, value in shape.items())]) for each, shape in cases]
    return pytest.mark.parametrize(("landscape", "shape"), cases, ids=names)


ALL = tuple(LANDSCAPES.values())
SMOOTH = [each for each in ALL if each.smooth]
BOUNDED = [each for each in ALL if not each.unbounded]


# What is declared ------------------------------------------------------------------------------------------------


def test_the_catalogue_is_keyed_by_id_and_covers_every_family():
    assert [each.id for family in FAMILIES for each in family.members] == list(LANDSCAPES)
    assert all(key == each.id and key.isidentifier() and key.islower() for key, each in LANDSCAPES.items())
    assert all(family.name and family.members for family in FAMILIES)


@table(ALL)
def test_what_people_read_is_there(landscape):
    assert landscape.name and landscape.formula and landscape.reference
    assert landscape.teaches.endswith(".") and landscape.teaches.count(". ") == 0, "teaches is one sentence"
    for hyper in landscape.hypers:
        assert hyper.symbol and hyper.label and hyper.help.endswith(".")


@table(ALL)
def test_tags_say_what_is_declared(landscape):
    assert landscape.tags <= set(get_args(Tag))
    assert ("nonsmooth" in landscape.tags) == (not landscape.smooth)
    assert "saddle" in landscape.tags or not landscape.saddles
    assert landscape.saddles or "saddle" not in landscape.tags
    assert len(landscape.minima) == 1 or "convex" not in landscape.tags
    assert landscape.minima or landscape.unbounded
    assert landscape.height == "linear" or not landscape.unbounded, "a logarithmic height needs a lowest value"


@table(ALL)
def test_start_and_critical_points_lie_in_the_domain(landscape):
    (x_low, x_high), (y_low, y_high) = landscape.domain
    assert x_low < landscape.start[0] < x_high and y_low < landscape.start[1] < y_high
    for shape in knob_values(landscape):
        minima, saddles = landscape.critical_points(**shape)
        assert inside(landscape, array([m.point for m in minima])).all()
        assert inside(landscape, array(saddles)).all()


@table(ALL)
def test_a_run_can_leave_the_start(landscape):
    for shape in knob_values(landscape):
        assert np.linalg.norm(evaluate(landscape, landscape.start, **shape).gradient) > 1e-2


@table([each for each in ALL if each.moving])
def test_moving_agrees_with_the_declaration_at_the_default_knobs(landscape):
    assert landscape.critical_points() == CriticalPoints(landscape.minima, landscape.saddles)


@table([each for each in ALL if each.hypers])
def test_no_knob_is_dead(landscape):
    points = scattered(landscape, 50)
    for hyper in landscape.hypers:
        low, default, high = (
            evaluate(landscape, points, **{hyper.name: value}).value for value in (hyper.low, hyper.default, hyper.high)
        )
        assert not np.allclose(low, high, rtol=1e-3)
        assert not np.allclose(default, high, rtol=1e-3)


# Minima and saddles ----------------------------------------------------------------------------------------------


@shape_table([each for each in ALL if each.minima])
def test_declared_minima_are_minima(landscape, shape):
    minima = landscape.critical_points(**shape).minima
    there = evaluate(landscape, [m.point for m in minima], **shape)
    np.testing.assert_allclose(there.value, [m.value for m in minima], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(there.gradient, 0, atol=1e-10)
    assert (there.eigenvalues >= -1e-12 * np.abs(there.eigenvalues).max(-1, keepdims=True)).all()
    assert (there.eigenvalues[:, 0] > 1e-3).all() or landscape.flat_minima


@shape_table([each for each in ALL if each.minima])
def test_declared_minima_lie_lower_than_all_around_them(landscape, shape):
    minima = landscape.critical_points(**shape).minima
    around = evaluate(landscape, array([m.point for m in minima])[:, None] + circle(1e-3), **shape).value
    lowest = around.reshape(len(minima), -1).min(-1)
    values = np.array([m.value for m in minima])
    assert (lowest >= values).all() if landscape.flat_minima else (lowest > values).all()


@shape_table([each for each in ALL if each.saddles])
def test_declared_saddles_are_saddles(landscape, shape):
    saddles = array(landscape.critical_points(**shape).saddles)
    there = evaluate(landscape, saddles, **shape)
    np.testing.assert_allclose(there.gradient, 0, atol=1e-10)
    # Indefinite, or (where the Hessian vanishes) at least rising and falling close by.
    for point, value, eigenvalues in zip(saddles, there.value, there.eigenvalues, strict=True):
        around = evaluate(landscape, point + circle(1e-3), **shape).value
        assert around.min() < value < around.max()
        assert eigenvalues[0] < -1e-3 < 1e-3 < eigenvalues[1] or np.abs(eigenvalues).max() == 0


@shape_table(BOUNDED)
def test_nothing_is_lower_than_the_declared_minimum(landscape, shape):
    minimum = landscape.minimum(**shape)
    assert minimum is not None
    assert evaluate(landscape, grid(landscape, 151), **shape).value.min() >= minimum - 1e-12


@table([each for each in ALL if each.unbounded])
def test_unbounded_landscapes_fall_without_end(landscape):
    assert landscape.minimum() is None
    assert evaluate(landscape, circle(1e2)).value.min() < -1e3
    assert evaluate(landscape, circle(1e4)).value.min() < -1e6


@shape_table([each for each in SMOOTH if not each.flat_minima])
def test_newton_finds_no_undeclared_minimum_or_saddle(landscape, shape):
    points = grid(landscape, 61)
    for _iteration in range(50):
        there = evaluate(landscape, points, **shape)
        (a, b), (c, d) = np.moveaxis(there.hessian, 0, -1)
        g, h = there.gradient.T
        with np.errstate(all="ignore"):
            points = points - np.stack([d * g - b * h, a * h - c * g], -1) / (a * d - b * c)[:, None]
        points = points[np.isfinite(points).all(-1)]
    points = points[inside(landscape, points)]
    there = evaluate(landscape, points, **shape)
    still = np.abs(there.gradient).max(-1) < 1e-9
    points, (low, high) = points[still], there.eigenvalues[still].T

    minima, saddles = landscape.critical_points(**shape)
    minima, saddles = array([m.point for m in minima]), array(saddles)
    assert near(points[low > 1e-6], minima).all()
    assert near(minima, points).all(), "Newton finds what is declared, so it would find more"
    if landscape.id not in SADDLES_LEFT_OUT:
        assert near(points[(low < -1e-6) & (high > 1e-6)], saddles).all()
        assert near(saddles, points).all()


# Formulas --------------------------------------------------------------------------------------------------------


@shape_table(ALL)
def test_autodiff_agrees_with_finite_differences(landscape, shape):
    points, h = scattered(landscape, 200), 1e-5
    there = evaluate(landscape, points, **shape)
    size = 1e-6 * (1 + np.abs(there.value) + np.abs(there.gradient).max(-1) + np.abs(there.hessian).max((-1, -2)))
    for axis, step in enumerate(h * np.eye(2)):
        ahead, behind = (evaluate(landscape, points + sign * step, **shape) for sign in (1, -1))
        slope = (ahead.value - behind.value) / (2 * h)
        curvature = (ahead.gradient - behind.gradient) / (2 * h)
        assert (np.abs(slope - there.gradient[:, axis]) <= size).all()
        assert (np.abs(curvature - there.hessian[:, axis]) <= 10 * size[:, None]).all()


@shape_table(ALL)
def test_float32_is_finite_and_close_to_float64_all_over_the_domain(landscape, shape):
    points = grid(landscape, 61).astype(np.float32)
    single, double = (evaluate(landscape, points, dtype, **shape) for dtype in (np.float32, np.float64))
    for short, exact in zip(single[:2], double[:2], strict=True):
        assert short.dtype == np.float32
        assert np.isfinite(short).all()
        np.testing.assert_allclose(short, exact, rtol=1e-4, atol=1e-5 * np.abs(exact).max())


@table([each for each in ALL if "convex" in each.tags])
def test_convex_landscapes_curve_upwards_everywhere(landscape):
    assert (evaluate(landscape, scattered(landscape, 500)).eigenvalues > 0).all()


VALUES = [
    ("sphere_weighted", (1, 1), 2.2),
    ("sphere_weighted", (3, -1), 3.8),
    ("ellipse", (1, 2), 0.5 * (1 + 20 * 4)),
    ("rosenbrock", (-1.2, 1), 24.2),
    ("rosenbrock", (0, 0), 1),
    ("beale", (0, 0), 1.5**2 + 2.25**2 + 2.625**2),
    ("beale", (1, -1), 0.5**2 + 2.25**2 + 0.625**2),
    ("bounded_saddle", (1, 2), 1),
    ("textbook_saddle", (0.25, -0.5), 1 / 16),
    ("textbook_saddle", (1, 2), 15),
    ("monkey_saddle", (1, 1), -2),
    ("product_valley", (2, 3), 12.5),
    ("sharp_and_flat", (1.5, 0), 0.045 - 1.978 * math.exp(-72)),
    ("sharp_and_flat", (-1.5, 0), 2.045 - 1.978 - 2 * math.exp(-4.5)),
    ("cliff", (1.5, 2), 2 + 0.1125 + 1.5),
    ("cliff", (-3, 0), 0.45 + 3),
    ("tanh_plateau", (2, 2), 2 * math.tanh(1)),
    ("himmelblau", (0, 0), 170),
    ("himmelblau", (1, 2), 64 + 4),
    ("three_hump_camel", (1, 2), 2 - 1.05 + 1 / 6 + 2 + 4),
    ("rastrigin", (0.5, 1), 21.25),
    ("rastrigin", (0.25, 0), 10.0625),
    ("ackley", (1, 1), 20 - 20 * math.exp(-0.2)),
    ("ackley", (0.5, 0.5), 20 - 20 * math.exp(-0.1) + math.e - math.exp(-1)),
]


@pytest.mark.parametrize(("name", "point", "value"), VALUES)
def test_values_computed_by_hand(name, point, value):
    assert evaluate(LANDSCAPES[name], point).value[0] == pytest.approx(value, rel=1e-10)


EIGENVALUES = [
    ("rosenbrock", {}, (1, 1), (0.39936, 1001.6006)),
    ("beale", {}, (3, 0.5), (0.30146, 48.97979)),
    ("bounded_saddle", {}, (0, math.sqrt(2)), (2, 4)),
    ("bounded_saddle", {}, (0, 0), (-2, 2)),
    ("sharp_and_flat", {}, (1.4706, 0), (2.037, 2.039)),
    ("sharp_and_flat", {}, (-1.4960, 0), (31.50, 31.70)),
    ("sphere_weighted", {"w1": 0.3, "w2": 5.0}, (1, 1), (0.6, 10)),
    ("product_valley", {}, (2, 0.5), (0, 4.25)),
    ("product_valley", {}, (1, 1), (0, 2)),
    ("monkey_saddle", {}, (0, 0), (0, 0)),
    ("tanh_plateau", {}, (0, 0), (0.5, 0.5)),
    ("cliff", {}, (0, 0), (0.1, 1)),
]


@pytest.mark.parametrize(("name", "shape", "point", "eigenvalues"), EIGENVALUES)
def test_curvatures_computed_by_hand(name, shape, point, eigenvalues):
    found = evaluate(LANDSCAPES[name], point, **shape).eigenvalues[0]
    assert tuple(found) == pytest.approx(eigenvalues, rel=1e-3, abs=1e-8)


@pytest.mark.parametrize("theta", [0.0, 17.0, 45.0, 90.0])
@pytest.mark.parametrize("kappa", [1.0, 20.0, 300.0])
def test_turning_the_ellipse_changes_its_axes_but_no_curvature(kappa, theta):
    angle = math.radians(theta)
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    there = evaluate(LANDSCAPES["ellipse"], (along, across), kappa=kappa, theta=theta)
    np.testing.assert_allclose(there.eigenvalues, [[1, kappa]] * 2, rtol=1e-10)
    np.testing.assert_allclose(there.value, [0.5, 0.5 * kappa], rtol=1e-10)


@pytest.mark.parametrize(("amplitude", "count"), [(0.0, 1), (0.05, 1), (0.5, 9), (1.0, 49), (10.0, 121)])
def test_rastrigin_gains_minima_with_its_amplitude_and_lists_the_global_one_first(amplitude, count):
    minima = LANDSCAPES["rastrigin"].critical_points(amplitude=amplitude).minima
    assert len(minima) == len({m.point for m in minima}) == count
    assert minima[0] == ((0.0, 0.0), 0.0)
    assert all(m.value > 0 for m in minima[1:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ackley_stays_finite_at_its_cusp(dtype):
    points = np.array([1, 0.5]) * np.array([[0], [1e-30], [1e-20], [1e-10], [1e-5]])
    there = evaluate(LANDSCAPES["ackley"], points, dtype)
    assert not any(np.isnan(part).any() for part in there)
    assert there.value[0] == 0 and (there.gradient[0] == 0).all()
    assert np.linalg.norm(there.gradient[-1]) == pytest.approx(4 / math.sqrt(2), rel=1e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cliff_is_steep_on_its_wall_and_finite_far_out(dtype):
    there = evaluate(LANDSCAPES["cliff"], [(1.5, 0), (-1.5, 0), (1e6, 0), (-1e15, 0)], dtype)
    np.testing.assert_allclose(there.gradient[:, 0], [15.15, -15.15, 1e5, -1e14], rtol=1e-5)
    assert all(np.isfinite(part).all() for part in there)
