"""The real app in a process of its own, for browser tests and benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Server(NamedTuple):
    """A running Streamlit server."""

    url: str  # without a slash at the end
    log: Path  # what it printed
    pid: int

    def tracebacks(self) -> str:
        """Its log from the first traceback on, or "" if there is none."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        at = text.find("Traceback (most recent call last)")
        # The line before says which part of Streamlit, or of the app, reports it.
        return text[text.rfind("\n", 0, max(at - 1, 0)) + 1 :] if at >= 0 else ""


@contextmanager
def serve(
    log: Path,
    script: Path = ROOT / "app.py",
    *,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    patience: float = 60,
) -> Iterator[Server]:
    """Run ``streamlit run script`` on 127.0.0.1 until the block ends; ``log`` gets what it prints.

    Raises ``RuntimeError`` with the log if it does not answer within ``patience`` seconds.
    """
    port = port or free_port()
    server_options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",  # an edit during a test run must not restart the app
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += [f"--{name}={value}" for name, value in server_options.items()]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=script.parent,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", log, process.pid)
    try:
        _wait(process, server, patience)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen, server: Server, patience: float) -> None:
    # A proxy from the environment must not be asked for our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(f"{server.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    what = f"ended with {process.returncode}" if process.poll() is not None else f"did not answer in {patience:g} s"
    raise RuntimeError(f"the app {what}; its log:\n{server.log.read_text(encoding='utf-8', errors='replace')}")
