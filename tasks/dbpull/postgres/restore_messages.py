"""pg_restore's messages about failed entries, and which of them matter.

Its exit code is 1 for harmless and fatal errors alike, so its stderr is read
(src/bin/pg_dump/pg_backup_archiver.c, warn_or_exit_horribly).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dbpull.postgres.privacy import raised_by

# Workers (-j) write a line in pieces ("pg_restore:", " ", "error: ", the rest), which
# may come mixed with another worker's (src/common/logging.c): the remains of a line may
# begin with the blank.
_LINE = re.compile(
    r"^(?P<prefix>(?: *pg_restore:\s*(?:\[[^]]+\] )?| *error: )*)(?P<text>.*)$"
)
_REFUSED = re.compile(
    r"could not execute query: |COPY failed for |(?:ERROR|FATAL|PANIC):"
)
# How an error begins whose prefix was written into another worker's line; a line that
# begins otherwise may be text of a row.
_BARE = re.compile(r"could not execute query: |COPY failed for ")
# How a line of --verbose begins (the same file): behind an error's prefix it is another
# worker's, and the error's text is on a line of its own.
_VERBOSE = re.compile(
    r"(?:launching|finished|processing|skipping) item |processing data |creating "
    r"|(?:entering|finished) main parallel loop|executing |connecting to "
    r"|(?:dis|en)abling triggers |setting owner |restored "
)
_UNREAD = "its error could not be read among other lines"
# The stage, on a line before the error.
_STAGE = re.compile(r"while (?:INITIALIZING|PROCESSING TOC|FINALIZING):$")
# The owner at its end is left out: a role of Heroku's means nothing here.
_ENTRY = re.compile(
    r"^from TOC entry (?P<dump_id>\d+); \d+ \d+ "
    r"(?P<what>.*?) ?(?:\(no owner\)|\S*)$"
)
# The same in most languages: `COPY people, Zeile 1, Spalte mail: …`.
_PLACE = re.compile(r"(?:[A-Z]+:\s+)?COPY (.*?), \w+ (\d+)\b")
# pg_restore sets them on every server; servers before 17 and before 14 lack them.
_HARMLESS = ("transaction_timeout", "idle_session_timeout")


@dataclass
class RestoreMessage:
    """An error of pg_restore: the failed entry, the message, the lines after it."""

    entry: str
    error: str
    more: list[str] = field(default_factory=list)
    dump_id: int = field(default=0, compare=False)
    """The entry's dump id; 0 where it is not known."""

    @property
    def harmless(self) -> str:
        """The setting that an older server lacks, or the comment; else "".

        The command decides, since a server's message may be in any language.
        """
        lines = [self.error, *self.more]
        refused = [line for line in lines if _REFUSED.search(line)]
        for word in _HARMLESS:
            ours = any(f"Command was: SET {word} = " in line for line in lines)
            if ours and refused and all(word in line for line in refused):
                return word
        # Comments and labels describe an object; nothing depends on them.
        if self.entry.startswith(("COMMENT ", "SECURITY LABEL ")):
            return self.entry
        return ""

    @property
    def raised_by(self) -> str:
        """The function that raised the error; "" for an error of the server's."""
        return raised_by(self.more)

    @property
    def context(self) -> str:
        """The place in the data: `COPY users, line 7`; "" where none is told."""
        for line in self.more:
            if found := _PLACE.match(line):
                return f"COPY {found[1]}, line {found[2]}"
        return ""


class RestoreMessages:
    """Reads pg_restore's stderr line by line."""

    def __init__(self) -> None:
        self.all: list[RestoreMessage] = []
        self._entry, self._dump_id = "", 0
        self._open: RestoreMessage | None = None
        self._announced = 0
        """Prefixes of errors whose texts have not come yet."""

    def feed(self, line: str) -> str:
        """Read a line; return its text if it tells progress, else ""."""
        found = _LINE.match(line)
        prefix, text = (found["prefix"], found["text"]) if found else ("", line)
        if not prefix and self._open and not _ENTRY.match(text.lstrip()):
            self._open.more.append(line)
            self._announced -= bool(self._announced and _BARE.match(text.lstrip()))
            return ""
        self._open = None
        self._announced += prefix.count("error: ")
        if _begins_error(prefix, text.lstrip()):
            self._announced = max(0, self._announced - 1)
            self._open = RestoreMessage(self._entry, text, dump_id=self._dump_id)
            self.all.append(self._open)
            self._entry, self._dump_id = "", 0
        elif entry := _ENTRY.match(text.lstrip()):
            self._entry = entry["what"].strip()
            self._dump_id = int(entry["dump_id"])
        elif not prefix:
            return line.strip()
        elif not text.startswith(("while ", "warning: ", "detail: ", "hint: ")):
            return text
        return ""

    @property
    def fatal(self) -> RestoreMessage | None:
        """The first message that matters and has been read to its end."""
        return next((c for c in self.settled() if not c.harmless), None)

    def settled(self, start: int = 0) -> list[RestoreMessage]:
        """The messages that have been read to their end, from number `start` on."""
        return [c for c in self.all[start:] if c is not self._open]

    def close(self) -> None:
        """Note that no more lines come: the last message is complete."""
        self._open = None
        if self._announced:
            self._announced = 0
            self.all.append(RestoreMessage(self._entry, _UNREAD))


def _begins_error(prefix: str, text: str) -> bool:
    """Whether a line begins an error, also where another worker's prefix is in it.

    Another worker's stage, entry or progress may stand behind an error's prefix; the
    error's text then follows on a line of its own.
    """
    if _BARE.match(text):
        return True
    others = _STAGE, _ENTRY, _VERBOSE
    return "error: " in prefix and not any(other.match(text) for other in others)
