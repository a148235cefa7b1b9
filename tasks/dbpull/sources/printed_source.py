"""A source that a command prints: `$(neonctl connection-string main)`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dbpull.console import Reporter
from dbpull.sources.commands import expanded
from dbpull.sources.named import NamedSource
from dbpull.sources.source import Source, SourceBackup, SourceDatabase


@dataclass(frozen=True)
class PrintedSource:
    """A source whose text has `$(command)` in it; the command runs when it is asked.

    `make` makes the source that was printed.
    """

    source: NamedSource
    make: Callable[[NamedSource], Source] = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.source.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Do nothing: the source is not known before the command has run."""

    def open(self, reporter: Reporter) -> SourceDatabase:
        """Run the command, and ask the source that it prints."""
        source = self._printed()
        source.refuse_unable(reporter)
        return source.open(reporter)

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The backups of the source that the command prints."""
        return self._printed().backups(reporter)

    def _printed(self) -> Source:
        return self.make(self.source.printed(expanded(self.source.text)))
