"""Every schedule: its factors, and that runs use them as torch does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
import torch.optim.lr_scheduler as torch_lr

from descent import descend
from descent.engine import ends
from descent.hyper import fill
from descent.landscape import Landscape, Minimum
from descent.microscope import dissect
from descent.schedule import Schedule, multipliers
from optimizers import OPTIMIZERS
from schedules import FAMILIES, SCHEDULES
from schedules.decay import half_wave

STEPS = 300
EVERY_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
STATELESS = [schedule for schedule in SCHEDULES.values() if not schedule.feedback]
EVERY_STATELESS = pytest.mark.parametrize("schedule", STATELESS, ids=[schedule.id for schedule in STATELESS])


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


def factors(schedule: Schedule, steps: int = STEPS, **knobs: float) -> np.ndarray:
    """All multipliers of a run, in float64."""
    return multipliers(schedule, steps, knobs)


def torch_factors(make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]) -> np.ndarray:
    """The factors of a torch scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = [scheduler.get_last_lr()[0]]
    for _ in range(STEPS - 1):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return np.array(rates)


def optax_factors(schedule: Callable[[Any], Any], steps: int = STEPS) -> np.ndarray:
    """The factors of an optax schedule."""
    with jax.enable_x64(True):
        return np.array([float(schedule(np.float64(t))) for t in range(steps)])


def test_constant_is_one() -> None:
    assert (factors(SCHEDULES["constant"]) == 1).all()


# A schedule with its knobs, and torch's.
TORCH: list[tuple[str, dict[str, float], Callable[[Any], Any]]] = [
    ("step", {"gamma": 0.3, "step_size": 37}, lambda o: torch_lr.StepLR(o, 37, 0.3)),
    ("linear", {"end": 0.2}, lambda o: torch_lr.LinearLR(o, 1.0, 0.2, STEPS)),
    ("exponential", {"decay": 0.97}, lambda o: torch_lr.ExponentialLR(o, 0.97)),
    ("natural_exponential", {"decay": 0.05}, lambda o: torch_lr.ExponentialLR(o, np.exp(-0.05))),
    ("inverse_time", {"decay": 0.05}, lambda o: torch_lr.LambdaLR(o, lambda t: 1 / (1 + 0.05 * t))),
    *(
        ("cosine", {"end": end}, lambda o, end=end: torch_lr.CosineAnnealingLR(o, STEPS, eta_min=end))
        for end in (0.0, 0.1, 1.0)
    ),
    ("polynomial", {"power": 2.5}, lambda o: torch_lr.PolynomialLR(o, STEPS, 2.5)),
    (
        "cyclical",
        {"low": 0.2, "half_period": 23},
        lambda o: torch_lr.CyclicLR(o, 0.2, 1.0, 23, mode="triangular", cycle_momentum=False),
    ),
    *(
        (
            "sgdr",
            {"period": period, "growth": growth, "end": 0.1},
            lambda o, period=period, growth=growth: torch_lr.CosineAnnealingWarmRestarts(o, period, growth, 0.1),
        )
        for period, growth in ((40, 1), (17, 2), (1, 3))
    ),
    (
        "one_cycle",
        {"peak_at": 0.25, "start_div": 20.0, "end_div": 1e3},
        lambda o: torch_lr.OneCycleLR(
            o, 1.0, STEPS, pct_start=0.25, div_factor=20.0, final_div_factor=1e3, cycle_momentum=False
        ),
    ),
]


@pytest.mark.parametrize(("name", "knobs", "make"), TORCH, ids=[row[0] for row in TORCH])
def test_factors_are_those_of_torch(name: str, knobs: dict[str, float], make: Callable[[Any], Any]) -> None:
    np.testing.assert_allclose(factors(SCHEDULES[name], **knobs | {"warmup": 0}), torch_factors(make), atol=1e-11)


