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

from benchmarks.app import chromium, new_page
from benchmarks.table import Row
from descent import descend
from descent.field import field
from descent.verdict import judge
from landscapes import find
from optimizers import find as find_optimizer
from tools.app_server import ROOT, serve
from tools.race_page import READY, RacePage

FORMULAS = 1_000
WARM_UP = 100  # more than any cache keeps
TYPED = (
    "x^2 + 3*y^2",
    "sin(3x) + cos(2y)",
    "(x^2-1)^2 + y^2",
    "abs(x) + 2*abs(y)",
    "exp(-x^2-y^2)*x",
    "x^4 - y*x + y^2",
)


def rows() -> Iterator[Row]:
    """All of them."""
    yield from typing()
    yield from memory()


def typing() -> Iterator[Row]:
    """From the last key of a new formula to its picture: the page waits 0.3 s of that for the next key."""
    times = []
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        with serve(folder / "log.txt", environment={"DESCENT_CACHE_DIR": str(folder / "cache")}) as server:
            page = new_page(browser)
            page.goto(f"{server.url}/build")
            page.wait_for_selector(READY)
            race = RacePage(page).settle()
            field_of_text = page.get_by_role("textbox", name="Loss as a formula of x and y")
            for formula in TYPED:
                begun = page.evaluate(
                    """() => {
                        const stage = () => document.querySelector(".descent-stage")?.dataset.draws;
                        const before = stage();
                        addEventListener("input", () => (window.last = performance.now()), true);
                        window.took = null;
                        new MutationObserver(() => {
                            if (window.took !== null || stage() === before) return;
                            window.took = performance.now() - window.last;
                        }).observe(document.body, { subtree: true, childList: true, attributes: true });
                        return before;
                    }"""
                )
                assert begun is not None
                field_of_text.fill(formula)
                page.wait_for_function("window.took !== null")
                times.append(page.evaluate("window.took"))
                race.settle()
            page.context.close()
    # The first also imports and compiles what all of them share.
    yield Row("a new formula, last key → picture", statistics.median(times[1:]), "ms", at_most=1_500)


def memory() -> Iterator[Row]:
    """How much the memory of a process grows while it draws, runs and judges ever new formulas."""
    command = [sys.executable, "-c", "from benchmarks.build import thousand; thousand()"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    warm, end = json.loads(ran.stdout.splitlines()[-1])
    name = f"memory after {FORMULAS:,} more formulas"
    yield Row(name, end / 1e6, "MB", warm / 1e6, f"after {WARM_UP}", end / warm, at_most=1.05)


def thousand(count: int = FORMULAS) -> None:
    """Print the memory of this process in bytes after the warm-up, and after as many formulas again as are asked."""
    warm = 0
    for number in range(WARM_UP + count):
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
