"""Landscapes that are slices: rules move all parameters, pictures show two coordinates, numbers are of the whole."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from descent import Trajectory, basins, descend
from descent.engine import ends
from descent.landscape import Slice
from descent.verdict import judge, off_slice
from landscapes import LANDSCAPES
from optimizers import FAMILIES, OPTIMIZERS

SLICED = [landscape for landscape in LANDSCAPES.values() if landscape.slice]
LAYER = LANDSCAPES["linear_layer"]
SLICE = LAYER.slice or Slice((0,), lambda: None, lambda: None)
START = np.array([2.2, 1.2])
ANGLES = [(0.0, 0.0), (30.0, 60.0), (45.0, 20.0), (90.0, 10.0)]
MATRIX_RULES = {"muon": 0.05, "shampoo": 0.3, "soap": 0.05}
RATES = {**MATRIX_RULES, "sgd": 0.01, "momentum": 0.005, "adam": 0.05, "rmsprop": 0.02, "schedule_free_adamw": 0.05}


def knobs(rows: float = 30.0, columns: float = 60.0, kappa: float = 100.0) -> dict[str, float]:
    return {"kappa": kappa, "rows": rows, "columns": columns}


def run(name: str, steps: int = 200, angles: tuple[float, float] = (30.0, 60.0), **more: Any) -> Trajectory:
    hyper = {"learning_rate": RATES[name], **more.pop("hyper", {})}
    return descend(LAYER, OPTIMIZERS[name], START, steps, hyper, shape=knobs(*angles), **more)


def loss_by_hand(matrices: np.ndarray, rows: float, columns: float, kappa: float = 100.0) -> np.ndarray:
    """½ tr(Wᵀ A W B), as the formula has it."""

    def side(degrees: float) -> np.ndarray:
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.array([[cos, -sin], [sin, cos]])
        return turn @ np.diag([1, kappa**0.5]) @ turn.T

    return 0.5 * np.einsum("tij,ik,tkl,lj->t", matrices, side(rows), matrices, side(columns))


# The slice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angles", ANGLES, ids=str)
@pytest.mark.parametrize("landscape", SLICED, ids=lambda landscape: landscape.id)
def test_the_plane_is_an_orthonormal_slice_which_gradients_do_not_leave(landscape: Any, angles: Any) -> None:
    cut, shape = landscape.slice, knobs(*angles)
    points = np.random.default_rng(0).uniform(*np.transpose(landscape.domain), (20, 2))
    with jax.enable_x64(True):
        axes = np.asarray(cut.axes(**shape)).reshape(2, -1)
        np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-12)
        for point, whole in zip(points, landscape.lift(points, **shape), strict=True):
            np.testing.assert_allclose(cut.embed(jnp.asarray(point), **shape).ravel(), whole, atol=1e-6)
            np.testing.assert_allclose(cut.project(whole.reshape(cut.shape), **shape), point, atol=1e-6)
            value = landscape.fn(jnp.asarray(point), **shape)
            np.testing.assert_allclose(value, landscape.loss(jnp.asarray(whole), **shape), rtol=1e-5)
            embedded = cut.embed(jnp.asarray(point), **shape)
            slope = np.asarray(jax.grad(lambda w: cut.loss(w, **shape))(embedded))
            np.testing.assert_allclose(cut.embed(cut.project(slope, **shape), **shape), slope, atol=1e-9)


@pytest.mark.parametrize("angles", ANGLES, ids=str)
def test_the_layer_has_the_loss_of_its_formula(angles: tuple[float, float]) -> None:
    matrices = np.random.default_rng(0).normal(size=(10, 2, 2))
    with jax.enable_x64(True):
        found = [float(SLICE.loss(jnp.asarray(w), **knobs(*angles))) for w in matrices]
    np.testing.assert_allclose(found, loss_by_hand(matrices, *angles), rtol=1e-12)


# Runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RATES)
def test_numbers_are_of_all_parameters_and_points_their_share_in_the_slice(name: str) -> None:
    t = run(name, noise=0.5)
    assert t.params.shape == (201, 4) and t.position.shape == t.reported.shape == (201, 2)
    np.testing.assert_allclose(t.reported_loss, loss_by_hand(t.params.reshape(-1, 2, 2), 30.0, 60.0), rtol=1e-9)
    axes = LAYER.lift(np.eye(2), **knobs())
    np.testing.assert_allclose(t.params @ axes.T, t.reported, atol=1e-6)
    np.testing.assert_allclose(np.diff(t.position, axis=0), t.update, atol=1e-12)
    assert np.isnan(t.scale).all() and np.isfinite(t.direction).all()
    if OPTIMIZERS[name].report is None:
        np.testing.assert_array_equal(t.reported, t.position)
        np.testing.assert_array_equal(t.reported_loss, t.loss)


@pytest.mark.parametrize("name", ["sgd", "adam", "muon"])
def test_a_rule_moves_the_matrix_as_optax_does(name: str) -> None:
    rate = RATES[name]
    oracle = {
        "sgd": optax.sgd(rate),
        "adam": optax.adam(rate),
        "muon": optax.contrib.muon(rate, beta=0.95, weight_decay=0.0),
    }[name]
    t = run(name, 60, hyper={"momentum": 0.95} if name == "muon" else {})
    with jax.enable_x64(True):
        w = SLICE.embed(jnp.asarray(START), **knobs())
        state = oracle.init(w)
        for step in range(60):
            np.testing.assert_allclose(w.ravel(), t.params[step], atol=1e-7, err_msg=f"step {step}")
            slope = jax.grad(lambda w: SLICE.loss(w, **knobs()))(w)
            updates, state = oracle.update(slope, state, w)
            w = optax.apply_updates(w, updates)


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def gradients(t: Trajectory) -> np.ndarray:
    """(steps + 1, 2, 2), of the whole matrix."""
    with jax.enable_x64(True):
        slope = jax.vmap(jax.grad(lambda w: SLICE.loss(w, **knobs())))
        return np.asarray(slope(jnp.asarray(t.params.reshape(-1, 2, 2))))


def test_shampoo_moves_the_matrix_by_its_rows_and_columns() -> None:
    t = run("shampoo", 60, hyper={"eps": 0.05})
    left = right = 0.05 * np.eye(2)
    for g, move in zip(gradients(t), np.diff(t.params, axis=0), strict=False):
        left, right = left + g @ g.T, right + g.T @ g
        expected = -RATES["shampoo"] * _power(left, -0.25) @ g @ _power(right, -0.25)
        np.testing.assert_allclose(move.reshape(2, 2), expected, atol=1e-9)


def test_soap_moves_the_matrix_as_adam_does_in_its_axes() -> None:
    rate, b1, b2, eps, k = 0.05, 0.8, 0.9, 0.05, 3
    t = run("soap", 60, hyper={"b1": b1, "b2": b2, "eps": eps, "interval": k})
    m = v = left = right = np.zeros((2, 2))
    for count, (g, move) in enumerate(zip(gradients(t), np.diff(t.params, axis=0), strict=False), 1):
        left, right = b2 * left + (1 - b2) * g @ g.T, b2 * right + (1 - b2) * g.T @ g
        if count == 1:
            rows, columns = (np.linalg.eigh(side)[1][:, ::-1] for side in (left, right))
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * (rows.T @ g @ columns) ** 2
        inner = (rows.T @ m @ columns) / (1 - b1**count) / (np.sqrt(v / (1 - b2**count)) + eps)
        np.testing.assert_allclose(move.reshape(2, 2), -rate * rows @ inner @ columns.T, atol=1e-7, err_msg=str(count))
        if count % k == 0:
            orders = [np.argsort(-np.diag(q.T @ side @ q)) for q, side in ((rows, left), (columns, right))]
            v = v[np.ix_(*orders)]
            rows, columns = (
                np.linalg.qr(side @ q[:, order])[0]
                for side, q, order in zip((left, right), (rows, columns), orders, strict=True)
            )


@pytest.mark.parametrize("name", [*MATRIX_RULES, "sgd", "momentum"])
def test_turning_the_matrix_changes_nothing_for_rules_that_see_it_whole(name: str) -> None:
    """Where a singular value has all but vanished, Muon and SOAP blow up rounding, each in its way."""
    straight = run(name, 100, ANGLES[0])
    for angles in ANGLES[1:]:
        turned = run(name, 100, angles)
        steps = slice(0, 40 if name == "muon" else None)
        np.testing.assert_allclose(turned.position[steps], straight.position[steps], atol=1e-4)
        assert off_slice(LAYER, turned, knobs(*angles))[steps].max() < (0.06 if name == "soap" else 1e-3)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_rules_that_scale_each_weight_leave_the_slice_once_it_is_turned(name: str) -> None:
    straight, turned = run(name, 300, ANGLES[0]), run(name, 300)
    assert off_slice(LAYER, straight, knobs(*ANGLES[0])).max() < 1e-6 and off_slice(LAYER, turned, knobs()).max() > 0.2
    reached = [int((t.loss < 0.1).argmax()) if (t.loss < 0.1).any() else 300 for t in (straight, turned)]
    assert 3 * reached[0] < reached[1]


def test_clipping_and_noise_are_of_all_parameters() -> None:
    clipped = run("sgd", 5, clip_norm=0.5)
    lengths = np.linalg.norm(np.diff(clipped.params, axis=0), axis=-1)
    np.testing.assert_allclose(lengths, 0.5 * RATES["sgd"], rtol=1e-9)
    noise = np.diff(run("sgd", 2_000, noise=2.0).params, axis=0) / -RATES["sgd"]
    noise -= gradients(run("sgd", 2_000, noise=2.0))[:-1].reshape(-1, 4)
    np.testing.assert_allclose(noise.std(0), 2.0, rtol=0.1)
    np.testing.assert_allclose(np.corrcoef(noise.T), np.eye(4), atol=0.1)


# Verdicts and maps -----------------------------------------------------------------------------------------------


def test_a_run_beside_the_slice_is_not_taken_for_one_that_arrived() -> None:
    """Above the minimum, as seen in the picture, and half a unit away from it."""
    t = run("sgd", 100)
    axes = LAYER.lift(np.eye(2), **knobs())
    normal = np.linalg.svd(axes)[2][-1]
    beside = np.tile(0.5 * normal, (101, 1))
    still = t._replace(params=beside, reported=np.zeros((101, 2)), position=np.zeros((101, 2)))
    away, there = judge(LAYER, [still, still._replace(params=0 * beside)], knobs())
    assert (away.kind, away.minimizer) == ("moving", -1) and away.off_slice == pytest.approx(0.5, abs=1e-6)
    assert away.gradient_norm == pytest.approx(5.0, rel=1e-6), "the curvature off the slice is √κ = 10"
    assert away.position == (0.0, 0.0) and away.eigenvalues == pytest.approx((1.0, 100.0))
    assert (there.kind, there.detail, there.minimizer, there.off_slice) == ("minimum", "global", 0, 0.0)


def test_many_runs_on_a_slice_end_where_one_does() -> None:
    starts = np.array([[2.2, 1.2], [-1.0, 0.5], [0.3, -1.7]])
    for name in ("adam", "muon"):
        found = ends(LAYER, OPTIMIZERS[name], starts, 60, {"learning_rate": 0.05}, shape=knobs())
        for start, point, params in zip(starts, found.position, found.params, strict=True):
            t = descend(LAYER, OPTIMIZERS[name], start, 60, {"learning_rate": 0.05}, shape=knobs())
            np.testing.assert_allclose(point, t.position[-1], atol=1e-5)
            np.testing.assert_allclose(params, t.params[-1], atol=1e-5)
    assert (basins(LAYER, OPTIMIZERS["sgd"], 4, 3_000, {"learning_rate": 0.01}).minimizer == 0).all()


def test_all_optimizers_run_on_a_slice() -> None:
    for name, optimizer in OPTIMIZERS.items():
        t = descend(LAYER, optimizer, START, 5)
        assert np.isfinite(t.params[: t.diverged_at if t.diverged_at >= 0 else 6]).all(), name
        np.testing.assert_allclose(t.params[0], LAYER.lift(START, **knobs())[0], atol=1e-5)


# What people read --------------------------------------------------------------------------------------------------


def test_rules_for_matrices_say_what_they_are_on_a_vector() -> None:
    (matrix,) = (family for family in FAMILIES if family.id == "matrix")
    assert all(rule.on_vectors and rule.per_layer for rule in matrix.members)
    assert all(rule.per_layer for rule in OPTIMIZERS.values() if rule.on_vectors)
