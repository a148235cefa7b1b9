"""What is told of a step."""

from __future__ import annotations

import time

import pytest

from dbpull.console import Reporter, Step


def test_a_step_that_fails_is_not_told_as_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter()

    with pytest.raises(RuntimeError), reporter.step("fetch", "Fetching"):
        raise RuntimeError

    assert capsys.readouterr().err == "Fetching …\n"
    assert reporter.doing == "Fetching"
    assert reporter.steps == []


def test_a_long_step_off_a_terminal_tells_now_and_then_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    reporter = Reporter()

    with reporter.step("fetch", "Fetching", "bytes") as step:
        step.progress(1_000_000, 9_000_000)
        now += 31
        step.progress(2_000_000, 9_000_000)
        step.progress(3_000_000, 9_000_000)
        now += 31
        step.progress(4_000_000, None)

    assert capsys.readouterr().err.splitlines() == [
        "Fetching …",
        "  2.0 MB of 9.0 MB",
        "  4.0 MB",
        "Fetching (62 s)",
    ]


def test_a_step_nobody_shows_takes_progress_too() -> None:
    Step("x", "x", "bytes").progress(1, 2)
