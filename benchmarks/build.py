"""The build page: how soon a typed formula is drawn, and what a thousand of them leave behind."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.app import REST, chromium, new_page
from benchmarks.table import Row
from descent import descend
from descent.field import field
from descent.verdict import judge
from landscapes import find
from optimizers import find as find_optimizer
from tools.app_server import ROOT, serve
from tools.race_page import READY, RacePage

FORMULAS = 1_000
WARM_UP = 200  # more than any cache keeps
LANDSCAPES = (  # the first also compiles what all of them share
    "x^2 + 3*y^2",
    "sin(3x) + cos(2y)",
    "(x^2-1)^2 + y^2",
    "abs(x) + 2*abs(y)",
    "exp(-x^2-y^2)*x",
    "x^4 - y*x + y^2",
    "where(x < 1, 0.2*(x - 3)^2, 4 + x^2/10) + y^2/2",
    "log(1 + x^2) + 2*y^2",
)
STEPS = (  # of the template that the page begins with
    "-lr*m",
    "-lr*m/(sqrt(v) + 2*eps)",
    "-lr*sign(m)",
    "-lr*g/(sqrt(v) + eps)",
    "-2*lr*m/(abs(m) + 1)",
    "-lr*(m + g)/(sqrt(v) + eps)",
)


def rows() -> Iterator[Row]:
    """All of them."""
    yield from typing()
    yield from memory()


def typing() -> Iterator[Row]:
    """From the last key of a formula that nobody has seen before to what it does: 0.3 s of that is the pause.

    Of a landscape that is its surface with the paths on it, then all that was found there; of an optimizer its path.
    """
    surface = ("a new formula", "build", "Loss as a formula of x and y", LANDSCAPES)
    rule = ("an optimizer's line", "build?optimizer=adam", "Formula of delta", STEPS)
    places = ((*surface, {"picture": "scene", "verdicts": "draws"}), (*rule, {"paths": "paths"}))
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        with serve(folder / "log.txt", environment={"DESCENT_CACHE_DIR": str(folder / "cache")}) as server:
            for what, address, label, formulas, signs in places:
                page = new_page(browser)
                page.goto(f"{server.url}/{address}")
                page.wait_for_selector(READY)
                race = RacePage(page).settle()
                times = [_times(race, label, formula, list(signs.values())) for formula in formulas]
                page.context.close()
                for column, sign in zip(zip(*times[1:], strict=True), signs, strict=True):
                    limit = None if sign == "verdicts" else 1_500
                    yield Row(f"{what}, last key → {sign}", statistics.median(column), "ms", at_most=limit)


def _times(race: RacePage, label: str, formula: str, signs: list[str]) -> list[float]:
    """Milliseconds from the input of a formula until each of these attributes of the stage has changed."""
    race.page.evaluate(
        """(signs) => {
            const stage = document.querySelector(".descent-stage");
            const before = { ...stage.dataset };
            let last = 0;
            window.times = {};
            window.watcher?.disconnect();
            addEventListener("input", () => (last = performance.now()), true);
            window.watcher = new MutationObserver(() => {
                for (const sign of signs)
                    if (stage.dataset[sign] !== before[sign]) window.times[sign] ??= performance.now() - last;
            });
            window.watcher.observe(stage, { attributes: true });
        }""",
        signs,
    )
    race.page.get_by_role("textbox", name=label).fill(formula)
    race.wait("argument.every((sign) => sign in window.times) && stage.dataset.ready === 'all'", signs)
    race.settle()
    race.page.wait_for_timeout(REST)
    found = race.page.evaluate("window.times")
    return [found[sign] for sign in signs]


def memory() -> Iterator[Row]:
    """How much the memory of a process grows while it draws, runs and judges ever new formulas."""
    command = [sys.executable, "-c", "from benchmarks.build import thousand; thousand()"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    warm, end = json.loads(ran.stdout.splitlines()[-1])
    yield Row(f"memory after {FORMULAS:,} formulas", end / 1e6, "MB", warm / 1e6, f"after {WARM_UP}", end / warm, 1.05)


def thousand() -> None:
    """Print the memory of this process in bytes after the warm-up, and after all formulas."""
    warm = 0
    for number in range(FORMULAS):
        if number == WARM_UP:
            warm = _memory()
        landscape = find(f"=(x - {number})^2/{number + 1} + {number}*sin(y)")
        optimizer = find_optimizer(f"=m: 0.{number}*m + g; delta: -lr*m; lr=0.01")
        field(landscape)
        judge(landscape, [descend(landscape, optimizer, steps=50)])
    print(json.dumps([warm, _memory()]))


def _memory() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss
