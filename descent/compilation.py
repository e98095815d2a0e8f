"""Compiling is what a user waits for: keep what was compiled on disk, and count what was not kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Where compiled programs are kept: $DESCENT_CACHE_DIR, or the user's cache folder."""
    named = os.environ.get("DESCENT_CACHE_DIR")
    return Path(named) if named else user_cache_path("descent-lab")


def keep_compilations() -> None:
    """Keep every compiled program, however small, on disk. Without a writable folder, do nothing."""
    folder = cache_folder() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


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
