"""The protocol Shell, a place where programs run: this machine, or a host over SSH."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

Line = Callable[[str], None]
LISTING = "{listing}"
"""Stands in a command for the file of a list; see PipedInput."""


@dataclass(frozen=True)
class Result:
    """A program's result, without the environment, which may hold a password.

    A `code` below zero is the signal that ended the program.
    """

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether its exit code was 0."""
        return self.code == 0


class Dialogue(Protocol):
    """A program in a dialogue: it answers each line with a line."""

    def query(self, text: str) -> str:
        """Write to stdin, return the next line of stdout ("" at its end)."""

    def last_words(self, text: str = "") -> str:
        """Write to stdin and end it; wait for the program's end, return its stderr."""


Write = Callable[[bytes], object]
WriteStdin = Callable[[Write], object]
"""Writes a program's stdin with the given function."""


class PipedProcess(Protocol):
    """A program whose stdin a thread writes."""

    def wait(self, on_err: Line) -> Result:
        """Wait for the program's end; `on_err` as in Shell.run.

        Raises the error that ended the writing.
        """

    def end(self) -> None:
        """End the program, from any thread, gently first."""


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

        `{listing}` in `argv` stands for a file that holds the text `listing`. The echo
        shows the command as it would be typed, with the file `source` as stdin.
        """


class Shell(Protocol):
    """A place where programs run."""

    @property
    def where(self) -> str:
        """The place's name in messages: `this machine`, `devbox`."""

    @property
    def host(self) -> str:
        """The host's name in -H; "" for this machine."""

    def command_for(self, task: str) -> str:
        """The command line of `undo`: `invoke db.undo`, `fab -H ada@devbox db.undo`."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of every program; empty for a host: ours stays here."""

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

        `on_err` gets each line of its stderr as it is printed. An error of `on_err`,
        like Ctrl-C, ends the program first and is then raised; so does `kill -9` of
        this process. What the program leaves behind is not waited for on this machine.
        """

    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Dialogue]:
        """Start a program for a dialogue; leaving the context ends the program."""

    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> AbstractContextManager[None]:
        """Have a host run a program if the connection is lost while in the context."""

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program called `name`, with its real path; the one on PATH first.

        `folders` are shell patterns; the matches of a pattern come in reverse order.
        """

    def version(self, path: str) -> str:
        """The output of a program's `--version`; empty where it fails.

        Raises OSError where it can't be started.
        """

    def exists(self, path: str) -> bool:
        """Whether the file exists, as far as our user may know."""

    def free(self, folder: str, holding: str = "") -> int | None:
        """Bytes free on the disk of a folder; None where unknown.

        None, too, where the folder has no file of the name `holding`.
        """
