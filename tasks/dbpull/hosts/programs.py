"""Programs in the sessions of one SSH connection, without a secret in any command."""

from __future__ import annotations

import shlex
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from dbpull.errors.hosts import ConnectionLost, HostRefused
from dbpull.hosts.channel import Channel, answered, close
from dbpull.hosts.encoded import encoded
from dbpull.hosts.sessions import PAUSE, TRIES, Sessions
from dbpull.shell import Line
from dbpull.signals import SIGNALS

ENDING = 30.0
"""Seconds that a host gets to end a program."""
_SERVICE = "dbpull"
_OURS = "-c dbpull."
"""How a setting of our own begins in PGOPTIONS: it may hold the salt of masks."""


class HostPrograms(ABC):
    """Runs programs on a host, each in a session of its own.

    Every method may raise ConnectionLost.
    """

    folder: str
    """The run's own folder on the host; removed at the run's end."""

    def __init__(self, host: str, sessions: Sessions, echo: Line | None) -> None:
        self.host = host
        self._sessions = sessions
        self._echo = echo
        self._numbers = count(1)
        self._secret_files: dict[str, str] = {}
        self._writing = threading.Lock()

    def exchange(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_err: Line | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Run a program to its end; return exit code, stdout and stderr, in bytes."""

        def tell(line: bytes) -> None:
            if on_err:
                on_err(decoded(line).rstrip("\n"))

        with self.started(argv, env, reads=bool(stdin)) as (channel, _):
            if stdin:
                channel.write_all(stdin)
            err = channel.read_stderr(tell)
            out = channel.read_rest()
            return self.code(channel), out, err

    @abstractmethod
    def put(self, name: str, text: str) -> None:
        """Have the agent write a file of the run; do not wait.

        Only its owner can read it. What `start` names as a file for libpq is waited
        for there.
        """

    def check(self, doing: str, argv: Sequence[str], stdin: bytes = b"") -> None:
        """Run a program that must succeed. Raises HostRefused."""
        code, _, err = self.exchange(argv, stdin=stdin)
        if code:
            raise HostRefused.by(self.host, doing, decoded(err))

    def script(self, verb: str, *words: str) -> list[str]:
        """The command of a verb of host.sh."""
        return ["sh", f"{self.folder}/host.sh", verb, self.folder, *words]

    @contextmanager
    def started(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        *,
        reads: bool,
        in_bytes: bool = False,
    ) -> Iterator[tuple[Channel, str]]:
        """Start a program; give its channel and number; end it on an error.

        A program that `reads` waits for the end of its stdin, which must come.
        `in_bytes` as in Channel.
        """
        number = str(next(self._numbers))
        words = self._words(number, argv, env)
        line = shlex.join(["start", *words]) + ("" if reads else " </dev/null")
        if self._echo:
            self._echo(f"{self.host}$ {shlex.join(argv)}")
        with self._channel(line) as start:
            try:
                yield start(in_bytes=in_bytes), number
            except BaseException:
                self.end(number)
                raise

    @contextmanager
    def _channel(self, line: str) -> Iterator[Callable[..., Channel]]:
        """Take a session; give the function that has host.sh run a line there."""
        session = self._opened()
        told = f"{encoded(line)}\n".encode()

        def start(*, in_bytes: bool = False) -> Channel:
            channel = Channel(session, in_bytes=in_bytes)
            try:
                answered(session.get_transport(), lambda: channel.write(told))
            except EOFError as error:
                raise ConnectionLost(self.host) from error
            return channel

        try:
            yield start
        finally:
            close(session)

    def _opened(self) -> Any:
        """Take a session, with retries for a host that allows only a few at once."""
        for _ in range(TRIES):
            with suppress(HostRefused):
                return self._sessions.take()
            SIGNALS.pause(PAUSE)
        return self._sessions.take()

    def line(
        self, number: str, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> str:
        """The command line of a program for a POSIX shell, quoted once, here."""
        return shlex.join(self.script("start", *self._words(number, argv, env)))

    def _words(
        self, number: str, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> list[str]:
        """The arguments of host.sh's `start`."""
        pairs = [f"{name}={value}" for name, value in self._without_secret(env)]
        return [number, *pairs, "--", *argv]

    def _without_secret(
        self, env: Mapping[str, str] | None
    ) -> Iterator[tuple[str, str]]:
        """The variables, with files in place of a password and of secret settings."""
        env = env or {}
        for name, value in env.items():
            if name == "PGPASSFILE" and "PGPASSWORD" in env:
                continue  # the URL's password wins
            if name == "PGPASSWORD":
                yield "PGPASSFILE", self._pass_file(value)
            elif name == "PGOPTIONS" and _OURS in value:
                yield "PGSERVICEFILE", self._service_file(value)
                yield "PGSERVICE", _SERVICE
            else:
                yield name, value

    def _pass_file(self, password: str) -> str:
        """A file for libpq (documentation, 34.16) that only its owner can read."""
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        return self._secret_file("pgpass", f"*:*:*:*:{escaped}\n")

    def _service_file(self, options: str) -> str:
        """A file of libpq's services (documentation, 34.17) with these settings.

        To libpq they are worth more than PGOPTIONS.
        """
        return self._secret_file("service", f"[{_SERVICE}]\noptions={options}\n")

    def _secret_file(self, name: str, text: str) -> str:
        """A file with this text that only its owner can read."""
        with self._writing:
            if text not in self._secret_files:
                name = f"{name}.{len(self._secret_files)}"
                self.put(name, text)
                self._secret_files[text] = f"{self.folder}/{name}"
            return self._secret_files[text]

    def end(self, number: str) -> None:
        """End a program and its children; where that fails, the agent ends them at
        the run's end."""
        line = f"end {number} </dev/null"
        with suppress(ConnectionLost, HostRefused), self._channel(line) as start:
            start().over(ENDING)

    def code(self, channel: Channel) -> int:
        """The exit code of a program's channel. Raises ConnectionLost, HostRefused."""
        code = channel.code
        if code is None:
            raise ConnectionLost(self.host)
        if channel.refusal is not None:
            raise HostRefused(self.host, "Starting a program", channel.refusal)
        return code


def decoded(data: bytes) -> str:
    """A program's output as text; bytes that are no UTF-8 are replaced."""
    return data.decode("utf-8", "replace")
