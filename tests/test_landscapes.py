"""Every landscape keeps what its declaration promises. In float64, unless a test says otherwise."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple, get_args

import jax
import numpy as np
import pytest

from descent import descend
from descent.landscape import CriticalPoints, Landscape, Minimum, Tag
from landscapes import FAMILIES, LANDSCAPES
from optimizers import OPTIMIZERS

ROWS = 2048  # every evaluation is filled up to whole blocks of this size: one compilation a landscape


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
    blocks = max(1, -(-len(points) // ROWS))
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


@table(ALL)
def test_gradient_descent_comes_down_at_the_declared_rate(landscape):
    for name in ("sgd", "momentum"):
        run = descend(landscape, OPTIMIZERS[name], landscape.start, 500, {"learning_rate": landscape.rate})
        assert run.diverged_at < 0 and run.loss[-1] < run.loss[0]


@table([each for each in ALL if each.moving])
def test_moving_agrees_with_the_declaration_at_the_default_knobs(landscape):
    assert landscape.critical_points() == CriticalPoints(landscape.minima, landscape.saddles)


@table([each for each in ALL if each.hypers])
def test_no_knob_is_dead(landscape):
    defaults = {h.name: h.default for h in landscape.hypers}
    vectors = np.random.default_rng(0).uniform(-2, 2, (50, landscape.dimension))  # on the slice or not
    for hyper in landscape.hypers:
        low, default, high = (
            [float(landscape.loss(v, **defaults | {hyper.name: value})) for v in vectors]
            for value in (hyper.low, hyper.default, hyper.high)
        )
        assert not np.allclose(low, high, rtol=1e-3)
        assert not np.allclose(default, high, rtol=1e-3)


# Minima and saddles ----------------------------------------------------------------------------------------------


@shape_table([each for each in ALL if each.minima])
def test_declared_minima_are_minima(landscape, shape):
    minima = landscape.critical_points(**shape).minima
    there = evaluate(landscape, [m.point for m in minima], **shape)
    rounding = 1e-15 * np.abs(evaluate(landscape, grid(landscape, 16), **shape).value).max()
    np.testing.assert_allclose(there.value, [m.value for m in minima], rtol=1e-12, atol=rounding)
    # At the domain's edge the loss may fall further outside: the gradient may point inwards there.
    low, high = np.transpose(landscape.domain)
    points = array([m.point for m in minima])
    inwards = ((points == low) & (there.gradient > 0)) | ((points == high) & (there.gradient < 0))
    np.testing.assert_allclose(np.where(inwards, 0, there.gradient), 0, atol=1e-10)
    assert (there.eigenvalues >= -1e-12 * np.abs(there.eigenvalues).max(-1, keepdims=True)).all()
    curved = there.eigenvalues[:, 0] > 1e-3
    assert (curved | [m.kink for m in minima]).all() or landscape.flat_minima


@shape_table([each for each in ALL if each.minima])
def test_the_gradient_fades_towards_minima_except_on_kinks(landscape, shape):
    minima = landscape.critical_points(**shape).minima
    around = array([m.point for m in minima])[:, None] + circle(1e-7)
    slopes = np.linalg.norm(evaluate(landscape, around, **shape).gradient, axis=-1).reshape(len(minima), -1)
    for minimum, slope in zip(minima, slopes, strict=True):
        assert landscape.on_edge(minimum.point) or (slope.min() > 0.1 if minimum.kink else slope.max() < 0.01)
        assert not (landscape.smooth and minimum.kink)


@shape_table([each for each in ALL if each.minima])
def test_declared_minima_lie_lower_than_all_around_them(landscape, shape):
    minima = landscape.critical_points(**shape).minima
    around = array([m.point for m in minima])[:, None] + circle(1e-3)
    losses = evaluate(landscape, around, **shape).value.reshape(len(minima), -1)
    lowest = np.where(inside(landscape, around), losses, np.inf).min(-1)
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


@shape_table([each for each in ALL if not each.flat_minima])
def test_newton_finds_no_undeclared_minimum_or_saddle(landscape, shape):
    points = grid(landscape, 89)
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
    there = evaluate(landscape, minima, **shape)
    regular = (np.abs(there.gradient).max(-1) < 1e-9) & (there.eigenvalues[:, 0] > 1e-3)  # not on a kink or the edge
    if "minima" not in landscape.undeclared:
        assert near(minima[regular], points).all(), "Newton finds what is declared, so it would find more"
        assert near(points[low > 1e-6], minima).all()
    else:
        assert shape or not near(points[(low > -1e-6) & (high > 1e-6)], minima).all()
    if landscape.smooth:  # elsewhere, a corner where kinks cross may look like a saddle
        assert near(saddles, points).all()
        found = near(points[(low < -1e-6) & (high > 1e-6)], saddles)
        assert found.all() if "saddles" not in landscape.undeclared else shape or not found.all()


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
        # Right beside a kink, differences are no match for what autodiff says.
        bend = np.abs(ahead.hessian - behind.hessian).max((-1, -2))
        away = landscape.smooth | (bend <= 1e-3 * (1 + np.abs(there.hessian).max((-1, -2))))
        assert away.mean() > 0.9
        assert (np.abs(slope - there.gradient[:, axis]) <= size)[away].all()
        assert (np.abs(curvature - there.hessian[:, axis]) <= 10 * size[:, None])[away].all()


@shape_table(ALL)
def test_float32_is_finite_and_close_to_float64_all_over_the_domain(landscape, shape):
    points = grid(landscape, 61).astype(np.float32)
    single, double = (evaluate(landscape, points, dtype, **shape) for dtype in (np.float32, np.float64))
    # What rounding a point by a digit does: much, right beside a crease.
    ulp = np.finfo(np.float32).eps * np.abs(points).max(-1)
    slope, bend = np.abs(double.gradient).max(-1), np.abs(double.hessian).max((-1, -2))
    for short, exact, slack in ((single.value, double.value, slope), (single.gradient.T, double.gradient.T, bend)):
        assert short.dtype == np.float32
        assert np.isfinite(short).all()
        assert (np.abs(short - exact) <= 1e-4 * np.abs(exact) + 1e-5 * np.abs(exact).max() + ulp * slack).all()


@table([each for each in ALL if "convex" in each.tags])
def test_convex_landscapes_lie_below_their_chords(landscape):
    ends = scattered(landscape, 1000).reshape(2, -1, 2)
    first, second, middle = (evaluate(landscape, points).value for points in (*ends, ends.mean(0)))
    assert (middle <= (first + second) / 2 + 1e-12).all()
    assert not landscape.smooth or (evaluate(landscape, ends).eigenvalues > 0).all()


VALUES = [
    ("sphere", (1, 2), 5),
    ("matyas", (1, 2), 0.34),
    ("booth", (1, 1), 16 + 4),
    ("dixon_price", (1, 1), 2),
    ("dixon_price", (3, -1), 4 + 2),
    ("zakharov", (2, 1), 5 + 4 + 16),
    ("freudenstein_roth", (0.5, -2), 19.5**2 + 4.5**2),
    ("mccormick", (1, 1), 2 + math.sin(2)),
    ("hyperbolic_saddle", (1, 2), -3),
    ("double_well", (2, 1), 10),
    ("quartic", (1, 2), 17),
    ("easom", (math.pi, 0), math.exp(-(math.pi**2))),
    ("michalewicz", (math.pi / 2, math.pi / 2), -1 - 2**-10),
    ("one_neuron", (0, 0), 3 * 0.64 / 4),
    ("one_neuron", (0, 1), math.tanh(1) ** 2 - 0.4 * math.tanh(1) + 0.48),
    ("six_hump_camel", (1, 1), 1.9 + 1 / 3 + 1),
    ("branin", (0, 0), 36 + 10 * (1 - 1 / (8 * math.pi)) + 10),
    ("branin", (math.pi, 0), 2.275**2 + 1.25 / math.pi),
    ("goldstein_price", (0, 0), 20 * 30),
    ("goldstein_price", (1, 1), 28 * 67),
    ("styblinski_tang", (1, 1), -10),
    ("peaks", (0, 0), 3 / math.e - 1 / (3 * math.e)),
    ("peaks", (1, 0), 8 / math.e - math.exp(-4) / 3),
    ("two_wells", (0, 0), -5 * math.exp(-5)),
    (
        "mueller_brown",
        (0, 0.5),
        -200 * math.exp(-3.5) - 100 + -170 * math.exp(-1.625 - 5.5 - 6.5) + 15 * math.exp(0.7 - 0.3 + 0.175),
    ),
    ("griewank", (math.pi, math.sqrt(2) * math.pi), 3 * math.pi**2 / 4000),
    ("griewank", (math.pi, 0), 2 + math.pi**2 / 4000),
    ("levy13", (0.5, 1), 1.25),
    ("levy13", (4, 2.5), 9 * 2 + 2.25),
    ("schwefel", (math.pi**2, -(math.pi**2) / 4), 837.9657745448674 + math.pi**2 / 4),
    ("bohachevsky", (0.5, 0.25), 0.25 + 0.125 + 0.4 + 0.7),
    ("bohachevsky", (1, 0), 1 + 0.3 - 0.4 + 0.7),
    ("drop_wave", (math.pi / 12, 0), 0),
    ("drop_wave", (0, math.pi / 6), -2 / (math.pi**2 / 72 + 2)),
    ("schaffer2", (1, 1), 0.5 - 0.5 / 1.002**2),
    ("schaffer2", (math.sqrt(math.pi / 2), 0), 0.5 + 0.5 / (1 + 5e-4 * math.pi) ** 2),
    ("l1_ravine", (1, -2), 21),
    ("bukin6", (-10, 0), 100),
    ("bukin6", (-5, 0.25), 0.05),
    ("cross_in_tray", (0, 1), -1e-4),
    ("cross_in_tray", (math.pi / 2, math.pi / 2), -1e-4 * (math.exp(100 - math.sqrt(0.5)) + 1) ** 0.1),
    ("holder_table", (math.pi / 2, 0), -math.exp(0.5)),
    ("holder_table", (0, 3), 0),
    ("eggholder", (0, 0), -47 * math.sin(math.sqrt(47))),
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
    ("matyas", {}, (3, 4), (0.04, 1)),
    ("booth", {}, (3, 4), (2, 18)),
    ("zakharov", {}, (0, 0), (2, 4.5)),
    ("double_well", {}, (1, 0), (2, 8)),
    ("double_well", {}, (0, 0), (-4, 2)),
    ("quartic", {}, (0, 0), (0, 0)),
    ("easom", {}, (math.pi, math.pi), (3, 3)),
    ("griewank", {}, (0, 0), (0.5005, 1.0005)),
    ("levy13", {}, (1, 1), (2, 2 + 18 * math.pi**2)),
    ("bohachevsky", {}, (0, 0), (2 + 2.7 * math.pi**2, 4 + 6.4 * math.pi**2)),
    ("drop_wave", {}, (0, 0), (72.5, 72.5)),
    ("schaffer2", {}, (0, 0), (0.002, 0.002)),
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
    assert minima[0] == Minimum((0.0, 0.0), 0.0)
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


ON_KINKS = [
    ("ackley", (0, 0)),
    ("l1_ravine", (0, 0)),
    ("l1_ravine", (0, 1)),
    ("bukin6", (-10, 1)),
    ("bukin6", (-5, 0.25)),
    ("cross_in_tray", (0, 0)),
    ("cross_in_tray", (0, 3)),
    ("holder_table", (0, 0)),
    ("holder_table", (0, 2)),
    ("eggholder", (0, -47)),
    ("eggholder", (94, -94)),
    ("schwefel", (0, 0)),
    ("schwefel", (0, 9)),
    ("drop_wave", (0, 0)),
]


@pytest.mark.parametrize(("name", "point"), ON_KINKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_is_finite_on_a_kink(name, point, dtype):
    assert all(np.isfinite(part).all() for part in evaluate(LANDSCAPES[name], point, dtype))
