"""Every update rule: against torch and optax step by step, on any pytree, and with knobs that all matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from jax import lax

from descent import Trajectory, descend
from descent.hyper import Hyper, fill
from descent.landscape import CriticalPoints, Landscape, Minimum
from descent.optimizer import Optimizer, Problem
from optimizers import FAMILIES, OPTIMIZERS

STEPS = 400
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


class Surface(NamedTuple):
    """A test problem."""

    fn: Callable[[Any, Any], Any]
    start: tuple[float, float]


# Scaled to curvatures around 10: steeper ones would throw a step of α/ε to and fro across the valley for
# ever, and such a path is chaotic: it doubles rounding errors until two correct rules differ in every digit.
SURFACES = {
    "quadratic": Surface(lambda x, y: 5 * (0.6 * x + 0.8 * y) ** 2 + 0.1 * (0.6 * y - 0.8 * x) ** 2, (-1.5, 2.0)),
    "rosenbrock": Surface(lambda x, y: ((1 - x) ** 2 + 100 * (y - x**2) ** 2) / 100, (-1.2, 1.0)),
    "beale": Surface(
        lambda x, y: ((1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2) / 10,
        (1.0, 0.9),
    ),
    "himmelblau": Surface(lambda x, y: ((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2) / 10, (-1.0, -1.5)),
    "slope": Surface(lambda x, y: 3 * x - 0.01 * y, (0.0, 0.0)),
    "flat": Surface(lambda x, y: 0 * x * y, (1.0, -2.0)),
}
CURVED = tuple(SURFACES)[:4]


def _loss(point: jax.Array, surface: jax.Array) -> jax.Array:
    branches = [lambda p, fn=surface.fn: fn(p[0], p[1]) for surface in SURFACES.values()]
    return lax.switch(surface.astype(jnp.int32), branches, point)


# All surfaces in one, with a knob to choose: each optimizer is then compiled once for all tests.
WORLD = Landscape(
    id="world",
    name="World",
    fn=_loss,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(0.0, 0.0),
    minima=(),
    formula="",
    reference="",
    teaches="",
    hypers=(Hyper("surface", "s", "Surface", "", 0, 0, len(SURFACES) - 1, "integer"),),
)


def run(optimizer: Optimizer, surface: str, steps: int = STEPS, dtype: Any = np.float64, **knobs: float) -> Trajectory:
    """`descend` on a surface from its start."""
    shape = {"surface": list(SURFACES).index(surface)}
    return descend(WORLD, optimizer, np.asarray(SURFACES[surface].start, dtype), steps, knobs, shape=shape)


def defaults(optimizer: Optimizer) -> dict[str, float]:
    """All knobs at their default."""
    return fill(optimizer.hypers, None, optimizer.id)


# Oracles: whatever torch and optax know of a rule, at knobs that would tell conventions apart (a large ε,
# no knob at a value where it drops out). All rules act on each coordinate alone, so an oracle runs all
# curved surfaces at once, as the rows of one array.

STARTS = np.array([SURFACES[name].start for name in CURVED])


def _total(points: Any) -> Any:
    return sum(SURFACES[name].fn(row[0], row[1]) for name, row in zip(CURVED, points, strict=True))


@jax.jit
def _compiled_gradient(points: jax.Array) -> jax.Array:
    return jax.grad(_total)(points)


def _gradient(points: np.ndarray) -> np.ndarray:
    """Of all surfaces. Rules are what is compared here; torch's own gradients would take most of the time."""
    with jax.enable_x64(True):
        return np.array(_compiled_gradient(points))


def torch_path(make: Callable[..., torch.optim.Optimizer], knobs: SimpleNamespace) -> np.ndarray:
    """Positions (steps + 1, surfaces, 2) of a torch optimizer."""
    points = torch.tensor(STARTS, requires_grad=True)
    optimizer = make([points], knobs)
    path = [STARTS]
    for _ in range(STEPS):
        points.grad = torch.tensor(_gradient(path[-1]))
        optimizer.step()
        path.append(points.detach().numpy().copy())
    return np.stack(path)


def optax_path(make: Callable[..., optax.GradientTransformation], knobs: SimpleNamespace) -> np.ndarray:
    """Positions (steps + 1, surfaces, 2) of an optax optimizer."""
    rule = make(knobs)

    def step(carry: Any, _: None) -> Any:
        points, state = carry
        updates, state = rule.update(jax.grad(_total)(points), state, points)
        points = optax.apply_updates(points, updates)
        return (points, state), points

    with jax.enable_x64(True):
        start = jnp.asarray(STARTS)
        path = jax.jit(lambda p: lax.scan(step, (p, rule.init(p)), None, STEPS)[1])(start)
        return np.concatenate([STARTS[None], np.asarray(path)])


def apart_path(make: Callable[..., optax.GradientTransformation], knobs: SimpleNamespace) -> np.ndarray:
    """`optax_path` for rules that look at all parameters at once or at the loss: each surface on its own."""
    rule = optax.with_extra_args_support(make(knobs))

    def path(index: jax.Array, start: jax.Array) -> jax.Array:
        def value_fn(point: jax.Array) -> jax.Array:
            return _loss(point, index)

        def step(carry: Any, _: None) -> Any:
            point, state = carry
            value, grad = jax.value_and_grad(value_fn)(point)
            updates, state = rule.update(grad, state, point, value=value, grad=grad, value_fn=value_fn)
            point = optax.apply_updates(point, updates)
            return (point, state), point

        return lax.scan(step, (start, rule.init(start)), None, STEPS)[1]

    with jax.enable_x64(True):
        paths = jax.jit(jax.vmap(path))(jnp.arange(len(CURVED)), jnp.asarray(STARTS))
        return np.concatenate([STARTS[None], np.moveaxis(np.asarray(paths), 0, 1)])


def along_path(
    make: Callable[..., optax.GradientTransformation], knobs: SimpleNamespace, ours: Trajectory
) -> np.ndarray:
    """Updates (steps, 2) of an optax optimizer that is led along our path.

    For rules whose steps do not shrink with the gradient: they hop about a valley, which doubles rounding errors.
    """
    rule = make(knobs)

    def step(state: Any, at: Any) -> Any:
        point, grad = at
        updates, state = rule.update(grad, state, point)
        return state, updates

    with jax.enable_x64(True):
        places = (jnp.asarray(ours.position[:-1]), jnp.asarray(ours.gradient[:-1]))
        return np.asarray(jax.jit(lambda at: lax.scan(step, rule.init(at[0][0]), at)[1])(places))


def numpy_path(make: Callable[..., Callable[[np.ndarray], np.ndarray]], knobs: SimpleNamespace) -> np.ndarray:
    """Positions (steps + 1, surfaces, 2) of a rule written out by hand: the next update from the gradients."""
    rule, points = make(knobs), STARTS
    path = [points]
    for _ in range(STEPS):
        points = points + rule(_gradient(points))
        path.append(points)
    return np.stack(path)


class Oracle(NamedTuple):
    """Another implementation of a rule, and the knobs at which the two must agree."""

    optimizer: str
    path: Callable[[Any, SimpleNamespace], np.ndarray]
    make: Callable[..., Any]
    settings: tuple[dict[str, float], ...]
    tolerance: float = 1e-11  # larger, and fewer surfaces, only where a comment says why
    surfaces: tuple[str, ...] = CURVED

    @property
    def id(self) -> str:
        """For the test report."""
        return f"{self.optimizer}-{self.path.__name__.removesuffix('_path')}"


