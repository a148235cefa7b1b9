"""The watcher of a demo ends what runs on its stage, and knows when it has ended."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from dbpull.demo import watcher


def test_a_zombie_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "GRACE", 5.0)
    # Nobody asks for its code before its context ends.
    with subprocess.Popen(["sleep", "600"]) as ended:
        began = time.monotonic()
        watcher._end(ended.pid)

        assert time.monotonic() - began < 4


def test_who_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "GRACE", 0.3)
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True)"
    argv = [sys.executable, "-c", f"{deaf}; signal.pause()"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()

        watcher._end(stubborn.pid)

        assert stubborn.wait(10) == -9
