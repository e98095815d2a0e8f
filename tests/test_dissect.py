"""Runs taken apart: their numbers are the trajectory's, forks are runs, and what declarations say of a step is so."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from descent import descend
from descent.compilation import counting
from descent.hyper import fill
from descent.microscope import MOST_STEPS, Anatomy, Fork, adapted, dissect, unified
from descent.verdict import KINDS
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS, stability
from optimizers.curvature import CRITICAL
from optimizers.momentum import ITERATE, LOOK_AHEAD
from optimizers.sharpness import ASCENT

EVERY_OPTIMIZER = pytest.mark.parametrize("name", OPTIMIZERS)
BOWL = LANDSCAPES["ellipse"]


@cache
def bowl(name: str, fork: Fork | None = None, **hyper: float) -> Anatomy:
    """A run on an ellipse, whose compilation the page's tests share."""
    return dissect(BOWL, OPTIMIZERS[name], steps=60, hyper=hyper, fork=fork)


def same(one: Any, other: Any, steps: int | None = None) -> bool:
    """Are two trajectories equal, bit by bit, up to a step?"""
    return all(np.array_equal(a[:steps], b[:steps], equal_nan=True) for a, b in zip(one[:9], other[:9], strict=True))


@EVERY_OPTIMIZER
def test_numbers_are_those_of_the_trajectory(name: str) -> None:
    run, expected = bowl(name).trajectory, descend(BOWL, OPTIMIZERS[name], steps=60)
    assert run.diverged_at == expected.diverged_at
    for field in run._fields:
        ours, theirs = getattr(run, field), getattr(expected, field)
        size = np.nanmax(np.abs(theirs), initial=1e-6)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * size, err_msg=field)


@EVERY_OPTIMIZER
def test_a_fork_that_changes_nothing_is_the_run(name: str) -> None:
    hyper = fill(OPTIMIZERS[name].hypers, {}, name)
    unchanged = dissect(BOWL, OPTIMIZERS[name], steps=60, fork=Fork(17, hyper))
    assert same(unchanged.trajectory, bowl(name).trajectory)
    for part, other in zip(jax.tree.leaves(unchanged), jax.tree.leaves(bowl(name)), strict=True):
        np.testing.assert_array_equal(part, other)


