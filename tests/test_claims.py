"""Claims about update rules: each is found true where it is true, and false where a knob makes it false."""

from __future__ import annotations

import math

import numpy as np
import pytest

from descent.hyper import fill
from descent.microscope import Anatomy, dissect
from landscapes import LANDSCAPES
from lessons.claims import CLAIMS, Measured, measured
from lessons.definiteness import EXACT, MOST_DIMENSIONS, asymptotic, shares
from optimizers import OPTIMIZERS

BOWL = "ellipse"


def found(name: str, surface: str = BOWL, steps: int = 60, **hyper: float) -> dict[str, Measured]:
    """What is measured of each claim on a run."""
    optimizer = OPTIMIZERS[name]
    anatomy = dissect(LANDSCAPES[surface], optimizer, steps=steps, hyper=hyper)
    return {claim.id: result for claim, result in measured(anatomy, optimizer, fill(optimizer.hypers, hyper, name))}


# Each claim with a run that it holds on, and one that it does not.
CASES = {
    "first_step": (("adam", {}), ("adam", {"bias_correction": 0.0})),
    "epsilon": (("rmsprop", {}), ("rmsprop", {"eps": 1.0})),
    "gain": (("momentum", {"momentum": 0.5, "learning_rate": 1e-4}), ("momentum", {"momentum": 0.99})),
    "grows": (("adagrad", {"learning_rate": 0.5}), ("rmsprop", {"decay": 0.9, "learning_rate": 0.1})),
    "bounded": (("lion", {}), ("rmsprop", {})),
    "model": (("newton", {}), ("newton", {"damping": 2.0})),
    "stable": (("sgd", {"learning_rate": 0.09}), ("sgd", {"learning_rate": 0.11})),
    "downhill": (("sgd", {"learning_rate": 0.09}), ("sgd", {"learning_rate": 0.11})),
}


def test_every_claim_has_its_cases() -> None:
    assert [claim.id for claim in CLAIMS] == list(CASES)


@pytest.mark.parametrize("claim", CASES)
def test_a_claim_is_true_where_it_is_and_false_where_it_is_not(claim: str) -> None:
    (name, hyper), (other, more) = CASES[claim]
    assert found(name, **hyper)[claim].holds
    assert not found(other, **more)[claim].holds


def test_measured_numbers_are_those_of_the_theory() -> None:
    uncorrected = found("adam", bias_correction=0.0)["first_step"].numbers
    assert uncorrected["length"] == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-3)
    gain = found("momentum", momentum=0.5, learning_rate=1e-4)["gain"].numbers
    assert gain["full"] == 2 and gain["gain"] == pytest.approx(2, rel=0.01)
    assert found("rmsprop")["bounded"].numbers["length"] == pytest.approx(10, rel=1e-3)  # 1/√(1 − β)
    kappa = 20.0
    assert found("sgd", learning_rate=0.05)["stable"].numbers["ratio"] == pytest.approx(kappa * 0.05 / 2, rel=1e-4)
    assert found("adagrad")["grows"].numbers == {"count": 0, "steps": 59}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_claims_speak_only_of_rules_that_they_are_about(name: str) -> None:
    results = found(name)
    assert "downhill" in results
    for claim, result in results.items():
        assert all(math.isfinite(number) for number in result.numbers.values()), claim
        sentence = next(c for c in CLAIMS if c.id == claim)
        sentence.evidence.format(**result.numbers)
    assert "model" not in results or name in ("newton", "saddle_free_newton")
    assert "gain" not in results or name in ("momentum", "nesterov")


def test_a_run_that_cannot_tell_is_not_asked() -> None:
    assert found("adam", steps=0) == {}
    assert "grows" not in found("sgd") and "gain" not in found("momentum", momentum=0.0)
    broken = found("nesterov", "rosenbrock", learning_rate=0.5)
    assert not broken["stable"].holds


def test_claims_leave_the_anatomy_as_it_was() -> None:
    optimizer = OPTIMIZERS["adam"]
    anatomy: Anatomy = dissect(LANDSCAPES[BOWL], optimizer, steps=60)
    before = anatomy.trajectory.position.copy()
    measured(anatomy, optimizer, fill(optimizer.hypers, {}, "adam"))
    np.testing.assert_array_equal(anatomy.trajectory.position, before)


# ---- random Hessians -------------------------------------------------------------------------------------------------


def test_shares_of_positive_definite_matrices_are_the_known_ones() -> None:
    study = shares()
    assert study.dimension.tolist() == list(range(1, MOST_DIMENSIONS + 1)) and MOST_DIMENSIONS >= 8
    for n, exact in EXACT.items():
        assert abs(study.share[n - 1] - exact) <= 4 * study.error[n - 1] + 1e-12
    assert (study.error < 0.06 * study.share).all(), "error bars that can be seen, and are small"
    # The exponent is Dean and Majumdar's: the second difference of −ln P tends to 2 · ln 3 / 4.
    curvature = np.diff(-np.log(study.share), 2)
    np.testing.assert_allclose(curvature[4:].mean(), math.log(3) / 2, rtol=0.06)
    assert asymptotic(np.array(2.0)) == pytest.approx(1 / 3)


def test_shares_agree_with_counting_whole_matrices() -> None:
    entries = np.random.default_rng(7).standard_normal((100_000, 4, 4))
    matrices = entries + entries.transpose(0, 2, 1)  # variance 2 beside the diagonal, 4 on it
    counted = (np.linalg.eigvalsh(matrices)[:, 0] > 0).mean()
    spread = math.sqrt(counted / len(matrices))
    assert abs(counted - shares().share[3]) < 4 * spread
