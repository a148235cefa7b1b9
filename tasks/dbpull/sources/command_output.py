"""A command as a source: what it prints on its stdout is the dump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.shell.output import ProgramOutput, printed
from dbpull.sources.commands import refuse_failed, shown
from dbpull.sources.dumped import DumpsHere, Stored
from dbpull.sources.named import NamedSource
from dbpull.sources.source import ByProgram, Progress, SourceBackup


@dataclass(frozen=True)
class CommandOutput:
    """A command that prints a dump; the source's text is the command behind a `|`."""

    source: NamedSource
    stored: Stored = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.source.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Do nothing: only its run tells whether a command works."""

    def open(self, reporter: Reporter) -> CommandDatabase:
        """The database: nothing is asked of the command."""
        return CommandDatabase(
            self.source, DumpsHere(self.name_of_dumps, self.name, self.stored)
        )

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dumps of the command that are here."""
        return self.stored(self.name_of_dumps)


@dataclass(frozen=True)
class CommandDatabase:
    """The database whose dump a command prints: no more is known of it."""

    source: NamedSource
    here: DumpsHere
    version = size = server = identity = None
    keeps_backups = False
    takes_backups = True

    @property
    def label(self) -> str:
        """The source as messages name it."""
        return self.source.label

    @property
    def about(self) -> str:
        """The command, and who named it, for a plan."""
        return f"{self.label} [{self.source.origin}], {shown(self._command)}"

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.source.name_of_dumps

    @property
    def capture_requests(self) -> Sequence[str]:
        """The command, for a plan."""
        return (shown(self._command).strip("`"),)

    def newest(self) -> SourceBackup:
        """The newest dump that is here. Raises NoBackup."""
        return self.here.newest()

    def named(self, backup: str) -> SourceBackup:
        """The dump here with an id. Raises NoSuchBackup."""
        return self.here.named(backup)

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """A new dump: the command runs as the dump is fetched."""
        return self.here.next(ByProgram(self._started, self.capture_requests))

    @property
    def _command(self) -> str:
        return self.source.text.strip().removeprefix("|").strip()

    @contextmanager
    def _started(self, reporter: Reporter, _: Scratch) -> Iterator[PrintedDump]:
        reporter.say(f"Running {shown(self._command)}: its output can't be resumed.")
        with printed(["sh", "-c", self._command]) as output:
            yield CommandDump(output, self._command)


@dataclass(frozen=True)
class CommandDump:
    """The dump that a command prints; see PrintedDump."""

    output: ProgramOutput
    command: str

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end."""
        return self.output.read(count)

    def finish(self) -> None:
        """Wait for the command's end. Raises SourceError."""
        refuse_failed(self.output.wait(), shown(self.command))

    def end(self) -> None:
        """End the command, from any thread."""
        self.output.end()
