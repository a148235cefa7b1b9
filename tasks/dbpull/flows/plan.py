"""The plan of a pull or restore (`--dry-run`): source, dump, target, all commands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors.sql_names import quoted
from dbpull.flows import swap_plan
from dbpull.flows.prepare import Prepared, prepare
from dbpull.naming import NAME
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.restore.sections import Restore, one_transaction
from dbpull.restore.selection import Selection
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources import choice
from dbpull.sources.choice import Choice
from dbpull.sources.kinds import source_of
from dbpull.sources.source import SourceDatabase
from dbpull.target import embedded_server, guard, opened
from dbpull.target.names import Names
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance, is_own
from dbpull.words import age, listed, size


@dataclass(frozen=True)
class PullFlags:
    """The flags of `db.pull`."""

    backup: str | None = None
    capture: bool = False
    delete: bool = False
    in_place: bool = False
    upload: bool = False
    timings: bool = False


@dataclass(frozen=True)
class Planner:
    """Gathers and refuses as a pull does, with reads only, and tells the plan."""

    settings: Settings
    shell: Shell
    reporter: Reporter

    @property
    def store(self) -> DumpStore:
        """The store of dumps."""
        return stores.store_for(self.settings, self.shell)

    def pull(self, asked: PullFlags) -> None:
        """Tell what `db.pull` would do."""
        self.store.refuse_unable(upload=asked.upload)
        target = self._target(in_place=asked.in_place)
        found = choice.database_of(source_of(self.settings), self.reporter)
        if target:
            guard.refuse_source(target.connection, found.server, found.label)
        chosen = choice.choose(
            found,
            backup=asked.backup,
            capture=asked.capture,
            max_age=self.settings.max_age,
        )
        dump = self.store.of(chosen.backup) if chosen.backup else None
        prepared = self._prepared(target, dump, in_place=asked.in_place)
        if not prepared and (version := found.version):
            self._refuse_unfit(programs.archive_of(version), "none")
        self._begin()
        self._say(_from(found, chosen), self._dump(dump, delete=asked.delete))
        self._say(self._to(target, in_place=asked.in_place), *_left_out(prepared))
        self._commands(
            self._fetching(found, chosen, dump, upload=asked.upload),
            self._server(target, dump, prepared, in_place=asked.in_place),
        )

    def restore(self, dump: Dump, *, in_place: bool) -> None:
        """Tell what `db.restore` would do."""
        target = self._target(in_place=in_place)
        prepared = self._prepared(target, dump, in_place=in_place)
        self._begin()
        self._say(self._dump(dump, delete=False), self._to(target, in_place=in_place))
        self._say(*_left_out(prepared))
        self._commands(self._server(target, dump, prepared, in_place=in_place))

    def _target(self, *, in_place: bool) -> Target | None:
        """The target; None where its server is the embedded one and does not run."""
        target = opened.named(self.settings, self.shell)
        if target.embedded and not embedded_server.runs():
            guard.refuse_foreign(target.connection, self.settings.allowed_hosts)
            return None
        return opened.take_to_fill(
            self.settings, self.shell, self.reporter, in_place=in_place
        )

    def _prepared(
        self, target: Target | None, dump: Dump | None, *, in_place: bool
    ) -> Prepared | None:
        """What `prepare` returns for a stored dump; None for a dump not yet fetched.

        Raises the errors of `prepare` and of reading the dump.
        """
        if not dump or not self.store.has(dump):
            return None
        contents = self.store.contents(dump)
        if target:
            return prepare(target, contents, self.settings, in_place=in_place)
        self._refuse_unfit(contents.header.version, contents.header.compression)
        return None

    def _refuse_unfit(self, version: tuple[int, int, int], compression: str) -> None:
        """Raise MissingProgram, TooOldProgram or CannotReadCompression."""
        found = programs.find(self.shell, "pg_restore")
        programs.pg_restore_for(version, compression, 0, found, self.shell.where)

    def _begin(self) -> None:
        self.reporter.say("Plan (nothing is changed):", "bold")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.reporter.say(f"  {line}")

    def _commands(self, *groups: list[str]) -> None:
        self._say("commands")
        for group in groups:
            self._say(*(f"  {line}" for line in group))

    def _dump(self, dump: Dump | None, *, delete: bool) -> str:
        if not dump:
            return f"dump  a new one in {self.store.folder}"
        state = "to be fetched"
        if self.store.has(dump):
            state = f"here already, {size(self.store.size(dump))}"
        after = ", removed afterwards" if delete else ""
        return f"dump  {self.store.shown(dump)}: {state}{after}"

    def _to(self, target: Target | None, *, in_place: bool) -> str:
        if not target:
            dbname = opened.named(self.settings, self.shell).connection.dbname
            return f"to    {dbname} on the embedded server, which is started"
        label, state = target.connection.label, target.state
        line = f"to    {label} [{target.origin}], PostgreSQL {state.major}"
        if not state.exists:
            return f"{line}: does not exist yet, is created"
        if provenance := Provenance.from_comment(state.comment):
            line += f", holds {provenance.label}"
        kept = f"kept for {NAME.task('undo')}"
        after = kept if self.settings.undo else "dropped after the swap"
        if is_own(state.comment):
            after = "kept: dbpull did not fill it"
        return f"{line}, {size(state.size)}: {'refilled itself' if in_place else after}"

    def _server(
        self,
        target: Target | None,
        dump: Dump | None,
        prepared: Prepared | None,
        *,
        in_place: bool,
    ) -> list[str]:
        named = target or opened.named(self.settings, self.shell)
        connection = named.connection
        names = Names(connection.dbname)
        restore = self._restoring(
            connection.to(names.target if in_place else names.aside), dump, prepared
        )
        leftover = swap_plan.leftover(target)
        if target and in_place:
            program = prepared.program if prepared else self._newest()
            major = program.major if program else target.state.major
            at_once = one_transaction(major, target.state.major)
            return [
                *swap_plan.dropped(leftover),
                f"psql: the sessions on {quoted(names.target)} are ended",
                shlex.join(restore.in_place_argv(at_once=at_once)),
                "psql: ANALYZE",
            ]
        return [
            *swap_plan.dropped(leftover),
            f"psql: CREATE DATABASE {quoted(names.aside)} TEMPLATE template0 OWNER …",
            *(shlex.join(argv) for argv in restore.plan()),
            f"psql: ANALYZE in {quoted(names.aside)}",
            *swap_plan.swap(names, target, leftover, undo=self.settings.undo),
        ]

    def _restoring(
        self, connection: Connection, dump: Dump | None, prepared: Prepared | None
    ) -> Restore:
        program = prepared.program if prepared else self._newest()
        return Restore(
            self.shell,
            program.path if program else "pg_restore",
            connection,
            dump.path if dump else self.settings.path / "NEW.dump",
            prepared.selection if prepared else Selection((), (), (), ()),
            self.settings.jobs,
            dump.label if dump else "",
        )

    def _fetching(
        self, found: SourceDatabase, chosen: Choice, dump: Dump | None, *, upload: bool
    ) -> list[str]:
        if dump and self.store.has(dump):
            return []
        backup = chosen.backup
        requests = backup.requests if backup else found.capture_requests
        return [*requests, *self.store.commands(upload=upload)]

    def _newest(self) -> programs.Program | None:
        """The newest pg_restore, for a dump that is not known yet."""
        found = programs.find(self.shell, "pg_restore")
        return max(found, key=lambda program: program.major, default=None)


def _left_out(prepared: Prepared | None) -> list[str]:
    if not prepared:
        return []
    chosen = prepared.selection
    lines = [f"skipped  {listed(chosen.left_out)}"] if chosen.left_out else []
    if chosen.skipped:
        lines.append(f"rows skipped  {listed(chosen.skipped)}")
    return lines


def _from(found: SourceDatabase, chosen: Choice) -> str:
    source, backup = f"from  {found.about}: ", chosen.backup
    if backup is None:
        return source + f"a new backup ({chosen.why})"
    return source + f"{backup.id}, {age(backup.taken)} ({chosen.why})"
