"""The checks of `db.doctor`: all that a pull needs, one thing after the other.

Each raises the refusal that a pull would raise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from dbpull.dumps.kept_here import kept_here
from dbpull.errors.local import NotIgnored
from dbpull.errors.postgres import MissingProgram
from dbpull.flows.gather import Run, refuse_mistaken
from dbpull.flows.prepare import prepare, refuse_full_disk
from dbpull.flows.pull import refuse_impossible
from dbpull.naming import NAME
from dbpull.postgres import programs
from dbpull.postgres.programs import Program
from dbpull.project import PROJECT
from dbpull.sources import choice
from dbpull.sources.kinds import source_of
from dbpull.sources.source import ByUrl, Source, SourceDatabase, SourceWithAccount
from dbpull.target import embedded_server, guard, opened
from dbpull.target.opened import Target
from dbpull.words import age, listed, size

T = TypeVar("T")
Check = Callable[[], str]
"""Tells what is in order; raises PullError, and NotKnown."""


class NotKnown(Exception):
    """A check can't be made: what it is about was not found, or is elsewhere."""


class Checks:
    """The checks of a run, in turn; later ones use what earlier ones have found."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._source: Source | None = None
        self._open: Source | None = None
        """The source, where nothing is lacking to ask it."""
        self._database: SourceDatabase | None = None
        self._target: Target | None = None
        self._pg_restores: list[Program] = []

    def in_turn(self) -> Iterator[tuple[str, Check]]:
        """Each check with its label."""
        yield "source", self.source
        yield "access", self.access
        yield "database", self.database
        yield "backup", self.backup
        yield "programs", self.programs
        yield "target", self.target
        yield "rights", self.rights
        yield "mix-up", self.mix_up
        yield "disk", self.disk
        yield "dump", self.dump
        yield "settings", self.settings
        if not self._run.shell.host:
            yield ".env", self.env_file
            if self._run.settings.hosts:
                yield "hosts", self.hosts

    def source(self) -> str:
        """The source that is named."""
        settings = self._run.settings
        self._source = source_of(settings, kept_here(settings))
        return self._source.name

    def access(self) -> str:
        """What is needed to ask it: a token, programs with TLS."""
        source = _found(self._source)
        told = "nothing is lacking to ask the source"
        source.refuse_unable(self._run.reporter)
        if isinstance(source, SourceWithAccount):
            told = source.account(self._run.reporter)
        self._open = source
        return told

    def database(self) -> str:
        """Its database: there, readable, not behind a pooler."""
        database = choice.database_of(_found(self._open), self._run.reporter)
        self._database = database
        version = f", PostgreSQL {database.version}" if database.version else ""
        version = "" if version in database.about else version
        amount = f", {size(database.size)}" if database.size else ""
        return f"{database.about}{version}{amount}"

    def backup(self) -> str:
        """The backup that a pull would take, and what a host needs to fetch it."""
        database, run = _found(self._database), self._run
        chosen = choice.choose(
            database,
            backup=None,
            capture=False,
            max_age=run.settings.max_age,
            host=run.reporter.host,
        )
        backup, by_url = chosen.backup, database.keeps_backups
        if backup:
            by_url = isinstance(backup.way, ByUrl)
        run.store.refuse_unable(by_url=by_url)
        if not backup:
            return f"a pull takes a new one: {chosen.why}"
        return f"{backup.id}, {age(backup.taken)} ({chosen.why})"

    def programs(self) -> str:
        """psql, and a pg_restore that reads a dump of the source's server."""
        shell = self._run.shell
        self._pg_restores = programs.find(shell, "pg_restore")
        psql = programs.psql(shell)
        if not self._pg_restores:
            raise MissingProgram("pg_restore", shell.where)
        if self._database and self._database.version:
            written = programs.archive_of(self._database.version)
            found = self._pg_restores
            programs.pg_restore_for(written, "none", 0, found, shell.where)
        majors = sorted({program.major for program in self._pg_restores})
        return f"psql {psql.major}; pg_restore {', '.join(map(str, majors))}"

    def target(self) -> str:
        """The database to be replaced: named, allowed, its server reachable."""
        run = self._run
        named = opened.named(run.settings, run.shell)
        told = f"{named.connection.label} ({named.origin})"
        if named.embedded and not embedded_server.runs():
            guard.refuse_foreign(named.connection, run.settings.allowed_hosts)
            return f"{told}; a pull starts its server"
        self._target = opened.take(run.settings, run.shell, run.reporter)
        state = self._target.state
        exists = "" if state.exists else "; a pull creates it"
        return f"{told}, PostgreSQL {state.major}{exists}"

    def rights(self) -> str:
        """The role may create databases and rename the target; nothing holds it."""
        target = _found(self._target)
        opened.refuse_unfillable(target, in_place=False)
        return f"{target.state.user} may create databases, and replace the target"

    def mix_up(self) -> str:
        """The target is not the source, nor another source's."""
        refuse_mistaken(self._run, _found(self._target), _found(self._database))
        return "the target is another database than the source's"

    def disk(self) -> str:
        """Room for the new database beside the old one."""
        run = self._run
        if self._target and self._database:
            refuse_full_disk(self._target, self._database.size)
        path = run.settings.path
        folder = next(each for each in (path, *path.parents) if _is_there(run, each))
        free = run.shell.free(str(folder))
        if free is None:
            raise NotKnown(f"the disk of {folder} does not tell")
        return f"{size(free)} free for dumps in {run.store.shown(path)}"

    def dump(self) -> str:
        """The newest dump here can be restored: extensions, roles, programs."""
        run, target = self._run, _found(self._target)
        dump = run.store.find(_found(self._source).name_of_dumps, None)
        if not dump:
            raise NotKnown("its extensions and roles are seen when it arrives")
        target = replace(target, pg_restores=tuple(self._pg_restores))
        prepared = prepare(target, run.store.look(dump).contents, run.settings)
        return f"{dump.label} can be restored, by pg_restore {prepared.program.major}"

    def settings(self) -> str:
        """What the settings say of masks, kept rows and commands can be done."""
        refuse_impossible(self._run)
        names = ("mask", "keep_rows", "before_swap", "after_swap")
        used = [name for name in names if getattr(self._run.settings, name)]
        return f"{listed(used)} can be used" if used else "all of them can be used"

    def env_file(self) -> str:
        """Git ignores .env. Raises NotIgnored."""
        if not (PROJECT.folder / ".env").exists():
            return "there is none"
        argv = ["git", "-C", str(PROJECT.folder), "check-ignore", "-q", ".env"]
        # The folder's repository is asked, not the repository of a git hook around us.
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        with suppress(OSError):  # no git
            if self._run.shell.run(argv, env=env).code == 1:
                raise NotIgnored(".env")
        return "git does not take it"

    def hosts(self) -> str:
        """Hosts are looked at by `fab`."""
        names = ",".join(self._run.settings.hosts)
        raise NotKnown(f"`fab -H {names} {NAME.task('doctor')}` looks at them")


def _is_there(run: Run, path: os.PathLike[str]) -> bool:
    return run.shell.exists(str(path))


def _found(each: T | None) -> T:
    """What an earlier check has found. Raises NotKnown."""
    if each is None:
        raise NotKnown("can't be looked at: see above")
    return each
