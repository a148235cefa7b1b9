"""The confirmation of a push: the app's name, by a flag or typed."""

from __future__ import annotations

import sys

from dbpull.errors.push import Unconfirmed


def confirm(app: str, said: str | None) -> None:
    """Require the app's real name, by a flag or typed on a terminal.

    Raises Unconfirmed.
    """
    if said is None and _is_terminal():
        sys.stderr.write(f"Type {app} to have its database replaced: ")
        sys.stderr.flush()
        said = _typed()
    if said != app:
        raise Unconfirmed(app, said or "")


def _typed() -> str:
    try:
        typed = sys.stdin.readline()
    except BaseException:
        sys.stderr.write("\n")
        raise
    if not typed.endswith("\n"):
        sys.stderr.write("\n")  # Ctrl-D leaves the cursor behind the question
    return typed.strip()


def _is_terminal() -> bool:
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)
