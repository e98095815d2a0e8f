"""Compiling is what a user waits for: keep what was compiled, in memory and on disk, but not without bound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial, wraps
from pathlib import Path
from threading import Lock
from typing import Any

import jax
from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Where compiled programs are kept: $DESCENT_CACHE_DIR, or the user's cache folder."""
    named = os.environ.get("DESCENT_CACHE_DIR")
    return Path(named) if named else user_cache_path("descent-lab")


MAX_DISK = 400_000_000  # bytes: some 20,000 programs


def keep_compilations() -> None:
    """Keep every compiled program, however small, on disk. Without a writable folder, do nothing.

    Formulas that people type compile to ever new programs: the oldest go when a process starts and finds too many.
    """
    folder = cache_folder() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _prune(folder, MAX_DISK)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _prune(folder: Path, most: int) -> None:
    """Remove the oldest files of a folder until it has at most this many bytes."""
    files = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.is_file()]
    files.sort(key=lambda file: file[0].st_mtime, reverse=True)
    size = 0
    for about, path in files:
        size += about.st_size
        if size > most:
            Path(path).unlink(missing_ok=True)


# Programs in memory at a time. Each has about 90 stretches of memory, of which Linux lets a process have 65,530: beyond
# that it dies. 47 optimizers on 47 landscapes are more than enough for that.
DECLARED, TYPED = 240, 60


def _program(function: Callable[..., Any], *values: Any) -> Any:
    bound = partial(function, *values)
    bound.__name__ = function.__name__  # type: ignore[attr-defined]  # part of the key on disk
    return jax.jit(bound)


_declared, _typed = lru_cache(DECLARED)(_program), lru_cache(TYPED)(_program)
_lock = Lock()  # two threads that ask at once must get the same program


def compiled_each(static: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Jit a function once for each value of its first ``static`` arguments, and forget what was not used for long.

    `jax.jit` with static arguments keeps thousands of programs, and with them the landscapes and optimizers they
    were made for; a program that belongs to a function of its own goes when that function does. Formulas that people
    type make ever new programs: these have a place of their own, so that they do not drive the others out.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any) -> Any:
            values = arguments[:static]
            with _lock:
                program = (_typed if any(map(_is_typed, values)) else _declared)(function, *values)
            return program(*arguments[static:])

        return call

    return decorate


def _is_typed(value: Any) -> bool:
    """Is this, or a part of it, made from a formula (`descent.recipe`)?"""
    parts = value if isinstance(value, tuple) else (value,)
    return any(str(getattr(part, "id", "")).startswith("=") for part in parts)


_TRACING = "/jax/core/compile/jaxpr_trace_duration"


@contextmanager
def counting() -> Iterator[list[str]]:
    """Count compilations in a block: the list that it yields has one entry for each program traced anew.

    Tracing comes before every compilation, also when the machine code is then found in the cache.
    """
    found: list[str] = []

    def listen(event: str, duration_secs: float, **about: str | int) -> None:
        if event == _TRACING:
            found.append(str(about.get("fun_name", "?")))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
