"""Findings on stdout: lines with a label, of `db.status` and `db.doctor`."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from enum import Enum

from dbpull.console.step import prefixed
from dbpull.console.streams import is_drawn, out

GAP = 2
"""The characters between a label and its text."""


class Mark(Enum):
    """A judgement: its sign, the sign in ASCII, its colour on a terminal (SGR)."""

    GOOD = "✓", "+", 32
    BAD = "✗", "x", 31
    DOUBTFUL = "!", "!", 33
    UNKNOWN = "-", "-", 2

    @property
    def sign(self) -> str:
        """The sign, as stdout can write it."""
        sign, plain, _ = self.value
        try:
            sign.encode(getattr(sys.stdout, "encoding", None) or "ascii")
        except UnicodeEncodeError:
            return plain
        return sign

    def coloured(self, line: str) -> str:
        """A line that begins with the sign, coloured where a terminal shows it."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        if plain or not is_drawn():
            return line
        colour = self.value[2]
        return f"\x1b[{colour}m{line[:1]}\x1b[0m{line[1:]}"


def finding(
    label: str, text: str, width: int, *, mark: Mark | None = None, host: str = ""
) -> None:
    """Print a text behind its label, wrapped where a terminal shows it.

    `width` is the longest label's. A new line of the text begins below its first.
    """
    head = f"{mark.sign} " if mark else ""
    head += f"{label:<{width}}{'':{GAP}}"
    lines: list[str] = []
    for part in text.splitlines():
        lines += _wrapped(part, head if not lines else " " * len(head), host)
    if mark:
        lines[0] = mark.coloured(lines[0])
    out(prefixed(host, "\n".join(lines)))


def _wrapped(text: str, head: str, host: str) -> list[str]:
    """A text's lines behind a head; a single line off a terminal."""
    if not is_drawn():
        return [head + text]
    columns = shutil.get_terminal_size().columns - (len(host) + 2 if host else 0)
    return textwrap.wrap(
        text,
        max(columns, len(head) + 20),
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head]
