"""The confirmation of a push: the app's name, by a flag or typed."""

from __future__ import annotations

import sys

from dbpull.errors.push import PushError


def confirm(app: str, said: str | None) -> None:
    """Require the app's real name, by a flag or typed on a terminal.

    Raises PushError.
    """
    if said is None and _is_terminal():
        sys.stderr.write(f"Type {app} to have its database replaced: ")
        sys.stderr.flush()
        said = _typed()
    if said != app:
        what = f"{said!r} is not {app}" if said else f"Nobody confirmed {app}"
        raise PushError(
            f"{what}, so nothing was done.",
            f"Add --confirm={app} where its database may go.",
        )


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