# A schedule with its knobs, and optax's.
OPTAX: list[tuple[str, dict[str, float], Callable[[Any], Any]]] = [
    ("step", {"gamma": 0.3, "step_size": 37}, optax.exponential_decay(1.0, 37, 0.3, staircase=True)),
    ("linear", {"end": 0.2}, optax.linear_schedule(1.0, 0.2, STEPS)),
    ("exponential", {"decay": 0.97}, optax.exponential_decay(1.0, 1, 0.97)),
    ("cosine", {"end": 0.1}, optax.cosine_decay_schedule(1.0, STEPS, 0.1)),
    ("polynomial", {"power": 2.5}, optax.polynomial_schedule(1.0, 0.0, 2.5, STEPS)),
    (
        "sgdr",
        {"period": 20, "growth": 2},
        optax.sgdr_schedule(
            [
                {"init_value": 1.0, "peak_value": 1.0, "warmup_steps": 0, "decay_steps": 20 * 2**k, "end_value": 0.0}
                for k in range(5)
            ]
        ),
    ),
    (
        "one_cycle",
        {"peak_at": 0.25, "start_div": 20.0, "end_div": 1e3},
        optax.cosine_onecycle_schedule(STEPS - 1, 1.0, (0.25 * STEPS - 1) / (STEPS - 1) + 1e-9, 20.0, 1e3),
    ),
    (
        "wsd",
        {"decay": 0.25, "end": 0.1, "warmup": 0},
        optax.join_schedules([optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.1, 75)], [225]),
    ),
    (
        "wsd",
        {"decay": 0.5, "end": 0.1, "warmup": 100},
        optax.join_schedules(
            [
                optax.linear_schedule(0.01, 1.0, 99),
                optax.constant_schedule(1.0),
                optax.linear_schedule(1.0, 0.1, 100),
            ],
            [100, 200],
        ),
    ),
]


@pytest.mark.parametrize(("name", "knobs", "theirs"), OPTAX, ids=[row[0] for row in OPTAX])
def test_factors_are_those_of_optax(name: str, knobs: dict[str, float], theirs: Callable[[Any], Any]) -> None:
    np.testing.assert_allclose(factors(SCHEDULES[name], **knobs), optax_factors(theirs), atol=1e-12)


def test_behind_its_warm_up_the_inverse_root_is_the_transformers() -> None:
    t = np.arange(1, STEPS, dtype=np.float64)
    transformer = np.minimum(t**-0.5, t * 60**-1.5)
    ours = factors(SCHEDULES["inverse_sqrt"], timescale=60, warmup=60)
    np.testing.assert_allclose(ours[60:], transformer[59:] / transformer.max(), rtol=1e-14)
    np.testing.assert_allclose(ours[:60], np.arange(1, 61) / 60, rtol=1e-14)
    np.testing.assert_allclose(
        factors(SCHEDULES["inverse_sqrt"], timescale=4, warmup=0)[[0, 12, 32]], [1, 1 / 2, 1 / 3]
    )


@pytest.mark.parametrize(
    ("name", "knobs", "make"),
    [
        ("constant", {}, lambda o: torch_lr.ConstantLR(o, 1.0)),
        ("step", {"gamma": 0.3, "step_size": 37}, lambda o: torch_lr.StepLR(o, 37, 0.3)),
        ("cosine", {"end": 0.1}, lambda o: torch_lr.CosineAnnealingLR(o, STEPS - 40, eta_min=0.1)),
        ("sgdr", {"period": 20, "growth": 2}, lambda o: torch_lr.CosineAnnealingWarmRestarts(o, 20, 2)),
    ],
)
def test_a_warm_up_comes_before_a_schedule_as_in_torch(
    name: str, knobs: dict[str, float], make: Callable[[Any], Any]
) -> None:
    """The schedule's own clock starts when it is over."""

    def sequence(o: Any) -> Any:
        climb = torch_lr.LinearLR(o, 1 / 40, 1.0, 39)
        return torch_lr.SequentialLR(o, [climb, make(o)], [40])

    np.testing.assert_allclose(factors(SCHEDULES[name], **knobs, warmup=40), torch_factors(sequence), atol=1e-11)


