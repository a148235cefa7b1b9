"""The tests' own forked runs: what subprocess.Popen offers of a process."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from forks import Forked


def test_a_signal_to_a_run_that_has_just_ended_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    out.touch()
    err.touch()
    argv = [sys.executable, "-m", "invoke", "--version"]
    how = {"cwd": str(tmp_path), "env": dict(os.environ)}
    run = Forked(argv, out=str(out), err=str(err), **how)
    assert run.wait(60) == 0

    # The news of its end comes after the process is gone.
    monkeypatch.setattr(run, "poll", lambda: None)

    run.send_signal(signal.SIGKILL)
