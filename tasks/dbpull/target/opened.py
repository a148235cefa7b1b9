"""The target opened: named by settings, judged, its server queried, locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dbpull import embedded
from dbpull.console import Reporter
from dbpull.errors.postgres import CannotConnect, MissingProgram
from dbpull.errors.settings import NoTargetThere, SettingsError
from dbpull.errors.sql_names import quoted
from dbpull.errors.target import CannotDrop, TargetError
from dbpull.naming import setting, variable
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.programs import Program
from dbpull.postgres.psql import Psql
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.target import embedded_server, guard, lock, unread
from dbpull.target.family import Family, look, refuse_held_open
from dbpull.target.leftovers import drop, leftovers, put_away
from dbpull.target.lock import TargetLock
from dbpull.target.names import Names
from dbpull.target.state import (
    QUERY,
    State,
    inspect,
    refuse_powerless,
    refuse_standby,
)


@dataclass(frozen=True)
class Target:
    """A target whose server has been queried."""

    shell: Shell
    psql: Psql
    state: State
    origin: str
    """Where the target was named: `--target`, `DATABASE_URL in .env`."""
    embedded: bool
    pg_restores: tuple[Program, ...] = ()
    """The machine's pg_restore programs, where the target is to be filled."""

    @property
    def connection(self) -> Connection:
        """The connection to the target."""
        return self.psql.connection

    @property
    def names(self) -> Names:
        """The names of the target and of the databases beside it."""
        return self.state.family.names


@dataclass(frozen=True)
class NamedTarget:
    """A target known by its URL alone; its server has not been queried."""

    connection: Connection
    origin: str
    embedded: bool


def named(settings: Settings, shell: Shell) -> NamedTarget:
    """Find out which database the target is.

    Raises SettingsError, NoTargetThere, BadUrl.
    """
    url, origin = settings.target, settings.origins["target"]
    if url is None:
        if shell.host:
            raise NoTargetThere(shell.host)
        if embedded.programs() is None:
            raise SettingsError(
                "No target: nothing says which database is to be replaced.",
                f"Pass --target=postgres://localhost/NAME, set {variable('target')} or"
                f" DATABASE_URL (environment or .env), or {setting('target')} in"
                " invoke.yaml; or have PostgreSQL in Django's DATABASES; or install the"
                " extra `postgresql`, whose server is then used.",
            )
        unread.refuse()
        url = embedded_server.server().url(embedded_server.NAME)
        origin = "the embedded server"
    connection = Connection.from_url(url, origin, shell=shell)
    embedded_server.refuse_elsewhere(connection, origin, shell)
    return NamedTarget(
        connection,
        origin,
        embedded_server.serves(connection, shell, settings.embedded_port),
    )


def take(settings: Settings, shell: Shell, reporter: Reporter) -> Target:
    """Find the target, refuse one that may not be replaced, query its server.

    Raises TargetError, TargetReserved, MissingProgram, CannotConnect, and the
    errors of `named` and of starting the embedded server.
    """
    return _query(named(settings, shell), settings, shell, reporter)


def _query(
    target: NamedTarget, settings: Settings, shell: Shell, reporter: Reporter
) -> Target:
    connection = target.connection
    guard.refuse_foreign(connection, settings.allowed_hosts)
    if target.embedded:
        embedded_server.start(reporter, settings.embedded_port, connection.dbname)
    psql = Psql(shell, programs.psql(shell).path, connection)
    try:
        psql, state = inspect(psql)
    except CannotConnect as error:
        if target.embedded:
            raise
        raise embedded_server.advised(error, connection) from None
    return Target(shell, psql, state, target.origin, target.embedded)


def take_to_fill(
    settings: Settings, shell: Shell, reporter: Reporter, *, in_place: bool
) -> Target:
    """Take a target that is to be replaced, or refilled in place.

    Raises the errors of `take`, and MissingProgram, NotOwner, HeldOpen, TargetError.
    """
    chosen = named(settings, shell)  # refuses before a missing program does
    found = tuple(programs.find(shell, "pg_restore"))
    if not found:
        raise MissingProgram("pg_restore", shell.where)
    target = _query(chosen, settings, shell, reporter)
    target = replace(target, pg_restores=found)
    refuse_unfillable(target, in_place=in_place)
    return target


def refuse_unfillable(target: Target, *, in_place: bool) -> None:
    """Raise NotOwner, HeldOpen, TargetError where the target can't be filled."""
    label = target.connection.label
    refuse_standby(target.state, label)
    if not in_place:
        refuse_powerless(target.state, label)
    elif not target.state.exists:
        raise TargetError(
            f"There is no database {label} to be filled in place.",
            "Let its owner create it, or leave --in-place out.",
        )
    _refuse_held(target, in_place=in_place)


def take_to_rename(
    settings: Settings, shell: Shell, reporter: Reporter, *, copy: bool = False
) -> Target:
    """Take a target that is to change places with a kept database.

    `copy`: with a copy of one, or that is to be copied. Raises the errors of `take`,
    and TargetError.
    """
    target = take(settings, shell, reporter)
    refuse_standby(target.state, target.connection.label)
    if not target.state.createdb:
        user, label = target.state.user, target.connection.label
        cant = "rename databases, so {label} can't change places"
        if copy:
            cant = "create databases, so {label} can't be copied"
        raise TargetError(
            f"{user} may not {cant.format(label=label)}.",
            f"Let a superuser run ALTER ROLE {quoted(user)} CREATEDB; then run the same"
            " command again.",
        )
    return target


def _refuse_held(target: Target, *, in_place: bool) -> None:
    """Raise HeldOpen where a database can't be renamed, or its tables not refilled."""
    family, label = target.state.family, target.connection.label
    if not in_place:
        refuse_held_open([move.member for move in family.to_new(keep=True)], label)
    elif family.target:
        refuse_held_open([family.target.locked], label)


@dataclass(frozen=True)
class LockedTarget:
    """A target whose lock we hold: no other pull works on it."""

    target: Target
    """The target, queried again: another pull may just have ended.

    Its family still holds what crashed runs had left.
    """
    lock: TargetLock

    def look(self) -> Family:
        """The target's family as it is now."""
        return look(self.lock.query, self.target.names)


@contextmanager
def held(target: Target, reporter: Reporter) -> Iterator[LockedTarget]:
    """Hold the target's lock, and drop the databases that crashed runs left.

    Raises TargetError, LockLost, NameTaken, NotOwner, CannotDrop, CannotConnect,
    SqlFailed.
    """
    with lock.held(target.psql, QUERY) as taken:
        state = State.of_answer(target.names, taken.answer)
        target = replace(target, state=state)
        clear(target, reporter)
        yield LockedTarget(target, taken)


def clear(target: Target, reporter: Reporter) -> None:
    """Drop the databases that crashed runs left on the target's server.

    A leftover that can't be dropped is noted; one with the aside name is renamed.
    """
    for leftover in leftovers(target.psql, target.state):
        dbname = leftover.dbname
        try:
            gone = drop(target.psql, leftover)
        except CannotDrop as error:
            if dbname == target.names.aside:
                error = put_away(target.psql, target.state, leftover, error)
            reporter.note(str(error).replace("\n", " "))
        else:
            if gone:
                reporter.note(f"Dropped {dbname}, left by a crashed run.")
