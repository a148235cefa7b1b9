"""psql, which runs all SQL: values go by its variables, never into the SQL's text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from dbpull.errors.postgres import BY_TRIGGER, CannotConnect, SqlFailed
from dbpull.postgres import severities
from dbpull.postgres.connection import Connection
from dbpull.postgres.privacy import raised_by, without_values, without_words
from dbpull.shell import Dialogue, PipedInput, PipedProcess, Result, Shell

_CONNECTION_FAILED = 2  # psql's exit codes, from its documentation
_FIELD, _RECORD = "\x1f", "\x1e"
_PLAIN = '"$0" -XwqAt -v ON_ERROR_STOP=1 -d'
_THROUGH = f'{_PLAIN} "$1" | {_PLAIN} "$2"'
# A role or a database may have limits that were made for an app's queries.
_OPTIONS = (
    # Another session may hold a database's lock for hours; waiting for it, our session
    # would keep everybody from connecting.
    "-c statement_timeout=0 -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=0 -c search_path=pg_catalog"
    " -c default_transaction_read_only=off"
)
# Some servers don't know these settings, so they can't be in PGOPTIONS. To look for
# them in pg_settings takes twenty times as long.
UNLIMITED = """
SELECT set_config(name, '0', false)
FROM unnest('{transaction_timeout,idle_session_timeout}'::text[]) name
WHERE current_setting(name, true) IS NOT NULL \\g /dev/null
SELECT set_config('client_encoding', 'SQL_ASCII', false)
WHERE getdatabaseencoding() = 'SQL_ASCII' \\g /dev/null
"""


_OF_SESSIONS = ("LC_ALL", "PGAPPNAME", "PGCLIENTENCODING", "PGOPTIONS")
"""Variables by which our own sessions differ from a user's."""


def of_a_user(connection: Connection, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a psql that a user works with, with the password."""
    ours = connection.environment(environ)
    theirs = {name: environ[name] for name in _OF_SESSIONS if name in environ}
    return {k: v for k, v in ours.items() if k not in _OF_SESSIONS} | theirs


@dataclass(frozen=True)
class Psql:
    """psql on the machine from which the database is reached, with the connection."""

    shell: Shell
    program: str
    connection: Connection
    maintenance: str = ""
    """The database that we connect to while the target is renamed; "": the target."""

    def run(
        self, sql: str, *, doing: str, dbname: str = "", **variables: str
    ) -> list[list[str]]:
        """Run statements, return the rows they print.

        Without `dbname` they run in the maintenance database.
        `doing` names the step in the error. Each keyword is a psql variable, used in
        the SQL as `:'name'` or `:"name"`. Raises CannotConnect, SqlFailed.
        """
        argv, script = self._argv(variables), UNLIMITED + sql
        env = self._environment(dbname)
        result = self.shell.run(argv, env=env, stdin=script)
        if not result.ok:
            raise self._failed(doing, result)
        return _rows(result.out)

    def run_through(self, sql: str, *, doing: str, dbname: str, into: str) -> None:
        """Run statements in one database whose output are statements for another.

        Raises CannotConnect, SqlFailed, also where they end early.
        """
        argv = ["sh", "-c", _THROUGH, self.program]
        argv += [self.connection.to(name).argument for name in (dbname, into)]
        script = f"{UNLIMITED}{sql}\\echo '\\\\echo done'\n"
        result = self.shell.run(argv, env=self._environment(dbname), stdin=script)
        if not result.ok or result.out.strip() != "done":
            raise self._failed(doing, result)

    def query(self, sql: str) -> str:
        """The text that queries about `:'target'` print, in the maintenance database.

        Raises CannotConnect, SqlFailed.
        """
        target = self.connection.dbname
        return self.run(sql, doing="Querying the target", target=target)[0][0]

    def setting(self, may_set: frozenset[str]) -> Psql:
        """This psql for a role that may set these settings of RESTRICTED."""
        return replace(self, connection=replace(self.connection, may_set=may_set))

    @contextmanager
    def conversation(
        self, *, name: str, dbname: str = "", **variables: str
    ) -> Iterator[Dialogue]:
        """A session that stays open; `name` is its application_name (63 bytes)."""
        env = self._environment(dbname) | {"PGAPPNAME": name}
        with self.shell.open(self._argv(variables), env=env) as running:
            yield running

    def start_piped(
        self, shell: PipedInput, sql: str, *, name: str, dbname: str, **variables: str
    ) -> PipedProcess:
        """Start statements for a thread that waits; `name` as in `conversation`."""
        env = self._environment(dbname) | {"PGAPPNAME": name}
        script = f"{UNLIMITED}{sql}".encode()
        argv = self._argv(variables)
        return shell.start_piped(argv, lambda write: write(script), env=env)

    def on_disconnect(self, sql: str, **variables: str) -> AbstractContextManager[None]:
        """Have a host run statements by itself if we disconnect within the context."""
        argv, script = self._argv(variables), UNLIMITED + sql
        return self.shell.on_disconnect(argv, env=self._environment(), stdin=script)

    def _environment(self, dbname: str = "") -> dict[str, str]:
        connection = self.connection.to(
            dbname or self.maintenance or self.connection.dbname
        )
        return connection.environment(self.shell.environ, _OPTIONS)

    def _argv(self, variables: dict[str, str]) -> list[str]:
        argv = [self.program, "-X", "-w", "-q", "-A", "-t", "-F", _FIELD]
        argv += ["-R", _RECORD, "-v", "ON_ERROR_STOP=1"]
        for name, value in variables.items():
            argv += ["-v", f"{name}={value}"]
        return argv

    def _failed(self, doing: str, result: Result) -> CannotConnect | SqlFailed:
        # On a connection that is lost later, psql prefixes the script's line.
        at_once = re.search(r"^psql: ", result.err, re.MULTILINE)
        if result.code == _CONNECTION_FAILED and at_once:
            remedy = BY_TRIGGER if raised_by(result.err.splitlines()) else ""
            return CannotConnect(self.connection.label, cause(result.err), remedy)
        return SqlFailed(doing, self.connection.label, reason(result.err))


def cause(err: str) -> str:
    """The server's reason in the stderr of psql or pg_restore, as half a sentence."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    for line in lines:
        if found := severities.error(line):
            return found.rstrip(".")
    said = [line for line in lines if not severities.is_note(line)]
    # pg_restore prints its progress, too.
    of_errors = [line for line in said if "error: " in line]
    if not said:
        return "it ended without a message"
    return re.sub(r"^psql: error: ", "", (of_errors or said)[0]).rstrip(".")


def reason(err: str) -> str:
    """The reason as `cause` gives it, without the values of rows."""
    function = raised_by(err.splitlines())
    return without_words(function) if function else without_values(cause(err))


def _rows(out: str) -> list[list[str]]:
    if not out:
        return []
    return [record.split(_FIELD) for record in out.removesuffix("\n").split(_RECORD)]