PLAIN = ({"learning_rate": 0.03},)
BALL = ({"learning_rate": 0.01}, {"learning_rate": 0.03, "momentum": 0.7})
SUM = ({"learning_rate": 0.3}, {"learning_rate": 0.5, "eps": 0.05})
ROOT = (
    {"learning_rate": 0.003},
    {"learning_rate": 0.005, "decay": 0.9, "eps": 0.05},
    {"learning_rate": 0.001, "decay": 0.95, "eps": 0.05, "momentum": 0.8},
    {"learning_rate": 0.001, "decay": 0.95, "eps": 0.05, "momentum": 0.7, "centered": 1},
)
DELTA = (
    {"learning_rate": 0.3},
    {"learning_rate": 0.05, "decay": 0.8, "eps": 0.05},
    {"learning_rate": 0.1, "decay": 0.95, "eps": 1e-3},
)
MOMENTS = ({"learning_rate": 0.01}, {"learning_rate": 0.005, "b1": 0.8, "b2": 0.95, "eps": 0.05})
DECAYED = tuple(knobs | {"weight_decay": decay} for knobs, decay in zip(MOMENTS, (0.01, 0.3), strict=True))
GROWING = (MOMENTS[0], MOMENTS[1] | {"momentum_decay": 0.1})
GROWN = tuple(knobs | {"momentum_decay": 1e3} for knobs in MOMENTS)
SIGNED = ({"learning_rate": 0.01}, {"learning_rate": 0.003, "b1": 0.7, "b2": 0.9, "weight_decay": 0.3})
UNCORRECTED = ({"learning_rate": 0.005, "b1": 0.0, "b2": 0.95, "eps": 0.05, "bias_correction": 0},)
LOOKING = (MOMENTS[0] | {"learning_rate": 0.003}, MOMENTS[1] | {"b2": 0.7, "b3": 0.95})
MIXED = (MOMENTS[0], MOMENTS[1] | {"b3": 0.99, "mix": 2.0})
BELIEVED = ({"learning_rate": 0.01, "eps": 1e-8}, MOMENTS[1] | {"eps": 1e-3})


def yogi_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """With a first moment that starts from 0."""
    rule = optax.yogi(h.learning_rate, h.b1, h.b2, h.eps)

    def init(params: Any) -> Any:
        first, *rest = rule.init(params)
        return (first._replace(mu=jax.tree.map(jnp.zeros_like, params)), *rest)

    return optax.GradientTransformation(init, rule.update)


def adan_of_the_paper(h: SimpleNamespace) -> Callable[[np.ndarray], np.ndarray]:
    """Algorithm 1, in its own notation, with the authors' corrections."""
    beta1, beta2, beta3 = 1 - h.b1, 1 - h.b2, 1 - h.b3
    m, v, n, before, t = 0.0, 0.0, 0.0, None, 0

    def step(g: np.ndarray) -> np.ndarray:
        nonlocal m, v, n, before, t
        t += 1
        change = g - (g if before is None else before)
        m = (1 - beta1) * m + beta1 * g
        v = (1 - beta2) * v + beta2 * change
        n = (1 - beta3) * n + beta3 * (g + (1 - beta2) * change) ** 2
        before = g
        top = m / (1 - h.b1**t) + (1 - beta2) * v / (1 - h.b2**t)
        return -h.learning_rate * top / (np.sqrt(n / (1 - h.b3**t)) + h.eps)

    return step


def qhm_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """A weighted mean of what two rules of optax do."""
    plain, heavy = optax.sgd(h.learning_rate), optax.chain(optax.ema(h.momentum, False), optax.sgd(h.learning_rate))

    def update(grads: Any, state: Any, params: Any = None) -> Any:
        first, state0 = plain.update(grads, state[0], params)
        second, state1 = heavy.update(grads, state[1], params)
        return jax.tree.map(lambda a, b: (1 - h.nu) * a + h.nu * b, first, second), (state0, state1)

    return optax.GradientTransformation(lambda p: (plain.init(p), heavy.init(p)), update)


SEARCH = (
    {},
    {"learning_rate": 0.7, "memory": 1},
)


def lbfgs_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """With the backtracking line search."""
    search = optax.scale_by_backtracking_linesearch(
        39, 1e-4, 0.5, increase_factor=np.inf, max_learning_rate=h.learning_rate
    )
    return optax.lbfgs(None, int(h.memory), linesearch=search)


def sophia_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """With the signs that the engine's seed 0 draws."""

    def probe(grads: Any, count: Any, params: Any = None) -> Any:
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 0), 1)
        signs = jax.random.rademacher(jax.random.fold_in(key, count), (2,), params.dtype)
        signs = jnp.broadcast_to(signs, params.shape)
        product = jax.jvp(jax.grad(_total), (params,), (signs,))[1]
        return signs * product, count + int(h.interval)

    return optax.contrib.sophia(
        h.learning_rate,
        h.b1,
        h.b2,
        h.eps,
        weight_decay=0,
        gamma=h.gamma,
        update_interval=int(h.interval),
        hessian_diagonal_fn=optax.GradientTransformation(lambda p: jnp.zeros((), jnp.int32), probe),
    )


