"""A program's stderr, line by line, as it comes."""

from __future__ import annotations

import codecs
import io
import math
import os
import select
import time
from collections.abc import Callable, Iterator
from typing import IO

from dbpull.signals import PAUSE

STDERR_ENDS = 1.0
"""Seconds for stderr to end after the program: what it has left behind may keep it."""
_PIECE = 65536


def said(stderr: IO[str], has_ended: Callable[[], bool]) -> Iterator[str]:
    """The lines of a program's stderr, to its end or STDERR_ENDS after the program's.

    `has_ended`: whether the program has.
    """
    pipe, decode = stderr.fileno(), _decoder().decode
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    deadline, rest, piece = math.inf, "", b"-"
    while piece and time.monotonic() < deadline:
        if readable.poll(PAUSE * 1000):
            piece = os.read(pipe, _PIECE)
            *lines, rest = (rest + decode(piece, not piece)).split("\n")
            yield from (f"{line}\n" for line in lines)
        if deadline == math.inf and has_ended():
            deadline = time.monotonic() + STDERR_ENDS
    if rest:
        yield rest


def _decoder() -> io.IncrementalNewlineDecoder:
    """UTF-8 and every kind of line's end, as a file of text has them."""
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    return io.IncrementalNewlineDecoder(utf8, translate=True)
