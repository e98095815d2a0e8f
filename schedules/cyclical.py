"""Schedules that raise the learning rate again."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from descent.hyper import Hyper
from descent.schedule import Schedule
from descent.text import _
from schedules.decay import END, half_wave

FAMILY = _("Cyclical")

MOST_PERIODS = 24  # growing twofold, more steps than any run has


def cyclical_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""Up and down in straight lines between ``low`` and 1.

    $m = \lfloor 1 + t/2\Delta T \rfloor$, $b = |t/\Delta T - 2m + 1|$, $l + (1-l)\max(0, 1-b)$: torch's CyclicLR
    (base_lr = αl, max_lr = α, step_size_up = ΔT, mode "triangular").

    Reference: Smith (2017), Cyclical Learning Rates for Training Neural Networks.
    """
    cycle = jnp.floor(1 + step / (2 * hyper.half_period))
    height = jnp.maximum(0, 1 - jnp.abs(step / hyper.half_period - 2 * cycle + 1))
    return hyper.low + (1 - hyper.low) * height


CYCLICAL = Schedule(
    id="cyclical",
    name=_("Cyclical"),
    factor=cyclical_factor,
    formula=r"l + (1-l)\max(0,\ 1-b),\quad b = \left|\tfrac{t}{\Delta T} - 2m + 1\right|,"
    r"\ m = \left\lfloor 1 + \tfrac{t}{2\Delta T} \right\rfloor",
    reference="Smith (2017), Cyclical Learning Rates for Training Neural Networks",
    convention=_("As torch’s CyclicLR in its triangular mode; α is the highest rate."),
    hypers=(
        Hyper(
            name="low",
            symbol="l",
            label=_("Lowest fraction"),
            help=_("The fraction of the learning rate at which each cycle begins and ends."),
            default=0.1,
        ),
        Hyper(
            name="half_period",
            symbol=r"\Delta T",
            label=_("Steps up"),
            help=_("How many steps the learning rate climbs; it falls for as many."),
            default=50,
            low=1,
            high=1_000,
            scale="integer",
        ),
    ),
)


def sgdr_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""Half a cosine wave, again and again, each ``growth`` times as long as the one before.

    $e + (1-e)\,\tfrac12(1 + \cos \pi T_{cur}/T_m)$ with $T_{cur}$ steps since the last restart and $T_m = T_0 g^m$:
    torch's CosineAnnealingWarmRestarts (T_0, T_mult = g, eta_min = αe) and optax's sgdr_schedule.

    Reference: Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts.
    """
    length = hyper.period
    # Equal periods are counted by division; growing ones are few, so they are gone through.
    begin = jnp.where(hyper.growth == 1, jnp.floor(step / length) * length, 0)
    for _period in range(MOST_PERIODS):
        over = (step >= begin + length) & (hyper.growth > 1)
        begin, length = jnp.where(over, begin + length, begin), jnp.where(over, length * hyper.growth, length)
    return hyper.end + (1 - hyper.end) * half_wave(step - begin, length)


SGDR = Schedule(
    id="sgdr",
    name=_("Warm restarts"),
    factor=sgdr_factor,
    formula=r"e + (1-e)\,\tfrac12\left(1 + \cos\frac{\pi\,T_\text{cur}}{T_m}\right),\quad T_m = T_0\,g^m",
    reference="Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts",
    convention=_(
        "$T_\\text{cur}$ counts the steps since the last restart, as torch’s CosineAnnealingWarmRestarts does."
    ),
    hypers=(
        Hyper(
            name="period",
            symbol="T_0",
            label=_("First period"),
            help=_("Steps until the first restart."),
            default=100,
            low=1,
            high=1_000,
            scale="integer",
        ),
        Hyper(
            name="growth",
            symbol="g",
            label=_("Growth of the period"),
            help=_("Each period is so many times as long as the one before."),
            default=2,
            low=1,
            high=4,
            scale="integer",
        ),
        END,
    ),
)


def one_cycle_factor(step: Any, total_steps: Any, hyper: Any) -> Any:
    r"""One climb to 1 and one long fall to almost nothing, both half a cosine wave.

    From $1/d$ at t = 0 to 1 at t = pT − 1, and from there to $1/(df)$ at t = T − 1: torch's OneCycleLR (max_lr = α,
    pct_start = p, div_factor = d, final_div_factor = f, without its cycling of the momentum). optax's
    cosine_onecycle_schedule is the same of T − 1 steps, with its peak at a whole step.

    Reference: Smith & Topin (2018), Super-Convergence.
    """
    first, last = 1 / hyper.start_div, 1 / (hyper.start_div * hyper.end_div)
    peak = jnp.maximum(hyper.peak_at * total_steps - 1, 0)
    climb = jnp.clip(step / jnp.maximum(peak, 1e-6), 0, 1)
    fall = jnp.clip((step - peak) / jnp.maximum(total_steps - 1 - peak, 1e-6), 0, 1)
    up = first + (1 - first) * half_wave(1 - climb, 1)
    down = last + (1 - last) * half_wave(fall, 1)
    return jnp.where(step <= peak, up, down)


ONE_CYCLE = Schedule(
    id="one_cycle",
    name=_("One cycle"),
    factor=one_cycle_factor,
    formula=r"\begin{aligned}"
    r"\tfrac1d + \left(1-\tfrac1d\right)\tfrac12\left(1-\cos\tfrac{\pi t}{pT-1}\right) &\quad t \le pT-1 \\"
    r"\tfrac1{df} + \left(1-\tfrac1{df}\right)\tfrac12\left(1+\cos\tfrac{\pi(t-pT+1)}{(1-p)T}\right) &\quad t > pT-1"
    r"\end{aligned}",
    reference="Smith & Topin (2018), Super-Convergence",
    convention=_("As torch’s OneCycleLR without its cycling of the momentum; α is the highest rate."),
    hypers=(
        Hyper(
            name="peak_at",
            symbol="p",
            label=_("Share of the climb"),
            help=_("The part of the run in which the learning rate climbs."),
            default=0.3,
            low=0.01,
            high=0.99,
        ),
        Hyper(
            name="start_div",
            symbol="d",
            label=_("Start divisor"),
            help=_("The run begins at the learning rate α divided by this."),
            default=25.0,
            low=1.0,
            high=1e3,
            scale="log",
        ),
        Hyper(
            name="end_div",
            symbol="f",
            label=_("End divisor"),
            help=_("It ends at its first rate divided by this."),
            default=1e4,
            low=1.0,
            high=1e6,
            scale="log",
        ),
    ),
)

MEMBERS = (CYCLICAL, SGDR, ONE_CYCLE)
