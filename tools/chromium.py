"""Where the Chromium of the browser tests and benchmarks is, and how it is started.

``python tools/chromium.py`` prints its path; with ``--install`` it gets one first where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

# WebGL in software, so that the 3-D picture is drawn on machines without a graphics card; and no talk with its maker.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)

HOW_TO_GET_ONE = (
    "Get one with `.venv/bin/python -m playwright install chromium`, with your package manager "
    "(`apt-get install chromium`), or from google.com/chrome; or set CHROMIUM to the path of one."
)


class NoChromium(Exception):
    """There is no Chromium that starts. The message says how to get one."""


def find_chromium() -> str:
    """The path of a Chromium that starts: $CHROMIUM, the system's, or Playwright's own.

    Raises ``NoChromium`` if there is none, or if the one that $CHROMIUM names does not start.
    """
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        path = shutil.which(chosen)
        if path is None or not _starts(path):
            raise NoChromium(f"CHROMIUM is {chosen!r}, which is no program that starts. {HOW_TO_GET_ONE}")
        return path
    for path in _candidates():
        if _starts(path):
            return path
    raise NoChromium(f"The browser tests need Chromium, and none was found. {HOW_TO_GET_ONE}")


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, (*NAMES, MAC)))
    # In a process of its own: Playwright's driver can be started only once in a thread.
    ask = "from playwright.sync_api import sync_playwright as p\nwith p() as d: print(d.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    own = answer.stdout.strip()
    if own and Path(own).exists():
        yield own


def _starts(path: str) -> bool:
    """Does the program at ``path`` run? One whose libraries are missing, or a stub that asks for a snap, does not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install_chromium() -> None:
    """Try to get a Chromium: Playwright's own, else Debian's if we are root. Failures show on the terminal."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    debian = bool(root and shutil.which("apt-get"))
    playwright = [sys.executable, "-m", "playwright"]
    print("No Chromium found: trying Playwright's ...", flush=True)
    if subprocess.run([*playwright, "install", "chromium"], check=False).returncode == 0:
        if debian and not _found():
            subprocess.run([*playwright, "install-deps", "chromium"], check=False)
        if _found():
            return
    if debian:
        print("That failed: trying Debian's ...", flush=True)
        unasked = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "-y", "chromium"]):
            subprocess.run(command, check=False, env=unasked, stdout=subprocess.DEVNULL)


def _found() -> bool:
    try:
        find_chromium()
    except NoChromium:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Print the path; 1 if there is no Chromium, with what to do about it."""
    install = arguments == ["--install"]
    try:
        if install and not os.environ.get("CHROMIUM") and not _found():
            install_chromium()
        path = find_chromium()
    except NoChromium as problem:
        print(problem, file=sys.stderr)
        return 1
    if not install:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