@EVERY_OPTIMIZER
def test_a_fork_changes_the_future_alone(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    knob = next(h for h in optimizer.hypers if h.name == "learning_rate" or len(optimizer.hypers) == 1)
    other = dissect(BOWL, optimizer, steps=60, fork=Fork(17, {knob.name: 0.3 * knob.default})).trajectory
    run = bowl(name).trajectory
    np.testing.assert_array_equal(other.position[:18], run.position[:18])
    np.testing.assert_array_equal(other.update[:17], run.update[:17])
    arrived = np.abs(run.update[17:]).max() < 1e-6
    if not arrived and name != "rprop":  # whose α is its first step only
        assert not np.array_equal(other.update[17:], run.update[17:])


def test_a_fork_goes_on_from_the_state() -> None:
    run = bowl("momentum", learning_rate=0.02).trajectory
    other = dissect(
        BOWL, OPTIMIZERS["momentum"], steps=60, hyper={"learning_rate": 0.02}, fork=Fork(9, {"momentum": 0.5})
    )
    velocity = -run.update[8].astype(np.float64) / 0.02
    for t in range(9, 60):
        velocity = 0.5 * velocity + other.trajectory.gradient[t]
        np.testing.assert_allclose(other.trajectory.update[t], -0.02 * velocity, rtol=1e-4, atol=1e-6)
    sgd = dissect(
        BOWL, OPTIMIZERS["sgd"], steps=60, hyper={"learning_rate": 0.01}, fork=Fork(20, {"learning_rate": 0.08})
    )
    start = sgd.trajectory.position[20]
    rest = descend(BOWL, OPTIMIZERS["sgd"], start, 40, {"learning_rate": 0.08})
    np.testing.assert_allclose(sgd.trajectory.position[20:], rest.position, rtol=1e-4, atol=1e-6)


@EVERY_OPTIMIZER
def test_the_unified_form_gives_the_update_with_any_epsilon(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    given = {"eps": 0.3, "weight_decay": 0.0}
    anatomy = bowl(name, **{h.name: given[h.name] for h in optimizer.hypers if h.name in given})
    if not unified(optimizer, BOWL):
        assert np.isnan(anatomy.rest).all()
        return
    size = np.abs(anatomy.trajectory.update).max()
    np.testing.assert_allclose(anatomy.rest, 0, atol=2e-6 * size)


def test_what_comes_on_top_of_the_unified_form_is_the_decay() -> None:
    anatomy = bowl("adamw", weight_decay=0.5, learning_rate=0.1)
    run = anatomy.trajectory
    np.testing.assert_allclose(anatomy.rest, -0.1 * 0.5 * run.position[:-1], rtol=1e-3, atol=1e-5)


@EVERY_OPTIMIZER
def test_symbols_name_fields_of_the_state_that_the_equations_speak_of(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    fields = set(optimizer.init(jnp.zeros(2) if optimizer.per_layer else (jnp.zeros(()), jnp.zeros(())))._fields)
    assert optimizer.symbols.keys() <= fields
    assert all(symbol in optimizer.equations for symbol in optimizer.symbols.values())
    # What is left out is bookkeeping, or too long to show.
    quiet = {
        "count",
        "trials",
        "pairs",
        "params",
        "grads",
        "previous",
        "product",
        "probed",
        "origin",
        "progress",
        "sum",
    }
    quiet |= {"weights", "largest", "rows", "columns", "s", "y", "mean", "bases", "factors", "v", "squares"}
    assert fields - optimizer.symbols.keys() <= quiet, "a new field: name it in symbols, or here if nobody needs it"


@EVERY_OPTIMIZER
def test_the_metric_turns_the_direction_into_the_step(name: str) -> None:
    """Δθ = −α A⁻¹ M, up to decay, line search and what is no part of the rule's metric."""
    optimizer, anatomy = OPTIMIZERS[name], bowl(name)
    if optimizer.terms is None and optimizer.metric is None:
        assert np.isnan(anatomy.metric).all()
        return
    run = anatomy.trajectory
    rest = np.nan_to_num(anatomy.rest)
    direction = run.direction if unified(optimizer, BOWL) else run.gradient[:-1]
    moving = np.abs(run.update).max(1) > 1e-4
    along = np.linalg.solve(anatomy.metric[moving], direction[moving][..., None])[..., 0]
    step = -run.learning_rate[moving, None] * along
    if name == "bfgs":  # the line search shortens it
        cosine = (step * run.update[moving]).sum(1) / np.hypot(*step.T) / np.hypot(*run.update[moving].T)
        np.testing.assert_allclose(cosine, 1, atol=1e-3)
    else:
        np.testing.assert_allclose(step + rest[moving], run.update[moving], rtol=2e-3, atol=1e-4)


def test_probes_are_where_they_are_said_to_be() -> None:
    nesterov = bowl("nesterov", learning_rate=0.01)
    run = nesterov.trajectory
    np.testing.assert_allclose(nesterov.probes[LOOK_AHEAD], run.position[1:], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        nesterov.probes[ITERATE], run.position[:-1] - 0.01 * run.gradient[:-1], rtol=1e-4, atol=1e-5
    )
    sam = bowl("sam", radius=0.5)
    way = sam.probes[ASCENT] - sam.trajectory.position[:-1]
    np.testing.assert_allclose(np.hypot(*way.T), 0.5, rtol=1e-4)
    assert (np.einsum("ni,ni->n", way, sam.trajectory.gradient[:-1]) > 0).all()
    newton = dissect(LANDSCAPES["double_well"], OPTIMIZERS["newton"], (0.3, 1.0), 10, {"learning_rate": 0.1})
    step = newton.probes[CRITICAL] - newton.trajectory.position[:-1]
    values, vectors = newton.eigenvalues[:-1], newton.eigenvectors[:-1]
    slope = np.einsum("nij,nj,nkj,nk->ni", vectors, values, vectors, step) + newton.trajectory.gradient[:-1]
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_curvature_is_that_of_the_surface() -> None:
    kappa = 50.0
    anatomy = dissect(
        BOWL, OPTIMIZERS["sgd"], steps=30, hyper={"learning_rate": 0.01}, shape={"kappa": kappa, "theta": 30}
    )
    np.testing.assert_allclose(anatomy.eigenvalues[:, 1] / anatomy.eigenvalues[:, 0], kappa, rtol=1e-6)
    np.testing.assert_allclose(anatomy.sharpness, anatomy.eigenvalues[:-1, 1], rtol=1e-5)
    np.testing.assert_allclose(anatomy.limit, 2 / 0.01, rtol=1e-5)
    steep = anatomy.eigenvectors[0, :, 1]
    assert abs(steep @ [-np.sin(np.radians(30)), np.cos(np.radians(30))]) == pytest.approx(1, abs=1e-6)
    assert {KINDS[k] for k in anatomy.kinds} <= {"moving", "minimum", "plateau"}
    newton = bowl("newton")
    np.testing.assert_allclose(newton.sharpness, 1, rtol=1e-4)
    adam = bowl("adam", learning_rate=0.1)
    root = np.sqrt(adam.trajectory.scale.astype(np.float64)) + 1e-8
    hessian = np.einsum("ij,j,kj->ik", adam.eigenvectors[0], adam.eigenvalues[0], adam.eigenvectors[0])
    scaled = hessian / np.sqrt(root[:, :, None] * root[:, None])
    np.testing.assert_allclose(adam.sharpness, np.linalg.eigvalsh(scaled)[:, 1], rtol=1e-4)


LIMITED = [
    ("sgd", {}),
    ("momentum", {"momentum": 0.7}),
    ("momentum", {"momentum": 0.0}),
    ("nesterov", {"momentum": 0.7}),
]


@pytest.mark.parametrize(("name", "knobs"), [*LIMITED, ("qhm", {"momentum": 0.8, "nu": 0.5}), ("newton", {})])
def test_limits_are_where_runs_begin_to_diverge(name: str, knobs: dict[str, float]) -> None:
    optimizer = OPTIMIZERS[name]
    assert adapted(optimizer) and optimizer.limit
    c = optimizer.limit(SimpleNamespace(**fill(optimizer.hypers, knobs, name)))
    sharpness = bowl(name, **knobs).sharpness[0]
    ends = [
        np.abs(bowl(name, **knobs, learning_rate=float(share * c / sharpness)).trajectory.position[-1]).max()
        for share in (0.9, 1.1)
    ]
    assert ends[0] < np.abs(BOWL.start).max() < ends[1]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nu", [0.0, 0.3, 1.0])
def test_the_limit_of_averages_is_where_the_recurrence_leaves_the_unit_circle(rho: float, nu: float) -> None:
    def radius(product: float) -> float:
        matrix = np.array([[1 - product * (1 - nu * rho), -nu * rho * product], [1 - rho, rho]])
        return np.abs(np.linalg.eigvals(matrix)).max()

    c = stability.quasi_hyperbolic(rho, nu)
    assert radius(0.99 * c) < 1 < radius(1.01 * c)
    assert stability.averaged(SimpleNamespace(b1=0.9)) == pytest.approx(38)


def test_divergence_leaves_what_came_before() -> None:
    anatomy = dissect(LANDSCAPES["rosenbrock"], OPTIMIZERS["nesterov"], steps=50, hyper={"learning_rate": 0.5})
    lost = int(anatomy.trajectory.diverged_at)
    assert 0 < lost < 50
    assert np.isfinite(anatomy.trajectory.position[:lost]).all() and (anatomy.kinds[:lost] >= 0).all()
    for part in (anatomy.eigenvalues, anatomy.kinds[lost:] + np.nan, anatomy.states["velocity"], anatomy.metric):
        assert np.isnan(part[lost:]).all()


def test_no_knob_and_no_length_compiles() -> None:
    adam = OPTIMIZERS["adam"]
    dissect(BOWL, adam, steps=3)
    with counting() as programs:
        dissect(BOWL, adam, (1.0, 2.0), 77, {"b1": 0.3, "eps": 0.1}, noise=0.2, seed=5, shape={"kappa": 3.0})
        dissect(BOWL, adam, steps=MOST_STEPS, clip_norm=1.0, fork=Fork(100, {"learning_rate": 0.5}))
    assert not programs


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": MOST_STEPS + 1}, "steps must be a whole number from 0 to 500"),
        ({"start": np.zeros((3, 2))}, "start must be two finite numbers"),
        ({"fork": Fork(200, {})}, "the step of a fork must be a whole number from 0 to 199"),
        ({"fork": Fork(2, {"warmth": 1.0})}, "unknown hyper-parameter 'warmth' for adam"),
        ({"fork": Fork(2, {"b1": np.nan})}, "b1 of adam must be one finite number"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dissect(BOWL, OPTIMIZERS["adam"], **given)


def test_noise_and_clipping_are_those_of_the_trajectory() -> None:
    told = {"noise": 0.5, "seed": 3, "clip_value": 1.0, "steps": 60}
    anatomy, expected = dissect(BOWL, OPTIMIZERS["sgd"], **told), descend(BOWL, OPTIMIZERS["sgd"], **told)
    np.testing.assert_allclose(anatomy.trajectory.position, expected.position, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(anatomy.handed, expected.direction, rtol=1e-5, atol=1e-6)
    assert np.abs(anatomy.handed).max() <= 1


LAYER = LANDSCAPES["linear_layer"]  # the plane is a slice through four weights


@pytest.mark.parametrize("name", ["sgd", "adam", "muon", "shampoo", "soap", "newton", "bfgs", "schedule_free_sgd"])
def test_of_a_slice_the_plane_shows_its_share(name: str) -> None:
    optimizer = OPTIMIZERS[name]
    anatomy, expected = dissect(LAYER, optimizer, steps=40), descend(LAYER, optimizer, steps=40)
    np.testing.assert_allclose(anatomy.trajectory.position, expected.position, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(anatomy.trajectory.params, expected.params, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(anatomy.handed, expected.gradient[:-1], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(anatomy.eigenvalues, np.broadcast_to([1.0, 100.0], (41, 2)), rtol=1e-4)
    assert not unified(optimizer, LAYER) and np.isnan(anatomy.rest).all()
    assert all(points.shape == (40, 2) for points in anatomy.probes.values()) and anatomy.metric.shape == (40, 2, 2)
    if name in ("sgd", "newton"):
        np.testing.assert_allclose(anatomy.sharpness, {"sgd": 100, "newton": 1}[name], rtol=1e-3)
    for field, values in anatomy.states.items():
        assert values.shape[1] in (1, 4, 8, 16), field
