"""The plan of a pull or restore (`--dry-run`): source, dump, target, all commands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from dbpull.dumps.names import Dump
from dbpull.dumps.stream import DumpStream
from dbpull.errors.sql_names import quoted
from dbpull.flows import additions, hooks, pulled, swap_plan
from dbpull.flows.gather import Gathered, Run
from dbpull.flows.prepare import Prepared, prepare
from dbpull.naming import NAME
from dbpull.postgres import programs
from dbpull.restore import check
from dbpull.restore.sections import Restore, one_transaction
from dbpull.restore.selection import Selection
from dbpull.sources.source import ByFile, ByUrl
from dbpull.target import opened
from dbpull.target.leftovers import leftovers
from dbpull.target.names import Names
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance, is_own
from dbpull.target.snapshots import Snapshot
from dbpull.words import age, counted, listed, size


def tell_pull(run: Run, target: Target | None, gathered: Gathered) -> None:
    """Tell the plan of `db.pull`; without a target, for an empty server."""
    found = target and pulled.same(run, target.state.family, gathered.dump)
    if target and found:
        _tell_reset(run, target, gathered, found)
        return
    planned = _Plan.of(run, target, gathered.dump)
    version = gathered.database.version
    if not planned.prepared and version:
        _refuse_unfit(run, programs.archive_of(version), "none")
    delete = run.asked.delete
    _tell(
        run,
        [_from(gathered), _dump(run, gathered.dump, delete=delete), *planned.about],
        [*_fetching(run, gathered), *planned.commands],
    )


def _tell_reset(run: Run, target: Target, gathered: Gathered, found: Snapshot) -> None:
    family, names = target.state.family, target.names
    left = [each.dbname for each in leftovers(target.psql, target.state)]
    aside, source = quoted(names.aside), quoted(found.member.dbname)
    copy = f"the snapshot {found.name}, pulled from it with the same settings"
    _tell(
        run,
        [_from(gathered), f"copy  {copy}", _to(run, target)],
        [
            *swap_plan.dropped(left),
            f"psql: CREATE DATABASE {aside} TEMPLATE {source} OWNER …",
            *swap_plan.swap(names, family, left, undo=run.settings.undo),
        ],
    )


def tell_restore(run: Run, target: Target | None, dump: Dump) -> None:
    """Tell the plan of `db.restore`; without a target, for an empty server."""
    planned = _Plan.of(run, target, dump)
    _tell(run, [_dump(run, dump, delete=False), *planned.about], planned.commands)


def _tell(run: Run, about: list[str], commands: list[str]) -> None:
    run.reporter.facts |= {"result": "planned", "plan": [*about, *commands]}
    run.reporter.say("Plan (nothing is changed):", "bold")
    for line in (*about, "commands", *(f"  {command}" for command in commands)):
        run.reporter.say(f"  {line}")


@dataclass(frozen=True)
class _Plan:
    """The plan for a target's server."""

    run: Run
    target: Target | None
    dump: Dump | None
    stream: DumpStream | None
    """The stored dump, with its rows unread; None for a dump not yet fetched."""
    prepared: Prepared | None
    """The stored dump's preparation, where the target's server could be asked."""

    @classmethod
    def of(cls, run: Run, target: Target | None, dump: Dump | None) -> _Plan:
        """Read a stored dump's contents, and prepare its restore.

        Raises the errors of `prepare` and of reading the dump.
        """
        if not dump or not run.store.has(dump):
            return cls(run, target, dump, None, None)
        stream = run.store.look(dump)
        contents, in_place = stream.contents, run.asked.in_place
        if target:
            flags = {"in_place": in_place, "blank_new": run.asked.blank_new}
            prepared = prepare(target, contents, run.settings, **flags)
            return cls(run, target, dump, stream, prepared)
        _refuse_unfit(run, contents.header.version, contents.header.compression)
        return cls(run, target, dump, stream, None)

    @property
    def about(self) -> list[str]:
        """Lines about the target, and about the skipped parts of the dump."""
        lines = [_to(self.run, self.target)]
        if self.prepared:
            chosen = self.prepared.selection
            if chosen.left_out:
                lines.append(f"skipped  {listed(chosen.left_out)}")
            if chosen.skipped:
                lines.append(f"rows skipped  {listed(chosen.skipped)}")
        if rules := self.run.settings.mask:
            found = counted(len(rules), "rule")
            lines.append(f"masks  {found}, applied before rows get there")
        return lines

    @property
    def commands(self) -> list[str]:
        """The commands for the target's server."""
        target, names, left = self.target, self._names, list[str]()
        if target:
            left = [each.dbname for each in leftovers(target.psql, target.state)]
        dropped = swap_plan.dropped(left)
        if target and self.run.asked.in_place:
            after = hooks.planned(self.run.settings, "after_swap")
            return [*dropped, *self._in_place(target), *after]
        family = target.state.family if target else None
        return [
            *dropped,
            f"psql: CREATE DATABASE {quoted(names.aside)} TEMPLATE template0 OWNER …",
            *self._restored_aside(),
            *additions.planned(self.run.settings, names.target),
            f"psql: ANALYZE in {quoted(names.aside)}",
            *swap_plan.swap(names, family, left, undo=self.run.settings.undo),
            *hooks.planned(self.run.settings, "after_swap"),
        ]

    def _restored_aside(self) -> list[str]:
        restore = self._restore(self._names.aside)
        if self.stream:
            return self.stream.commands(restore)
        return self.run.store.restore_commands(restore)

    def _in_place(self, target: Target) -> list[str]:
        program = self._program
        major = program.major if program else target.state.major
        at_once = one_transaction(major, target.state.major)
        dbname, clean = self._names.target, True
        if self.prepared:
            clean = check.look(target.psql, dbname).holds_some(self.prepared.selection)
        argv = self._restore(dbname).in_place_argv(at_once=at_once, clean=clean)
        ended = f"psql: the sessions on {quoted(dbname)} are ended"
        return [ended, shlex.join(argv), "psql: ANALYZE"]

    def _restore(self, dbname: str) -> Restore:
        run, dump, program = self.run, self.dump, self._program
        tar = self.stream and self.stream.contents.header.tar
        return Restore(
            run.shell,
            program.path if program else "pg_restore",
            self._named.connection.to(dbname),
            dump.path if dump else run.settings.path / "NEW.dump",
            self.prepared.selection if self.prepared else Selection(),
            1 if tar else run.settings.jobs,
            dump.label if dump else "",
        )

    @property
    def _named(self) -> Target | opened.NamedTarget:
        return self.target or opened.named(self.run.settings, self.run.shell)

    @property
    def _names(self) -> Names:
        return Names(self._named.connection.dbname)

    @property
    def _program(self) -> programs.Program | None:
        """The pg_restore; for a dump that is not known yet, the newest."""
        if self.prepared:
            return self.prepared.program
        return programs.newest(self.run.shell, "pg_restore")