def lookahead_path(make: Callable[..., Any], knobs: SimpleNamespace) -> np.ndarray:
    """Positions (steps + 1, surfaces, 2) of the fast weights of optax, whose parameters are pairs."""
    rule = make(knobs)

    def step(carry: Any, _: None) -> Any:
        params, state = carry
        updates, state = rule.update(jax.grad(_total)(params.fast), state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params.fast

    with jax.enable_x64(True):
        start = optax.LookaheadParams.init_synced(jnp.asarray(STARTS))
        path = jax.jit(lambda p: lax.scan(step, (p, rule.init(p)), None, STEPS)[1])(start)
        return np.concatenate([STARTS[None], np.asarray(path)])


def sam_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """In opaque mode, which takes both gradients in one step."""
    uphill = optax.chain(optax.contrib.normalize(), optax.sgd(h.radius))
    rule = optax.contrib.sam(optax.sgd(h.learning_rate, h.momentum), uphill, opaque_mode=True)

    def update(grads: Any, state: Any, params: Any, *, value_fn: Any, **_: Any) -> Any:
        return rule.update(grads, state, params, grad_fn=lambda p, _: jax.grad(value_fn)(p))

    return optax.GradientTransformationExtraArgs(rule.init, update)


def adafactor_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """Put together by hand, as optax counts in float32, and to factor small matrices too."""

    def decay(step: Any, power: Any) -> Any:
        return 1.0 - (step + 1.0) ** -power

    return optax.chain(
        optax.scale_by_factored_rms(decay_rate=h.decay_power, min_dim_size_to_factor=1, decay_rate_fn=decay),
        optax.clip_by_block_rms(h.clip_threshold),
        optax.scale_by_param_block_rms(),
        optax.scale(-h.learning_rate),
    )


def muon_of_optax(h: SimpleNamespace) -> optax.GradientTransformation:
    """With one decay for the momentum of matrices and of the rest."""
    return optax.contrib.muon(h.learning_rate, beta=h.momentum, adam_b1=h.momentum, adam_b2=h.b2, eps=h.eps)


LAYERS: dict[str, Callable[[SimpleNamespace], optax.GradientTransformation]] = {
    "lars": lambda h: optax.lars(h.learning_rate, h.weight_decay, trust_coefficient=h.trust, momentum=h.momentum),
    "lamb": lambda h: optax.lamb(h.learning_rate, h.b1, h.b2, h.eps, weight_decay=h.weight_decay),
    "novograd": lambda h: optax.novograd(h.learning_rate, h.b1, h.b2, h.eps, weight_decay=h.weight_decay),
    "adafactor": adafactor_of_optax,
    "muon": muon_of_optax,
}
LAYER_SETTINGS: dict[str, tuple[dict[str, float], ...]] = {
    "lars": ({"trust": 0.01}, {"learning_rate": 0.5, "trust": 0.02, "momentum": 0.6, "weight_decay": 0.3}),
    "lamb": ({"learning_rate": 0.01}, {"learning_rate": 0.005, "b1": 0.7, "b2": 0.9, "eps": 0.05, "weight_decay": 0.3}),
    "novograd": (
        {"learning_rate": 0.003, "b2": 0.9},
        {"learning_rate": 0.003, "b1": 0.7, "b2": 0.95, "eps": 0.5, "weight_decay": 0.3},
    ),
    "adafactor": ({"learning_rate": 0.01}, {"learning_rate": 0.005, "decay_power": 0.6, "clip_threshold": 0.5}),
    "muon": ({"learning_rate": 0.01}, {"learning_rate": 0.005, "momentum": 0.8, "b2": 0.95, "eps": 0.05}),
}

ORACLES = (
    *(Oracle(name, along_path, make, LAYER_SETTINGS[name]) for name, make in LAYERS.items()),
    Oracle("sgd", torch_path, lambda p, h: torch.optim.SGD(p, h.learning_rate), PLAIN),
    Oracle("sgd", optax_path, lambda h: optax.sgd(h.learning_rate), PLAIN),
    Oracle(
        "sgdw",
        torch_path,
        lambda p, h: torch.optim.SGD(p, h.learning_rate, weight_decay=h.weight_decay),
        ({"learning_rate": 0.03, "weight_decay": 0.2},),
    ),
    Oracle(
        "sgdw",
        optax_path,
        lambda h: optax.chain(optax.add_decayed_weights(h.weight_decay), optax.sgd(h.learning_rate)),
        ({"learning_rate": 0.03, "weight_decay": 0.2},),
    ),
    Oracle(
        "backtracking",
        apart_path,
        lambda h: optax.chain(
            optax.sgd(1.0),
            optax.scale_by_backtracking_linesearch(
                39, h.sufficient, h.shrink, increase_factor=np.inf, max_learning_rate=h.learning_rate
            ),
        ),
        ({}, {"learning_rate": 0.15, "sufficient": 0.3, "shrink": 0.7}),
    ),
    Oracle(
        "polyak",
        apart_path,
        lambda h: optax.polyak_sgd(h.learning_rate, variant="sps+"),
        ({"learning_rate": 0.05},),
        1e-7,  # optax stops where ‖g‖² is below 2e-16
    ),
    Oracle("momentum", torch_path, lambda p, h: torch.optim.SGD(p, h.learning_rate, h.momentum), BALL),
    Oracle("momentum", optax_path, lambda h: optax.sgd(h.learning_rate, h.momentum), BALL),
    Oracle("nesterov", torch_path, lambda p, h: torch.optim.SGD(p, h.learning_rate, h.momentum, nesterov=True), BALL),
    Oracle("nesterov", optax_path, lambda h: optax.sgd(h.learning_rate, h.momentum, nesterov=True), BALL),
    Oracle(
        "qhm", optax_path, qhm_of_optax, ({"learning_rate": 0.03}, {"learning_rate": 0.05, "momentum": 0.8, "nu": 0.4})
    ),
    Oracle(
        "qhm",
        torch_path,
        lambda p, h: torch.optim.SGD(p, h.learning_rate * (1 - h.momentum), h.momentum, nesterov=True),
        ({"learning_rate": 0.1, "momentum": 0.7, "nu": 0.7},),
    ),
    Oracle("adagrad", torch_path, lambda p, h: torch.optim.Adagrad(p, h.learning_rate, eps=h.eps), SUM),
    Oracle(
        "rmsprop",
        torch_path,
        lambda p, h: torch.optim.RMSprop(p, h.learning_rate, h.decay, h.eps, 0, h.momentum, bool(h.centered)),
        ROOT,
    ),
    Oracle(
        "rmsprop",
        optax_path,
        lambda h: optax.rmsprop(
            h.learning_rate, h.decay, h.eps, eps_in_sqrt=False, centered=bool(h.centered), momentum=h.momentum
        ),
        ROOT,
    ),
    Oracle("adadelta", torch_path, lambda p, h: torch.optim.Adadelta(p, h.learning_rate, h.decay, h.eps), DELTA),
    Oracle("adadelta", optax_path, lambda h: optax.adadelta(h.learning_rate, h.decay, h.eps), DELTA),
    Oracle("adam", torch_path, lambda p, h: torch.optim.Adam(p, h.learning_rate, (h.b1, h.b2), h.eps), MOMENTS),
    Oracle("adam", optax_path, lambda h: optax.adam(h.learning_rate, h.b1, h.b2, h.eps), MOMENTS),
    # Without momentum and correction, Adam is RMSprop.
    Oracle("adam", torch_path, lambda p, h: torch.optim.RMSprop(p, h.learning_rate, h.b2, h.eps), UNCORRECTED),
    Oracle(
        "adamw",
        torch_path,
        lambda p, h: torch.optim.AdamW(p, h.learning_rate, (h.b1, h.b2), h.eps, h.weight_decay),
        DECAYED,
    ),
    Oracle(
        "adamw",
        optax_path,
        lambda h: optax.adamw(h.learning_rate, h.b1, h.b2, h.eps, weight_decay=h.weight_decay),
        DECAYED,
    ),
    Oracle(
        "nadam",
        torch_path,
        lambda p, h: torch.optim.NAdam(
            p, h.learning_rate, (h.b1, h.b2), h.eps, weight_decay=0, momentum_decay=h.momentum_decay
        ),
        GROWING,
    ),
    Oracle("nadam", optax_path, lambda h: optax.nadam(h.learning_rate, h.b1, h.b2, h.eps), GROWN),
    Oracle(
        "adam_l2",
        torch_path,
        lambda p, h: torch.optim.Adam(p, h.learning_rate, (h.b1, h.b2), h.eps, h.weight_decay),
        DECAYED,
    ),
    Oracle(
        "adam_l2",
        optax_path,
        lambda h: optax.chain(
            optax.add_decayed_weights(h.weight_decay), optax.adam(h.learning_rate, h.b1, h.b2, h.eps)
        ),
        DECAYED,
    ),
    Oracle(
        "amsgrad",
        torch_path,
        lambda p, h: torch.optim.Adam(p, h.learning_rate, (h.b1, h.b2), h.eps, amsgrad=True),
        MOMENTS,
    ),
    Oracle("adamax", torch_path, lambda p, h: torch.optim.Adamax(p, h.learning_rate, (h.b1, h.b2), h.eps), MOMENTS),
    Oracle("adamax", optax_path, lambda h: optax.adamax(h.learning_rate, h.b1, h.b2, h.eps), MOMENTS),
    # Where torch puts ε makes no difference when there is next to none.
    Oracle(
        "radam",
        torch_path,
        lambda p, h: torch.optim.RAdam(p, h.learning_rate, (h.b1, h.b2), h.eps),
        ({"learning_rate": 0.01, "eps": 1e-15}, {"learning_rate": 0.005, "b1": 0.8, "b2": 0.95, "eps": 1e-15}),
    ),
    Oracle("radam", optax_path, lambda h: optax.radam(h.learning_rate, h.b1, h.b2, h.eps), MOMENTS),
    Oracle("adabelief", optax_path, lambda h: optax.adabelief(h.learning_rate, h.b1, h.b2, h.eps, h.eps), BELIEVED),
    Oracle("yogi", optax_path, yogi_of_optax, MOMENTS),
    Oracle("adan", numpy_path, adan_of_the_paper, LOOKING),
    # The two agree at β₂ = ½ only: see its docstring.
    Oracle(
        "adan",
        optax_path,
        lambda h: optax.adan(h.learning_rate, h.b1, h.b2, h.b3, h.eps, eps_root=0),
        ({"learning_rate": 0.005, "b1": 0.8, "b2": 0.5, "b3": 0.95, "eps": 0.05},),
    ),
    Oracle(
        "ademamix",
        optax_path,
        lambda h: optax.contrib.ademamix(h.learning_rate, h.b1, h.b2, h.b3, h.mix, h.eps),
        MIXED,
    ),
    Oracle("adopt", optax_path, lambda h: optax.contrib.adopt(h.learning_rate, h.b1, h.b2, h.eps), MOMENTS),
    Oracle(
        "lion",
        optax_path,
        lambda h: optax.lion(h.learning_rate, h.b1, h.b2, weight_decay=h.weight_decay),
        SIGNED,
    ),
    Oracle("sign_sgd", optax_path, lambda h: optax.sign_sgd(h.learning_rate), ({"learning_rate": 0.003},)),
    Oracle(
        "signum",
        optax_path,
        lambda h: optax.signum(h.learning_rate, h.b1),
        ({"learning_rate": 0.003}, {"learning_rate": 0.005, "b1": 0.7}),
    ),
    Oracle(
        "rprop",
        torch_path,
        lambda p, h: torch.optim.Rprop(p, h.learning_rate, (h.shrink, h.grow)),
        ({}, {"learning_rate": 0.003, "shrink": 0.7, "grow": 1.1}),
    ),
    # optax also uses pairs that curve downward, which the others have, and the last trial of a search that failed.
    Oracle("lbfgs", apart_path, lbfgs_of_optax, SEARCH, 1e-6, ("quadratic", "beale")),
    Oracle(
        "sophia",
        optax_path,
        sophia_of_optax,
        (
            {"learning_rate": 0.01, "gamma": 0.1},
            {"learning_rate": 0.003, "b1": 0.8, "b2": 0.9, "gamma": 0.3, "interval": 3, "eps": 0.05},
        ),
    ),
    Oracle(
        "sam",
        apart_path,
        sam_of_optax,
        ({"learning_rate": 0.03, "radius": 0.1}, {"learning_rate": 0.005, "radius": 0.05, "momentum": 0.5}),
        1e-9,  # near a minimum it doubles rounding errors, as the slope's direction is all that it sees
    ),
    Oracle(
        "schedule_free_sgd",
        optax_path,
        lambda h: optax.contrib.schedule_free_sgd(h.learning_rate, b1=h.b1),
        ({"learning_rate": 0.05}, {"learning_rate": 0.03, "b1": 0.6}),
    ),
    Oracle(
        "schedule_free_adamw",
        optax_path,
        lambda h: optax.contrib.schedule_free_adamw(
            h.learning_rate, None, h.b1, h.b2, h.eps, weight_decay=h.weight_decay
        ),
        ({"learning_rate": 0.03}, {"learning_rate": 0.02, "b1": 0.6, "b2": 0.95, "eps": 0.05, "weight_decay": 0.2}),
    ),
    Oracle(
        "lookahead",
        lookahead_path,
        lambda h: optax.lookahead(optax.sgd(h.learning_rate, h.momentum), int(h.period), h.slow_step),
        ({"learning_rate": 0.01}, {"learning_rate": 0.03, "momentum": 0.6, "period": 3, "slow_step": 0.7}),
    ),
    Oracle("polyak_average", torch_path, lambda p, h: torch.optim.SGD(p, h.learning_rate), PLAIN),
    Oracle(
        "prodigy",
        apart_path,
        lambda h: optax.contrib.prodigy(h.learning_rate, (h.b1, h.b2), eps=h.eps, estim_lr0=h.d0),
        ({"learning_rate": 0.5, "d0": 1e-3}, {"learning_rate": 0.3, "b1": 0.8, "b2": 0.99, "eps": 0.5, "d0": 0.01}),
        1e-9,
    ),
    Oracle(
        "dog",
        apart_path,
        lambda h: optax.contrib.dog(h.learning_rate, ("heuristic", h.initial), h.eps),
        ({"initial": 0.01}, {"learning_rate": 0.5, "initial": 0.05, "eps": 0.5}),
    ),
)

PROVEN: set[str] = set()  # optimizers whose steps a test below computes by hand


def proves(*names: str) -> Callable[[Any], Any]:
    """Marks a test that takes the place of an oracle."""
    PROVEN.update(names)
    return lambda test: test


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    """torch keeps some scalars of its rules in the default precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_every_optimizer_has_an_oracle() -> None:
    missing = set(OPTIMIZERS) - {oracle.optimizer for oracle in ORACLES} - PROVEN
    assert not missing, f"no oracle checks {', '.join(sorted(missing))}"


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.id)
def test_paths_are_those_of_the_oracle(oracle: Oracle) -> None:
    optimizer = OPTIMIZERS[oracle.optimizer]
    for knobs in oracle.settings:
        hyper = SimpleNamespace(**fill(optimizer.hypers, knobs, optimizer.id))
        theirs = None if oracle.path is along_path else oracle.path(oracle.make, hyper)
        for surface in oracle.surfaces:
            index = CURVED.index(surface)
            t = run(optimizer, surface, **knobs)
            ours = t.position
            reach = np.abs(ours).max()
            assert np.abs(ours - ours[0]).max() > 0.1, f"{surface} with {knobs} hardly moves, which proves nothing"
            path = np.cumsum([ours[0], *along_path(oracle.make, hyper, t)], 0) if theirs is None else theirs[:, index]
            np.testing.assert_allclose(ours, path, rtol=0, atol=oracle.tolerance * reach, err_msg=f"{surface} {knobs}")


# The others have knobs that neither library gives a default.
TORCH_CLASSES = {
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "adamax": torch.optim.Adamax,
    "radam": torch.optim.RAdam,
}


@pytest.mark.parametrize("name", TORCH_CLASSES)
def test_defaults_are_those_of_torch(name: str) -> None:
    theirs = TORCH_CLASSES[name]([torch.zeros(1, requires_grad=True)]).defaults
    theirs["learning_rate"] = theirs["lr"]
    theirs["decay"] = theirs.get("rho", theirs.get("alpha"))
    theirs["b1"], theirs["b2"] = theirs.get("betas", (None, None))
    theirs["bias_correction"] = True  # torch cannot do without
    ours = defaults(OPTIMIZERS[name])
    assert ours == {knob: theirs[knob] for knob in ours}


@EVERY_OPTIMIZER
def test_no_knob_is_dead(optimizer: Optimizer) -> None:
    rate = {"backtracking": 3.0}.get(optimizer.id, 0.05)
    lively = {knob.name: rate for knob in optimizer.hypers if knob.name == "learning_rate"}
    before = run(optimizer, "rosenbrock", 200, **lively).reported
    for knob in optimizer.hypers:
        other = max((knob.low, knob.high), key=lambda end: abs(end - knob.default))
        after = run(optimizer, "rosenbrock", 200, **lively | {knob.name: other}).reported
        assert not np.allclose(before, after, rtol=1e-9, atol=0, equal_nan=True), f"{knob.name} changes nothing"


@EVERY_OPTIMIZER
def test_terms_give_the_update(optimizer: Optimizer) -> None:
    """Δθ = −α / √G · M, with an ε too small to see and without decay, which is no part of it."""
    given = {"learning_rate": 0.05, "eps": 1e-12, "weight_decay": 0.0, "momentum": 0.8, "decay": 0.9}
    knobs = {knob.name: given[knob.name] for knob in optimizer.hypers if knob.name in given}
    if optimizer.terms is None:
        pytest.skip("has no unified form")
    for surface in CURVED:
        t = run(optimizer, surface, **knobs)
        rebuilt = -t.learning_rate[:, None] / np.sqrt(t.scale + 1e-24) * t.direction
        np.testing.assert_allclose(rebuilt, t.update, rtol=1e-6, atol=1e-12, err_msg=surface)


@EVERY_OPTIMIZER
def test_an_array_moves_like_its_coordinates(optimizer: Optimizer) -> None:
    """The engine hands over two scalars; one array of two must give the same."""
    if optimizer.per_layer:
        pytest.skip("an array is one layer to it, two scalars are two")
    rosenbrock = SURFACES["rosenbrock"].fn
    hyper = SimpleNamespace(**defaults(optimizer))
    problem = Problem(lambda point: rosenbrock(point[0], point[1]), 0.0, lambda: jax.random.key(0))

    def path(split: Callable[[jax.Array], Any]) -> np.ndarray:
        point, state = split(jnp.asarray(STARTS[0])), optimizer.init(split(jnp.asarray(STARTS[0])))
        path = []
        for gradient in np.random.default_rng(0).normal(size=(5, 2)):
            updates, state = optimizer.update(split(jnp.asarray(gradient)), state, point, hyper, problem)
            point = jax.tree.map(jnp.add, point, updates)
            path.append(np.hstack(jax.tree.leaves(point)))
        return np.stack(path)

    with jax.enable_x64(True):
        np.testing.assert_allclose(path(tuple), path(lambda array: array), rtol=1e-12)


@EVERY_OPTIMIZER
def test_nothing_moves_on_flat_ground(optimizer: Optimizer) -> None:
    """Also at the ends of every slider; only weight decay and heat may move a parameter without a gradient."""
    still = {knob.name: 0.0 for knob in optimizer.hypers if knob.name in ("weight_decay", "temperature")}
    ends = [{knob.name: end} for knob in optimizer.hypers for end in (knob.low, knob.high)]
    for knobs in ({}, *(end for end in ends if not end.keys() & still.keys())):
        t = run(optimizer, "flat", 20, **still | knobs)
        np.testing.assert_array_equal(t.position, np.broadcast_to(SURFACES["flat"].start, (21, 2)), str(knobs))
        assert np.isfinite(t.direction).all() and np.isfinite(t.scale).all(), knobs


def _tree(dtype: Any) -> dict[str, Any]:
    return {"layers": [{"w": jnp.ones((3, 2), dtype), "b": jnp.ones((2,), dtype)}], "gain": jnp.ones((), dtype)}


@EVERY_OPTIMIZER
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("traced", [False, True], ids=["numbers", "arrays"])
def test_any_pytree_keeps_its_structure_and_dtype(optimizer: Optimizer, dtype: Any, traced: bool) -> None:
    """Of updates, state and terms, whether knobs are numbers or arrays; so a loop can carry the state."""
    with jax.enable_x64(True):
        params = _tree(dtype)
        knobs = {name: jnp.asarray(value, dtype) if traced else value for name, value in defaults(optimizer).items()}
        problem = Problem(lambda p: jnp.sum(p["layers"][0]["w"] ** 2), step_key=lambda: jax.random.key(0))

        def step(params: Any, knobs: Any) -> Any:
            hyper = SimpleNamespace(**knobs)
            before = optimizer.init(params)
            updates, after = optimizer.update(params, before, params, hyper, problem)
            return before, updates, after, optimizer.terms(after, hyper, params) if optimizer.terms else ()

        # Numbers are bound, not passed, as jax would make arrays of them.
        shapes = jax.eval_shape(step if traced else lambda p, _: step(p, knobs), params, knobs if traced else {})
    before, updates, after, terms = shapes

    def described(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)

    assert described(updates) == described(params)
    assert described(after) == described(before)
    assert all(leaf.dtype in (dtype, jnp.int32) for leaf in jax.tree.leaves(after))
    for term in terms:
        assert term is None or described(term) == described(params)


@EVERY_OPTIMIZER
def test_a_small_network_learns(optimizer: Optimizer) -> None:
    """The rule that moves a dot trains two layers, at some learning rate that its slider offers."""
    if optimizer.id == "newton":
        pytest.skip("it stops at the first saddle it meets, which is its lesson")
    rng = np.random.default_rng(0)
    x = np.linspace(-2, 2, 32, dtype=np.float32)[:, None]
    y = np.sin(2 * x)
    params = {
        "w1": rng.normal(size=(1, 16)).astype(np.float32),
        "b1": rng.normal(size=16).astype(np.float32),
        "w2": rng.normal(size=(16, 1)).astype(np.float32) / 4,
        "b2": np.zeros(1, np.float32),
    }

    def loss(p: Any) -> jax.Array:
        return jnp.mean((jnp.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"] - y) ** 2)

    def final_loss(rate: jax.Array) -> jax.Array:
        hyper = SimpleNamespace(**defaults(optimizer) | {"learning_rate": rate})

        def step(t: Any, carry: Any) -> Any:
            p, state = carry
            problem = Problem(loss, 0.0, lambda: jax.random.fold_in(jax.random.key(0), t))
            updates, state = optimizer.update(jax.grad(loss)(p), state, p, hyper, problem)
            return jax.tree.map(jnp.add, p, updates), state

        start = jax.tree.map(jnp.asarray, params)
        end, state = lax.fori_loop(0, 500, step, (start, optimizer.init(start)))
        return loss(optimizer.report(state, end) if optimizer.report else end)

    rates = next((np.geomspace(k.low, k.high, 15) for k in optimizer.hypers if k.name == "learning_rate"), np.ones(1))
    final = np.asarray(jax.jit(jax.vmap(final_loss))(rates.astype(np.float32)))
    assert np.nanmin(final) < 0.05 * float(loss(params)), dict(zip(rates, final, strict=True))


def test_adam_without_bias_correction_starts_too_fast() -> None:
    """On a steady slope: 3.16 α at first, 6.6 α around t = 12; with the correction, α throughout."""
    adam = OPTIMIZERS["adam"]
    corrected = run(adam, "slope", 100, eps=1e-12).update / 1e-3
    np.testing.assert_allclose(corrected, np.broadcast_to([-1, 1], (100, 2)), rtol=1e-6)
    steps = np.abs(run(adam, "slope", 100, eps=1e-12, bias_correction=0).update[:, 0]) / 1e-3
    t = np.arange(1, 101)
    np.testing.assert_allclose(steps, (1 - 0.9**t) / np.sqrt(1 - 0.999**t), rtol=1e-9)
    assert steps[0] == pytest.approx(0.1 / np.sqrt(0.001))
    assert steps.argmax() + 1 == 12
    assert steps.max() == pytest.approx(6.57, abs=0.01)


def test_nesterov_looks_ahead() -> None:
    """Its path is that of Nesterov's two sequences, by the change of variables in its docstring."""
    rate, rho = 0.03, 0.9
    ours = run(OPTIMIZERS["nesterov"], "rosenbrock", learning_rate=rate, momentum=rho).position

    def gradient(x: float, y: float) -> np.ndarray:
        return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)]) / 100

    iterate, velocity = np.array(SURFACES["rosenbrock"].start), np.zeros(2)
    ahead = [iterate]
    for _ in range(STEPS):
        velocity = rho * velocity + gradient(*ahead[-1])
        iterate = iterate - rate * velocity
        ahead.append(iterate - rate * rho * velocity)
    np.testing.assert_allclose(ours, ahead, rtol=1e-9)


