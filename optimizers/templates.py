"""Built-in rules as formulas to start from: each gives the steps of the rule whose id it has, which a test checks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from descent.formula import tokens
from descent.optimizer import Optimizer
from optimizers import OPTIMIZERS
from optimizers.formula import optimizer_from_formula

_M = "b1*m + (1-b1)*g"
_V = "b2*v + (1-b2)*g^2"
_ADAM = "-learning_rate * (m/(1-b1^t)) / (sqrt(v/(1-b2^t)) + eps)"

# The knobs of a template are those of its rule that the formulas name, with the rule's defaults and ranges.
TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "sgd": {"delta": "-learning_rate * g"},
    "sgdw": {"delta": "-learning_rate * (g + weight_decay*theta)"},
    "momentum": {"v": "momentum*v + g", "delta": "-learning_rate * v"},
    "nesterov": {"v": "momentum*v + g", "delta": "-learning_rate * (g + momentum*v)"},
    "qhm": {"v": "momentum*v + (1-momentum)*g", "delta": "-learning_rate * ((1-nu)*g + nu*v)"},
    "adagrad": {"s": "s + g^2", "delta": "-learning_rate * g / (sqrt(s) + eps)"},
    "rmsprop": {
        "s": "decay*s + (1-decay)*g^2",
        "v": "momentum*v + g/(sqrt(s) + eps)",
        "delta": "-learning_rate * v",
    },
    "adadelta": {
        "s": "decay*s + (1-decay)*g^2",
        "u": "sqrt(d + eps)/sqrt(s + eps) * g",
        "d": "decay*d + (1-decay)*u^2",
        "delta": "-learning_rate * u",
    },
    "adam": {"m": _M, "v": _V, "delta": _ADAM},
    "adamw": {"m": _M, "v": _V, "delta": f"{_ADAM} - learning_rate*weight_decay*theta"},
    "adam_l2": {
        "h": "g + weight_decay*theta",
        "m": "b1*m + (1-b1)*h",
        "v": "b2*v + (1-b2)*h^2",
        "delta": _ADAM,
    },
    "nadam": {
        "mu": "b1*(1 - 0.5*0.96^(t*momentum_decay))",
        "next": "b1*(1 - 0.5*0.96^((t+1)*momentum_decay))",
        "product": "where(t == 1, 1, product) * mu",
        "m": _M,
        "v": _V,
        "n": "next/(1 - product*next)*m + (1-mu)/(1-product)*g",
        "delta": "-learning_rate * n / (sqrt(v/(1-b2^t)) + eps)",
    },
    "amsgrad": {
        "m": _M,
        "v": _V,
        "w": "max(w, v)",
        "delta": "-learning_rate * (m/(1-b1^t)) / (sqrt(w/(1-b2^t)) + eps)",
    },
    "adamax": {"m": _M, "u": "max(b2*u, abs(g) + eps)", "delta": "-learning_rate * (m/(1-b1^t)) / u"},
    "adabelief": {
        "m": _M,
        "s": "b2*s + (1-b2)*(g-m)^2 + eps",
        "delta": "-learning_rate * (m/(1-b1^t)) / (sqrt(s/(1-b2^t)) + eps)",
    },
    "yogi": {
        "m": _M,
        "w": "where(t == 1, 1e-6, v)",
        "v": "w - (1-b2)*sign(w - g^2)*g^2",
        "delta": _ADAM,
    },
    "adan": {
        "c": "where(t == 1, 0, g - p)",
        "m": _M,
        "d": "b2*d + (1-b2)*c",
        "n": "b3*n + (1-b3)*(g + b2*c)^2",
        "p": "g",
        "delta": "-learning_rate * (m/(1-b1^t) + b2*d/(1-b2^t)) / (sqrt(n/(1-b3^t)) + eps)",
    },
    "ademamix": {
        "m": _M,
        "s": "b3*s + (1-b3)*g",
        "v": _V,
        "delta": "-learning_rate * (m/(1-b1^t) + mix*s) / (sqrt(v/(1-b2^t)) + eps)",
    },
    "adopt": {
        "r": "clip(g/max(sqrt(v), eps), -(t-1)^0.25, (t-1)^0.25)",
        "m": "where(t == 1, 0, b1*m + (1-b1)*r)",
        "v": "where(t == 1, g^2, b2*v + (1-b2)*g^2)",
        "delta": "-learning_rate * m",
    },
    "sign_sgd": {"delta": "-learning_rate * sign(g)"},
    "signum": {"m": _M, "delta": "-learning_rate * sign(m)"},
    "lion": {
        "c": "b1*m + (1-b1)*g",
        "m": "b2*m + (1-b2)*g",
        "delta": "-learning_rate * (sign(c) + weight_decay*theta)",
    },
    "rprop": {
        "k": "where(g*p > 0, grow, where(g*p < 0, shrink, 1))",
        "s": "clip(where(t == 1, learning_rate, s) * k, 1e-6, 50)",
        "p": "where(g*p < 0, 0, g)",
        "delta": "-s * sign(p)",
    },
}


@cache
def template(id: str, rate: str = "lr") -> tuple[Mapping[str, str], Mapping[str, tuple[float, float, float]]]:
    """Lines and knobs, (low, high, default), of a template, with the learning rate under a short name."""
    lines = {name: text.replace("learning_rate", rate) for name, text in TEMPLATES[id].items()}
    named = {token.text for text in TEMPLATES[id].values() for token in tokens(text)}
    hypers = {
        rate if h.name == "learning_rate" else h.name: (h.low, h.high, h.default)
        for h in OPTIMIZERS[id].hypers
        if h.name in named
    }
    return lines, hypers


def from_template(id: str) -> Optimizer:
    """The optimizer of a template."""
    return optimizer_from_formula(*template(id))
