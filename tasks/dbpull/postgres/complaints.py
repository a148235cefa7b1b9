"""What pg_restore complains about, as (item, error, command), and what of it matters.

Its exit code is 1 for the harmless and the fatal alike, so its stderr is read
(src/bin/pg_dump/pg_backup_archiver.c, warn_or_exit_horribly).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE = re.compile(r"^pg_restore: (?:\[[^]]+\] )?(?P<text>.*)$")
_ITEM = re.compile(r"^from TOC entry (?P<id>\d+); \d+ \d+ (?P<what>.*)$")
_HARMLESS = (
    # A client from 17 on sends it to every server; servers before 17 don't know it.
    ("transaction_timeout", "a setting that this server is too old for"),
    ("idle_session_timeout", "a setting that this server is too old for"),
)


@dataclass
class Complaint:
    """One error: the TOC item it came from, the server's words, the command."""

    item: str
    error: str
    more: list[str] = field(default_factory=list)

    @property
    def harmless(self) -> str:
        """Why it does not matter; "" where it does."""
        first = self.error.splitlines()[0]
        return next((why for word, why in _HARMLESS if f'"{word}"' in first), "")

    @property
    def context(self) -> str:
        """Where in the data: `COPY users, line 7`; "" where the server didn't say."""
        for line in self.more:
            if found := re.match(r"(?:[A-Z]+:\s+)?(COPY .*, line \d+)", line):
                return found[1]
        return ""

    @property
    def detail(self) -> str:
        """What the server added: `Key (id)=(7) is duplicated.`, and the like."""
        for line in self.more:
            if found := re.match(r"DETAIL:\s+(.*)", line):
                return found[1]
        return ""


class Complaints:
    """Reads pg_restore's stderr line by line."""

    def __init__(self) -> None:
        self.all: list[Complaint] = []
        self._item = ""
        self._open: Complaint | None = None

    def feed(self, line: str) -> str:
        """Take one line; returns its text where it tells of progress, else ""."""
        ours = _LINE.match(line)
        if not ours:
            if self._open:
                self._open.more.append(line)
            return ""
        self._open = None
        text = ours["text"]
        if item := _ITEM.match(text):
            self._item = item["what"].strip()
        elif text.startswith("error: "):
            self._open = Complaint(self._item, text.removeprefix("error: "))
            self.all.append(self._open)
            self._item = ""
        elif not text.startswith(("while ", "warning: ", "detail: ", "hint: ")):
            return text
        return ""

    @property
    def fatal(self) -> Complaint | None:
        """The first complaint that matters and has been read to its end."""
        return next(
            (c for c in self.all if not c.harmless and c is not self._open), None
        )

    def close(self) -> None:
        """Nothing more comes."""
        self._open = None