@EVERY_STATELESS
def test_a_warm_up_climbs_to_where_the_schedule_begins(schedule: Schedule) -> None:
    bare, warm = factors(schedule, STEPS - 30, warmup=0), factors(schedule, warmup=30)
    np.testing.assert_allclose(warm[:30], bare[0] * np.arange(1, 31) / 30, rtol=1e-13)
    np.testing.assert_allclose(warm[30:], bare, rtol=1e-13)
    assert np.allclose(factors(schedule, 20, warmup=30), warm[:20])  # over before the climb is


def test_cosine_keeps_its_digits_in_float32() -> None:
    """Also in the last steps of a long run, where ½(1 + cos) would have none left."""
    t = jnp.arange(5_000, dtype=jnp.int32)
    single = half_wave(t, jnp.int32(5_000))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, factors(SCHEDULES["cosine"], 5_000), rtol=1e-6)


@EVERY_STATELESS
def test_factors_are_finite_and_never_negative(schedule: Schedule) -> None:
    for knobs in ({}, *({knob.name: end} for knob in schedule.hypers for end in (knob.low, knob.high))):
        for steps in (1, 2, STEPS):
            values = factors(schedule, steps, **knobs)
            assert np.isfinite(values).all() and (values >= 0).all() and (values <= 1 + 1e-12).all(), knobs


@EVERY_SCHEDULE
def test_factors_have_the_dtype_of_the_knobs(schedule: Schedule) -> None:
    """So that float32 runs stay float32, even where float64 is enabled."""
    knobs = SimpleNamespace(**{h.name: jnp.asarray(h.default, jnp.float32) for h in schedule.hypers})
    state = schedule.init() if schedule.init else None
    with jax.enable_x64(True):
        rate = jax.eval_shape(
            lambda t: jnp.ones((), jnp.float32) * schedule.multiplier(t, jnp.int32(9), knobs, state),
            jnp.zeros((), jnp.int32),
        )
    assert rate.dtype == jnp.float32


@EVERY_STATELESS
def test_no_knob_is_dead(schedule: Schedule) -> None:
    for knob in schedule.hypers:
        other = max((knob.low, knob.high), key=lambda end: abs(end - knob.default))
        assert not np.allclose(factors(schedule), factors(schedule, **{knob.name: other})), (
            f"{knob.name} changes nothing"
        )


@EVERY_STATELESS
def test_a_run_has_the_learning_rate_times_the_factor(schedule: Schedule) -> None:
    t = descend(BOWL, OPTIMIZERS["sgd"], START, STEPS, {"learning_rate": 0.05}, schedule, {"warmup": 7})
    np.testing.assert_allclose(t.learning_rate, 0.05 * factors(schedule, warmup=7), rtol=1e-12)
    np.testing.assert_allclose(t.update, -t.learning_rate[:, None] * t.gradient[:-1], rtol=1e-14)


def test_without_a_run_a_schedule_with_feedback_has_no_multipliers() -> None:
    with pytest.raises(ValueError, match="reduce_on_plateau feeds on the loss"):
        multipliers(SCHEDULES["reduce_on_plateau"], 10)


# ---- feedback --------------------------------------------------------------------------------------------------------

PLATEAU = SCHEDULES["reduce_on_plateau"]
PLATEAUS = (
    {},
    {"gamma": 0.5, "patience": 3, "threshold": 0.05, "cooldown": 4, "floor": 0.1},
    {"gamma": 0.7, "patience": 0, "threshold": 1e-6, "cooldown": 1, "floor": 0.01},
)


def watched(losses: Sequence[float], **knobs: float) -> np.ndarray:
    """The rate of the step that comes after each loss."""
    with jax.enable_x64(True):
        values = {name: jnp.asarray(value) for name, value in fill(PLATEAU.hypers, knobs, PLATEAU.id).items()}
        hyper = SimpleNamespace(**values)

        def step(state: Any, loss: Any) -> Any:
            assert PLATEAU.update
            state = PLATEAU.update(loss, state, hyper)
            return state, state.factor

        assert PLATEAU.init
        return np.asarray(jax.lax.scan(step, PLATEAU.init(), np.array(losses))[1])


