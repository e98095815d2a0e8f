"""Schedules that never raise the learning rate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.schedule import CONSTANT, WARMUP, Schedule
from descent.text import _

FAMILY = _("Decay")

END = Hyper(
    name="end",
    symbol="e",
    label=_("Final fraction"),
    help=_("The fraction of the learning rate that is left at the end."),
    default=0.0,
)


def step_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$\gamma^{\lfloor t/s \rfloor}$, as torch's StepLR and optax's exponential_decay with a staircase."""
    return hyper.gamma ** jnp.floor(step / hyper.step_size)


STEP = Schedule(
    id="step",
    name=_("Step decay"),
    factor=step_factor,
    formula=r"\gamma^{\lfloor t/s \rfloor}",
    reference="He et al. (2016), Deep Residual Learning for Image Recognition",
    convention=_("As torch’s StepLR."),
    hypers=(
        Hyper(
            name="gamma",
            symbol=r"\gamma",
            label=_("Kept at a stair"),
            help=_("What the learning rate is multiplied by at each stair."),
            default=0.5,
            low=0.01,
        ),
        Hyper(
            name="step_size",
            symbol="s",
            label=_("Steps a stair"),
            help=_("How many steps the learning rate stays the same."),
            default=100,
            low=1,
            high=1_000,
            scale="integer",
        ),
    ),
)


def linear_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""A straight line from 1 to ``end``: $1 + (e-1)\,t/T$.

    ``end`` would be reached at t = T, as in torch's LinearLR (start_factor = 1, end_factor = e, total_iters = T) and
    optax's linear_schedule.
    """
    return 1 + (hyper.end - 1) * step / total_steps


LINEAR = Schedule(
    id="linear",
    name=_("Linear decay"),
    factor=linear_factor,
    formula=r"1 + (e-1)\,\frac{t}{T}",
    reference="Defazio et al. (2023), Optimal Linear Decay Learning Rate Schedules and Further Refinements",
    convention=_("e would be reached at t = T, one step after the last, as with torch’s LinearLR."),
    hypers=(END,),
)


def inverse_time_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$1/(1+\beta t)$: its sum diverges and that of its square does not, so that noise is averaged away for good."""
    return 1 / (1 + hyper.decay * step)


INVERSE_TIME = Schedule(
    id="inverse_time",
    name=_("Inverse time decay"),
    factor=inverse_time_factor,
    formula=r"\frac{1}{1+\beta t}",
    reference="Robbins & Monro (1951), A Stochastic Approximation Method",
    convention=_("Its sum has no bound, but that of its squares has: noise is averaged away for good."),
    hypers=(
        Hyper(
            name="decay",
            symbol=r"\beta",
            label=_("Decay rate"),
            help=_("After 1/β steps half of the learning rate is left."),
            default=0.02,
            low=1e-4,
            high=1.0,
            scale="log",
        ),
    ),
)


def exponential_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$\beta^t$, as torch's ExponentialLR (gamma = β)."""
    return hyper.decay**step


EXPONENTIAL = Schedule(
    id="exponential",
    name=_("Exponential decay"),
    factor=exponential_factor,
    formula=r"\beta^{t}",
    reference="Li & Arora (2020), An Exponential Learning Rate Schedule for Deep Learning",
    convention=_("As torch’s ExponentialLR; β is for each step, so a longer run decays further."),
    hypers=(
        Hyper(
            name="decay",
            symbol=r"\beta",
            label=_("Kept at each step"),
            help=_("What the learning rate is multiplied by at every step."),
            default=0.99,
            low=0.9,
        ),
    ),
)


def natural_exponential_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$e^{-\beta t}$: the exponential schedule, told by its rate instead of by what is kept at each step."""
    return jnp.exp(-hyper.decay * step)


NATURAL_EXPONENTIAL = Schedule(
    id="natural_exponential",
    name=_("Natural exponential decay"),
    factor=natural_exponential_factor,
    formula=r"e^{-\beta t}",
    convention=_("The exponential decay, told by its rate."),
    hypers=(
        Hyper(
            name="decay",
            symbol=r"\beta",
            label=_("Decay rate"),
            help=_("After 1/β steps 37 % of the learning rate is left."),
            default=0.01,
            low=1e-4,
            high=1.0,
            scale="log",
        ),
    ),
)


def cosine_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""Half a cosine wave from 1 down to ``end``.

    $e + (1-e)\,\tfrac12 (1 + \cos \pi t/T)$

    ``end`` would be reached at t = T, one step after the last, as in torch's CosineAnnealingLR (eta_min = αe)
    and optax's cosine_decay_schedule (alpha = e).

    Reference: Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts.
    """
    return hyper.end + (1 - hyper.end) * half_wave(step, total_steps)


