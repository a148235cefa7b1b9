"""An app's database as the target of a push: programs, connection, state, refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePath

from dbpull import heroku
from dbpull.errors.heroku_http import NoAccess
from dbpull.errors.http_api import NotFound
from dbpull.errors.postgres import MissingProgram
from dbpull.errors.push import (
    NothingToPush,
    OlderServer,
    PushError,
    SameDatabase,
)
from dbpull.errors.target import TargetIsSource
from dbpull.naming import setting
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.programs import Program
from dbpull.postgres.psql import Psql
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.sources.kinds import PLATFORM
from dbpull.target import guard
from dbpull.target.contents import Contents, contents
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance
from dbpull.target.state import inspect, refuse_standby

_NO_TLS = "SSL support is not compiled in"


@dataclass(frozen=True)
class PushPrograms:
    """The programs of a push: pg_dump for the local server, the rest for the app's."""

    pg_dump: Program
    pg_restore: Program
    psql: str
    """The psql beside pg_restore, with the same support of TLS."""


@dataclass(frozen=True)
class RemoteDatabase:
    """An app's database that has been queried."""

    target: Target
    """The app's database as the target of a restore."""
    holds: Contents
    apps: frozenset[str]
    """Every app that the database is attached to, and the app that pays for it."""


def refuse_protected(app: str, settings: Settings, alias: str | None = None) -> None:
    """Raise PushError where a protected pattern fits the app or one of its aliases.

    Upper and lower case don't matter, nor which of the names the user gave.
    """
    known = [short for short, name in settings.aliases if name == app]
    for name in filter(None, (app, alias, *known)):
        for pattern in settings.protected:
            if fnmatchcase(name.lower(), pattern.lower()):
                protected = setting("protected")
                raise PushError(
                    f"{name} is protected: it fits {pattern!r} of {protected}.",
                    "No flag overrides that. Whoever may decide it changes"
                    f" {protected} in invoke.yaml.",
                )


def refuse_older(found: HerokuDatabase, local: Target) -> None:
    """Raise OlderServer where the app's server is older than the local server.

    Heroku's API tells the version: no connection to the app's database is needed.
    """
    major = (found.info.version or "").partition(".")[0]
    if major.isdigit() and int(major) < local.state.major:
        raise OlderServer(found.database.app, int(major), local.state.major)


def choose_programs(
    shell: Shell, server_major: int, remote: Connection
) -> PushPrograms:
    """A pg_dump for the local server, and a pg_restore that reads its dumps.

    The pg_restore speaks TLS, unless the app's database is reached through a socket.
    Raises MissingProgram, and PushError where no pg_restore speaks TLS.
    """
    dumping = [p for p in programs.find(shell, "pg_dump") if p.major >= server_major]
    if not dumping:
        raise MissingProgram("pg_dump", shell.where)
    pg_dump = min(dumping, key=lambda program: program.major)
    found = programs.find(shell, "pg_restore")
    able = [program for program in found if program.major >= pg_dump.major]
    for program in sorted(able, key=lambda program: program.major):
        psql = str(PurePath(program.path).with_name("psql"))
        if shell.exists(psql) and (remote.is_socket or _speaks_tls(shell, psql)):
            return PushPrograms(pg_dump, program, psql)
    major = pg_dump.major
    raise PushError(
        f"No pg_restore {major} or newer on {shell.where} speaks TLS, which Heroku's"
        " servers demand (the embedded PostgreSQL's don't).",
        "Install PostgreSQL's client programs (Debian, Ubuntu: apt install"
        f" postgresql-client-{major}; macOS: brew install postgresql@{major}).",
    )


def _speaks_tls(shell: Shell, psql: str) -> bool:
    """Whether psql's libpq has TLS; a libpq without TLS refuses before it connects.

    Source: connectOptions2 in src/interfaces/libpq/fe-connect.c.
    """
    env = {"PGHOST": "/nowhere", "PGSSLMODE": "require", "LC_ALL": "C"}
    argv = [psql, "-X", "-w", "-c", "", "postgres"]
    return _NO_TLS not in shell.run(argv, env={**shell.environ, **env}).err


