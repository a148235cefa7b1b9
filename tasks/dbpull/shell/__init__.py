"""One command, here or over SSH: a `Shell` is a place where commands run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

Line = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a program answered. Its environment is not kept: it may hold a password.

    A `code` below zero is the signal that ended it.
    """

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether its exit code was 0."""
        return self.code == 0


class Running(Protocol):
    """A program that is being talked to."""

    def query(self, text: str) -> str:
        """Send a line, return the next line it prints ("" where it has ended)."""

    def last_words(self) -> str:
        """End its stdin, wait for its end, return its stderr."""


Write = Callable[[bytes], object]
WriteStdin = Callable[[Write], object]
"""Writes a program's stdin, with the function that it is given."""


class PipedProcess(Protocol):
    """A program whose stdin a thread writes."""

    def wait(self, on_err: Line) -> Result:
        """Wait for its end; `on_err` as in Shell.run. Raises what ended the writing."""

    def end(self) -> None:
        """End it, from whichever thread, gently first."""


class PipedInput(Protocol):
    """A place that can write bytes to a program's stdin while it runs."""

    def start_piped(
        self,
        argv: Sequence[str],
        write_stdin: WriteStdin,
        *,
        env: Mapping[str, str],
        listing: str = "",
        source: str = "",
    ) -> PipedProcess:
        """Start a program whose stdin `write_stdin` writes, in a thread of its own.

        `{listing}` in `argv` stands for a file that holds the text `listing`. Who
        typed the command would have it read the file `source`.
        """


class Shell(Protocol):
    """A place where commands run."""

    @property
    def where(self) -> str:
        """As messages name it: `this machine`, `devbox`."""

    @property
    def host(self) -> str:
        """The host's name in -H; "" for this machine."""

    def command_for(self, task: str) -> str:
        """What to type for a task: `invoke db.undo`, `fab -H ada@devbox db.undo`."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that a program's own are added to: none of ours on a host."""

    @property
    def login(self) -> str:
        """The user that programs run as."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        """Run a program to its end.

        `on_err` gets each line of its stderr as it is printed. Whatever it raises,
        like Ctrl-C, ends the program first and is raised then.
        """

    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Running]:
        """Start a program to be talked to; leaving the context ends it."""

    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> AbstractContextManager[None]:
        """Have a host run this if it loses the connection while in the context."""

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program of that name, each with its real path: PATH's first.

        `folders` are shell patterns; of what fits one, the last comes first.
        """

    def exists(self, path: str) -> bool:
        """Whether there is such a file, as far as we may know."""

    def free(self, folder: str) -> int | None:
        """Bytes free on the disk of a folder; None where that can't be told."""


def is_remote(c: object) -> bool:
    """Whether a context is Fabric's Connection: its class has `local`.

    Asking the class, for on an instance attributes fall through to the configuration.
    """
    return hasattr(type(c), "local")