def test_centered_rmsprop_survives_a_steady_slope() -> None:
    """The variance is 0 there; as a difference of averages, float32 takes it below 0, and its root is NaN."""
    t = run(OPTIMIZERS["rmsprop"], "slope", 3000, np.float32, centered=1, decay=0.9)
    assert t.position.dtype == np.float32
    assert t.diverged_at == -1
    assert (t.scale >= 0).all()


def test_declarations_are_complete() -> None:
    """What people read is there, for each optimizer and each knob."""
    assert [m.id for family in FAMILIES for m in family.members] == list(OPTIMIZERS)
    for optimizer in OPTIMIZERS.values():
        for field in ("id", "name", "reference", "summary", "equations"):
            assert getattr(optimizer, field), f"{optimizer.id} has no {field}"
        assert optimizer.summary.endswith(".")
        names = [knob.name for knob in optimizer.hypers]
        assert len(set(names)) == len(names)
        for knob in optimizer.hypers:
            assert knob.label and knob.help.endswith(".") and knob.symbol, f"{knob.name} of {optimizer.id}"


def test_every_optimizer_has_its_place_in_the_family_tree() -> None:
    """Its line of parents leads to one that began it, and never forward in time."""
    roots = [optimizer.id for optimizer in OPTIMIZERS.values() if optimizer.parent is None]
    assert roots == ["sgd", "newton"]
    for optimizer in OPTIMIZERS.values():
        assert bool(optimizer.adds) == (optimizer.parent is not None), optimizer.id
        assert not optimizer.adds.endswith(".") and len(optimizer.adds) <= 80, "a phrase, not a sentence"
        line = [optimizer]
        while (parent := line[-1].parent) is not None:
            assert parent in OPTIMIZERS, f"{line[-1].id} grew out of {parent!r}, which is not there"
            assert OPTIMIZERS[parent] not in line, f"{optimizer.id} is its own ancestor"
            line.append(OPTIMIZERS[parent])
            assert line[-1].year <= line[-2].year, f"{line[-2].id} is older than its parent"


