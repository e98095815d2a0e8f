"""What a learning-rate schedule is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from descent.compilation import compiled_each
from descent.hyper import Hyper, fill
from descent.text import _

WARMUP = Hyper(
    "warmup",
    "T'",
    _("Warm-up steps"),
    _("Over so many steps the rate climbs in a straight line to where the schedule begins."),
    default=0,
    high=1_000,
    scale="integer",
)


@dataclass(frozen=True, eq=False)
class Schedule:
    """A multiplier of the learning rate: ``factor(step, total_steps, hyper)`` for step = 0 … total_steps − 1.

    ``hyper`` has an attribute for each declared knob. ``step`` may be traced, so write it in jax.numpy.

    Every schedule has a knob ``warmup``, T′ steps (WARMUP, unless it declares its own): over them the rate climbs in
    a straight line, (t + 1)/T′ of where the schedule begins, whose own clock starts only then: at step t ≥ T′ it is at
    step t − T′ of T − T′. So do torch's SequentialLR and optax.join_schedules; the first value is 1/T′, not 0, for a
    step of length 0 would be wasted (Goyal et al. 2017, Accurate, Large Minibatch SGD).

    A schedule that feeds on the loss has no ``factor`` of the step, but a state of its own: ``init() -> state``, whose
    field ``factor`` is the multiplier of the next step, and ``update(loss, state, hyper) -> state``, told the loss
    at every step after the warm-up.
    """

    id: str
    name: str
    factor: Callable[[Any, Any, Any], Any] | None
    formula: str  # LaTeX
    reference: str = ""
    convention: str = ""  # which of those in use this is
    hypers: tuple[Hyper, ...] = ()
    init: Callable[[], Any] | None = None
    update: Callable[[Any, Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        if all(hyper.name != WARMUP.name for hyper in self.hypers):
            object.__setattr__(self, "hypers", (*self.hypers, WARMUP))

    @property
    def feedback(self) -> bool:
        """Does it depend on the run?"""
        return self.factor is None

    def multiplier(self, step: Any, total_steps: Any, hyper: Any, state: Any = None) -> Any:
        """What the learning rate is multiplied by at a step, warm-up included."""
        climb = jnp.minimum(1.0, (step + 1) / jnp.maximum(hyper.warmup, 1))
        if self.factor is None:
            return climb * state.factor
        own = jnp.maximum(step - hyper.warmup, 0), jnp.maximum(total_steps - hyper.warmup, 1)
        return climb * self.factor(*own, hyper)

    def watch(self, step: Any, loss: Any, state: Any, hyper: Any) -> Any:
        """The state after a step with this loss; that of a schedule without feedback is nothing."""
        if self.update is None:
            return state
        after = self.update(loss, state, hyper)
        return jax.tree.map(lambda new, old: jnp.where(step < hyper.warmup, old, new), after, state)


# What a run without a schedule follows; the registry lists the same object, so that both share one compilation.
CONSTANT = Schedule("constant", _("Constant"), lambda step, total_steps, hyper: 1.0, "1")

MOST = 5_000


@compiled_each(1)
def _multipliers(schedule: Schedule, total_steps: jax.Array, numbers: jax.Array) -> jax.Array:
    hyper = SimpleNamespace(**dict(zip((h.name for h in schedule.hypers), numbers, strict=True)))
    return jax.vmap(lambda step: schedule.multiplier(step, total_steps, hyper))(jnp.arange(MOST, dtype=jnp.int32))


def multipliers(schedule: Schedule, total_steps: int, hyper: Mapping[str, object] | None = None) -> np.ndarray:
    """The multipliers (total_steps,) of all steps of a run of at most ``MOST`` steps, warm-up included.

    Raises ``ValueError`` as `descend` does, and for a schedule that depends on the run.
    """
    if schedule.feedback:
        raise ValueError(f"{schedule.id} feeds on the loss of a run: see its trajectory's learning_rate")
    numbers = np.array([*fill(schedule.hypers, hyper, schedule.id).values()])
    with jax.enable_x64(True):
        return np.asarray(_multipliers(schedule, np.asarray(total_steps, np.int32), numbers))[:total_steps]
