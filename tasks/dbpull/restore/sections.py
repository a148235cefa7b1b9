"""pg_restore, section by section.

A bare `pg_restore -j` creates a trigger of a partitioned table before the rows of its
partitions are loaded; it then fires on them (15 and 18). Section by section it can't.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbpull.archive import Entry
from dbpull.errors.restore import RestoreFailed
from dbpull.postgres.complaints import Complaint, Complaints
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import cause
from dbpull.restore.selection import Selection
from dbpull.shell import Shell

SECTIONS = ("pre-data", "data", "post-data")
Progress = Callable[[int, int | None], None]
_LAUNCHED = re.compile(r"launching item (\d+) ")
_FINISHED = re.compile(r"finished item (\d+) ")
_SERIAL = re.compile(r'(?:processing data for table|creating [A-Z ]+) "')
# A crash loses the aside database anyway, so no commit needs to wait for the disk.
_OPTIONS = "-c synchronous_commit=off"


@dataclass
class Outcome:
    """What a restore did."""

    harmless: list[str] = field(default_factory=list)
    """Complaints of pg_restore that don't matter, with their number."""
    seconds: dict[int, float] = field(default_factory=dict)
    """How long each item took, by dump id; only where workers tell (jobs > 1)."""


@dataclass(frozen=True)
class Restore:
    """A dump on its way into a database."""

    shell: Shell
    program: str
    """Path of pg_restore."""
    connection: Connection
    """The database to fill."""
    dump: Path
    selection: Selection
    jobs: int

    def argv(self, section: str, listed: str = "LIST") -> list[str]:
        """The command that restores a section; `listed` is the file for -L."""
        argv = [self.program, "--verbose", "--no-owner", "--no-acl"]
        argv += [f"--section={section}", "-L", listed]
        if section != "pre-data" and self.jobs > 1:
            argv += ["-j", str(self.jobs)]
        return [*argv, "-d", self.connection.argument, str(self.dump)]

    def run(self, progress: Progress) -> Outcome:
        """Restore every section; progress counts items of data and post-data.

        Raises RestoreFailed at the first complaint that matters.
        """
        outcome = Outcome()
        watch = _Watch(outcome, progress, self._total())
        for section in SECTIONS:
            entries = self.selection.of(section)
            if entries:
                self._section(section, entries, watch)
        outcome.harmless += watch.harmless()
        return outcome

    def in_place_argv(self, listed: str = "LIST", *, at_once: bool = True) -> list[str]:
        """The recipe's own way: into the database that is there."""
        argv = [self.program, "--verbose", "--no-owner", "--no-acl"]
        argv += ["--clean", "--if-exists", "-L", listed]
        if at_once:
            argv += ["--single-transaction"]
        return [*argv, "-d", self.connection.argument, str(self.dump)]

    def run_in_place(self, progress: Progress, *, at_once: bool) -> Outcome:
        """Clean the database and restore into it, one item after the other.

        `at_once` makes it one transaction: all of it or nothing. Raises RestoreFailed.
        """
        outcome = Outcome()
        watch = _Watch(outcome, progress, self._total())
        with _list_file(self.selection.entries) as listed:
            self._run(self.in_place_argv(listed, at_once=at_once), watch)
        outcome.harmless += watch.harmless()
        return outcome

    def _total(self) -> int:
        return len(self.selection.of("data")) + len(self.selection.of("post-data"))

    def _section(self, section: str, entries: Sequence[Entry], watch: _Watch) -> None:
        watch.counts = section != "pre-data"
        with _list_file(entries) as listed:
            self._run(self.argv(section, listed), watch)

    def _run(self, argv: list[str], watch: _Watch) -> None:
        env = self.connection.environment() | {"PGOPTIONS": _OPTIONS}
        result = self.shell.run(argv, env=env, on_err=watch)
        watch.complaints.close()
        watch.stop_if_fatal()
        if result.code not in {0, 1}:
            raise RestoreFailed("pg_restore", cause(result.err[-2000:]))
        if result.code == 1 and not watch.complaints.all:
            raise RestoreFailed("pg_restore", cause(result.err[-2000:]))


class _Watch:
    """Listens to pg_restore: counts, times, and ends it at the first fatal error."""

    def __init__(self, outcome: Outcome, progress: Progress, total: int) -> None:
        self.complaints = Complaints()
        self.counts = False
        self._outcome = outcome
        self._progress = progress
        self._total = total
        self._done = 0
        self._began: dict[int, float] = {}

    def __call__(self, line: str) -> None:
        text = self.complaints.feed(line)
        self.stop_if_fatal()
        if not self.counts or not text:
            return
        if launched := _LAUNCHED.match(text):
            self._began[int(launched[1])] = time.monotonic()
        elif finished := _FINISHED.match(text):
            self._finish(int(finished[1]))
        elif _SERIAL.match(text) and not self._began:
            self._count()

    def stop_if_fatal(self) -> None:
        """Raise RestoreFailed where a complaint matters."""
        fatal = self.complaints.fatal
        if fatal:
            raise _failure(fatal)

    def harmless(self) -> list[str]:
        """What was complained about without need."""
        reasons = [complaint.harmless for complaint in self.complaints.all]
        return [f"{why} ({reasons.count(why)})" for why in dict.fromkeys(reasons)]

    def _finish(self, item: int) -> None:
        began = self._began.get(item)
        if began is not None:
            self._outcome.seconds[item] = time.monotonic() - began
        self._count()

    def _count(self) -> None:
        self._done = min(self._done + 1, self._total)
        self._progress(self._done, self._total)


def _failure(fatal: Complaint) -> RestoreFailed:
    what = fatal.item or "pg_restore"
    why = cause(fatal.error)
    if fatal.context:
        why += f" ({fatal.context})"
    remedy = ""
    if "FK CONSTRAINT" in what:
        remedy = (
            "The target is as it was. If the table that it refers to is in skip_data,"
            " skip the rows that refer to it as well."
        )
    return RestoreFailed(what, why, remedy)


@contextmanager
def _list_file(entries: Sequence[Entry]) -> Iterator[str]:
    """A file for -L; pg_restore reads the number before the `;` and nothing else."""
    with NamedTemporaryFile("w", prefix="dbpull-", suffix=".list") as file:
        file.writelines(f"{entry.dump_id};\n" for entry in entries)
        file.flush()
        yield file.name