def _refuse_unfit(run: Run, version: tuple[int, int, int], compression: str) -> None:
    """Raise PostgresError where no pg_restore can read the dump."""
    found = programs.find(run.shell, "pg_restore")
    programs.pg_restore_for(version, compression, 0, found, run.shell.where)


def _from(gathered: Gathered) -> str:
    source, backup = f"from  {gathered.database.about}: ", gathered.choice.backup
    why = gathered.choice.why
    if backup is None:
        return source + f"a new backup ({why})"
    return source + f"{backup.id}, {age(backup.taken)} ({why})"


def _dump(run: Run, dump: Dump | None, *, delete: bool) -> str:
    if not dump:
        return f"dump  a new one in {run.store.shown(run.settings.path)}"
    state = "to be fetched" if dump.is_ours else "to be unpacked"
    if run.store.has(dump):
        state = f"here already, {size(run.store.size(dump))}"
    after = ", removed afterwards" if delete and dump.is_ours else ""
    return f"dump  {run.store.shown(dump.path)}: {state}{after}"


def _to(run: Run, target: Target | None) -> str:
    if not target:
        dbname = opened.named(run.settings, run.shell).connection.dbname
        return f"to    {dbname} on the embedded server, which is started"
    label, state = target.connection.label, target.state
    line = f"to    {label} [{target.origin}], PostgreSQL {state.major}"
    if not state.exists:
        return f"{line}: does not exist yet, is created"
    if provenance := Provenance.from_comment(state.comment):
        line += f", holds {provenance.label}"
    kept = f"kept for {NAME.task('undo')}"
    after = kept if run.settings.undo else "dropped after the swap"
    if is_own(state.comment):
        after = "kept: dbpull did not fill it"
    if run.asked.in_place:
        after = "refilled itself"
    return f"{line}, {size(state.size)}: {after}"


def _fetching(run: Run, gathered: Gathered) -> list[str]:
    """The requests for a dump that is not stored yet."""
    dump, backup = gathered.dump, gathered.choice.backup
    if dump and run.store.has(dump):
        return []
    if backup and isinstance(backup.way, ByFile):
        return [f"unpack {run.store.shown(backup.way.path)}"]
    requests = gathered.database.capture_requests
    if backup and isinstance(backup.way, ByUrl):
        requests = backup.way.requests
    return [*requests, *run.store.fetch_commands(by_url=gathered.by_url)]
