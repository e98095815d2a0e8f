"""Landscapes from formulas: what is found on them, what travels in their text, and what they do in the engine."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descent import descend
from descent.compilation import TYPED, _prune, compiled_each, counting
from descent.critical import survey
from descent.field import field, slide
from descent.formula import FormulaError
from descent.verdict import judge, prepare_to_judge
from landscapes import LANDSCAPES, find
from landscapes.formula import HOLES, landscape_from_formula
from optimizers import OPTIMIZERS

SGD, ADAM = OPTIMIZERS["sgd"], OPTIMIZERS["adam"]
ROSENBROCK = "(1-x)^2 + 100*(y-x^2)^2"


def test_typed_in_rosenbrock_is_the_built_in_one() -> None:
    mine = landscape_from_formula(ROSENBROCK, domain=((-2, 2), (-1, 3)), start=(-1.5, 2.0))
    theirs = LANDSCAPES["rosenbrock"]
    start = np.array([-1.5, 2.0])
    runs = [descend(each, ADAM, start, 300, {"learning_rate": 0.05}) for each in (mine, theirs)]
    np.testing.assert_allclose(runs[0].position, runs[1].position, atol=1e-9)
    np.testing.assert_allclose(runs[0].gradient, runs[1].gradient, atol=1e-6)
    (minimum,) = mine.minima
    np.testing.assert_allclose(minimum.point, (1, 1), atol=1e-8)
    assert mine.height == "log" and mine.smooth and not mine.unbounded


def points(text: str, kind: str, **more: Any) -> list[tuple[float, float]]:
    landscape = landscape_from_formula(text, **more)
    return [p.point for p in landscape.survey().points if p.kind == kind]


def test_critical_points_are_found_and_classified() -> None:
    assert points("(x^2-1)^2 + y^2", "minimum") == [(-1, 0), (1, 0)]
    assert points("(x^2-1)^2 + y^2", "saddle") == [(0, 0)]
    assert points("-x^2 - y^2", "maximum") == [(0, 0)]
    assert points("x^3 - 3*x*y^2", "saddle") == [(0, 0)]  # a degenerate one
    assert points("x^4 + y^4", "minimum") == [(0, 0)]  # a flat one
    assert points("x + y", "minimum") == []


@pytest.mark.parametrize(
    "id", ["beale", "himmelblau", "six_hump_camel", "peaks", "rastrigin", "l1_ravine", "holder_table"]
)
def test_the_survey_finds_what_built_in_landscapes_declare(id: str) -> None:
    found = survey(LANDSCAPES[id])
    for kind, declared in (("minimum", [m.point for m in LANDSCAPES[id].minima]), ("saddle", LANDSCAPES[id].saddles)):
        places = np.array([p.point for p in found.points if p.kind == kind]).reshape(-1, 2)
        for point in declared:
            assert np.hypot(*(places - point).T).min() < 1e-3, (kind, point)


def test_minima_on_kinks_are_found() -> None:
    (minimum,) = landscape_from_formula("abs(x - 0.3) + 3*abs(y)").minima
    assert minimum.kink and minimum.point == pytest.approx((0.3, 0.0), abs=1e-6)
    (minimum,) = landscape_from_formula("max(abs(x), 2*abs(y))").minima
    assert minimum.kink and minimum.point == pytest.approx((0.0, 0.0), abs=1e-6)
    assert landscape_from_formula("abs(y) + x").minima == ()  # a crease that leads down


def test_lines_of_minima_are_known_as_such() -> None:
    ring = landscape_from_formula("(x^2 + y^2 - 1)^2")
    assert ring.flat_minima and len(ring.minima) == 6 and "flat" in ring.tags
    assert landscape_from_formula("3").flat_minima


def test_what_falls_on_at_the_edge_has_no_lowest_value() -> None:
    assert landscape_from_formula("x^2 - y^2").minimum() is None
    assert landscape_from_formula("x^3 - x + y^2").unbounded


def test_sliders_move_the_minima_and_compile_nothing() -> None:
    landscape = landscape_from_formula("(x - a)^2 + b*y^2", a=(-1, 1), b=(1, 5, 2))
    assert [(h.name, h.low, h.high, h.default) for h in landscape.hypers] == [("a", -1, 1, 0), ("b", 1, 5, 2)]
    descend(landscape, SGD, steps=5)
    assert not landscape.is_surveyed, "a run does not wait for what it does not need"
    assert len(landscape.minima) == 1 and landscape.is_surveyed
    with counting() as programs:
        for a in (-0.5, 0.25, 0.75):
            (minimum,) = landscape.critical_points(a=a, b=2).minima
            assert minimum.point == pytest.approx((a, 0), abs=1e-8)
            descend(landscape, SGD, steps=5, shape={"a": a})
    assert programs == []


def test_judging_compiles_nothing_when_a_slider_makes_one_well_two() -> None:
    landscape = landscape_from_formula("(x^2 - a)^2 + y^2", a=(-1, 1))
    prepare_to_judge(landscape)
    run = descend(landscape, SGD, steps=5)
    assert len(landscape.critical_points(a=-0.5).minima) == 1
    with counting() as programs:
        judge(landscape, [run], {"a": -0.5})
        assert len(landscape.critical_points(a=0.5).minima) == 2
        judge(landscape, [run], {"a": 0.5})
    assert programs == []


def test_the_rate_is_one_that_descends() -> None:
    bowl = landscape_from_formula("x^2/2 + 2*y^2", start=(1.0, 1.0))
    assert 0.1 <= bowl.rate < 2 / 4, "beyond 2/λ it climbs"
    (mean,) = slide(field(bowl), (1.0, 1.0), [bowl.rate], 10)
    run = descend(bowl, SGD, (1.0, 1.0), 9, {"learning_rate": bowl.rate})
    assert mean == pytest.approx(run.loss[-1], rel=0.05), "on a grid it is nearly what it is between its points"
    for text in ("(1-x)^2 + 100*(y-x^2)^2", "sqrt(x) + y", "1/(x^2+y^2)", "0/0", "abs(x) + 3*abs(y)"):
        steep = landscape_from_formula(text)
        loss = descend(steep, SGD, steps=100, hyper={"learning_rate": steep.rate}).loss
        assert not (loss > loss[0] + 1e-3 * abs(loss[0])).any()


def test_rules_that_ask_for_the_minimum_are_told_what_was_found() -> None:
    landscape = landscape_from_formula("(x - 0.5)^2 + y^2 + 3")
    run = descend(landscape, OPTIMIZERS["polyak"], steps=60)
    assert landscape.is_surveyed and run.loss[-1] == pytest.approx(3, abs=1e-5)


def test_verdicts_name_found_minima() -> None:
    landscape = landscape_from_formula("(x^2-1)^2 + 0.2*x + y^2")
    run = descend(landscape, SGD, (0.5, 1.0), 2000, {"learning_rate": 0.05})
    (verdict,) = judge(landscape, [run])
    assert (verdict.kind, verdict.detail) == ("minimum", "local")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0/0",
            "log(-1)",
            "1/x",
            "1/(x^2+y^2)",
            "tan(x)",
            "x^1000",
            "exp(exp(exp(x)))",
            "3",
            "floor(3*x)",
            "sqrt(x)*y",
        ),
        *("x == y", "where(x > 0, log(x), -1/x)", "(0*x)^0", "abs(x)^-0.5", "atan2(y, x)", "cbrt(x)/y", "10^300*x"),
    ],
)
def test_nothing_that_can_be_typed_is_too_much_for_the_engine(text: str) -> None:
    landscape = landscape_from_formula(text)
    grid = field(landscape).z
    assert grid.shape == (129, 129)
    run = descend(landscape, ADAM, landscape.start, 20)
    judge(landscape, [run])
    assert (landscape.teaches == HOLES) == (not np.isfinite(grid).all())
    assert all(np.isfinite(m.value) for m in landscape.minima)


def test_a_branch_that_is_not_taken_spoils_no_gradient() -> None:
    landscape = landscape_from_formula("where(x > 0, sqrt(x), -x) + y^2")
    run = descend(landscape, SGD, np.array([[-1.0, 1.0], [0.25, 1.0]]), 1)
    np.testing.assert_allclose(run.gradient[:, 0], [[-1, 2], [1, 2]], rtol=1e-6)


def test_the_text_of_a_landscape_makes_the_same_again() -> None:
    made = landscape_from_formula(
        "a*x^2 + y^2", domain=((-3, 2), (-math.pi, 1)), start=(1, 0.5), a=(1, 5, 3), name="My **bowl**; `x`"
    )
    assert made.id == "=a*x^2 + y^2; x=-3..2; y=-3.141592653589793..1; start=1,0.5; a=3 in 1..5; name=My bowl x"
    assert find(made.id) is made and made.name == "My bowl x"
    assert find("= a*x^2 +  y^2;x=-3..2; y=-pi..1;start=1,.5;a = 3 in 1..5;name=My bowl x") is made
    assert find("beale") is LANDSCAPES["beale"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("=", 2),
        ("=a*x", 2),
        ("=x^2 + z; x=0..1", 8),
        ("=x; x=3..1", 7),
        ("=x; y=1", 7),
        ("=x; x^2", 5),
        ("=x; a=5 in 1..2", 7),
        ("=x; a=b", 7),
        ("=x; start=1", 11),
        ("=x; x=0..1e9", 7),
        ("=x" + "; a1=1" * 2, 14),
        ("=x" + " " * 3_100, 3_001),
    ],
)
def test_a_text_that_is_wrong_is_refused_with_the_column(text: str, column: int) -> None:
    with pytest.raises(FormulaError) as found:
        find(text)
    assert found.value.column == column


def test_bad_arguments_are_refused() -> None:
    for more in (
        {"domain": 3},
        {"domain": ((1, 0), (0, 1))},
        {"start": (1,)},
        {"start": ("a", 2)},
        {"a": "b"},
        {"x": 1},
    ):
        with pytest.raises(ValueError, match="column"):
            landscape_from_formula("x^2 + y^2", **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown id"):
        find("nowhere")


def test_programs_are_forgotten_when_there_are_too_many() -> None:
    made: list[Any] = []

    @compiled_each(1)
    def double(key: Any, x: Any) -> Any:
        made.append(key)
        return 2 * x

    formulas = [replace(LANDSCAPES["sphere"], id=f"={number}") for number in range(TYPED + 2)]
    declared = [replace(LANDSCAPES["sphere"], id=f"{number}") for number in range(5)]
    for keys in (declared, formulas):
        for key in (*keys, keys[-1], keys[0]):
            assert double(key, 1.0) == 2
    assert double(declared[0], 1.0) == 2, "formulas do not drive the declared ones out"
    assert made == [*declared, *formulas, formulas[0]]


def test_the_oldest_programs_on_disk_go_first(tmp_path: Path) -> None:
    for age in range(4):
        file = tmp_path / f"{age}"
        file.write_bytes(b"x" * 100)
        os.utime(file, (1_000 - age, 1_000 - age))
    _prune(tmp_path, 250)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1"]
