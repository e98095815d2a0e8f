"""What a run is said to have come to: each kind on constructed cases, and no minimum where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descent import Trajectory, descend
from descent.hyper import fill
from descent.landscape import Landscape
from descent.verdict import KINDS, Verdict, diagonal, judge, steps_to
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS


def along(path: np.ndarray, loss: np.ndarray | None = None, diverged_at: int = -1) -> Trajectory:
    """A trajectory with these positions."""
    path = np.asarray(path, float)
    unused, steps = np.zeros((len(path), 2)), np.zeros((len(path) - 1, 2))
    loss = np.zeros(len(path)) if loss is None else np.asarray(loss, float)
    return Trajectory(
        position=path,
        loss=loss,
        gradient=unused,
        update=steps,
        learning_rate=steps[:, 0],
        direction=steps,
        scale=steps,
        reported=path,
        reported_loss=loss,
        params=path,
        evaluations=steps,
        diverged_at=np.array(diverged_at),
    )


def resting(
    point: Sequence[float], landscape: Landscape | None = None, shape: Mapping[str, float] | None = None
) -> Trajectory:
    run = along(np.tile(point, (60, 1)))
    return run if landscape is None else run._replace(params=landscape.lift(run.position, **knobs(landscape, shape)))


def knobs(landscape: Landscape, shape: Mapping[str, float] | None) -> dict[str, float]:
    return fill(landscape.hypers, shape, landscape.id)


def verdict(
    landscape: str,
    optimizer: str,
    start: tuple[float, float],
    steps: int,
    rate: float,
    shape: Mapping[str, float] | None = None,
    **knobs: float,
) -> Verdict:
    surface = LANDSCAPES[landscape]
    run = descend(surface, OPTIMIZERS[optimizer], start, steps, {"learning_rate": rate, **knobs}, shape=shape)
    return judge(surface, [run], shape)[0]


def shapes(landscape: Landscape) -> list[dict[str, float]]:
    """The default knobs, and each knob in turn at both ends of its slider."""
    return [{}, *({hyper.name: end} for hyper in landscape.hypers for end in (hyper.low, hyper.high))]


EVERY_SHAPE = pytest.mark.parametrize(
    ("landscape", "shape"),
    [pytest.param(each, shape, id=f"{each.id}-{shape}") for each in LANDSCAPES.values() for shape in shapes(each)],
)


# At rest ---------------------------------------------------------------------------------------------------------


@EVERY_SHAPE
def test_resting_at_or_beside_a_declared_minimum_is_a_minimum(landscape: Landscape, shape: dict[str, float]) -> None:
    minima, lowest = landscape.critical_points(**shape).minima, landscape.minimum(**shape)
    beside = 1e-4 * diagonal(landscape) * np.array([0.6, -0.8])
    runs = [resting(np.add(m.point, away), landscape, shape) for m in minima for away in (0.0, beside)]
    for index, found in enumerate(judge(landscape, runs, shape)):
        minimum = minima[index // 2]
        if landscape.flat_minima and index % 2:
            continue  # beside the floor, not on it
        if landscape.on_edge(minimum.point):
            assert found.kind == "moving"  # it falls on, outside
            continue
        assert found.kind == "minimum" and found.minimizer == index // 2
        assert found.detail == ("flat" if landscape.flat_minima else "global" if minimum.value == lowest else "local")
        near = max(1e-3, np.square(beside).sum()) * max(1, abs(found.eigenvalues[1]))
        assert minimum.kink or found.loss == pytest.approx(minimum.value, abs=near)


@EVERY_SHAPE
def test_resting_at_a_declared_saddle_is_a_saddle(landscape: Landscape, shape: dict[str, float]) -> None:
    saddles = landscape.critical_points(**shape).saddles
    beside = 1e-4 * diagonal(landscape) * np.array([0.6, -0.8])
    found = judge(landscape, [resting(np.add(s, away), landscape) for s in saddles for away in (0.0, beside)], shape)
    assert [(v.kind, v.detail, v.minimizer) for v in found] == [("saddle", "", -1)] * 2 * len(saddles)


@pytest.mark.parametrize(
    ("landscape", "point", "kind", "detail"),
    [
        ("himmelblau", (-0.270845, -0.923039), "maximum", ""),
        ("rastrigin", (0.502546, 0.502546), "maximum", ""),
        ("rastrigin", (0.502546, 0.0), "saddle", ""),  # one of hundreds that are not declared
        ("ackley", (0.0, 0.0), "minimum", "global"),  # a cusp, where the gradient is 0 by agreement only
        ("ackley", (0.004, -0.002), "minimum", "global"),  # beside it, where the gradient is 2.8
        ("ackley", (0.96847, 0.0), "minimum", "local"),  # one of its ripples, none of them declared
        ("product_valley", (2.5, 0.4), "minimum", "flat"),  # on the floor, far from all points listed
        ("product_valley", (1.01, 1.01), "moving", ""),  # beside the floor, where the Hessian is indefinite
        ("product_valley", (0.0, 0.0), "saddle", ""),
        ("monkey_saddle", (0.02, 0.0), "saddle", ""),
        ("tanh_plateau", (-5.0, 5.0), "plateau", ""),
        ("cliff", (-2.9, 0.0), "moving", ""),  # up there the ground still slopes
        ("rosenbrock", (-0.99, 0.98), "moving", ""),
        ("rosenbrock", (0.9, 0.81), "moving", ""),
        ("ellipse", (0.3, 0.0), "moving", ""),
        ("ellipse", (5.0, 0.0), "moving", "outside"),
        ("ellipse", (0.0, -4.001), "moving", "outside"),
        ("ellipse", (4.0, -4.0), "moving", ""),  # the corner is inside
        ("beale", (-3.3435, 1.2507), "moving", ""),  # gentle for beale, and yet no plateau
        ("monkey_saddle", (0.5, 0.1), "moving", ""),
        ("drop_wave", (0.0, 0.52021556), "minimum", "flat"),  # the innermost ring
        ("drop_wave", (0.0, 0.519), "minimum", "flat"),  # inside of it, where the Hessian is indefinite
        ("drop_wave", (0.0, 0.55), "moving", ""),
        ("michalewicz", (2.202906, 2.22144), "plateau", ""),  # the floor of a trench, level along itself
        ("levy13", (5.941389, -0.641301), "moving", ""),  # Newton's step is short here, and leads nowhere
        ("quartic", (0.01, -0.02), "minimum", "flat"),
        ("bukin6", (-10.0, 1.0), "minimum", "global"),
        ("bukin6", (-9.0, 0.81), "moving", ""),  # on the crease
        ("l1_ravine", (0.001, -0.002), "minimum", "global"),
        ("l1_ravine", (1.0, 0.0), "moving", ""),
        ("holder_table", (1.712392, 3.418868), "minimum", "local"),
        ("eggholder", (512.0, 404.2318), "moving", ""),  # the lowest point, but on the edge
        ("eggholder", (482.35331, 432.879), "minimum", "local"),
        ("easom", (-5.0, -5.0), "plateau", ""),
        ("double_well", (0.0, 0.0), "saddle", ""),
    ],
)
def test_resting_somewhere_else(landscape: str, point: tuple[float, float], kind: str, detail: str) -> None:
    """Stopping on a slope, as with a tiny learning rate, is not arriving."""
    found = judge(LANDSCAPES[landscape], [resting(point)])[0]
    assert (found.kind, found.detail) == (kind, detail)


def test_a_verdict_comes_with_its_evidence() -> None:
    found = judge(LANDSCAPES["ellipse"], [resting((1.0, 0.5))], {"kappa": 8.0})[0]
    assert found.position == (1.0, 0.5)
    assert found.loss == pytest.approx(0.5 + 1.0)
    assert found.gradient_norm == pytest.approx(np.hypot(1, 4))
    assert found.eigenvalues == pytest.approx((1, 8))


# On the move -----------------------------------------------------------------------------------------------------


def test_passing_over_a_minimum_is_not_arriving() -> None:
    x = np.linspace(-3.0, 0.0, 60)
    assert judge(LANDSCAPES["ellipse"], [along(np.stack([x, 0 * x], -1))])[0].kind == "moving"
    # The same over the floor of a valley, where the loss alone would say minimum.
    x = np.linspace(0.5, 2.0, 60)
    assert judge(LANDSCAPES["product_valley"], [along(np.stack([x, 1 / x], -1))])[0].kind == "moving"


def test_circling_is_cycling_and_a_spiral_is_not() -> None:
    t = np.arange(200)[:, None]
    circle = 1.5 * np.hstack([np.cos(0.7 * t), np.sin(0.7 * t)])
    runs = [along(path) for path in (circle, circle * 0.98**t, circle * 1.02**t, circle + 0.05 * t, circle / 500)]
    kinds = [found.kind for found in judge(LANDSCAPES["ellipse"], runs)]
    assert kinds == ["cycling", "moving", "moving", "moving", "minimum"]


CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[str, str, int]]] = [
    ("converged", ("ellipse", "sgd", (-3.0, 1.5), 500, 0.05), {}, ("minimum", "global", 0)),
    ("one of four", ("himmelblau", "sgd", (-3.0, 3.0), 300, 0.01), {}, ("minimum", "global", 1)),
    ("another of four", ("himmelblau", "sgd", (0.0, 0.0), 300, 0.01), {}, ("minimum", "global", 0)),
    ("a local one", ("three_hump_camel", "sgd", (-2.0, 1.0), 300, 0.05), {}, ("minimum", "local", 1)),
    ("sharp", ("sharp_and_flat", "sgd", (-1.9, 1.0), 400, 0.02), {}, ("minimum", "local", 1)),
    ("unbounded", ("textbook_saddle", "sgd", (2.0, 0.5), 300, 0.05), {}, ("minimum", "local", 0)),
    ("a floor", ("product_valley", "sgd", (2.5, -1.0), 400, 0.05), {}, ("minimum", "flat", 2)),
    ("ill-conditioned", ("rosenbrock", "sgd", (0.99, 0.98), 5_000, 9e-5), {"shape": {"b": 1e3}}, ("moving", "", -1)),
    ("into the cusp", ("ackley", "adam", (0.3, 0.2), 400, 0.01), {}, ("minimum", "global", 0)),
    ("a ripple", ("ackley", "sgd", (-3.4, 2.6), 400, 0.01), {}, ("minimum", "local", -1)),
    ("on the ridge", ("bounded_saddle", "sgd", (-2.0, 0.0), 300, 0.05), {}, ("saddle", "", -1)),
    ("on the ridge", ("bounded_saddle", "momentum", (-2.0, 0.0), 300, 0.05), {}, ("saddle", "", -1)),
    ("on the ridge", ("product_valley", "sgd", (1.0, -1.0), 300, 0.05), {}, ("saddle", "", -1)),
    ("still at the saddle", ("bounded_saddle", "sgd", (-2.0, 1e-8), 100, 0.05), {}, ("saddle", "", -1)),
    ("left the saddle", ("bounded_saddle", "sgd", (-2.0, 1e-4), 400, 0.05), {}, ("minimum", "global", 0)),
    ("monkey stall", ("monkey_saddle", "sgd", (1.2, 0.0), 300, 0.05), {}, ("saddle", "", -1)),
    ("monkey stall", ("monkey_saddle", "sgd", (1.2, 0.0), 3_000, 0.05), {}, ("saddle", "", -1)),
    ("on top", ("himmelblau", "sgd", (-0.270845, -0.923039), 5, 0.01), {}, ("maximum", "", -1)),
    ("far out", ("tanh_plateau", "sgd", (-5.0, 5.0), 300, 0.1), {}, ("plateau", "", -1)),
    ("at 2/λ", ("ellipse", "sgd", (-3.5, 0.5), 500, 0.1), {}, ("cycling", "", -1)),
    ("at 2/λ", ("ellipse", "sgd", (-3.5, 0.5), 5_000, 0.1), {}, ("cycling", "", -1)),
    ("above 2/λ", ("ellipse", "sgd", (-3.5, 0.5), 100, 0.105), {}, ("moving", "outside", -1)),
    ("below 2/λ", ("ellipse", "sgd", (-3.5, 0.5), 500, 0.098), {}, ("minimum", "global", 0)),
    ("lion's stride", ("ellipse", "lion", (-3.5, 0.5), 500, 0.5), {}, ("cycling", "", -1)),
    ("in the sharp basin", ("sharp_and_flat", "sgd", (-1.9, 1.0), 400, 0.1), {}, ("cycling", "", -1)),
    ("over the cusp", ("ackley", "sgd", (0.3, 0.2), 400, 0.01), {}, ("cycling", "", -1)),
    ("slow", ("rosenbrock", "sgd", (-1.2, 1.0), 500, 1e-4), {}, ("moving", "", -1)),
    ("very slow", ("ellipse", "sgd", (-3.5, 2.0), 500, 1e-7), {}, ("moving", "", -1)),
    ("zigzag along a valley", ("rosenbrock", "rmsprop", (-1.2, 1.0), 500, 0.01), {"decay": 0.9}, ("moving", "", -1)),
    ("the page's", ("rosenbrock", "sgd", (-1.2, 1.0), 500, 0.0011), {}, ("moving", "", -1)),
    ("the page's", ("rosenbrock", "momentum", (-1.2, 1.0), 500, 0.0011), {}, ("moving", "", -1)),
    ("the page's", ("rosenbrock", "adam", (-1.2, 1.0), 500, 0.05), {}, ("moving", "", -1)),
    ("AdaGrad crawls", ("ellipse", "adagrad", (-3.5, 2.0), 5_000, 0.0005), {}, ("moving", "", -1)),
    ("one step", ("ellipse", "sgd", (-3.5, 2.0), 1, 0.01), {}, ("moving", "", -1)),
    ("no step", ("ellipse", "sgd", (-3.5, 2.0), 0, 0.01), {}, ("moving", "", -1)),
    ("no step needed", ("ellipse", "sgd", (0.0, 0.0), 0, 0.01), {}, ("minimum", "global", 0)),
    ("far from the plot", ("ellipse", "sgd", (30.0, 20.0), 50, 1e-5), {}, ("moving", "outside", -1)),
    ("overflows", ("ellipse", "sgd", (-3.5, 0.5), 500, 0.2), {}, ("diverged", "", -1)),
    ("falls for ever", ("textbook_saddle", "momentum", (2.0, 3.0), 300, 0.01), {}, ("diverged", "", -1)),
]


@pytest.mark.parametrize(("run", "more", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_runs_come_to_what_they_come_to(run: Any, more: Any, expected: tuple[str, str, int]) -> None:
    found = verdict(*run, **more)
    assert (found.kind, found.detail, found.minimizer) == expected


def test_a_diverged_run_is_described_by_its_last_finite_step() -> None:
    surface = LANDSCAPES["ellipse"]
    start = descend(surface, OPTIMIZERS["sgd"], (0.0, 1.0), 500, {"learning_rate": 0.2})
    found = judge(surface, [start])[0]
    assert found.kind == "diverged" and found.diverged_at == start.diverged_at > 0
    assert found.position == tuple(start.position[start.diverged_at - 1])
    assert found.loss == pytest.approx(10 * found.position[1] ** 2)


def test_a_run_lost_at_once_has_no_end_point() -> None:
    surface = LANDSCAPES["ellipse"]
    lost = descend(surface, OPTIMIZERS["sgd"], (1e30, 0.0), 5)
    found, other = judge(surface, [lost, resting((0.0, 0.0))])
    assert (found.kind, found.diverged_at) == ("diverged", 0)
    assert np.isnan([*found.position, found.loss, found.gradient_norm, *found.eigenvalues]).all()
    assert (other.kind, other.loss) == ("minimum", 0)


@pytest.mark.parametrize("count", [0, 1, 16, 17, 40])
def test_any_number_of_runs_is_judged_each_by_itself(count: int) -> None:
    points = np.random.default_rng(0).uniform(-3, 3, (count, 2)) * (np.arange(count)[:, None] % 2)
    found = judge(LANDSCAPES["ellipse"], [resting(p) for p in points])
    assert [v.kind for v in found] == ["moving" if k % 2 else "minimum" for k in range(count)]
    assert {v.kind for v in found} <= set(KINDS)


@pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES.keys())
def test_what_is_called_a_minimum_is_one(landscape: Landscape) -> None:
    """Whatever the verdict's rule is: stop at random places; from those it calls a minimum, gradient descent with
    a safe step goes nowhere far, and ends lower than all around."""
    low, high = np.transpose(landscape.domain)
    rng = np.random.default_rng(7)
    anywhere = rng.uniform(low, high, (300, 2))
    minima = [m.point for m in landscape.minima[:9]] or [(0.0, 0.0)]
    radii = 10 ** rng.uniform(-4, -1, (300, 1)) * diagonal(landscape)
    close = rng.permutation(np.resize(minima, (300, 2))) + radii * rng.normal(size=(300, 2))
    points = np.concatenate([anywhere, close])
    found = judge(landscape, [resting(p, landscape) for p in points])
    called = np.array([v.kind == "minimum" for v in found])
    assert landscape.unbounded or (called.any() and not called.all())

    # On a kink no step is safe; that it is the lowest point around is checked with the declarations.
    called &= [v.minimizer < 0 or not landscape.minima[v.minimizer].kink for v in found]
    if called.any():
        sharpest = np.array([np.abs(v.eigenvalues).max() for v in found])
        ends, here, around, slope = settle(landscape, points[called], 0.5 / sharpest[called])
        assert (np.linalg.norm(ends - points[called], axis=-1) < 0.01 * diagonal(landscape)).all()
        left = slope * 0.001 * diagonal(landscape)  # what a long thin valley still falls, where descent is slow
        assert (around >= (here - 1.1 * left)[:, None] - 1e-9).all()
        assert (slope < 0.1 * sharpest[called] * 0.001 * diagonal(landscape)).all()


def settle(landscape: Landscape, points: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where gradient descent leads, the loss there and on a ring around, and the slope: (n, 2), (n,), (n, 64), (n,)."""
    shape = {hyper.name: hyper.default for hyper in landscape.hypers}
    angle = jnp.linspace(0, 2 * jnp.pi, 64, endpoint=False)
    ring = 0.001 * diagonal(landscape) * jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)

    def loss(point: jax.Array) -> jax.Array:
        return landscape.fn(point, **shape)

    def one(point: jax.Array, rate: jax.Array) -> tuple[jax.Array, ...]:
        end = jax.lax.fori_loop(0, 5_000, lambda _, p: p - rate * jax.grad(loss)(p), point)
        return end, loss(end), jax.vmap(loss)(end + ring), jnp.linalg.norm(jax.grad(loss)(end))

    with jax.enable_x64(True):
        return tuple(np.asarray(part) for part in jax.jit(jax.vmap(one))(points, rates))


# Steps to a tolerance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses", "minimum", "tolerance", "steps"),
    [
        ([4.0, 2.0, 1.0, 0.5], 0.0, 1.0, 2),
        ([4.0, 2.0, 1.0, 0.5], 0.0, 0.1, -1),
        ([0.0, 5.0], 0.0, 1e-3, 0),
        ([4.0, 0.5, 3.0, 0.1], 0.0, 0.5, 1),  # the first time counts
        ([4.0, -0.9995], -1.0, 1e-3, 1),
        ([4.0, np.nan, np.nan], 0.0, 1.0, -1),
        ([np.nan, np.nan], 0.0, 1.0, -1),
        ([4.0, 1.0], None, 10.0, -1),
    ],
)
def test_steps_to_a_tolerance(losses: list[float], minimum: float | None, tolerance: float, steps: int) -> None:
    assert steps_to(along(np.zeros((len(losses), 2)), losses), minimum, tolerance) == steps
