"""The silence of a source that prints a dump: told while it lasts, ended at last.

A tunnel may hold a connection open on which nothing comes any more, and with it the
source's transaction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FIRST = 60.0
"""Seconds of silence until it is told; it is told again each time it has doubled."""


class Silence:
    """Watches, in a thread, for how many seconds nothing has been heard.

    `told` is called with them; `ended` after `limit` seconds, once.
    """

    def __init__(
        self,
        told: Callable[[float], object],
        limit: float,
        ended: Callable[[], object],
    ) -> None:
        self._told, self._limit, self._ended = told, limit, ended
        self._last = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self.heard()
        self._thread.start()

    def heard(self) -> None:
        """Note that something has come."""
        self._last = time.monotonic()

    def close(self) -> None:
        """End the thread, from any thread."""
        self._over.set()

    def _run(self) -> None:
        due, pause = FIRST, 0.0
        while not self._over.wait(pause):
            quiet = time.monotonic() - self._last
            if quiet >= self._limit:
                self._ended()
                return
            if quiet >= due:
                self._told(quiet)
                due *= 2
            elif quiet < FIRST:
                due = FIRST
            pause = max(min(due, self._limit) - quiet, 0.01)
