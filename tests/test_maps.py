"""Maps: every pixel of a basin map and every cell of a sweep is what a run of its own gives."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import numpy as np
import pytest

from descent import basins, descend, sweep
from descent.compilation import counting
from descent.engine import FEWEST, Ends, tiled
from descent.maps import SMALL
from descent.verdict import KINDS, diagonal, judge
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS

ELLIPSE, HIMMELBLAU = LANDSCAPES["ellipse"], LANDSCAPES["himmelblau"]
SADDLE = LANDSCAPES["textbook_saddle"]
SGD, MOMENTUM = OPTIMIZERS["sgd"], OPTIMIZERS["momentum"]


# Basins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("landscape", "optimizer", "hyper", "kinds"),
    [
        (HIMMELBLAU, SGD, {"learning_rate": 0.01}, {"minimum"}),
        # On this step size, some starts overflow, some settle and some hop about.
        (HIMMELBLAU, SGD, {"learning_rate": 0.0186}, {"minimum", "diverged", "cycling"}),
        (SADDLE, MOMENTUM, {"learning_rate": 0.01, "momentum": 0.9}, {"minimum", "diverged"}),
    ],
    ids=["himmelblau", "himmelblau-fast", "saddle"],
)
def test_a_pixel_is_what_its_own_run_gives(landscape: Any, optimizer: Any, hyper: dict, kinds: set[str]) -> None:
    steps, size = 200, 40
    found = basins(landscape, optimizer, size, steps, hyper)
    assert {KINDS[k] for k in np.unique(found.verdict)} >= kinds
    pixels = np.random.default_rng(3).integers(0, size, (60, 2))
    starts = np.array([(found.x[i], found.y[j]) for j, i in pixels], np.float32)
    paths = descend(landscape, optimizer, starts, steps, hyper)
    runs = [type(paths)(*(part[n] for part in paths)) for n in range(len(starts))]
    for (j, i), run, verdict in zip(pixels, runs, judge(landscape, runs), strict=True):
        kind = KINDS[found.verdict[j, i]]
        assert (kind == "diverged") == (run.diverged_at >= 0)
        if kind == "diverged":
            assert found.minimizer[j, i] == -1 and found.steps[j, i] == run.diverged_at
            continue
        assert kind == verdict.kind
        assert found.minimizer[j, i] == verdict.minimizer
        moves = np.flatnonzero((np.abs(run.update) >= SMALL * diagonal(landscape)).any(-1))
        assert found.steps[j, i] == (moves[-1] + 1 if moves.size else 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pixels_are_what_their_own_runs_give_whatever_the_optimizer(name: str) -> None:
    steps, size = 12, 5
    found = basins(HIMMELBLAU, OPTIMIZERS[name], size, steps)
    starts = np.array([(found.x[i], found.y[i]) for i in range(size)], np.float32)
    paths = descend(HIMMELBLAU, OPTIMIZERS[name], starts, steps)
    runs = [type(paths)(*(part[n] for part in paths)) for n in range(size)]
    for i, (run, verdict) in enumerate(zip(runs, judge(HIMMELBLAU, runs), strict=True)):
        assert (KINDS[found.verdict[i, i]], found.minimizer[i, i]) == (verdict.kind, verdict.minimizer)
        if verdict.kind == "diverged":
            assert found.steps[i, i] == run.diverged_at


def test_nothing_more_is_computed_once_nobody_waits() -> None:
    """As when a user moves a slider while a map is computed."""
    told, begun = [], []

    class Overtaken(Exception):
        pass

    def progress(share: float) -> None:
        told.append(share)
        raise Overtaken

    def tile(rows: np.ndarray) -> Ends:
        begun.append(len(rows))
        time.sleep(0.2)
        return Ends(*[rows] * len(Ends._fields))

    with pytest.raises(Overtaken):
        tiled(tile, np.zeros(64 * FEWEST, np.float32), most=FEWEST, progress=progress)
    time.sleep(0.3)
    assert len(told) == 1 and len(begun) <= 2 * (os.cpu_count() or 1) < 64
    whole = tiled(lambda rows: Ends(*[2 * rows] * len(Ends._fields)), np.arange(5000.0, dtype=np.float32))
    np.testing.assert_array_equal(whole.loss, 2 * np.arange(5000.0))


def test_every_basin_belongs_to_the_minimizer_that_its_runs_reach() -> None:
    found = basins(HIMMELBLAU, SGD, 32, 300, {"learning_rate": 0.01})
    reached = {int(m): np.argwhere(found.minimizer == m) for m in np.unique(found.minimizer) if m >= 0}
    assert set(reached) == {0, 1, 2, 3}
    for index, minimum in enumerate(HIMMELBLAU.minima):
        i = np.abs(found.x - minimum.point[0]).argmin()
        j = np.abs(found.y - minimum.point[1]).argmin()
        assert found.minimizer[j, i] == index, "the pixel nearest to a minimizer is in its basin"


@pytest.mark.parametrize("resolution", [2, 7, np.int64(33)])
def test_a_map_spans_the_domain_row_by_row(resolution: int) -> None:
    found = basins(ELLIPSE, SGD, resolution, 20)
    assert found.x.shape == found.y.shape == (resolution,)
    assert found.minimizer.shape == found.verdict.shape == found.steps.shape == (resolution, resolution)
    assert [(found.x[0], found.x[-1]), (found.y[0], found.y[-1])] == list(ELLIPSE.domain)


def test_a_map_takes_the_knobs_of_its_landscape() -> None:
    """With α = 0.05, gradient descent converges for κ < 40 only."""
    gentle, steep = (basins(ELLIPSE, SGD, 9, 400, {"learning_rate": 0.05}, {"kappa": kappa}) for kappa in (30.0, 90.0))
    assert (gentle.minimizer == 0).all() and (gentle.verdict == KINDS.index("minimum")).all()
    # On y = 0 nothing is steep: there it converges all the same.
    middle = np.abs(steep.y) < 1e-6
    assert (steep.verdict[~middle] == KINDS.index("diverged")).all() and (steep.minimizer[middle] == 0).all()


def test_another_knob_compiles_no_new_map() -> None:
    basins(ELLIPSE, SGD, 9, 400)
    with counting() as programs:
        basins(ELLIPSE, SGD, 9, 300, {"learning_rate": 0.02}, {"kappa": 3.0})
    assert not programs


@pytest.mark.parametrize(
    ("given", "message"),
    [
        *(
            ({"resolution": r}, "resolution must be a whole number from 2 to 2048")
            for r in (1, 2_049, 8.0, "8", None, True)
        ),
        ({"steps": -1}, "steps must be a whole number"),
        ({"hyper": {"lr": 1}}, "unknown hyper-parameter 'lr' for sgd; it has learning_rate"),
        ({"hyper": {"learning_rate": np.nan}}, "finite number"),
        ({"shape": {"b": 1}}, "'b' for ellipse; it has kappa, theta"),
        ({"landscape": "ellipse"}, "one of LANDSCAPES is needed"),
        ({"optimizer": "sgd"}, "one of OPTIMIZERS is needed"),
    ],
    ids=str,
)
def test_misuse_of_basins_raises(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        basins(**{"landscape": ELLIPSE, "optimizer": SGD, "resolution": 4, "steps": 4} | given)


# Sweeps ----------------------------------------------------------------------------------------------------------


def test_each_cell_of_a_sweep_is_what_its_own_run_gives() -> None:
    """Optimizer's and landscape's knobs together, in the order they are given in."""
    axes = {"momentum": [0.0, 0.5, 0.95], "kappa": [1.0, 40.0], "learning_rate": [0.001, 0.02, 0.2, 2.0]}
    start, steps = (-2.0, 1.5), 150
    found = sweep(ELLIPSE, MOMENTUM, axes, start, steps, shape={"theta": 30.0})
    assert list(found.axes) == list(axes)
    assert found.loss.shape == found.diverged_at.shape == (3, 2, 4)
    for index in itertools.product(range(3), range(2), range(4)):
        rho, kappa, rate = (values[k] for values, k in zip(axes.values(), index, strict=True))
        t = descend(
            ELLIPSE,
            MOMENTUM,
            start,
            steps,
            {"momentum": rho, "learning_rate": rate},
            shape={"kappa": kappa, "theta": 30},
        )
        assert found.diverged_at[index] == t.diverged_at
        np.testing.assert_allclose(found.loss[index], t.loss[-1], rtol=1e-3, atol=1e-12)
    assert 0 < (found.diverged_at >= 0).mean() < 1, "some diverge and some do not"


@pytest.mark.parametrize("kappa", [4.0, 20.0, 250.0])
def test_gradient_descent_diverges_from_2_over_the_largest_curvature_on(kappa: float) -> None:
    rates = np.linspace(0.5, 1.5, 101) * 2 / kappa
    found = sweep(ELLIPSE, SGD, {"learning_rate": rates}, (1.0, 1.0), 20_000, shape={"kappa": kappa, "theta": 20.0})
    edge = rates[(found.diverged_at >= 0).argmax()]
    assert abs(edge - 2 / kappa) <= rates[1] - rates[0]
    assert (np.diff((found.diverged_at >= 0).astype(int)) >= 0).all(), "there is one edge"


def test_a_sweep_follows_the_dtype_of_its_start() -> None:
    found = sweep(ELLIPSE, SGD, {"learning_rate": [0.03, 0.04]}, np.array([-2.0, 1.5]), 400)
    exact = descend(ELLIPSE, SGD, np.array([-2.0, 1.5]), 400, {"learning_rate": 0.03})
    assert found.loss.dtype == np.float64
    np.testing.assert_allclose(found.loss[0], exact.loss[-1], rtol=1e-12)
    assert sweep(ELLIPSE, SGD, {"learning_rate": [0.03, 0.04]}, (-2.0, 1.5), 400).loss.dtype == np.float32


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"knobs": {}}, "at least one knob"),
        ({"knobs": None}, "at least one knob"),
        ({"knobs": ["learning_rate"]}, "at least one knob"),
        ({"knobs": {"lr": [0.1]}}, "unknown knob 'lr'; ellipse and sgd have kappa, theta, learning_rate"),
        *(
            ({"knobs": {"learning_rate": values}}, "learning_rate")
            for values in ([], 0.1, "0.1", [0.1, np.nan], [np.inf], [[0.1]], [None], ["0.1"], [0.1, 1e300])
        ),
        ({"optimizer": OPTIMIZERS["adam"], "knobs": {"bias_correction": [0.0, 0.5]}}, "whole number; 0.5 was given"),
        *(
            ({"start": start}, "start must be two finite numbers")
            for start in ((1.0,), (np.nan, 0.0), [[1.0, 2.0]], "ab")
        ),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"hyper": {"lr": 1}}, "unknown hyper-parameter 'lr' for sgd"),
        ({"shape": {"kappa": np.nan}}, "finite number"),
        ({"landscape": "ellipse"}, "one of LANDSCAPES is needed"),
        ({"optimizer": "sgd"}, "one of OPTIMIZERS is needed"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_misuse_of_sweep_raises(given: dict[str, Any], message: str) -> None:
    arguments = {"landscape": ELLIPSE, "optimizer": SGD, "knobs": {"learning_rate": [0.1]}, "steps": 4}
    with pytest.raises(ValueError, match=message):
        sweep(**arguments | given)


def test_no_landscape_has_a_knob_that_an_optimizer_has() -> None:
    """A sweep tells whose knob is meant by its name."""
    surfaces, rules = (
        {hyper.name for member in members.values() for hyper in member.hypers} for members in (LANDSCAPES, OPTIMIZERS)
    )
    assert not surfaces & rules