def test_the_year_is_that_of_the_reference() -> None:
    for optimizer in OPTIMIZERS.values():
        years = [int(year) for year in re.findall(r"\((\d{4})\)", optimizer.reference)]
        assert years and optimizer.year == min(years), f"{optimizer.id}: {optimizer.year}, {optimizer.reference}"


def test_memory_is_what_the_state_takes() -> None:
    for optimizer in OPTIMIZERS.values():
        if optimizer.id != "bfgs":  # n² numbers
            state = optimizer.init(jnp.zeros((32, 32)))
            assert optimizer.memory(32) == sum(leaf.size for leaf in jax.tree.leaves(state)) / 32**2
    assert OPTIMIZERS["bfgs"].memory(32) > 32**2


@proves("langevin")
def test_langevin_noise_has_its_strength() -> None:
    """√(2αT), independent of step and coordinate, on top of the gradient step; the same seed gives the same run."""
    steps, rate, heat = 4000, 0.01, 0.3
    langevin = OPTIMIZERS["langevin"]
    t = run(langevin, "slope", steps, learning_rate=rate, temperature=heat)
    noise = (t.update + rate * t.gradient[:-1]) / np.sqrt(2 * rate * heat)
    error = 5 / np.sqrt(steps)
    np.testing.assert_allclose(noise.mean(0), 0, atol=error)
    np.testing.assert_allclose(np.cov(noise.T), np.eye(2), atol=2 * error)
    assert abs(np.mean(noise[1:] * noise[:-1])) < error
    np.testing.assert_array_equal(
        t.position, run(langevin, "slope", steps, learning_rate=rate, temperature=heat).position
    )
    still = run(langevin, "quadratic", learning_rate=0.03, temperature=0).position
    np.testing.assert_allclose(still, run(OPTIMIZERS["sgd"], "quadratic", learning_rate=0.03).position, rtol=1e-12)


