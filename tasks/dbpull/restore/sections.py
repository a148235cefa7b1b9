"""pg_restore of one section after the other, and the commands for it.

A bare `pg_restore -j` creates a trigger of a partitioned table before the rows of its
partitions are loaded; the trigger then fires on them (15 and 18). Section by section,
it can't.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dbpull.archive import Entry
from dbpull.errors.restore import RestoreFailed
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql, reason
from dbpull.postgres.restore_messages import RestoreMessage
from dbpull.restore.failures import (
    Failures,
    failure,
    fits,
    name,
    why,
    with_dependents,
)
from dbpull.restore.order import Part, parts
from dbpull.restore.selection import Selection
from dbpull.restore.watch import Outcome, Progress, Watch
from dbpull.shell import LISTING, Line, Result, Shell

SECTIONS = {
    "pre-data": "definitions",
    "data": "tables and sequences",
    "post-data": "keys, indexes and the like",
}
"""The sections in their order, and their contents in words."""
Phase = Callable[[str], Progress]
"""Called with the name of the next phase; returns the function that takes progress."""
# A crash loses the aside database anyway, so no commit needs to wait for the disk.
_OPTIONS = "-c synchronous_commit=off -c default_transaction_read_only=off"
# Where pg_restores fill the cores, a server's own workers would only take turns with
# them; where a core is left, they help. A larger maintenance_work_mem made the races
# slower (a GIN index no longer fits the caches).
_WORKERS = "-c max_parallel_maintenance_workers="


@dataclass
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
    label: str
    """The dump, or the work, as messages name it: `myapp b101`."""
    tolerate: tuple[str, ...] | None = None
    """Patterns of entries that may fail: all failures are then told at the end. None
    ends a restore at the first failure."""
    notice: Callable[[str], None] = lambda _: None
    """Told of the first failure, since the restore may go on for long."""
    on_defined: Callable[[], None] | None = None
    """Called once, when definitions are restored and no row is."""
    options: str = ""
    """More settings of the sessions, in the form of PGOPTIONS."""
    still_arriving: Callable[[], bool] = lambda: False
    """Whether the dump still arrives: rows that fail then end the restore at once."""
    psql: Psql | None = None
    """Analyzes tables where a core would idle otherwise; None: rows may still come."""
    watch: Watch = field(init=False)
    done: set[str] = field(default_factory=set, init=False)
    """The sections that are restored."""
    _watches: list[Watch] = field(default_factory=list, init=False)
    _failures: list[RestoreMessage] = field(default_factory=list, init=False)
    _gone: set[int] = field(default_factory=set, init=False)
    """The entries that another try in one transaction left out, by dump id."""
    _noticed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.watch = self.new_watch()

    def new_watch(self) -> Watch:
        """A watch for another pg_restore."""
        watch = Watch(None if self.tolerate is None else self._failed)
        self._watches.append(watch)
        return watch

    def outcome(self) -> Outcome:
        """The outcome so far. Raises RestoreFailed for a failure not tolerated."""
        found = Failures(self._failures, self.selection, self.tolerate or ())
        found.refuse()
        gone = self._gone | found.failed.keys()
        harmless = (m.harmless for each in self._watches for m in each.messages.all)
        return Outcome(
            tuple(filter(None, dict.fromkeys(harmless))),
            {i: end - began for i, (began, end) in self.watch.spans.items()},
            absent=tuple(e for e in self.selection.entries if e.dump_id in gone),
        )

    def _failed(self, message: RestoreMessage) -> None:
        entry = self.selection.by_id.get(message.dump_id)
        if not entry:
            raise failure(message)
        self._failures.append(message)
        patterns, arriving = self.tolerate or (), self.still_arriving()
        if (self._noticed and not arriving) or fits(entry, patterns):
            return
        found = Failures(self._failures, self.selection, patterns)
        if arriving and found.is_of_rows(message.dump_id):
            found.refuse()
        if not self._noticed and message.dump_id not in found.tolerated:
            self._noticed = True
            told = f"{name(entry)} failed: {why(message, entry)}"
            self.notice(f"{told}. All failures are listed at the end.")

    def argv(self, section: str, part: Part) -> list[str]:
        """The pg_restore command for the entries of a section that its stdin lists."""
        argv = self.common_argv()
        if not part.mixed:
            argv += [f"--section={section}"]
        if section != "pre-data" and self.jobs > 1 and not part.alone:
            argv += ["-j", str(self.jobs)]
        return [*argv, "-d", self.connection.argument, str(self.dump)]

    def run(self, phase: Phase) -> Outcome:
        """Restore every section; each is a phase whose progress counts entries.

        Raises RestoreFailed at the first message that matters.
        """
        for section, unit in SECTIONS.items():
            if section != "pre-data":
                self.defined()
            entries = self.selection.of(section)
            if entries and section not in self.done:
                progress, before = phase(unit), 0
                for part in self.parts(section):
                    self.part(section, part, _beyond(progress, before, len(entries)))
                    before += len(part.entries)
        return self.outcome()

    def defined(self) -> None:
        """Note that definitions are restored, so that rows may follow.

        Raises RestoreFailed for a definition that failed, where somebody waits for
        them, and the errors of `on_defined`.
        """
        on_defined, self.on_defined = self.on_defined, None
        if on_defined:
            self.outcome()
            on_defined()

    def part(self, section: str, part: Part, progress: Progress) -> None:
        """Restore a part of a section. Raises RestoreFailed."""
        self.run_program(self.argv(section, part), part.entries, progress)

    def piped_argv(self) -> list[str]:
        """The command that restores a dump from stdin, by the list in LISTING."""
        return [*self.common_argv(LISTING), "-d", self.connection.argument]

    def environment(self, workers: int = 0) -> dict[str, str]:
        """The environment of pg_restore; the server may use `workers` of its own."""
        options = f"{_OPTIONS} {_WORKERS}{workers}" if self.jobs > 1 else _OPTIONS
        options = f"{options} {self.options}".strip()
        return self.connection.environment(self.shell.environ, options)

    def refuse_failed(self, watch: Watch, result: Result) -> None:
        """Raise RestoreFailed where a pg_restore failed."""
        watch.end()
        if result.code < 0:
            why = f"it was killed (signal {-result.code}), often for want of memory"
            raise RestoreFailed("pg_restore", why, "Try again with a smaller --jobs.")
        if result.code != 0 and not (result.code == 1 and watch.has_told):
            raise RestoreFailed("pg_restore", reason(result.err[-2000:]))

    def in_place_argv(self, *, at_once: bool = True, clean: bool = True) -> list[str]:
        """The command that restores into the existing database itself."""
        argv = self.common_argv()
        if clean:
            argv += ["--clean", "--if-exists"]
        if at_once:
            argv += ["--single-transaction"]
        return [*argv, "-d", self.connection.argument, str(self.dump)]

    def run_in_place(
        self, phase: Phase, *, at_once: bool, clean: bool = True
    ) -> Outcome:
        """Clean the database and restore into it, one entry after the other.

        `at_once`: in one transaction, all or nothing. Raises RestoreFailed.
        `clean` only a database that is not empty: despite --if-exists, pg_restore
        fails on a view's rule whose types do not exist.
        """
        progress, entries = phase("items"), self.selection.entries
        argv = self.in_place_argv(at_once=at_once, clean=clean)
        while True:
            self.run_program(argv, entries, progress)
            outcome = self.outcome()  # in one transaction, a failure undoes everything
            told = {message.dump_id for message in self.watch.messages.all}
            gone = with_dependents(entries, told)
            if not at_once or not gone:
                return outcome
            self._gone |= gone
            entries = tuple(e for e in entries if e.dump_id not in gone)

    def parts(self, section: str) -> list[Part]:
        """The parts of a section, each restored before the next is begun."""
        return parts(self.selection.by_id, section, self.selection.of(section))

    def common_argv(self, listing: str = "/dev/stdin") -> list[str]:
        """The beginning of each command, for the entries in a list file."""
        argv = [self.program, "--verbose", "--no-owner", "--no-acl"]
        # A tablespace is a folder of the source's server: tables go to the default one.
        return [*argv, "--no-tablespaces", "-L", listing]

    def run_program(
        self,
        argv: list[str],
        entries: Sequence[Entry],
        progress: Progress,
        on_stderr: Line | None = None,
    ) -> None:
        """Run a pg_restore of these entries. Raises RestoreFailed."""
        self.watch.begin(progress, len(entries))
        heard, env = on_stderr or self.watch, self.environment()
        result = self.shell.run(argv, env=env, stdin=numbers(entries), on_err=heard)
        self.refuse_failed(self.watch, result)


def _beyond(progress: Progress, before: int, total: int) -> Progress:
    """Progress of a part, counted on from the section's earlier parts."""
    return lambda done, _: progress(before + done, total)


def one_transaction(program: int, server: int) -> bool:
    """Whether a pg_restore of a major can fill a server's database in one transaction.

    pg_restore 17 and newer send a setting (transaction_timeout) that older ones refuse.
    """
    return program < 17 or server >= 17


def numbers(entries: Sequence[Entry]) -> str:
    """The list for -L: of each line pg_restore reads the number before the `;`."""
    return "".join(f"{entry.dump_id};\n" for entry in entries)
