"""Optimizers from formulas: typed-in rules are the built-in ones, in runs and on pytrees."""

from __future__ import annotations

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from descent import descend
from descent.compilation import counting
from descent.formula import FormulaError
from descent.optimizer import Problem
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS, find
from optimizers.formula import optimizer_from_formula
from optimizers.templates import TEMPLATES, from_template
from schedules import SCHEDULES

ADAM = {
    "m": "b1*m + (1-b1)*g",
    "v": "b2*v + (1-b2)*g^2",
    "delta": "-lr * (m/(1-b1^t)) / (sqrt(v/(1-b2^t)) + eps)",
}
HYPERS = {"lr": 0.01, "b1": 0.9, "b2": 0.999, "eps": 1e-8}


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("landscape", ["rosenbrock", "himmelblau"])
def test_typed_in_adam_is_adam(landscape: str, dtype: type, tolerance: float) -> None:
    mine = optimizer_from_formula(ADAM, hypers=HYPERS)
    start = np.array(LANDSCAPES[landscape].start, dtype)
    a = descend(LANDSCAPES[landscape], mine, start, 300)
    b = descend(LANDSCAPES[landscape], OPTIMIZERS["adam"], start, 300, {"learning_rate": 0.01})
    np.testing.assert_allclose(a.position, b.position, atol=tolerance)


@pytest.mark.parametrize("id", TEMPLATES)
def test_every_template_is_its_built_in_rule(id: str) -> None:
    mine, theirs = from_template(id), OPTIMIZERS[id]
    assert {h.name for h in mine.hypers} <= {h.name for h in theirs.hypers}
    landscape = LANDSCAPES["booth"]
    start = np.array(landscape.start, np.float64)
    runs = [
        descend(landscape, o, start, 300, schedule=SCHEDULES["cosine"], noise=0.1, seed=3, clip_norm=5.0)
        for o in (mine, theirs)
    ]
    np.testing.assert_allclose(runs[0].position, runs[1].position, atol=1e-6)
    assert np.abs(runs[0].update).max() > 0


def test_a_rule_works_on_any_pytree() -> None:
    mine = optimizer_from_formula(ADAM, hypers=HYPERS)
    params = {"w": jnp.arange(6.0).reshape(2, 3), "b": [jnp.ones(3), jnp.float32(2)]}
    hyper = SimpleNamespace(**{"learning_rate" if k == "lr" else k: v for k, v in HYPERS.items()})
    state = mine.init(params)
    updates, state = mine.update(params, state, params, hyper, Problem(lambda p: jnp.float32(0)))
    assert updates["w"].shape == (2, 3) and updates["b"][1].shape == ()
    np.testing.assert_allclose(updates["w"][0], [0, -0.01, -0.01], atol=1e-6)
    assert int(state.count) == 1


def test_lines_see_new_values_above_and_old_ones_below() -> None:
    rule = optimizer_from_formula({"a": "b", "b": "b + 1", "delta": "10*a + b + 100*t"})
    run = descend(LANDSCAPES["sphere"], rule, (0.0, 0.0), 3)
    np.testing.assert_allclose(run.update[:, 0], [101, 212, 323])


def test_the_step_before_can_be_read() -> None:
    """Momentum as Polyak writes it."""
    mine = optimizer_from_formula({"delta": "rho*delta - lr*g"}, {"lr": 0.01, "rho": 0.9})
    a = descend(LANDSCAPES["booth"], mine, steps=100)
    b = descend(LANDSCAPES["booth"], OPTIMIZERS["momentum"], steps=100, hyper={"learning_rate": 0.01, "momentum": 0.9})
    np.testing.assert_allclose(a.position, b.position, atol=1e-4)


def test_the_learning_rate_goes_by_both_names_and_compiles_once() -> None:
    rule = optimizer_from_formula({"delta": "-lr*g"}, {"lr": (1e-4, 1, 0.1)})
    assert [h.name for h in rule.hypers] == ["learning_rate"]
    run = descend(LANDSCAPES["sphere"], rule, (1.0, 1.0), 1)
    with counting() as programs:
        same = [descend(LANDSCAPES["sphere"], rule, (1.0, 1.0), 1, {n: 0.1}) for n in ("lr", "learning_rate")]
    assert programs == []
    for other in same:
        np.testing.assert_array_equal(run.position, other.position)


def test_the_text_of_an_optimizer_makes_the_same_again() -> None:
    made = optimizer_from_formula(
        {"m": "b1*m+(1-b1)*g", "delta": "-lr*m"}, {"lr": 0.01, "b1": (0, 0.99, 0.9)}, name="Mine; *1*"
    )
    assert made.id == "=m: b1*m+(1-b1)*g; delta: -lr*m; lr=0.01; b1=0.9 in 0..0.99; name=Mine 1"
    assert find(made.id) is made and made.name == "Mine 1"
    assert find("=m: b1*m+(1-b1)*g;delta:-lr*m;lr=.01;b1=9e-1 in 0..0.99;name=Mine 1") is made


def test_equations_tell_old_values_from_new_ones() -> None:
    rule = optimizer_from_formula({"m": "b1*m + g", "delta": "-lr*m"}, {"lr": 0.1, "b1": 0.9})
    assert r"m_t &= \beta_1\, m_{t-1} + g_t" in rule.equations
    assert r"\Delta\theta_t &= -\alpha_t\, m_t" in rule.equations


@pytest.mark.parametrize(
    ("lines", "hypers", "line", "column"),
    [
        ({"m": "b1*m + g", "delta": "-lr*m"}, {"lr": 0.1}, "m", 1),
        ({"m": "g", "delta": "-lr*(m"}, {"lr": 0.1}, "delta", 5),
        ({"m": "g"}, {}, "", 1),
        ({"g": "g", "delta": "g"}, {}, "", 1),
        ({"sin": "g", "delta": "g"}, {}, "", 1),
        ({"delta": "lr*g"}, {"lr": float("nan")}, "", 1),
        ({"delta": "lr*g"}, {"t": 1}, "", 1),
        ({"delta": "k*g"}, {"k": (2, 1)}, "", 1),
        ({f"s{i}": "g" for i in range(13)} | {"delta": "g"}, {}, "", 1),
        ({f"s{i}": "+".join(["g"] * 60) for i in range(6)} | {"delta": "g"}, {}, "", 1),
        ("delta", {}, "", 1),
        ({"delta": 3}, {}, "", 1),
    ],
)
def test_what_is_wrong_is_refused_with_line_and_column(lines: dict, hypers: dict, line: str, column: int) -> None:
    with pytest.raises(FormulaError) as found:
        optimizer_from_formula(lines, hypers)
    assert (found.value.line, found.value.column) == (line, column)


def test_a_text_that_is_wrong_is_refused_with_its_own_column() -> None:
    with pytest.raises(FormulaError) as found:
        find("=m: b1*m + g; delta: -lr*q; lr=0.1; b1=0.9")
    assert (found.value.line, found.value.column) == ("delta", 26)
    for text in ("=", "=delta", "=delta: g; delta: g", "=delta: g; k=x", "=m: g", "=delta: g; name: 3; name: 4"):
        with pytest.raises(FormulaError):
            find(text)
    with pytest.raises(ValueError, match="unknown id"):
        find("nobody")
