"""Maps beside numba's parallel loops of the bare runs: what a map adds (verdicts, steps to tolerance) is ours to pay.

All compute in float32, and the same: that is checked before anything is timed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.app import chromium, new_page
from benchmarks.engine import HYPER, START, F, _numba_ends, _rosenbrock, agree
from benchmarks.table import Row, in_turn
from descent import basins, sweep
from descent.verdict import KINDS
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
from tools.app_server import ROOT, serve
from tools.race_page import RacePage
from ui.stage.payload import pack

ROSENBROCK, ADAM = LANDSCAPES["rosenbrock"], OPTIMIZERS["adam"]
SIDE, STEPS = 256, 300
KNOB_SIDE, KNOB_STEPS = 128, 500
RATES, DECAYS = np.geomspace(1e-4, 1, KNOB_SIDE), np.linspace(0, 0.99, KNOB_SIDE)


def starts(side: int) -> np.ndarray:
    """The starts of a basin map, row by row."""
    x, y = (np.linspace(low, high, side, dtype=F) for low, high in ROSENBROCK.domain)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


@numba.njit(parallel=True, cache=False)
def _numba_knobs(rates: Any, decays: Any, steps: int) -> Any:
    """The loss after ``steps`` Adam steps on Rosenbrock for each rate and β₁ (batch,), on all cores."""
    found = np.empty_like(rates)
    for i in numba.prange(len(rates)):
        alpha, b1, b2 = rates[i], decays[i], F(0.999)
        x, y, mx, my, vx, vy = F(START[0]), F(START[1]), F(0), F(0), F(0), F(0)
        power_1, power_2 = F(1), F(1)
        for _ in range(steps):
            _loss, gx, gy = _rosenbrock(x, y)
            power_1, power_2 = power_1 * b1, power_2 * b2
            mx, my = b1 * mx + (F(1) - b1) * gx, b1 * my + (F(1) - b1) * gy
            vx, vy = b2 * vx + (F(1) - b2) * gx * gx, b2 * vy + (F(1) - b2) * gy * gy
            one, two = F(1) - power_1, F(1) - power_2
            x -= alpha * (mx / one) / (np.sqrt(vx / two) + F(1e-8))
            y -= alpha * (my / one) / (np.sqrt(vy / two) + F(1e-8))
        found[i] = _rosenbrock(x, y)[0]
    return found


def speed() -> Iterator[Row]:
    """Both kinds of map."""
    grid = starts(SIDE)

    def ours() -> Any:
        return basins(ROSENBROCK, ADAM, SIDE, STEPS, HYPER)

    there = np.linalg.norm(_numba_ends(grid, STEPS) - F(1), axis=-1).reshape(SIDE, SIDE) < 1e-3
    if not (ours().verdict[there] == KINDS.index("minimum")).mean() > 0.9:
        raise AssertionError("the map does not call a minimum what numba's loop brings there")
    pair = in_turn(ours, lambda: _numba_ends(grid, STEPS))
    name = f"basins, {SIDE}×{SIDE} × {STEPS} Adam steps, with verdicts"
    yield Row(name, pair.ours, "ms", pair.peer, "numba prange, bare", pair.ratio, at_most=1 / 3)

    rates, decays = (part.ravel().astype(F) for part in np.meshgrid(RATES, DECAYS))
    knobs = {"b1": DECAYS, "learning_rate": RATES}

    def map_of_knobs() -> Any:
        return sweep(ROSENBROCK, ADAM, knobs, START, KNOB_STEPS)

    # A few settings circle, where rounding decides about the last digits.
    slow = rates < 1e-2
    agree("knob map", map_of_knobs().loss.ravel()[slow], _numba_knobs(rates, decays, KNOB_STEPS)[slow], 1e-2)
    pair = in_turn(map_of_knobs, lambda: _numba_knobs(rates, decays, KNOB_STEPS))
    name = f"knob map, {KNOB_SIDE}×{KNOB_SIDE} × {KNOB_STEPS} Adam steps"
    yield Row(name, pair.ours, "ms", pair.peer, "numba prange, bare", pair.ratio, at_most=1 / 3)


def growth() -> Iterator[Row]:
    """Four times the starts should take four times as long, or less where a small map leaves cores idle."""
    before: float | None = None
    for side in (64, 128, 256, 512):
        basins(ROSENBROCK, ADAM, side, STEPS, HYPER)
        times = []
        for _ in range(9):
            begin = time.perf_counter()
            basins(ROSENBROCK, ADAM, side, STEPS, HYPER)
            times.append((time.perf_counter() - begin) * 1e3)
        took = statistics.median(times)
        name = f"basins, {side}×{side}"
        if before is None:
            yield Row(name, took, "ms")
        else:
            yield Row(name, took, "ms", 4 * before, "4 × the one before", took / (4 * before), at_most=1.25)
        before = took


def wire() -> Iterator[Row]:
    """What a map weighs on its way."""
    found = basins(LANDSCAPES["himmelblau"], OPTIMIZERS["momentum"], SIDE, STEPS)
    cells = np.where(found.minimizer >= 0, found.minimizer, 4 + found.verdict).astype(np.uint8)
    sent = len(pack({"cells": cells, "values": found.steps.astype(np.int32)}))
    yield Row(f"basins, {SIDE}×{SIDE}, sent", sent / 1000, "kB", at_most=300)


MEASURE = f"""
from pathlib import Path
from descent import basins, descend
from descent.compilation import keep_compilations
from descent.verdict import judge
from landscapes import LANDSCAPES
from optimizers import OPTIMIZERS
keep_compilations()
adam, rosenbrock = OPTIMIZERS["adam"], LANDSCAPES["rosenbrock"]
judge(rosenbrock, [descend(rosenbrock, adam)])
# (Not ru_maxrss, which a process inherits from the one that started it.)
status = lambda key: int(Path("/proc/self/status").read_text().split(key)[1].split()[0])
before = status("VmRSS:")
for name in ("rosenbrock", "rastrigin"):
    basins(LANDSCAPES[name], adam, {SIDE}, {STEPS})
print((status("VmHWM:") - before) * 1024)
"""


def memory() -> Iterator[Row]:
    """How much more memory a process takes at most, once it computes maps: compiling included, 121 minima too."""
    told = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    yield Row("basins, memory over an idle process", int(told.stdout) / 1e6, "MB", at_most=300)


def first() -> Iterator[Row]:
    """From the choice of a landscape to its map, in a server that has not seen it, but whose disk has."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        for _ in range(2):
            with serve(folder / "log.txt", environment={"DESCENT_CACHE_DIR": str(folder / "cache")}) as server:
                maps = RacePage(new_page(browser)).open(f"{server.url}/maps?landscape=himmelblau&o1=adam&steps={STEPS}")
                times = []
                for landscape in ("Rosenbrock", "Beale", "Six-hump camel", "Ackley"):
                    box = maps.widget("landscape").get_by_role("combobox")
                    box.click()
                    box.fill(landscape)
                    before, begin = maps.draws, time.perf_counter()
                    maps.page.get_by_role("option").filter(has_text=landscape).first.click()
                    maps.wait("Number(stage.dataset.draws) > argument", before)
                    times.append(time.perf_counter() - begin)
                    maps.settle()
                maps.page.context.close()
    yield Row("basins of another landscape, compiled before → picture", statistics.median(times), "s", at_most=1.5)


def rows() -> Iterator[Row]:
    """All of them."""
    yield from speed()
    yield from growth()
    yield from wire()
    yield from memory()
    yield from first()
