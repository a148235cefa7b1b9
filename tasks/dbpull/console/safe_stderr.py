"""stderr that outlives who reads it: `| tee log`, a closed terminal end before us."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO


class SafeStderr:
    """A stream whose writes never fail: what nobody reads is lost, nothing else.

    What cleans up tells of it; it must not stop because that can't be told.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write as far as that goes; the length of it all."""
        with suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, where there is somebody to read."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outlive_stderr() -> None:
    """Make this process's stderr one that lasts, unless it does."""
    if not isinstance(sys.stderr, SafeStderr):
        stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        sys.stderr = SafeStderr(stream)
