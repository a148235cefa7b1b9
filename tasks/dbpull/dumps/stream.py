"""The protocol of a stream: a dump to restore, whole or arriving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.restore import commands
from dbpull.restore.sections import Restore
from dbpull.restore.watch import Outcome
from dbpull.words import counted, size


class DumpStream(Protocol):
    """A dump whose table of contents has arrived; its rows may still arrive."""

    @property
    def dump(self) -> Dump:
        """The dump; its file exists once the stream is finished."""

    @property
    def contents(self) -> Archive:
        """The header and table of contents; `finish` rereads a changed dump's."""

    @property
    def sizes(self) -> Mapping[int, int]:
        """The bytes of each entry's data block, by dump id, as far as known."""

    def commands(self, into: Restore) -> list[str]:
        """The commands of `restore`, for a plan."""

    def finish(self, reporter: Reporter) -> None:
        """Wait until the dump is whole, and verify it. Raises DownloadFailed, BadDump.

        Where the dump has changed at the download host, the new dump arrives.
        """

    def restore(self, into: Restore, reporter: Reporter) -> Outcome:
        """Restore the dump; an arriving dump while it arrives.

        Raises RestoreFailed, the errors of `finish`, and ObjectChanged, after which
        `finish` may still get the new dump.
        """


@dataclass(frozen=True)
class FileStream:
    """A whole dump that only pg_restore reads: on a host, or in another format."""

    dump: Dump
    contents: Archive
    sizes: Mapping[int, int] = field(default_factory=dict)
    """Empty: dbpull does not see the data blocks."""

    def commands(self, into: Restore) -> list[str]:
        """The commands of `restore`, for a plan."""
        return commands.of_sections(into)

    def finish(self, reporter: Reporter) -> None:
        """Do nothing: the dump is whole."""

    def restore(self, into: Restore, reporter: Reporter) -> Outcome:
        """Restore section by section, with `-j`."""
        return by_sections(into, reporter)


def by_sections(into: Restore, reporter: Reporter) -> Outcome:
    """Restore the remaining sections from the dump's file."""
    with reporter.step("restore", f"Restoring {into.label}") as step:
        outcome = into.run(step.phase)
        step.sentence = restored(into)
    return outcome


def restored(into: Restore) -> str:
    """The sentence of a restore that has ended."""
    tables = counted(len(into.selection.tables), "table")
    return f"Restored {tables}, keys and indexes"


def fetched(label: str, count: int, where: str = "") -> str:
    """The sentence of a dump that has arrived; `where`: ` in local/b101.dump`."""
    return f"Fetched {label}: {size(count)}{where}"
