"""What pg_restore complains about, as (item, error, command), and what of it matters.

Its exit code is 1 for the harmless and the fatal alike, so its stderr is read
(src/bin/pg_dump/pg_backup_archiver.c, warn_or_exit_horribly).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dbpull.postgres.privacy import raised_by

# Workers (-j) write a line in pieces ("pg_restore:", " ", "error: ", the rest), which
# may come mixed with another's (src/common/logging.c): what is left of one's line may
# begin with the blank.
_LINE = re.compile(
    r"^(?P<prefix>(?: ?pg_restore:\s*(?:\[[^]]+\] )?| ?error: )*)(?P<text>.*)$"
)
_REFUSED = re.compile(
    r"could not execute query: |COPY failed for |(?:ERROR|FATAL|PANIC):"
)
# How a worker's error begins whose prefix was written into another's line; a line that
# begins otherwise may be a row's.
_BARE = re.compile(r"could not execute query: |COPY failed for ")
# What stands before an error, on a line of its own.
_STAGE = re.compile(r"while (?:INITIALIZING|PROCESSING TOC|FINALIZING):$")
# Without the owner at its end: a role of Heroku's, which says nothing here.
_ITEM = re.compile(
    r"^from TOC entry (?P<dump_id>\d+); \d+ \d+ "
    r"(?P<what>.*?) ?(?:\(no owner\)|\S*)$"
)
# In most languages alike: `COPY people, Zeile 1, Spalte mail: …`.
_PLACE = re.compile(r"(?:[A-Z]+:\s+)?COPY (.*?), \w+ (\d+)\b")
# A client sends them to every server; servers before 17 and before 14 don't know them.
_HARMLESS = ("transaction_timeout", "idle_session_timeout")


@dataclass
class RestoreMessage:
    """One error: the TOC item it came from, the server's words, the command."""

    item: str
    error: str
    more: list[str] = field(default_factory=list)
    dump_id: int = field(default=0, compare=False)
    """Of the item; 0 where it is not known."""

    @property
    def harmless(self) -> str:
        """The setting that an older server doesn't know; "" where it matters.

        Judged by the command, since servers word errors in their own language.
        """
        lines = [self.error, *self.more]
        refused = [line for line in lines if _REFUSED.search(line)]
        for word in _HARMLESS:
            ours = any(f"Command was: SET {word} = " in line for line in lines)
            if ours and refused and all(word in line for line in refused):
                return word
        # What is said about an object, not what it is or does.
        if self.item.startswith(("COMMENT ", "SECURITY LABEL ")):
            return self.item
        return ""

    @property
    def raised_by(self) -> str:
        """The function whose RAISE it is; "" where the words are the server's own."""
        return raised_by(self.more)

    @property
    def context(self) -> str:
        """Where in the data: `COPY users, line 7`; "" where the server didn't say."""
        for line in self.more:
            if found := _PLACE.match(line):
                return f"COPY {found[1]}, line {found[2]}"
        return ""


class Complaints:
    """Reads pg_restore's stderr line by line."""

    def __init__(self) -> None:
        self.all: list[RestoreMessage] = []
        self._item, self._dump_id = "", 0
        self._open: RestoreMessage | None = None

    def feed(self, line: str) -> str:
        """Take one line; returns its text where it tells of progress, else ""."""
        found = _LINE.match(line)
        prefix, text = (found["prefix"], found["text"]) if found else ("", line)
        if not prefix and self._open and not _ITEM.match(text.lstrip()):
            self._open.more.append(line)
            return ""
        self._open = None
        if _begins_error(prefix, text.lstrip()):
            self._open = RestoreMessage(self._item, text, dump_id=self._dump_id)
            self.all.append(self._open)
            self._item, self._dump_id = "", 0
        elif item := _ITEM.match(text.lstrip()):
            self._item = item["what"].strip()
            self._dump_id = int(item["dump_id"])
        elif not prefix:
            return line.strip()
        elif not text.startswith(("while ", "warning: ", "detail: ", "hint: ")):
            return text
        return ""

    @property
    def fatal(self) -> RestoreMessage | None:
        """The first complaint that matters and has been read to its end."""
        return next((c for c in self.settled() if not c.harmless), None)

    def settled(self, start: int = 0) -> list[RestoreMessage]:
        """Those that have been read to their end, from the one of that number on."""
        return [c for c in self.all[start:] if c is not self._open]

    def close(self) -> None:
        """Nothing more comes."""
        self._open = None


def _begins_error(prefix: str, text: str) -> bool:
    """Whether a line begins an error, also where another worker's prefix is in it.

    What another worker says of its own error may stand behind an error's prefix; the
    error's words follow on a line of their own then.
    """
    if _BARE.match(text):
        return True
    return "error: " in prefix and not (_STAGE.match(text) or _ITEM.match(text))