def test_langevin_samples_the_landscape() -> None:
    """In a bowl of curvature λ it comes to rest with a variance of 2αT/(1 − (1 − αλ)²), about T/λ."""
    t = run(OPTIMIZERS["langevin"], "quadratic", 20_000, learning_rate=0.05, temperature=0.5)
    steep = t.position[500:] @ np.array([0.6, 0.8])
    assert steep.var() == pytest.approx(2 * 0.05 * 0.5 / (1 - (1 - 0.05 * 10) ** 2), rel=0.1)


def test_polyak_steps_to_the_declared_minimum() -> None:
    """On a cone it takes one step, wherever the cone's tip is; where no minimum is known, it is taken for 0."""
    cone = Landscape(
        id="cone",
        name="Cone",
        fn=lambda p, tip: jnp.sqrt(p[0] ** 2 + p[1] ** 2) + tip,
        domain=((-3.0, 3.0), (-3.0, 3.0)),
        start=(3.0, 4.0),
        minima=(Minimum((0.0, 0.0), -2.0),),
        moving=lambda tip: CriticalPoints((Minimum((0.0, 0.0), tip),)),
        formula="",
        reference="",
        teaches="",
        hypers=(Hyper("tip", "t", "Tip", "", -2.0, -10.0, 10.0),),
    )
    polyak = OPTIMIZERS["polyak"]
    for tip in (-2.0, 7.0):
        t = descend(cone, polyak, np.array([3.0, 4.0]), 1, {"learning_rate": 10.0}, shape={"tip": tip})
        np.testing.assert_allclose(t.position[1], 0, atol=1e-12)
    capped = descend(cone, polyak, np.array([3.0, 4.0]), 1, {"learning_rate": 2.0})
    np.testing.assert_allclose(capped.update[0], [-1.2, -1.6])


def test_polyak_steps_are_the_height_over_the_slope() -> None:
    """With a high cap its path is chaotic in a ravine, so each step is checked on its own."""
    for surface in CURVED:
        t = run(OPTIMIZERS["polyak"], surface, learning_rate=3.0)
        square = (t.gradient[:-1] ** 2).sum(-1)
        size = np.minimum(3.0, np.divide(t.loss[:-1], square, out=np.zeros(STEPS), where=square > 0))
        np.testing.assert_allclose(t.update, -size[:, None] * t.gradient[:-1], rtol=1e-9)


def test_backtracking_counts_what_it_tries() -> None:
    """On a bowl of curvature 10 the first power of ½ below 2/10 is the third; every step after it descends."""
    t = run(OPTIMIZERS["backtracking"], "quadratic", 50)
    np.testing.assert_array_equal(t.evaluations[0], [1, 1 + 4, 0])
    np.testing.assert_allclose(t.update[0], -0.125 * t.gradient[0])
    assert (np.diff(t.loss) <= 0).all()
    assert (t.evaluations <= OPTIMIZERS["backtracking"].cost).all()


SADDLE = Landscape(
    id="saddle",
    name="Saddle",
    fn=lambda p: 0.5 * (p[0] ** 2 - p[1] ** 2) + 0.1 * p[1] ** 4,
    domain=((-3.0, 3.0), (-3.0, 3.0)),
    start=(1.0, 0.3),
    minima=(),
    saddles=((0.0, 0.0),),
    formula="",
    reference="",
    teaches="",
)


def hessians(points: np.ndarray, surface: str) -> np.ndarray:
    """At each of ``points`` (n, 2)."""
    fn = SURFACES[surface].fn
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(jax.hessian(lambda p: fn(p[0], p[1])))(jnp.asarray(points)))


@proves("newton", "saddle_free_newton")
@pytest.mark.parametrize("name", ["newton", "saddle_free_newton"])
def test_newton_steps_solve_the_quadratic_model(name: str) -> None:
    """Each step, on every surface, is the gradient divided by the Hessian (or by its size), damped or not."""
    for knobs in ({"learning_rate": 0.3}, {"learning_rate": 0.1, "damping": 2.5}):
        for surface in CURVED:
            t = run(OPTIMIZERS[name], surface, 60, **knobs)
            values, vectors = np.linalg.eigh(hessians(t.position[:-1], surface))
            values = (np.abs(values) if name == "saddle_free_newton" else values) + knobs.get("damping", 0)
            along = np.einsum("nji,nj->ni", vectors, t.gradient[:-1]) / values
            expected = -knobs["learning_rate"] * np.einsum("nij,nj->ni", vectors, along)
            np.testing.assert_allclose(t.update, expected, rtol=1e-8, atol=1e-12, err_msg=f"{surface} {knobs}")


@pytest.mark.parametrize("name", ["newton", "saddle_free_newton"])
def test_newton_solves_a_quadratic_in_one_step(name: str) -> None:
    np.testing.assert_allclose(run(OPTIMIZERS[name], "quadratic", 1).position[1], 0, atol=1e-14)


def test_newton_goes_to_saddles_and_saddle_free_newton_leaves_them() -> None:
    start = np.array(SADDLE.start)
    np.testing.assert_allclose(descend(SADDLE, OPTIMIZERS["newton"], start, 20).position[-1], 0, atol=1e-12)
    end = descend(SADDLE, OPTIMIZERS["saddle_free_newton"], start, 50).position[-1]
    np.testing.assert_allclose(end, [0, np.sqrt(2.5)], atol=1e-12)
    damped = descend(SADDLE, OPTIMIZERS["newton"], start, 200, {"damping": 1.5}).position[-1]
    np.testing.assert_allclose(damped, [0, np.sqrt(2.5)], atol=1e-9)


