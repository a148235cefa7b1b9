"""The project's embedded server as the target: by default, or named by its URL."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import PurePath

from dbpull import embedded
from dbpull.console import Reporter
from dbpull.embedded.server import PORT
from dbpull.errors.postgres import CannotConnect
from dbpull.errors.settings import NoTargetThere
from dbpull.naming import command
from dbpull.postgres.connection import Connection
from dbpull.project import make_own_folder, own_folder
from dbpull.shell import Shell

NAME = "development"
"""The embedded server's database that is the target where no URL names another."""
_LOOPBACK = {"127.0.0.1", "localhost"}
_SOCKETS = re.compile(r"dbpull-\d+-[0-9a-f]{12}")


def server(port: int | None = None) -> embedded.Server:
    """The embedded server, running or not; its data lie in the project.

    Started with a `port`, it also listens at that port of 127.0.0.1.
    """
    return embedded.Server(own_folder() / "server", port=port)


def runs() -> bool:
    """Whether the embedded server is installed and running."""
    return embedded.programs() is not None and server().running


def is_set_up() -> bool:
    """Whether the embedded server is installed and has databases, running or not."""
    return embedded.programs() is not None and server().data.exists()


def used() -> int:
    """The bytes of the embedded server's data on the disk."""
    total = 0
    for path in server().data.rglob("*"):
        with suppress(OSError):  # a running server removes files
            total += path.lstat().st_blocks * 512
    return total


def serves(connection: Connection, shell: Shell, port: int | None) -> bool:
    """Whether a connection leads to the embedded server, which we may then start.

    `port`: the port of 127.0.0.1 at which it listens beside its socket.
    """
    if not shell.host and connection.host in _LOOPBACK and connection.port == port:
        return True
    if shell.host or not connection.is_socket or connection.port != PORT:
        return False
    ours = os.path.realpath(server().sockets)
    return bool(connection.host) and os.path.realpath(connection.host) == ours


def start(reporter: Reporter, port: int | None, dbname: str = NAME) -> bool:
    """Start the embedded server, and say so; False where it runs already.

    Raises OtherPort, and the errors of Server.start.
    """
    own = server(port)
    if own.running:
        own.start()  # waits for a server that is still starting
        return False
    with reporter.step("server", "Starting the embedded PostgreSQL") as step:
        make_own_folder()
        own.start()
        step.sentence = f"Started PostgreSQL at {own.url(dbname)}"
        if port:
            step.sentence += f", and at 127.0.0.1:{port} with a password"
        step.sentence += f" (it keeps running; `{command('stop')}` stops it)"
    return True


def refuse_elsewhere(connection: Connection, origin: str, shell: Shell) -> None:
    """Raise NoTargetThere where a host is given the URL of this machine's server."""
    socket = f"{connection.host}/.s.PGSQL.{connection.port}"
    if shell.host and _is_embedded(connection) and not shell.exists(socket):
        raise NoTargetThere(shell.host, f"{origin} is this machine's embedded server")


def advised(error: CannotConnect, connection: Connection) -> CannotConnect:
    """The error, with a remedy where the URL is of another embedded server."""
    if not _is_embedded(connection):
        return error
    return CannotConnect(
        error.label,
        error.cause,
        "That is the embedded server of another project or user, or of this one from"
        f" before it was moved. `{command('start')}` there starts it;"
        f" `{command('start')}` here starts this project's, and tells its URL.",
    )


def _is_embedded(connection: Connection) -> bool:
    host = PurePath(connection.host)
    return connection.is_socket and bool(_SOCKETS.fullmatch(host.name))
