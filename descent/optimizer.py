"""What an update rule is, and the problem it is given to solve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from descent.hyper import Hyper

Params = Any  # any pytree of arrays
State = Any  # a NamedTuple, one class an optimizer


@dataclass(frozen=True)
class Problem:
    """What a rule may ask beyond the gradient it is handed: the loss anywhere, and what follows from it.

    ``loss`` takes params and returns a scalar. ``minimum`` is the lowest value where it is known (and the rule
    has declared that it needs it), else NaN.
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

    def hessian(self, params: Params) -> jax.Array:
        """The Hessian at ``params`` as one (n, n) matrix over all n parameters, in `ravel_pytree`'s order."""
        flat, unravel = ravel_pytree(params)
        return jax.hessian(lambda vector: self.loss(unravel(vector)))(flat)


class Terms(NamedTuple):
    """The unified form Δθ_t = −α_t / √(G_t + ε) · M_t of a rule at one step; None where it has no such term.

    Most rules put ε outside the root, √G_t + ε, as their papers and torch do: that ε is ``eps``. Decoupled weight
    decay comes on top of the form.
    """

    direction: Params | None = None  # M_t; None: the gradient itself
    scale: Params | None = None  # G_t; None: 1
    eps: Any = None  # () what is added to the root of G_t; None: nothing


class Cost(NamedTuple):
    """What one step of a rule evaluates: numbers, or arrays where it varies from step to step.

    The gradient that a rule is handed counts, as does the value of the loss that came with it if it is used. A dense
    Hessian of n parameters is n Hessian-vector products.
    """

    gradients: Any = 1
    values: Any = 0
    hessian_vector_products: Any = 0


@dataclass(frozen=True, eq=False)
class Optimizer:
    """An update rule on any pytree, declared once.

    ``init(params) -> state``; ``update(grads, state, params, hyper, problem) -> (updates, state)``, where
    ``hyper`` has an attribute for each declared knob, its ``learning_rate`` already multiplied by the
    schedule, and ``updates`` are *added* to params. ``terms(state, hyper, grads) -> Terms`` reads the rule
    in the unified form from the state after the update; None: the rule has no such form. ``per_layer`` rules
    treat an array of params as one layer (a trust ratio, a matrix step), so it must not be split into its coordinates.

    ``cost`` is what a step evaluates. Where that varies, as in a line search, it is the most that a step can take
    and ``evaluations(state) -> Cost`` reads what the last step took.

    ``needs_minimum`` rules ask the problem for its lowest value; for others nobody looks for it.

    ``parent`` is the id of the rule that this one grew out of, and ``adds`` in a phrase what it has that its parent has
    not; a rule that began a line of its own has neither. ``year`` is that of the first publication in ``reference``.

    ``look`` numbers its dash, marker and colour in all pictures (`figures.style.style_number`), its own for good: a
    new rule takes the next number. A negative one has none of its own and gets whatever is free.

    ``on_vectors`` says, of a rule that sees a matrix as a matrix, what it is on a vector such as a point in the plane.

    Rules that average have two points: params are always where the gradient is taken, and
    ``report(state, params) -> params`` is the point that the method offers as its result. None: the same.

    The rest explains a step to people; runs do without. ``symbols`` names fields of the state as ``equations`` does;
    m and v, where there are such fields, are M_t and G_t before their bias is corrected. Both of the following are
    given the state after the update, and params from before it: ``probes(grads, state, params, hyper, problem)``
    gives points that the step has to do with, by the names that people read, and
    ``metric(state, params, hyper, problem)`` the (n, n) matrix that the direction is divided by, for rules where it
    is not the diagonal √G_t + ε of the unified form. ``limit(hyper)`` is c of the sharpest quadratic on which the
    rule is stable: the largest curvature, measured in the metric, must stay below c/α.
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
    evaluations: Callable[[State], Cost] | None = None
    report: Callable[[State, Params], Params] | None = None
    per_layer: bool = False
    needs_minimum: bool = False
    parent: str | None = None
    adds: str = ""
    look: int = -1
    on_vectors: str = ""
    symbols: Mapping[str, str] = field(default_factory=dict)  # LaTeX by the field's name
    probes: Callable[[Params, State, Params, Any, Problem], Mapping[str, Params]] | None = None
    metric: Callable[[State, Params, Any, Problem], jax.Array] | None = None
    limit: Callable[[Any], Any] | None = None

    def memory(self, side: int = 1024) -> float:
        """How many numbers it carries from step to step for each parameter of a ``side`` × ``side`` matrix."""
        matrix = jax.ShapeDtypeStruct((side, side), jnp.float32)
        carried = jax.tree.leaves(jax.eval_shape(self.init, matrix))
        return sum(math.prod(array.shape) for array in carried) / side**2
