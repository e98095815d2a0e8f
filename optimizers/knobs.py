"""Knobs that many update rules share: each is declared here once, a rule only sets its own default."""

from __future__ import annotations

from descent.hyper import Hyper
from descent.text import _


def learning_rate(default: float, low: float, high: float = 10.0, help: str | None = None) -> Hyper:
    """α; ``high`` lies where runs diverge, because seeing that is half of the point.

    A step in proportion to the gradient needs a ``low`` far below that of a normalized step: surfaces
    differ by decades in steepness, but hardly in width.
    """
    return Hyper(
        name="learning_rate",
        symbol=r"\alpha",
        label=_("Learning rate"),
        help=help or _("How far one step goes. Too small and nothing happens; too large and the run diverges."),
        default=default,
        low=low,
        high=high,
        scale="log",
    )


def eps(default: float, help: str | None = None, low: float = 1e-12) -> Hyper:
    """ε, added to the root in the denominator."""
    return Hyper(
        name="eps",
        symbol=r"\varepsilon",
        label=_("Epsilon"),
        help=help or _("Added to the root in the denominator. It keeps steps finite where the gradient has vanished."),
        default=default,
        low=low,
        high=1.0,
        scale="log",
    )


def _memory(name: str, symbol: str, label: str, help: str, default: float, low: float = 0.0) -> Hyper:
    """A factor by which an average or a velocity keeps its past; at 1 it would never forget."""
    return Hyper(name, symbol, label, help, default, low=low, high=0.9999, memory=True)


def momentum(default: float = 0.9, help: str | None = None) -> Hyper:
    """ρ, the part of the velocity that a step keeps."""
    text = _("The part of the velocity that is kept at each step. A steady slope is sped up 1/(1 − ρ) times.")
    return _memory("momentum", r"\rho", _("Momentum"), help or text, default)


def decay(default: float, help: str | None = None) -> Hyper:
    """β of a running average of squared gradients."""
    text = _("How much of the past the average of squared gradients keeps: about 1/(1 − β) steps.")
    return _memory("decay", r"\beta", _("Decay"), help or text, default)


def b1(default: float = 0.9, help: str | None = None) -> Hyper:
    """β₁ of the running average of gradients."""
    text = _("How much of the past the average of gradients keeps: about 1/(1 − β₁) steps.")
    return _memory("b1", r"\beta_1", _("First moment decay"), help or text, default)


def b2(default: float = 0.999, low: float = 0.0, help: str | None = None) -> Hyper:
    """β₂ of the running average of squared gradients."""
    text = _("How much of the past the average of squared gradients keeps: about 1/(1 − β₂) steps.")
    return _memory("b2", r"\beta_2", _("Second moment decay"), help or text, default, low)


def b3(default: float, help: str) -> Hyper:
    """β₃, whatever third average a rule keeps."""
    return _memory("b3", r"\beta_3", _("Third decay"), help, default)


def weight_decay(default: float, help: str | None = None) -> Hyper:
    """λ of decoupled weight decay."""
    return Hyper(
        name="weight_decay",
        symbol=r"\lambda",
        label=_("Weight decay"),
        help=help or _("Pulls every parameter towards 0 by the fraction αλ of itself at each step."),
        default=default,
        low=0.0,
        high=1.0,
    )


def switch(name: str, symbol: str, label: str, help: str, default: bool) -> Hyper:
    """A knob that is on (1) or off (0)."""
    return Hyper(name, symbol, label, help, float(default), scale="switch")
