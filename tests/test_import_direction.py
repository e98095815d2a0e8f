"""Imports run one way only (see the table), and each library stays where it belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CORE = {"descent", "landscapes", "optimizers", "schedules"}

# Each package, and app.py, with what it may import of the others.
MAY_IMPORT: dict[str, set[str]] = {
    "descent": set(),
    "landscapes": {"descent"},
    "optimizers": {"descent"},
    "schedules": {"descent"},
    "networks": CORE,
    "lessons": CORE | {"networks"},
    "figures": {"descent"},
    "ui": CORE | {"networks", "lessons", "figures"},
    "pages": CORE | {"figures", "ui"},
    "app": {"ui"},
}

# Each library with where it may be imported: prefixes of module names.
LIVES_IN: dict[str, tuple[str, ...]] = {
    "streamlit": ("app.", "pages.", "ui."),
    "plotly": ("figures.", "ui.stage"),
    "jax": ("descent.", "landscapes.", "optimizers.", "schedules.", "networks.", "lessons.", "ui."),
    "jaxlib": ("descent.", "networks."),
    # Oracles: the tests and benchmarks compare with them, the app never runs them.
    "torch": (),
    "optax": (),
    "numba": (),
}

NOT_THE_APP = {"tests", "benchmarks", "tools", "deploy", "build"}  # and nothing of the app imports them


def imported(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that ``module`` imports, inside functions too."""
    package = module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            # One dot is the module's own package, each further one the package around it.
            base = package[: len(package) + 1 - node.level] if node.level else []
            for alias in node.names:
                yield node.lineno, ".".join([*base, *filter(None, [node.module]), alias.name])
        elif isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            first = node.args[0] if node.args else None
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def violations(path: str, source: str) -> list[str]:
    """What the file at ``path`` (relative to the repository) imports or reads that it must not."""
    module = path.removesuffix(".py").replace("/", ".")
    home = module.split(".")[0]
    tree = ast.parse(source)
    if home not in MAY_IMPORT:
        return [f"{path}: {home} has no row in MAY_IMPORT: say what it may import"]
    found = []
    for line, name in imported(tree, module):
        top = name.split(".")[0]
        own = top == home and home != "pages"  # a page imports no other page
        if top in MAY_IMPORT.keys() | NOT_THE_APP and not own and top not in MAY_IMPORT[home]:
            found.append(f"{path}:{line}: {home} must not import {name}")
        if top in LIVES_IN and not f"{module}.".startswith(LIVES_IN[top]):
            found.append(f"{path}:{line}: {top} must not be imported in {module}")
    return found + outside(path, tree)


def outside(path: str, tree: ast.AST) -> list[str]:
    """Text in the file that points to the workplace around the repository, which others do not have."""
    forbidden = ("../" + "shared", "/work" + "/")
    return [
        f"{path}:{node.lineno}: nothing may read {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and any(s in node.value for s in forbidden)
    ]


def files() -> Iterator[str]:
    """All Python files of the repository, relative to it."""
    for file in sorted([*ROOT.glob("*.py"), *ROOT.glob("[!.]*/**/*.py")]):
        yield file.relative_to(ROOT).as_posix()


def test_imports_run_one_way():
    found = []
    for path in files():
        source = (ROOT / path).read_text(encoding="utf-8")
        in_app = path.split("/")[0].removesuffix(".py") not in NOT_THE_APP
        found += violations(path, source) if in_app else outside(path, ast.parse(source))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("descent/engine.py", "import landscapes"),
        ("descent/engine.py", "def f():\n    from optimizers.adam import ADAM"),
        ("descent/engine.py", "import importlib\nimportlib.import_module('optimizers')"),
        ("descent/engine.py", "import plotly.graph_objects as go"),
        ("descent/engine.py", "import optax"),
        ("descent/engine.py", "from tests import conftest"),
        ("landscapes/ravines.py", "from optimizers import OPTIMIZERS"),
        ("landscapes/ravines.py", "import streamlit as st"),
        ("optimizers/adam.py", "from .. import ui"),
        ("figures/contour.py", "import jax.numpy as jnp"),
        ("figures/contour.py", "from landscapes import LANDSCAPES"),
        ("networks/data.py", "import lessons.first"),
        ("ui/language.py", "from plotly import graph_objects"),
        ("ui/language.py", "from pages import race"),
        ("ui/language.py", "import app"),
        ("pages/race.py", "import pages.basins"),
        ("pages/race.py", "from .basins import draw"),
        ("pages/race.py", "import app"),
        ("pages/race.py", "import plotly"),
        ("pages/race.py", "import jax.numpy as jnp"),
        ("app.py", "import descent"),
        ("app.py", "import torch"),
        ("helpers/strings.py", ""),
        ("figures/contour.py", "open('../' 'shared/style.md')"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str):
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("descent/engine.py", "from descent.hyper import fill\nimport jax"),
        ("landscapes/__init__.py", "from . import ravines\nfrom descent.registry import collect"),
        ("ui/stage/component.py", "import plotly\nfrom ..language import translate\nimport streamlit"),
        ("ui/stage.py", "import plotly"),
        ("pages/race.py", "import streamlit as st\nfrom ui import race\nfrom figures import contour\nimport descent"),
        ("app.py", "import streamlit as st\nfrom ui.pages import router"),
    ],
)
def test_what_the_design_allows_passes(path: str, source: str):
    assert violations(path, source) == []
