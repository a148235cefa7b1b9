"""The embedded server by itself: started, stopped; and the target's URL."""

from __future__ import annotations

from dbpull.console import out
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, embedded_server
from dbpull.steps.run import told


def start(settings: Settings, shell: Shell) -> None:
    """Start the embedded server, whether it is the target or not."""
    with told(shell=shell) as teller:
        at = embedded_server.server().url(embedded_server.NAME)
        if not embedded_server.start(teller):
            teller.say(f"The embedded PostgreSQL runs already, at {at}")
        if settings.target:
            target = aim.named(settings, shell)
            if not target.embedded:
                label = target.connection.label
                teller.note(f"The target is another one: {label} ({target.origin}).")


def stop() -> None:
    """Stop the embedded server; its data stay."""
    from dbpull.steps import demo

    with told() as teller:
        if embedded_server.runs():
            embedded_server.server().stop()
            teller.say(
                "Stopped the embedded PostgreSQL; its data stay in .dbpull/server."
            )
        else:
            teller.say("Nothing of ours was running.")
        if demo.is_kept():
            teller.say("A demo is kept; `invoke db.stop --demo` stops it.")


def url(settings: Settings, shell: Shell) -> None:
    """Print the target's URL, with its password; the embedded server is started."""
    with told(shell=shell) as teller:
        target = aim.named(settings, shell)
        if target.embedded:
            embedded_server.start(teller, target.connection.dbname)
        out(target.connection.url)
