"""A stderr whose writes never fail, also after its reader has gone (`| tee log`)."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO


class SafeStderr:
    """A stream whose writes never fail: text without a reader is lost, nothing else.

    The clean-up writes messages; a closed terminal must not stop the clean-up.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write as much as the stream takes; return the length of `text`."""
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, where the stream has a reader."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outlive_stderr() -> None:
    """Make this process's stderr a SafeStderr, unless it is one."""
    if not isinstance(sys.stderr, SafeStderr):
        stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        sys.stderr = SafeStderr(stream)