@pytest.mark.parametrize("knobs", PLATEAUS)
def test_reduce_on_plateau_is_that_of_torch_and_optax(knobs: dict[str, float]) -> None:
    random = np.random.default_rng(3)
    losses = np.exp(-np.arange(STEPS) / 40) + 0.3 + random.uniform(0, 0.1, STEPS)
    losses[50] = np.nan
    named = {h.name: knobs.get(h.name, h.default) for h in PLATEAU.hypers}
    told = {"patience": int(named["patience"]), "cooldown": int(named["cooldown"])}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch_lr.ReduceLROnPlateau(
        optimizer, "min", named["gamma"], threshold=named["threshold"], min_lr=named["floor"], eps=0.0, **told
    )
    rates = []
    for loss in losses:
        optimizer.step()
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    ours = watched(list(losses), **knobs)
    np.testing.assert_allclose(ours, rates, rtol=1e-12)
    assert (np.diff(ours) < 0).sum() >= 2

    with jax.enable_x64(True):
        told["patience"] += 1  # it reduces at, not after, so many
        peer = optax.contrib.reduce_on_plateau(
            named["gamma"], rtol=named["threshold"], atol=0.0, accumulation_size=1, min_scale=named["floor"], **told
        )
        state, scales = peer.init(jnp.zeros(1)), []
        update = jax.jit(peer.update)
        for loss in losses:
            state = update(jnp.zeros(1), state, value=jnp.asarray(loss))[1]
            scales.append(float(state.scale))
    np.testing.assert_allclose(ours, scales, rtol=1e-6)


def test_where_losses_are_negative_a_plateau_is_one_too() -> None:
    rates = watched([-1.0] * 5 + [-1.0 + 1e-3] * 5, patience=3, threshold=0.1, gamma=0.5)
    assert list(rates) == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert (watched(np.linspace(-1, -9, 50), patience=3) == 1).all()


def test_a_run_is_reduced_at_its_plateaus_as_in_torch() -> None:
    """The loss of a step changes the rate of the next."""
    point = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([point], 0.1, 0.5)
    scheduler = torch_lr.ReduceLROnPlateau(optimizer, factor=0.5, patience=4, threshold=0.5, eps=0.0)
    path, rates = [START], []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        loss = _bowl(*point)
        loss.backward()
        optimizer.step()
        scheduler.step(loss.detach())
        path.append(point.detach().numpy().copy())
    knobs = {"gamma": 0.5, "patience": 4, "threshold": 0.5}
    hyper = {"learning_rate": 0.1, "momentum": 0.5}
    ours = descend(BOWL, OPTIMIZERS["momentum"], START, STEPS, hyper, PLATEAU, knobs)
    np.testing.assert_allclose(ours.learning_rate, rates, rtol=1e-12)
    np.testing.assert_allclose(ours.position, path, atol=1e-10)
    assert len(set(rates)) > 2
    # During a warm-up nothing is watched, and what follows is told only what happens there.
    late = descend(BOWL, OPTIMIZERS["momentum"], START, STEPS, hyper, PLATEAU, knobs | {"warmup": 50})
    np.testing.assert_allclose(late.learning_rate[:50], 0.1 * np.arange(1, 51) / 50, rtol=1e-12)
    anew = watched(list(late.loss[50:-1]), **knobs)
    np.testing.assert_allclose(late.learning_rate[51:], 0.1 * anew[:-1], rtol=1e-12)
    # Under the microscope the run is the same.
    seen = dissect(BOWL, OPTIMIZERS["momentum"], START, STEPS, hyper, PLATEAU, knobs).trajectory
    np.testing.assert_allclose(seen.learning_rate, rates, rtol=1e-12)
    # Each run of a batch has a memory of its own.
    batch = descend(BOWL, OPTIMIZERS["momentum"], np.stack([START, -0.1 * START]), STEPS, hyper, PLATEAU, knobs)
    np.testing.assert_allclose(batch.learning_rate[0], rates, rtol=1e-12)
    found = ends(BOWL, OPTIMIZERS["momentum"], np.stack([START, -0.1 * START]), STEPS, hyper, PLATEAU, knobs)
    np.testing.assert_allclose(found.position, batch.position[:, -1], atol=1e-12)


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