def test_newton_stays_where_there_is_no_curvature() -> None:
    """On a slope there is no model to solve: the pseudo-inverse is 0, not infinity."""
    for name in ("newton", "saddle_free_newton"):
        t = run(OPTIMIZERS[name], "slope", 5)
        np.testing.assert_array_equal(t.update, 0)


@proves("conjugate_gradient")
def test_conjugate_gradient_solves_a_quadratic_in_two_steps() -> None:
    t = run(OPTIMIZERS["conjugate_gradient"], "quadratic", 2)
    hessian = hessians(t.position[:1], "quadratic")[0]
    g = t.gradient[0]
    np.testing.assert_allclose(t.update[0], -(g @ g) / (g @ hessian @ g) * g, rtol=1e-12)
    assert abs(t.update[0] @ hessian @ t.update[1]) < 1e-12, "the two directions are not conjugate"
    np.testing.assert_allclose(t.position[2], 0, atol=1e-13)
    np.testing.assert_array_equal(t.evaluations, [[1, 2, 1], [1, 2, 1]])


def test_conjugate_gradient_follows_polak_and_ribiere() -> None:
    """Each direction is the slope plus β of the last, or the slope alone where β < 0 or that leads up."""
    for surface in CURVED:
        t = run(OPTIMIZERS["conjugate_gradient"], surface, 30)
        last = None
        for g, update, before in zip(t.gradient, t.update, [None, *t.gradient], strict=False):
            if np.linalg.norm(g) < 1e-6:
                break
            d = -g
            if last is not None:
                beta = max(0.0, g @ (g - before) / (before @ before))
                d = d + beta * last if g @ (d + beta * last) < 0 else d
            np.testing.assert_allclose(update / np.linalg.norm(update), d / np.linalg.norm(d), atol=1e-7)
            last = d


@proves("bfgs")
def test_bfgs_learns_the_curvature() -> None:
    """After each step B maps the change of the gradient to that of the point (the secant equation), stays symmetric
    and positive definite, and its step is −Bg, halved as often as the line search says."""
    bfgs = OPTIMIZERS["bfgs"]
    hyper, fn = SimpleNamespace(learning_rate=1.0), SURFACES["rosenbrock"].fn
    problem = Problem(lambda p: fn(p[0], p[1]))
    with jax.enable_x64(True):
        step = jax.jit(lambda point, state: bfgs.update(problem.gradient(point), state, point, hyper, problem))
        point = jnp.asarray(SURFACES["rosenbrock"].start)
        state = bfgs.init(point)
        for t in range(25):
            before, (updates, state) = state, step(point, state)
            if t and state.pairs > before.pairs:
                change = state.inverse @ (state.grads - before.grads)
                np.testing.assert_allclose(change, state.params - before.params, rtol=1e-6, atol=1e-12)
            np.testing.assert_allclose(state.inverse, state.inverse.T, rtol=1e-9)
            assert (np.linalg.eigvalsh(state.inverse) > 0).all()
            if t:
                size = 0.5 ** (int(state.trials) - 1)
                np.testing.assert_allclose(updates, -size * (state.inverse @ state.grads), rtol=1e-9, atol=1e-14)
            point = point + updates
        assert int(state.pairs) > 15


@pytest.mark.parametrize("name", ["bfgs", "lbfgs"])
def test_quasi_newton_methods_converge_superlinearly(name: str) -> None:
    """The error shrinks by an ever larger factor: the last steps multiply it by next to nothing."""
    t = run(OPTIMIZERS[name], "rosenbrock", 60)
    error = np.linalg.norm(t.position - 1, axis=1)
    end = np.argmax(error < 1e-11)
    assert 10 < end < 50
    ratios = error[1 : end + 1] / error[:end]
    assert ratios[-1] < 0.05 and ratios[-2] < 0.2
    for surface in CURVED:
        t = run(OPTIMIZERS[name], surface, 60)
        assert np.linalg.norm(t.gradient[-1]) < 1e-8, surface
        assert (np.diff(t.loss) <= 0).all(), surface


def test_searches_end_where_nothing_is_finite() -> None:
    """A gradient or a loss that is NaN must neither hang a search nor be hidden by it."""
    hole = Landscape(
        id="hole",
        name="Hole",
        fn=lambda p: jnp.sqrt(p[0]) + p[1] ** 2,
        domain=((-1.0, 1.0), (-1.0, 1.0)),
        start=(0.5, 0.5),
        minima=(),
        formula="",
        reference="",
        teaches="",
    )
    for name in ("backtracking", "bfgs", "lbfgs", "conjugate_gradient", "newton", "saddle_free_newton"):
        t = descend(hole, OPTIMIZERS[name], np.array([[-0.5, 0.5], [0.5, 0.5]]), 100)
        assert t.diverged_at[0] == 0, name


def test_the_reported_point_is_the_average_of_the_path() -> None:
    """Polyak's mean of the iterates after the burn-in; schedule-free's mean of z, with the path between z and x."""
    t = run(OPTIMIZERS["polyak_average"], "rosenbrock", 300, learning_rate=0.03, burn_in=50)
    means = np.cumsum(t.position[51:], 0) / np.arange(1, 251)[:, None]
    np.testing.assert_allclose(t.reported[51:], means, rtol=1e-10)
    np.testing.assert_array_equal(t.reported[:51], t.position[:51])

    rate, b1 = 0.03, 0.6
    t = run(OPTIMIZERS["schedule_free_sgd"], "rosenbrock", 300, learning_rate=rate, b1=b1)
    z = t.position[0] - rate * np.cumsum(t.gradient[:-1], 0)
    mean = np.cumsum(z, 0) / np.arange(1, 301)[:, None]
    np.testing.assert_allclose(t.reported[1:], mean, rtol=1e-10)
    np.testing.assert_allclose(t.position[1:], b1 * mean + (1 - b1) * z, rtol=1e-10)


def test_lookahead_reports_the_slow_weights() -> None:
    """They move every k steps, and where they do, the path meets them."""
    t = run(OPTIMIZERS["lookahead"], "rosenbrock", 60, learning_rate=0.03, period=4)
    moved = np.flatnonzero((np.diff(t.reported, axis=0) != 0).any(1)) + 1
    np.testing.assert_array_equal(moved, np.arange(4, 61, 4))
    np.testing.assert_allclose(t.reported[4::4], t.position[4::4], rtol=1e-12)


@EVERY_OPTIMIZER
def test_what_is_reported_and_counted_fits_the_declaration(optimizer: Optimizer) -> None:
    """No step costs more than declared; without averaging, the point reported is where it is; both blank alike."""
    t = run(optimizer, "rosenbrock", 50)
    assert t.reported.shape == t.position.shape and t.evaluations.shape == (50, 3)
    assert (t.evaluations <= np.array(optimizer.cost)).all() and (t.evaluations[:, 0] >= 1).all()
    np.testing.assert_array_equal(t.reported[0], t.position[0])
    np.testing.assert_allclose(t.reported_loss, SURFACES["rosenbrock"].fn(*t.reported.T), rtol=1e-6, atol=1e-15)
    if optimizer.report is None:
        np.testing.assert_array_equal(t.reported, t.position)
        np.testing.assert_array_equal(t.reported_loss, t.loss)
    if optimizer.evaluations is None:
        np.testing.assert_array_equal(t.evaluations, np.broadcast_to(np.array(optimizer.cost), (50, 3)))


def test_sam_steps_with_the_gradient_up_the_slope() -> None:
    """On a quadratic that is the gradient here plus r·H·g/‖g‖; each step takes two."""
    t = run(OPTIMIZERS["sam"], "quadratic", 1, learning_rate=0.03, radius=0.5)
    direction = t.gradient[0] / np.linalg.norm(t.gradient[0])
    hessian = hessians(t.position[:1], "quadratic")[0]
    np.testing.assert_allclose(t.update[0], -0.03 * (t.gradient[0] + 0.5 * hessian @ direction), rtol=1e-12)
    assert (t.evaluations == [2, 0, 0]).all()


