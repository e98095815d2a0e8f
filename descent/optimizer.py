"""What an update rule is, and the problem it is given to solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax

from descent.hyper import Hyper

Params = Any  # any pytree of arrays
State = Any  # a NamedTuple, one class an optimizer


@dataclass(frozen=True)
class Problem:
    """What a rule may ask beyond the gradient it is handed: the loss anywhere, and what follows from it.

    ``loss`` takes params and returns a scalar. ``minimum`` is the lowest value where it is known, else NaN.
    ``step_key()`` gives this step's random key, for rules that draw their own noise.
    """

    loss: Callable[[Params], jax.Array]
    minimum: Any = float("nan")
    step_key: Callable[[], jax.Array] | None = None

    def gradient(self, params: Params) -> Params:
        """The exact gradient at ``params``."""
        return jax.grad(self.loss)(params)

    def hessian_vector_product(self, params: Params, vector: Params) -> Params:
        """H·vector at ``params``, by forward over reverse."""
        return jax.jvp(jax.grad(self.loss), (params,), (vector,))[1]


class Terms(NamedTuple):
    """The unified form Δθ_t = −α_t / √(G_t + ε) · M_t of a rule at one step; None where it has no such term.

    Most rules put ε outside the root, √G_t + ε, as their papers and torch do; each docstring says. Decoupled weight
    decay comes on top of the form.
    """

    direction: Params | None = None  # M_t; None: the gradient itself
    scale: Params | None = None  # G_t; None: 1


class Cost(NamedTuple):
    """What one step of a rule evaluates."""

    gradients: int = 1
    values: int = 0
    hessian_vector_products: int = 0


@dataclass(frozen=True, eq=False)
class Optimizer:
    """An update rule on any pytree, declared once.

    ``init(params) -> state``; ``update(grads, state, params, hyper, problem) -> (updates, state)``, where
    ``hyper`` has an attribute for each declared knob, its ``learning_rate`` already multiplied by the
    schedule, and ``updates`` are *added* to params. ``terms(state, hyper, grads) -> Terms`` reads the rule
    in the unified form from the state after the update. ``per_layer`` rules treat an array of params as
    one layer (a trust ratio, a matrix step), so it must not be split into its coordinates.
    """

    id: str
    name: str
    year: int
    reference: str
    summary: str
    hypers: tuple[Hyper, ...]
    equations: str  # LaTeX
    init: Callable[[Params], State]
    update: Callable[[Params, State, Params, Any, Problem], tuple[Params, State]]
    terms: Callable[[State, Any, Params], Terms] | None = None
    cost: Cost = field(default_factory=Cost)
    per_layer: bool = False
