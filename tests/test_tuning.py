"""Trials on one budget: each is what a run of its own gives, and none spends more than it may."""

from __future__ import annotations

import numpy as np
import pytest

from descent import descend
from descent.compilation import counting
from descent.optimizer import Cost
from descent.tuning import affordable, curves, price, trials
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from schedules import SCHEDULES

ROSENBROCK = LANDSCAPES["rosenbrock"]
SADDLE = LANDSCAPES["textbook_saddle"]


def test_prices_are_in_gradient_evaluations() -> None:
    assert price(Cost(gradients=1)) == 3
    assert price(Cost(gradients=2)) == 6
    assert price(Cost(gradients=1, hessian_vector_products=2)) == 15
    assert price(Cost(gradients=1, values=3)) == 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_is_left_of_a_budget_never_pays_for_a_step(optimizer) -> None:
    for budget in (1, 7, 100):
        steps, rest = affordable(optimizer, budget)
        if optimizer.evaluations is None:
            cost = price(optimizer.cost) / 3
            assert steps * cost + rest == pytest.approx(budget) and 0 <= rest < cost


# A plain rule, one with two gradients a step, one that reports another point, one whose steps vary in cost.
@pytest.mark.parametrize("name", ["momentum", "sam", "schedule_free_sgd", "lbfgs"])
def test_a_trial_is_what_its_own_run_gives(name: str) -> None:
    optimizer, budget = OPTIMIZERS[name], 61
    rates = np.array([1e-4, 1e-3, 3e-3, 0.3])
    starts = np.array([[-1.2, 1.0], [0.5, 0.5]], np.float32)
    found = trials(ROSENBROCK, optimizer, {"learning_rate": rates}, starts, budget)
    assert found.loss.shape == (4, 2, 1)
    for i, rate in enumerate(rates):
        for j, start in enumerate(starts):
            run = descend(ROSENBROCK, optimizer, start, 61, {"learning_rate": rate})
            spent = np.cumsum(run.evaluations @ [1, 1 / 3, 2])
            steps = int((spent <= budget + 1e-4).sum())
            diverged = 0 <= run.diverged_at <= steps
            assert (found.diverged_at[i, j, 0] >= 0) == diverged
            if diverged:
                assert found.diverged_at[i, j, 0] == run.diverged_at and np.isnan(found.loss[i, j, 0])
            else:
                assert found.steps[i, j, 0] == steps
                assert found.loss[i, j, 0] == pytest.approx(run.reported_loss[steps], rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "conditions",
    [{"schedule": SCHEDULES["cosine"]}, {"clip_norm": 1.0}, {"schedule": SCHEDULES["step"], "clip_value": 0.5}],
    ids=["cosine", "clipped", "both"],
)
def test_trials_go_through_what_runs_go_through(conditions: dict) -> None:
    rates = np.array([1e-4, 1e-3])
    found = trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 40, **conditions)
    for rate, loss in zip(rates, found.loss[:, 0, 0], strict=True):
        run = descend(ROSENBROCK, OPTIMIZERS["momentum"], [-1.2, 1.0], 40, {"learning_rate": rate}, **conditions)
        assert loss == pytest.approx(run.loss[-1], rel=1e-3)
    plain = trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 40)
    assert not np.isclose(plain.loss, found.loss, rtol=1e-2).all()


def test_every_evaluation_is_accounted_for() -> None:
    for name, budget in (("sam", 61), ("momentum", 61), ("newton", 61), ("lbfgs", 61)):
        optimizer = OPTIMIZERS[name]
        found = trials(ROSENBROCK, optimizer, {"learning_rate": np.array([1e-3])}, [[-1.2, 1.0]], budget)
        steps, rest = int(found.steps[0, 0, 0]), float(found.rest[0, 0, 0])
        if optimizer.evaluations is None:
            assert steps * price(optimizer.cost) / 3 + rest == pytest.approx(budget)
        else:
            counts = descend(ROSENBROCK, optimizer, [-1.2, 1.0], steps + 1, {"learning_rate": 1e-3}).evaluations
            spent = np.cumsum(counts @ [1, 1 / 3, 2])
            assert spent[steps - 1] <= budget + 1e-4 < spent[steps]


def test_seeds_are_noises_and_all_settings_meet_the_same() -> None:
    rates = np.array([1e-3, 1e-3, 2e-3])
    how = {"noise": 0.5, "seeds": 3, "seed": 4}
    found = trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 50, **how).loss[:, 0]
    assert np.array_equal(found[0], found[1])
    assert len(set(found[0].tolist())) == 3 and not np.array_equal(found[0], found[2])
    without = trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 50).loss[:, 0]
    assert not np.isclose(without[0], found[0]).any()


def test_curves_end_where_trials_do_and_diverge_where_runs_do() -> None:
    rates = np.array([1e-3, 1e-2, 0.5])
    start = np.array([2.0, 3.0], np.float32)
    found = curves(SADDLE, OPTIMIZERS["momentum"], {"learning_rate": rates}, start, 60)
    assert found.spent[0].tolist() == list(range(61))
    for k, rate in enumerate(rates):
        run = descend(SADDLE, OPTIMIZERS["momentum"], start, 60, {"learning_rate": rate})
        assert np.allclose(found.loss[k], run.loss, rtol=1e-3, equal_nan=True)
    ends = trials(SADDLE, OPTIMIZERS["momentum"], {"learning_rate": rates}, start[None], 60)
    assert np.allclose(found.after([60])[:, 0], ends.loss[:, 0, 0], rtol=1e-4, equal_nan=True)
    assert found.after([7.9])[0, 0] == found.loss[0, 7]


def test_curves_of_rules_with_two_gradients_count_both() -> None:
    found = curves(ROSENBROCK, OPTIMIZERS["sam"], {"learning_rate": np.array([1e-3])}, [-1.2, 1.0], 61)
    assert found.spent[0, -1] == 60 and found.loss.shape == (1, 31)
    assert found.after([5])[0, 0] == found.loss[0, 2]


def test_neither_settings_nor_budgets_recompile() -> None:
    def run(count: int, budget: int) -> None:
        rates = np.geomspace(1e-4, 1e-2, count)
        trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], budget)

    run(3, 20)
    run(300, 20)
    with counting() as compiled:
        for count, budget in ((1, 10), (9, 33), (250, 500), (4_000, 40), (9_000, 21)):
            run(count, budget)
    assert not [name for name in compiled if "_ends" in name]


def test_progress_is_told_and_can_end_the_work() -> None:
    told: list[float] = []
    rates = np.full(20_000, 1e-3)
    trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 900, progress=told.append)
    assert told == sorted(told) and all(0 <= share <= 1 for share in told)

    class Stopped(Exception):
        pass

    def stop(share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        trials(ROSENBROCK, OPTIMIZERS["momentum"], {"learning_rate": rates}, [[-1.2, 1.0]], 90_000, progress=stop)


@pytest.mark.parametrize(
    ("settings", "budget", "message"),
    [
        ({"lr": np.ones(2)}, 10, "unknown knob 'lr'"),
        ({"learning_rate": np.ones(2), "momentum": np.ones(3)}, 10, "as many values as"),
        ({"learning_rate": np.ones(0)}, 10, "at least one"),
        ({"learning_rate": np.array([np.inf])}, 10, "finite"),
        ({"learning_rate": np.ones(2)}, 0, "evaluations"),
    ],
)
def test_wrong_arguments_are_said(settings: dict, budget: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trials(ROSENBROCK, OPTIMIZERS["momentum"], settings, [[-1.2, 1.0]], budget)
