"""Every schedule: its factors, and that runs use them as torch does."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from descent import descend
from descent.hyper import fill
from descent.landscape import Landscape, Minimum
from descent.schedule import Schedule
from optimizers import OPTIMIZERS
from schedules import FAMILIES, SCHEDULES

STEPS = 300
EVERY_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())


def _bowl(x: Any, y: Any) -> Any:
    return 5 * (0.6 * x + 0.8 * y) ** 2 + 0.1 * (0.6 * y - 0.8 * x) ** 2


BOWL = Landscape(
    id="bowl",
    name="Bowl",
    fn=lambda p: _bowl(p[0], p[1]),
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(-1.5, 2.0),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula="",
    reference="",
    teaches="",
)
START = np.array(BOWL.start)


def factors(schedule: Schedule, steps: int = STEPS, dtype: Any = np.float64, **knobs: float) -> np.ndarray:
    """All factors of a run, computed as the engine does: from a traced step, with knobs of the run's dtype."""
    with jax.enable_x64(dtype == np.float64):
        values = {name: jnp.asarray(value, dtype) for name, value in fill(schedule.hypers, knobs, schedule.id).items()}
        factor = jax.jit(jax.vmap(lambda t: jnp.asarray(schedule.factor(t, steps, SimpleNamespace(**values)))))
        return np.asarray(factor(jnp.arange(steps, dtype=np.int32)))


def torch_factors(make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]) -> np.ndarray:
    """The factors of a torch scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(STEPS):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


def test_constant_is_one() -> None:
    assert (factors(SCHEDULES["constant"]) == 1).all()


@pytest.mark.parametrize("end", [0.0, 0.1, 1.0])
def test_cosine_is_that_of_torch_and_optax(end: float) -> None:
    ours = factors(SCHEDULES["cosine"], end=end)
    anneal = torch_factors(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS, eta_min=end))
    np.testing.assert_allclose(ours, anneal, atol=1e-11)
    with jax.enable_x64(True):
        decay = optax.cosine_decay_schedule(1.0, STEPS, alpha=end)(jnp.arange(STEPS, dtype=np.float64))
    np.testing.assert_allclose(ours, decay, atol=1e-14)


def test_cosine_keeps_its_digits_in_float32() -> None:
    """Also in the last steps of a long run, where ½(1 + cos) would have none left."""
    single, double = (factors(SCHEDULES["cosine"], 5000, dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_allclose(single, double, rtol=1e-6)


@EVERY_SCHEDULE
def test_factors_are_finite_and_never_negative(schedule: Schedule) -> None:
    for knobs in ({}, *({knob.name: end} for knob in schedule.hypers for end in (knob.low, knob.high))):
        for steps in (1, 2, STEPS):
            values = factors(schedule, steps, **knobs)
            assert np.isfinite(values).all() and (values >= 0).all(), knobs


@EVERY_SCHEDULE
def test_factors_have_the_dtype_of_the_knobs(schedule: Schedule) -> None:
    """So that float32 runs stay float32, even where float64 is enabled."""
    values = {h.name: jnp.asarray(h.default, jnp.float32) for h in schedule.hypers}
    with jax.enable_x64(True):
        rate = jax.eval_shape(
            lambda t: jnp.ones((), jnp.float32) * schedule.factor(t, jnp.int32(9), SimpleNamespace(**values)),
            jnp.zeros((), jnp.int32),
        )
    assert rate.dtype == jnp.float32


@EVERY_SCHEDULE
def test_no_knob_is_dead(schedule: Schedule) -> None:
    for knob in schedule.hypers:
        other = max((knob.low, knob.high), key=lambda end: abs(end - knob.default))
        assert not np.allclose(factors(schedule), factors(schedule, **{knob.name: other})), (
            f"{knob.name} changes nothing"
        )


@EVERY_SCHEDULE
def test_a_run_has_the_learning_rate_times_the_factor(schedule: Schedule) -> None:
    t = descend(BOWL, OPTIMIZERS["sgd"], START, STEPS, {"learning_rate": 0.05}, schedule)
    np.testing.assert_allclose(t.learning_rate, 0.05 * factors(schedule), rtol=1e-14)
    np.testing.assert_allclose(t.update, -t.learning_rate[:, None] * t.gradient[:-1], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "make", "knobs"),
    [
        ("momentum", lambda p: torch.optim.SGD(p, 0.03, 0.9), {"learning_rate": 0.03}),
        ("nesterov", lambda p: torch.optim.SGD(p, 0.03, 0.9, nesterov=True), {"learning_rate": 0.03}),
        (
            "rmsprop",
            lambda p: torch.optim.RMSprop(p, 0.003, eps=0.05, momentum=0.8),
            {"learning_rate": 0.003, "eps": 0.05, "momentum": 0.8},
        ),
        ("adadelta", lambda p: torch.optim.Adadelta(p, 0.3), {"learning_rate": 0.3}),
        ("adamw", lambda p: torch.optim.AdamW(p, 0.02, weight_decay=0.3), {"learning_rate": 0.02, "weight_decay": 0.3}),
    ],
)
def test_a_schedule_acts_on_a_rule_as_in_torch(name: str, make: Callable[..., Any], knobs: dict[str, float]) -> None:
    """Whether α stands inside or outside of what a rule remembers shows only when α changes."""
    point = torch.tensor(START, requires_grad=True)
    optimizer = make([point])
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    path = [START]
    for _ in range(STEPS):
        optimizer.zero_grad()
        _bowl(*point).backward()
        optimizer.step()
        scheduler.step()
        path.append(point.detach().numpy().copy())
    ours = descend(BOWL, OPTIMIZERS[name], START, STEPS, knobs, SCHEDULES["cosine"]).position
    np.testing.assert_allclose(ours, path, rtol=0, atol=1e-10)


def test_declarations_are_complete() -> None:
    assert [m.id for family in FAMILIES for m in family.members] == list(SCHEDULES)
    for schedule in SCHEDULES.values():
        assert schedule.name and schedule.formula
        for knob in schedule.hypers:
            assert knob.label and knob.help.endswith(".") and knob.symbol, f"{knob.name} of {schedule.id}"