def half_wave(step: Any, total_steps: Any) -> Any:
    """½(1 + cos πt/T)."""
    # As sin²((π − x)/2), which does not cancel in float32 as the end comes near.
    return jnp.sin(jnp.pi * (total_steps - step) / (2 * total_steps)) ** 2


COSINE = Schedule(
    id="cosine",
    name=_("Cosine"),
    factor=cosine_factor,
    formula=r"e + (1-e)\,\tfrac12\left(1 + \cos\frac{\pi t}{T}\right)",
    reference="Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts",
    convention=_("e would be reached at t = T, one step after the last, as with torch’s CosineAnnealingLR."),
    hypers=(END,),
)


def polynomial_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$(1-t/T)^p$, as torch's PolynomialLR and optax's polynomial_schedule to an end value of 0."""
    return (1 - step / total_steps) ** hyper.power


POLYNOMIAL = Schedule(
    id="polynomial",
    name=_("Polynomial decay"),
    factor=polynomial_factor,
    formula=r"\left(1-\frac{t}{T}\right)^{p}",
    reference="Chen et al. (2018), DeepLab: Semantic Image Segmentation",
    convention=_("0 would be reached at t = T, as with torch’s PolynomialLR."),
    hypers=(
        Hyper(
            name="power",
            symbol="p",
            label=_("Power"),
            help=_("1 is a straight line; the larger, the sooner the learning rate falls."),
            default=2.0,
            low=0.1,
            high=10.0,
            scale="log",
        ),
    ),
)


def inverse_sqrt_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""$1/\sqrt{1 + t/\tau}$: the Transformer's.

    Behind a warm-up of T′ = τ steps it is √(T′/t), the Transformer's d^(−1/2) min(t^(−1/2), t·T′^(−3/2)) in proportion
    to its peak.

    Reference: Vaswani et al. (2017), Attention Is All You Need.
    """
    return 1 / jnp.sqrt(1 + step / hyper.timescale)


INVERSE_SQRT = Schedule(
    id="inverse_sqrt",
    name=_("Inverse square root"),
    factor=inverse_sqrt_factor,
    formula=r"\frac{1}{\sqrt{1+t/\tau}}",
    reference="Vaswani et al. (2017), Attention Is All You Need",
    convention=_("With a warm-up of τ steps the Transformer’s, in proportion to its peak."),
    hypers=(
        Hyper(
            name="timescale",
            symbol=r"\tau",
            label=_("Time scale"),
            help=_("After 3τ steps half of the learning rate is left. The Transformer’s is its warm-up."),
            default=50,
            low=1,
            high=1_000,
            scale="integer",
        ),
        replace(WARMUP, default=50),
    ),
)


def wsd_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""1 until the last share ``decay`` of the run, and from there a straight line to ``end``.

    $1 - (1-e)\,\max\left(0, \tfrac{t-(1-d)T}{dT}\right)$, behind the warm-up that gives it its first letter.

    Reference: Hu et al. (2024), MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training
    Strategies.
    """
    begin, length = (1 - hyper.decay) * total_steps, hyper.decay * total_steps
    return 1 - (1 - hyper.end) * jnp.clip((step - begin) / length, 0, 1)


WSD = Schedule(
    id="wsd",
    name=_("Warm-up, stable, decay"),
    factor=wsd_factor,
    formula=r"1 - (1-e)\,\max\!\left(0,\ \frac{t-(1-d)\,T}{d\,T}\right)",
    reference="Hu et al. (2024), MiniCPM: Unveiling the Potential of Small Language Models",
    convention=_("The decay is a straight line; e would be reached at t = T. The warm-up is its own."),
    hypers=(
        Hyper(
            name="decay",
            symbol="d",
            label=_("Share of decay"),
            help=_("The last part of the run, in which the learning rate falls."),
            default=0.2,
            low=0.01,
        ),
        END,
        replace(WARMUP, default=50),
    ),
)

# The constant is the engine's own, so that a run with it is the same compiled program as a run without a schedule.
MEMBERS = (
    CONSTANT,
    STEP,
    LINEAR,
    INVERSE_TIME,
    EXPONENTIAL,
    NATURAL_EXPONENTIAL,
    COSINE,
    POLYNOMIAL,
    INVERSE_SQRT,
    WSD,
)
