"""What people take away from a race: its data, its RunSpecs, a script that repeats it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from descent import RunSpec, Trajectory
from descent.recipe import is_recipe


def file_name(id: str) -> str:
    """An id as a part of a file's name: formulas have signs that names must not have."""
    return "my-formula" if is_recipe(id) else id


def trajectories_csv(names: Sequence[str], runs: Sequence[Trajectory]) -> str:
    """One row a runner and step. The update and learning rate of a row are those that led *away* from it.

    What is reported differs from x, y and loss for methods that average.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = ["runner", "step", "x", "y", "loss", "gradient_x", "gradient_y", "update_x", "update_y", "learning_rate"]
    columns += ["reported_x", "reported_y", "reported_loss"]
    writer.writerow(columns)
    for name, run in zip(names, runs, strict=True):
        last = run.steps if run.diverged_at < 0 else int(run.diverged_at)
        for t in range(last + 1):
            state = [*run.position[t], run.loss[t], *run.gradient[t]]
            move = [*run.update[t], run.learning_rate[t]] if t < run.steps else [None] * 3
            result = [*run.reported[t], run.reported_loss[t]]
            writer.writerow([name, t, *(_exact(v) for v in (*state, *move, *result))])
    return out.getvalue()


def _exact(value: object) -> str:
    """Every digit of a float32, and nothing for what is missing or not a number."""
    return "" if value is None or value != value else str(value)


def python_script(specs: Sequence[RunSpec], address: str = "") -> str:
    """A short script that repeats the race with this package."""
    first = specs[0]
    shared = {"start": first.start, "steps": first.steps}
    more = {
        "shape": dict(first.shape),
        "noise": first.noise,
        "relative_noise": first.relative_noise,
        "seed": first.seed,
    }
    shared |= {name: value for name, value in more.items() if value}
    alike = all(_schedule(spec) == _schedule(first) for spec in specs)
    lines = [
        '"""A race from Descent Lab. Run it from the folder of the project, with its environment.',
        *([f"\n{address}"] if address else []),
        '"""',
        "",
        "import landscapes",
        "import optimizers",
        "from descent import descend",
        "from schedules import SCHEDULES",
        "",
        "shared = dict(",
        *(f"    {name}={value!r}," for name, value in shared.items()),
        *(f"    {told}," for told in (_schedule(first) if alike else [])),
        ")",
        "runners = [",
    ]
    for spec in specs:
        own = [f"{n}={getattr(spec, n)!r}" for n in ("clip_value", "clip_norm") if getattr(spec, n) is not None]
        own += [] if alike else _schedule(spec)
        lines.append(f"    ({spec.optimizer!r}, {dict(spec.hyper)!r}, dict({', '.join(own)})),")
    lines += [
        "]",
        f"landscape = landscapes.find({first.landscape!r})",
        "for optimizer, hyper, own in runners:",
        "    t = descend(landscape, optimizers.find(optimizer), hyper=hyper, **own, **shared)",
        "    print(optimizer, hyper, t.position[-1], t.loss[-1], t.diverged_at)",
        "",
    ]
    return "\n".join(lines)


def _schedule(spec: RunSpec) -> list[str]:
    """The arguments that say which schedule a run follows."""
    knobs = [f"schedule_hyper={dict(spec.schedule_hyper)!r}"] if spec.schedule_hyper else []
    return [f'schedule=SCHEDULES["{spec.schedule}"]', *knobs]