def locate(found: HerokuDatabase, local: Target) -> Connection:
    """The connection to an app's database.

    Raises BadUrl, SameDatabase, HttpErrors, and PushError where no var has the URL.
    """
    app = found.database.app
    url = heroku.database_url(found.api, found.database)
    if url is None:
        raise PushError(
            f"No config var of {app} holds its database's URL.",
            "Check that the account of the token may read the app's config vars.",
        )
    read = Connection.from_url(url, _origin(app), {}, local.shell)
    connection = _encrypted(read)
    try:
        guard.refuse_source(local.connection, connection, app)
    except TargetIsSource:
        raise SameDatabase(local.connection.label, app) from None
    return connection


def _origin(app: str) -> str:
    return f"the config var of {app}"


def take(
    found: HerokuDatabase, local: Target, connection: Connection, chosen: PushPrograms
) -> RemoteDatabase:
    """Query an app's database: reads only. Raises CannotConnect, HttpErrors."""
    shell, origin = local.shell, _origin(found.database.app)
    psql = Psql(shell, chosen.psql, connection)
    psql, state = inspect(psql, own=True)
    target = Target(shell, psql, state, origin, embedded=False)
    target = replace(target, pg_restores=(chosen.pg_restore,))
    holds = contents(psql, PLATFORM.schema)
    return RemoteDatabase(target, holds, frozenset(sharing(found)))


def refuse(
    found: HerokuDatabase,
    local: Target,
    ours: Contents,
    remote: RemoteDatabase,
    settings: Settings,
) -> None:
    """Refuse an impossible or a forbidden push.

    Raises SameDatabase, OlderServer, TargetError for a standby, else PushError.
    """
    app = found.database.app
    for sharing_app in sorted(remote.apps):
        refuse_protected(sharing_app, settings)
    refuse_standby(remote.target.state, found.label)
    if ours.identity == remote.holds.identity:
        raise SameDatabase(local.connection.label, app)
    if remote.target.state.major < local.state.major:
        raise OlderServer(app, remote.target.state.major, local.state.major)
    if lacking := lacked(ours, remote):
        raise PushError(
            f"The database of {app} can't have the extension{'s' * (len(lacking) > 1)}"
            f" {', '.join(lacking)}, which the local one uses.",
            "Drop it locally where nothing needs it (DROP EXTENSION).",
        )


def lacked(ours: Contents, remote: RemoteDatabase) -> list[str]:
    """The extensions that the local database uses and the app's database can't have."""
    may = remote.target.state.extensions
    return sorted(name for name in ours.extensions if not may.get(name))


def refuse_empty(local: Target) -> Contents:
    """The local database's contents. Raises NothingToPush where it is empty."""
    label = local.connection.label
    if not local.state.exists:
        raise NothingToPush(label, "does not exist")
    held = contents(local.psql, PLATFORM.schema)
    if not held.filled:
        raise NothingToPush(label, "has no rows" if held.tables else "has no tables")
    return held


def refuse_masked(local: Target, *, allowed: bool) -> None:
    """Raise PushError where the rows are made up, unless that is allowed."""
    known = Provenance.from_comment(local.state.comment)
    if known and known.masked and not allowed:
        raise PushError(
            f"{local.connection.label} is masked: its people are made up.",
            "Add --masked where the app is to have them.",
        )


def _encrypted(connection: Connection) -> Connection:
    """The connection with the sslmode of its URL, else `require`, as Heroku demands."""
    if any(key == "sslmode" for key, _ in connection.options):
        return connection
    return replace(connection, options=(*connection.options, ("sslmode", "require")))


def sharing(found: HerokuDatabase) -> set[str]:
    """The apps that a database is attached to, and the app that pays for it."""
    paying = {found.database.app, found.database.billing_app}
    try:
        return paying | heroku.apps_with(found.api, found.database.id)
    except (NoAccess, NotFound):  # a token may be limited to this app
        return paying
