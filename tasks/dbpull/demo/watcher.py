"""The watcher: a process that removes a stage whose own process was killed.

`python -m dbpull.demo.watcher FOLDER` reads lines from its stdin, which ends with the
stage's process, however that ends: `run PID` (a command runs on the stage), `ran` (the
command has ended), `done` (the stage is removed, or is to stay).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from dbpull.demo.teardown import is_stage, teardown
from dbpull.errors import PullError
from dbpull.standby import Standby, lines

GRACE = 10.0
PAUSE = 0.05
ATTEMPTS = 200


class Watcher(Standby):
    """The watcher, as the stage's process starts it and talks to it."""

    def __init__(self, folder: Path) -> None:
        quiet = subprocess.DEVNULL
        super().__init__("dbpull.demo.watcher", str(folder), stderr=quiet, cwd="/")

    def dismiss(self) -> None:
        """End the watcher: the stage is removed, or is to stay."""
        self.tell("done")
        self.leave()


def main() -> None:
    """Wait for the end of the stage's process; then remove the stage."""
    folder = Path(sys.argv[1])
    running = 0
    for line in lines():
        match line.split():
            case ["run", pid]:
                running = int(pid)
            case ["ran"]:
                running = 0
            case ["done"]:
                return
    if running:
        _end(running)
    for _ in range(ATTEMPTS):
        # Children of the stage's process may be at work for a moment longer.
        if not is_stage(folder):
            return
        with suppress(PullError, OSError):
            teardown(folder)
        time.sleep(PAUSE)


def _end(pid: int) -> None:
    """End a command in order, so that it can clean up; else kill it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            time.sleep(PAUSE)
            os.kill(pid, 0)
            if _is_zombie(pid):
                return
        os.kill(pid, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended, but its parent has not read its exit code."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return stat.rpartition(b") ")[2][:1] in b"ZX"
    except FileNotFoundError:
        ps = ["ps", "-o", "state=", "-p", str(pid)]
        with suppress(OSError):
            state = subprocess.run(ps, capture_output=True, check=False).stdout
            return state.strip()[:1] == b"Z"
        return False


if __name__ == "__main__":
    main()
