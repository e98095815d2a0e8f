"""Theory of quadratics against runs: stability edges and the best knobs of gradient descent and heavy ball."""

from __future__ import annotations

import numpy as np
import pytest

from descent import descend, sweep
from descent.verdict import steps_to
from landscapes import LANDSCAPES
from lessons.stability import best, best_rate, edge, spectrum
from optimizers import OPTIMIZERS

ELLIPSE = LANDSCAPES["ellipse"]
SIDE = 24


@pytest.mark.parametrize(("kappa", "theta"), [(1.0, 0.0), (20.0, 30.0), (1000.0, 45.0)])
def test_the_spectrum_of_a_turned_ellipse_is_one_and_kappa(kappa: float, theta: float) -> None:
    found = spectrum(ELLIPSE, {"kappa": kappa, "theta": theta})
    assert found is not None
    assert found == pytest.approx((1, kappa), rel=1e-5)


@pytest.mark.parametrize("name", ["rosenbrock", "himmelblau", "rastrigin", "textbook_saddle", "matyas", "beale"])
def test_what_is_no_convex_quadratic_has_no_spectrum(name: str) -> None:
    found = spectrum(LANDSCAPES[name])
    assert (found is not None) == (name == "matyas")


def test_polyaks_knobs_by_hand() -> None:
    """κ = 9: √κ = 3, so α = (2 / 4)², ρ = (2 / 4)²."""
    found = spectrum(ELLIPSE, {"kappa": 9.0})
    assert found is not None
    assert best(found) == pytest.approx((0.25, 0.25, 0.5), rel=1e-6)
    assert best_rate(found) == pytest.approx(0.2, rel=1e-6)
    assert edge(found) == pytest.approx(2 / 9, rel=1e-6) and edge(found, 0.5) == pytest.approx(3 / 9, rel=1e-6)


@pytest.mark.parametrize("kappa", [5.0, 60.0])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_the_edge_that_a_map_finds_is_the_one_of_theory_within_a_cell(optimizer: str, kappa: float) -> None:
    rates = np.geomspace(1e-3, 10, SIDE)
    momenta = np.linspace(0, 0.96, SIDE)
    knobs = {"learning_rate": rates} if optimizer == "sgd" else {"momentum": momenta, "learning_rate": rates}
    shape = {"kappa": kappa, "theta": 25.0}
    found = sweep(ELLIPSE, OPTIMIZERS[optimizer], knobs, (1.0, 1.5), 2_000, shape=shape)
    known = spectrum(ELLIPSE, shape)
    assert known is not None
    for row, momentum in zip(found.diverged_at.reshape(-1, SIDE) >= 0, momenta, strict=False):
        at = int(row.argmax())
        assert row.any() and row[at:].all(), "there is one edge"
        assert rates[at - 1] <= edge(known, 0.0 if optimizer == "sgd" else momentum) <= rates[at]


def test_polyaks_knobs_contract_as_he_says() -> None:
    known = spectrum(ELLIPSE, {"kappa": 50.0})
    assert known is not None
    rate, momentum, factor = best(known)
    hyper = {"learning_rate": rate, "momentum": momentum}
    loss = descend(ELLIPSE, OPTIMIZERS["momentum"], np.array([1.0, 1.0]), 200, hyper, shape={"kappa": 50.0}).loss
    # A double root: t factor^t, so a little slower than factor^t. The loss goes with its square.
    assert (loss[200] / loss[100]) ** (1 / 200) == pytest.approx(factor, rel=0.01)


def test_steps_to_tolerance_are_those_of_single_runs_also_where_a_knob_moves_the_minimum() -> None:
    """An averaging rule, whose losses are those of the point that it reports."""
    ripples, rule = LANDSCAPES["rastrigin"], OPTIMIZERS["schedule_free_sgd"]
    axes = {"amplitude": [0.0, 5.0], "learning_rate": [1e-3, 0.01, 0.3]}
    found = sweep(ripples, rule, axes, (0.3, 0.2), 200, tolerance=0.01)
    for i, height in enumerate(axes["amplitude"]):
        for j, rate in enumerate(axes["learning_rate"]):
            shape = {"amplitude": height}
            run = descend(ripples, rule, (0.3, 0.2), 200, {"learning_rate": rate}, shape=shape)
            assert found.reached_at[i, j] == steps_to(run, ripples.minimum(**shape), 0.01)
            np.testing.assert_allclose(found.loss[i, j], run.reported_loss[-1], rtol=1e-3, atol=1e-6)
    assert (found.reached_at > 0).any()
