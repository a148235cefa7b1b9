"""The presigned URL of an object: requested on need, renewed when expired, secret."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_RENEWALS = 3  # in a row, without a byte in between


@dataclass(frozen=True, eq=False)
class Signed:
    """The URL of one call of `url`: two calls may return equal URLs."""

    url: str = field(repr=False)


class PresignedUrl:
    """Gives every thread the newest URL; one thread at a time calls `url`."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._ask = url
        self._lock = threading.Lock()
        self._newest: Signed | None = None
        self._in_vain = 0

    def current(self) -> Signed:
        """Return the newest URL. Raises the errors of `url`."""
        with self._lock:
            if self._newest is None:
                self._newest = Signed(self._ask())
            return self._newest

    def renew(self, expired: Signed) -> bool:
        """Replace an expired URL, unless a thread has; False after MOST_RENEWALS."""
        with self._lock:
            if self._newest is expired:
                self._in_vain += 1
                if self._in_vain > MOST_RENEWALS:
                    return False
                self._newest = Signed(self._ask())
            return True

    def worked(self) -> None:
        """Note that the newest URL has brought bytes."""
        self._in_vain = 0
