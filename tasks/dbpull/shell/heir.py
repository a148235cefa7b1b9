"""A standby that ends the programs which we have left behind: we were killed.

Each line of its stdin is the process group of a program: `+7` has begun, `-7` has
ended. The last to begin ends first: a pg_dump cancels its query through a tunnel.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dbpull.signals import SIGNALS
from dbpull.standby import Standby, lines

GRACE = 2.0
"""Seconds between SIGTERM, on which pg_dump cancels its query, and SIGKILL."""
LEAVING = 5.0  # seconds for the standby to end itself


class Heir:
    """This process's standby: there as long as any program is to be inherited."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standby: Standby | None = None
        self._wanted = 0

    def want(self) -> None:
        """Have the standby: before a program is started, so that none is missed."""
        with SIGNALS.deferred(), self._lock:
            self._wanted += 1
            if self._standby is None:
                module = "dbpull.shell.heir"
                self._standby = Standby(module, stderr=subprocess.DEVNULL)

    def tell(self, line: str) -> None:
        """Tell that a program has begun (`+7`) or ended (`-7`)."""
        with SIGNALS.deferred(), self._lock:
            if self._standby:
                self._standby.tell(line)

    def leave(self) -> None:
        """Undo one `want`; the standby ends with the last."""
        with SIGNALS.deferred(), self._lock:
            self._wanted -= 1
            if self._standby and not self._wanted:
                self._standby.leave(LEAVING)
                self._standby = None


HEIR = Heir()


@contextmanager
def inherited(group: int) -> Iterator[None]:
    """Have a program end with this process, even by `kill -9`, while in the context."""
    HEIR.want()
    try:
        HEIR.tell(f"+{group}")
        yield
    finally:
        HEIR.tell(f"-{group}")
        HEIR.leave()


def main() -> None:
    """Wait for the main process's end, then end the programs that still run."""
    groups: list[int] = []
    for line in lines():
        group = int(line[1:])
        if line[0] == "+":
            groups.append(group)
        else:
            groups.remove(group)
    for group in reversed(groups):
        _end(group)


def _end(group: int) -> None:
    """End a process group, gently first."""
    with suppress(ProcessLookupError, PermissionError):  # macOS: the dead, see piped
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
