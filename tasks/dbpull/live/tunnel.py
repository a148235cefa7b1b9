"""A tunnel: a command that leads from a port of this machine to a server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dbpull.errors.live import LiveError
from dbpull.redact import last_words, redacted
from dbpull.shell.output import ProgramOutput, printed
from dbpull.signals import SIGNALS

PORT = "{port}"
"""Stands in the command for the port that it is to listen on."""
PATIENCE = 60.0  # seconds; some ask a cloud's API first
PAUSE = 0.05
HERE = "127.0.0.1"


@contextmanager
def tunnel(command: str, patience: float = PATIENCE) -> Iterator[int]:
    """Start a command by `sh -c`, and give the port on which it accepts.

    The command and all that it has started end with the context, or with us. Raises
    LiveError where it has no `{port}`, ends, or does not accept within `patience`
    seconds. Whether its far side answers, only a query tells.
    """
    if PORT not in command:
        raise LiveError(
            f"The tunnel {_shown(command)} has no {PORT}.",
            f"Write {PORT} where the command takes the port to listen on.",
        )
    port = _free_port()
    # stdout goes where stderr goes: its last lines are kept, and nothing fills up.
    # sh ends after what it has started: it is waited for, and init may not look for it.
    script = f"exec >&2\ntrap exit TERM\n{command.replace(PORT, str(port))}"
    with printed(["sh", "-c", script]) as program:
        _await(program, port, command, patience)
        yield port


def _await(program: ProgramOutput, port: int, command: str, patience: float) -> None:
    """Wait until the port accepts. Raises LiveError."""
    deadline = time.monotonic() + patience
    while not program.has_ended and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HERE, port), timeout=1.0):
            # A tunnel that has gone into the background would outlive us.
            if not program.has_ended:
                return
        SIGNALS.pause(PAUSE)
    if not program.has_ended:
        raise LiveError(
            f"The tunnel {_shown(command)} does not listen on {HERE}:{port} after"
            f" {patience:.0f} seconds{_said(program)}.",
            f"Run it by itself, with a number for {PORT}, to see more.",
        )
    raise LiveError(
        f"The tunnel {_shown(command)} ended before it was used{_said(program)}.",
        f"Run it by itself, with a number for {PORT}, to see more; it must work without"
        " a question, and stay in the foreground.",
    )


def _said(program: ProgramOutput) -> str:
    words = last_words(program.err)
    return f": {words}" if words else ""


def _shown(command: str) -> str:
    return f"`{redacted(command, limit=80)}`"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        return int(listener.getsockname()[1])
