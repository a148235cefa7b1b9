"""A process that strikes a stage when the one that put it up ends without doing so.

`python -m dbpull.demo.watcher FOLDER` reads lines from its standard input, which ends
with the other process, however that ends: `run PID` (a command runs on the stage),
`ran` (it has ended), `done` (the stage is struck, or is to stay).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from dbpull.demo.strike import is_stage, strike
from dbpull.errors import PullError

SOURCE_ROOT = Path(__file__).resolve().parents[2]
GRACE = 10.0
PAUSE = 0.05
ATTEMPTS = 200


class Watcher:
    """The side of the one who puts up the stage."""

    def __init__(self, folder: Path) -> None:
        paths = [str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        # In a session of its own: Ctrl-C and a closed terminal don't reach it.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dbpull.demo.watcher", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    def tell(self, line: str) -> None:
        """Say what goes on. Nothing happens where the watcher has been killed."""
        stdin = cast(IO[bytes], self._process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(f"{line}\n".encode())
            stdin.flush()

    def dismiss(self) -> None:
        """Let it end: the stage is struck, or is to stay."""
        self.tell("done")
        with suppress(BrokenPipeError):
            cast(IO[bytes], self._process.stdin).close()
        self._process.wait()


def main() -> None:
    """Wait for the end of the one who started us."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    running = 0
    for line in sys.stdin:
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
        # What the other process had started may be at work for a moment longer.
        if not is_stage(folder):
            return
        with suppress(PullError, OSError):
            strike(folder)
        time.sleep(PAUSE)


def _end(pid: int) -> None:
    """End a command in order, so that it can clear up; else hard."""
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
    """Whether it has ended, but the one who should ask for its code does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return stat.rpartition(b") ")[2][:1] in b"ZX"
    except FileNotFoundError:
        ps = ["ps", "-o", "state=", "-p", str(pid)]
        with suppress(OSError):
            told = subprocess.run(ps, capture_output=True, check=False).stdout
            return told.strip()[:1] == b"Z"
        return False


if __name__ == "__main__":
    main()