def test_parameter_free_rules_need_no_learning_rate() -> None:
    """With their defaults they come near the minimum from a first guess that is a million times too small."""
    for name in ("prodigy", "dog"):
        t = run(OPTIMIZERS[name], "quadratic", 3000)
        assert t.loss[-1] < 1e-2 * t.loss[0], name


def _matrix_loss(params: Any) -> jax.Array:
    """A small factorization: curved, and its gradients have rows and columns that differ."""
    target = jnp.array([[2.0, -1.0, 0.5], [0.3, 1.5, -0.7]])
    return jnp.sum((params["a"] @ params["b"] + params["shift"] - target) ** 2) / 4


def _matrix_start() -> dict[str, jax.Array]:
    rng = np.random.default_rng(1)
    shapes = {"a": (2, 2), "b": (2, 3), "shift": (3,)}
    return {name: jnp.asarray(rng.normal(size=shape)) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_matrices_move_like_those_of_optax(name: str) -> None:
    """What a point in the plane cannot show: one ratio a layer, factored squares, orthogonal steps. Led as above."""
    optimizer, knobs = OPTIMIZERS[name], LAYER_SETTINGS[name][1]
    hyper = SimpleNamespace(**fill(optimizer.hypers, knobs, name))
    problem, rule = Problem(_matrix_loss), LAYERS[name](hyper)

    def step(carry: Any, _: None) -> Any:
        params, ours, theirs = carry
        grads = jax.grad(_matrix_loss)(params)
        expected, theirs = rule.update(grads, theirs, params)
        updates, ours = optimizer.update(grads, ours, params, hyper, problem)
        params = jax.tree.map(jnp.add, params, updates)
        return (params, ours, theirs), (params, updates, expected)

    with jax.enable_x64(True):
        start = _matrix_start()
        begin = (start, optimizer.init(start), rule.init(start))
        path, ours, theirs = jax.tree.map(np.asarray, jax.jit(lambda c: lax.scan(step, c, None, 300)[1])(begin))
    for part, updates in ours.items():
        largest = np.abs(updates).max()
        np.testing.assert_allclose(updates, theirs[part], rtol=1e-8, atol=1e-11 * largest, err_msg=part)
        assert np.abs(path[part] - path[part][0]).max() > 0.05


def test_muon_on_a_vector_is_nadam() -> None:
    """Exactly, with the momentum warm-up of NAdam out of the way; on a matrix it is not."""
    shared = {"learning_rate": 0.01, "b2": 0.95, "eps": 0.05}
    for surface in CURVED:
        muon = run(OPTIMIZERS["muon"], surface, **shared, momentum=0.8)
        nadam = run(OPTIMIZERS["nadam"], surface, **shared, b1=0.8, momentum_decay=1e3)
        np.testing.assert_allclose(muon.position, nadam.position, rtol=0, atol=1e-11)
        np.testing.assert_allclose(muon.direction, nadam.direction, rtol=0, atol=1e-9)


def test_a_matrix_step_of_muon_is_nearly_orthogonal() -> None:
    muon, start = OPTIMIZERS["muon"], {"w": jnp.asarray([[3.0, 1.0], [0.5, -0.2]])}
    hyper = SimpleNamespace(**defaults(muon) | {"learning_rate": 1.0})
    updates, _ = muon.update(start, muon.init(start), start, hyper, Problem(lambda p: jnp.sum(p["w"])))
    singular = np.linalg.svd(updates["w"], compute_uv=False)
    assert (singular > 0.6).all() and (singular < 1.3).all()


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


@proves("shampoo")
def test_shampoo_on_a_vector_is_adagrad_with_its_full_matrix() -> None:
    rate, eps = 0.3, 0.05
    for surface in CURVED:
        t = run(OPTIMIZERS["shampoo"], surface, learning_rate=rate, eps=eps)
        total = eps * np.eye(2)
        for g, update in zip(t.gradient, t.update, strict=False):
            total = total + np.outer(g, g)
            np.testing.assert_allclose(update, -rate * _power(total, -0.5) @ g, rtol=1e-8, atol=1e-13)


def test_shampoo_on_a_matrix_scales_rows_and_columns() -> None:
    shampoo = OPTIMIZERS["shampoo"]
    hyper = SimpleNamespace(learning_rate=0.3, eps=0.05)
    with jax.enable_x64(True):
        params = {"w": jnp.zeros((3, 2)), "gain": jnp.zeros(())}
        state, left, right, squares = shampoo.init(params), 0.05 * np.eye(3), 0.05 * np.eye(2), 0.05
        for _ in range(20):
            g = np.random.default_rng(_).normal(size=(3, 2))
            grads = {"w": jnp.asarray(g), "gain": jnp.asarray(g[0, 0])}
            updates, state = shampoo.update(grads, state, params, hyper, Problem(lambda p: p["gain"]))
            left, right, squares = left + g @ g.T, right + g.T @ g, squares + g[0, 0] ** 2
            np.testing.assert_allclose(updates["w"], -0.3 * _power(left, -0.25) @ g @ _power(right, -0.25), rtol=1e-9)
            np.testing.assert_allclose(updates["gain"], -0.3 * g[0, 0] / np.sqrt(squares), rtol=1e-12)


@proves("soap")
def test_soap_is_adam_in_the_axes_of_its_gradients() -> None:
    """Written out for a vector: the axes of the first gradient, then a power iteration every k-th step."""
    rate, b1, b2, eps, k = 0.01, 0.8, 0.9, 0.05, 3
    for surface in CURVED:
        t = run(OPTIMIZERS["soap"], surface, learning_rate=rate, b1=b1, b2=b2, eps=eps, interval=k)
        m, v, products, axes = np.zeros(2), np.zeros(2), np.zeros((2, 2)), np.eye(2)
        for count, (g, update) in enumerate(zip(t.gradient, t.update, strict=False), 1):
            products = b2 * products + (1 - b2) * np.outer(g, g)
            axes = np.linalg.eigh(products)[1][:, ::-1] if count == 1 else axes
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * (axes.T @ g) ** 2
            expected = axes @ (axes.T @ m / (1 - b1**count) / (np.sqrt(v / (1 - b2**count)) + eps))
            np.testing.assert_allclose(update, -rate * expected, rtol=1e-7, atol=1e-10, err_msg=f"{surface} {count}")
            if count % k == 0:
                order = np.argsort(-np.diag(axes.T @ products @ axes))
                v, axes = v[order], np.linalg.qr(products @ axes[:, order])[0]


def test_matrix_rules_do_not_care_which_way_the_axes_point() -> None:
    """The same bowl, turned: Shampoo and SOAP take the same path, turned; Adam does not."""
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])

    def bowl(name: str, axes: np.ndarray) -> Landscape:
        scale = axes @ np.diag([1.0, 10.0]) @ axes.T
        return Landscape(
            id=name,
            name=name,
            fn=lambda p: 0.5 * p @ jnp.asarray(scale, p.dtype) @ p,
            domain=((-3.0, 3.0), (-3.0, 3.0)),
            start=(0.0, 0.0),
            minima=(),
            formula="",
            reference="",
            teaches="",
        )

    start, straight, askew = np.array([2.0, 1.0]), bowl("straight", np.eye(2)), bowl("askew", turn)
    for name in ("shampoo", "soap", "adam"):
        knobs = {"learning_rate": 0.05}
        plain = descend(straight, OPTIMIZERS[name], start, 100, knobs).position
        turned = descend(askew, OPTIMIZERS[name], turn @ start, 100, knobs).position @ turn
        difference = np.abs(plain - turned).max()
        assert difference < 1e-6 if name != "adam" else difference > 1e-2, (name, difference)


def test_adafactor_keeps_rows_and_columns_only() -> None:
    with jax.enable_x64(True):
        state = OPTIMIZERS["adafactor"].init({"w": jnp.zeros((5, 7)), "b": jnp.zeros(7)})
    assert sum(leaf.size for leaf in jax.tree.leaves((state.rows, state.columns, state.v))) == 5 + 7 + 7
