"""The target: which one, whether it may be replaced, and holding on to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dbpull import embedded
from dbpull.console import Teller
from dbpull.errors.settings import NoTarget
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql
from dbpull.project import make_own_folder, own_folder
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.target import aside, guard, lock
from dbpull.target.names import Names
from dbpull.target.state import State, inspect

EMBEDDED_NAME = "development"


@dataclass(frozen=True)
class Aim:
    """A target that has been looked at."""

    shell: Shell
    psql: Psql
    state: State
    origin: str
    """Where the target was named: `--target`, `DATABASE_URL in .env`."""
    embedded: bool

    @property
    def connection(self) -> Connection:
        """The target itself."""
        return self.psql.connection

    @property
    def names(self) -> Names:
        """The target's name and those beside it."""
        return Names(self.connection.dbname)


def embedded_server() -> embedded.Server:
    """The server that serves as default target: its data lie in the project."""
    return embedded.Server(own_folder() / "server")


def embedded_runs() -> bool:
    """Whether the embedded server is installed and running."""
    return embedded.programs() is not None and embedded_server().running


def take(settings: Settings, shell: Shell, teller: Teller) -> Aim:
    """Find the target, judge it, look at its server.

    Raises NoTarget, BadUrl, TargetNotAllowed, TargetReserved, CannotConnect.
    """
    url, origin = settings.target, settings.origins["target"]
    if url is None:
        url, origin = _embedded_url(teller), "the embedded server"
    connection = Connection.from_url(url, origin)
    guard.refuse_foreign(connection, settings.allowed_hosts)
    psql = Psql(shell, programs.psql(shell).path, connection)
    return Aim(shell, psql, inspect(psql), origin, settings.target is None)


def _embedded_url(teller: Teller) -> str:
    if embedded.programs() is None:
        raise NoTarget
    server = embedded_server()
    if server.running:
        server.start()  # waits for one that is only just coming up
    else:
        with teller.step("server", "Starting the embedded PostgreSQL") as step:
            make_own_folder()
            server.start()
            step.sentence = f"Started PostgreSQL at {server.url(EMBEDDED_NAME)}"
            step.sentence += " (it keeps running; `invoke db.stop` stops it)"
    return server.url(EMBEDDED_NAME)


@contextmanager
def held(aim: Aim, teller: Teller) -> Iterator[None]:
    """Keep others off the target, and clear away what crashed runs left.

    Raises TargetLocked, NameTaken.
    """
    with lock.held(aim.psql, aim.state):
        clear(aim, teller)
        yield


def clear(aim: Aim, teller: Teller) -> None:
    """Drop the databases that crashed runs left on the target's server."""
    for dbname in aside.leftovers(aim.psql, aim.state):
        aside.drop(aim.psql, aim.state, dbname)
        teller.note(f"Dropped {dbname}, which a run that crashed had left.")
