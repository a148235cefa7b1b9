"""The flows of `db.start`, `db.stop` (the embedded server), `db.url`, `db.shell`."""

from __future__ import annotations

from dbpull.console import out
from dbpull.flows.run import reporting
from dbpull.naming import command
from dbpull.postgres import programs, psql
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.shell.local import Local
from dbpull.target import embedded_server, opened


def start(settings: Settings, shell: Shell) -> None:
    """Start the embedded server, whether it is the target or not."""
    with reporting(shell=shell) as reporter:
        url = embedded_server.server().url(embedded_server.NAME)
        if not embedded_server.start(reporter, settings.embedded_port):
            reporter.say(f"The embedded PostgreSQL runs already, at {url}")
        if settings.target:
            target = opened.named(settings, shell)
            if not target.embedded:
                label = target.connection.label
                reporter.note(f"The target is {label} ({target.origin}).")


def stop() -> None:
    """Stop the embedded server; the data stay."""
    from dbpull.flows import demo

    with reporting() as reporter:
        if embedded_server.runs():
            embedded_server.server().stop()
            reporter.say(
                "Stopped the embedded PostgreSQL; its data stay in .dbpull/server."
            )
        else:
            reporter.say("Nothing to stop.")
        if demo.is_kept():
            reporter.say(f"A demo is kept; `{command('stop')} --demo` stops it.")


def open_psql(settings: Settings, shell: Local) -> None:
    """Become psql on the target; start an embedded server first.

    Raises MissingProgram.
    """
    with reporting(shell=shell) as reporter:
        target = opened.named(settings, shell)
        program = programs.psql(shell)
        if target.embedded:
            port = settings.embedded_port
            embedded_server.start(reporter, port, target.connection.dbname)
        shell.become([program.path], psql.of_a_user(target.connection, shell.environ))


def url(settings: Settings, shell: Shell) -> None:
    """Print the target's URL, with its password; start an embedded server first."""
    with reporting(shell=shell) as reporter:
        target, port = opened.named(settings, shell), settings.embedded_port
        url, dbname = target.connection.url, target.connection.dbname
        if target.embedded:
            embedded_server.start(reporter, port, dbname)
            if port and target.connection.is_socket:
                url = embedded_server.server(port).tcp_url(dbname)
        out(url)
