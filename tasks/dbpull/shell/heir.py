"""A standby that ends a program which we have left behind: we were killed.

Each line of its stdin is the process group of a program that runs now; 0 is none.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from dbpull.standby import lines

GRACE = 2.0
"""Seconds between SIGTERM, on which pg_dump cancels its query, and SIGKILL."""


def main() -> None:
    """Wait for the main process's end, then end the program's group, if it runs."""
    group = 0
    for line in lines():
        group = int(line)
    if not group:
        return
    with suppress(ProcessLookupError, PermissionError):  # macOS: the dead, see piped
        os.killpg(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
