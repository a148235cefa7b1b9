"""The watcher of a demo ends what runs on its stage, and knows when it has ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from clock import Clock
from dbpull.demo import watcher
from silences import until


class Ending(Clock):
    """A clock by which a process has ended in the first sleep."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        until(lambda: watcher._is_zombie(self._pid))


def test_a_zombie_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody asks for its code before its context ends.
    with subprocess.Popen(["sleep", "600"]) as ended:
        clock = Ending(ended.pid)
        monkeypatch.setattr(watcher, "time", clock)
        watcher._end(ended.pid)

    assert clock.slept == [watcher.PAUSE]


def test_who_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "GRACE", 0.3)
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True)"
    argv = [sys.executable, "-c", f"{deaf}; signal.pause()"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()

        watcher._end(stubborn.pid)

        assert stubborn.wait(10) == -9
