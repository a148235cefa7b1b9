"""How long to wait before the next try, and when to give up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from dbpull.download.fault import Retryable

OPENING = 5.0  # seconds to get a first byte, if the host does not say "later"
FIRST_PAUSE = 0.25  # seconds; doubled with each try
LONGEST_PAUSE = 15.0
SPEAK_AFTER = 1.0  # seconds of an outage before a word about it


class Backoff:
    """Shared by all threads of a download: progress of one is hope for all.

    Before the first byte of a run it lasts about 5 seconds, since nothing is lost then;
    afterwards `seconds` without progress, which a byte now and then is not. A host that
    says when to come back is waited for, within `seconds`.
    """

    def __init__(self, seconds: float, notice: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._notice = notice
        self._lock = threading.Lock()
        self._hopeful = False
        self._since: float | None = None
        self._told = False

    def byte(self) -> None:
        """Be hopeful from now on: something has arrived."""
        self._hopeful = True

    def progress(self) -> None:
        """Begin anew: a try has brought enough."""
        if self._since is not None:
            with self._lock:
                self._since, self._told = None, False

    def pause(self, fault: Retryable, tries: int, kept: int) -> float:
        """Return the seconds to the next try; raise the fault's error if it's too late.

        `tries` counts this thread's tries without progress; `kept` are the bytes here.
        """
        with self._lock:
            now = time.monotonic()
            self._since = self._since or now
            left = self._since + self._budget(fault) - now
            if left <= 0:
                raise fault.error(kept) from None
            pause = min(left, fault.retry_after or _backoff(tries))
            if not self._told and now + pause - self._since >= SPEAK_AFTER:
                self._told = True
                self._notice(f"{fault.host}: {fault.why}; trying again.")
        return pause

    def _budget(self, fault: Retryable) -> float:
        if self._hopeful or fault.retry_after:
            return self._seconds
        return min(OPENING, self._seconds)


def _backoff(tries: int) -> float:
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, 10))
    return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads threads, no secret
