"""The backoff of a download: the pauses between tries, and the time limits."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from dbpull.download.fault import Retryable

OPENING = 5.0  # seconds to get a first byte, where the host sends no Retry-After
FIRST_PAUSE = 0.25  # seconds; doubled with each try
LONGEST_PAUSE = 15.0
SPEAK_AFTER = 1.0  # seconds of an outage before the user is told


class Backoff:
    """Shared by all threads of a download: progress of one thread counts for all.

    Without a first byte, a run gives up about 5 seconds after its start, since nothing
    is lost then; later after `seconds` without progress, for which a byte now
    and then is too little. A host's Retry-After is respected, within `seconds`.
    """

    def __init__(self, seconds: float, notice: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._notice = notice
        self._lock = threading.Lock()
        self._hopeful = False
        self._since: float | None = None
        self._told = False

    def byte(self) -> None:
        """Note that a byte has arrived: the longer limit holds from now on."""
        self._hopeful = True

    def progress(self) -> None:
        """Note that a try has brought enough bytes: the time without progress ends."""
        if self._since is not None:
            with self._lock:
                self._since, self._told = None, False

    def pause(self, fault: Retryable, tries: int, kept: int) -> float:
        """Return the seconds to the next try; raise the fault's error at the limit.

        `tries` counts this thread's tries without progress; `kept` are the bytes that
        the next run can use.
        """
        with self._lock:
            now = time.monotonic()
            self._since = self._since or now
            remaining = self._since + self._budget(fault) - now
            if remaining <= 0:
                raise fault.error(kept) from None
            pause = min(remaining, fault.retry_after or _exponential(tries))
            if not self._told and now + pause - self._since >= SPEAK_AFTER:
                self._told = True
                self._notice(f"{fault.host}: {fault.why}; trying again.")
        return pause

    def _budget(self, fault: Retryable) -> float:
        if self._hopeful or fault.retry_after:
            return self._seconds
        return min(OPENING, self._seconds)


def _exponential(tries: int) -> float:
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, 10))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads threads, no secret
