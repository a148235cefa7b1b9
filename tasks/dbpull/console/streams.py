"""The streams of the process: stdout for scripts, a stderr whose writes never fail."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO

TURN = threading.Lock()
"""Held while a line is written, so that threads' lines don't mix."""

_ASCII = str.maketrans(
    {"…": "...", "→": "->", "✓": "+", "━": "#", "─": "-", "█": "#", "·": "-"}
)
"""ASCII for the characters that our own texts and bars have."""


def is_drawn() -> bool:
    """Whether stdout is a terminal; stdout may also be closed (`>&-`)."""
    return sys.stdout is not None and sys.stdout.isatty()


def is_watched() -> bool:
    """Whether stderr, which tells how a run goes, is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def can_draw() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return is_watched() and os.environ.get("TERM") not in {"dumb", "unknown"}


def drawable(text: str, encoding: str | None) -> str:
    """The text in characters that the encoding has; ASCII for our own others.

    A stream of a caller's own, which keeps text, has no encoding: None.
    """
    if encoding is None:
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        known = text.translate(_ASCII)
        return known.encode(encoding, "backslashreplace").decode(encoding)
    return text


def rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: drawn on a terminal, else separated by tabs."""
    if not is_drawn():
        for line in (header, *lines):
            out("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*line)
    Console(highlight=False, markup=False, emoji=False).print(table)


def out(text: str) -> None:
    """Print one line on stdout, for scripts."""
    if sys.stdout is None:
        return
    with TURN:
        _write(text + "\n")


def _write(text: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the locale
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`); Python's flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
