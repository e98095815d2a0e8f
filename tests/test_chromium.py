"""Finding Chromium: $CHROMIUM is honoured, and without any the message says how to get one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import chromium


def program(path: Path, status: int) -> str:
    """An executable that ends with ``status``."""
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


def test_the_environment_names_the_chromium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = program(tmp_path / "my chromium", 0)
    monkeypatch.setenv("CHROMIUM", path)
    assert chromium.find_chromium() == path


def test_a_wrong_name_in_the_environment_is_told_and_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for wrong in (str(tmp_path / "none"), program(tmp_path / "broken", 127)):
        monkeypatch.setenv("CHROMIUM", wrong)
        with pytest.raises(chromium.NoChromium, match=wrong):
            chromium.find_chromium()


def test_a_program_that_does_not_start_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path / "chromium", 1)  # like Ubuntu's stub that asks for a snap
    path = program(tmp_path / "google-chrome", 0)
    assert chromium.find_chromium() == path


def test_without_any_the_error_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "MAC", str(tmp_path / "none"))
    assert chromium.main([]) == 1
    message = capsys.readouterr().err
    assert "playwright install chromium" in message
    assert "apt-get install chromium" in message
    assert "CHROMIUM" in message
