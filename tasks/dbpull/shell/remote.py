"""A machine reached over SSH: the same commands, without a secret in any of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, Self

from dbpull.errors.remote import ConnectionLost, HostRefused
from dbpull.shell import Line, Result, Running
from dbpull.shell.channel import Channel
from dbpull.shell.keeper import Keeper

_SIGNALLED = 128
"""What a shell adds to the signal that ended a program."""


class Remote:
    """A host, while a run is at work on it: a context manager.

    `session` opens a channel of its SSH connection, `sftp` SFTP's, and `hang_up` ends
    it. Raises ConnectionLost throughout where it is gone.
    """

    def __init__(
        self,
        host: str,
        session: Callable[[], Any],
        hang_up: Callable[[], None],
        sftp: Callable[[], Any],
        *,
        echo: Line | None = None,
    ) -> None:
        self.host = self.where = host
        self.environ: Mapping[str, str] = {}
        self._session = session
        self._hang_up = hang_up
        self.sftp = sftp
        self._echo = echo
        self._numbers = count(1)
        self._passwords: dict[str, str] = {}
        self._keeper: Keeper

    def __enter__(self) -> Self:
        self._keeper = Keeper(self.host, self._session(), self._hang_up)
        return self

    def __exit__(self, *_: object) -> None:
        self._keeper.close()

    @property
    def folder(self) -> str:
        """The run's own folder there; gone when the run is."""
        return self._keeper.facts["run"]

    @property
    def home(self) -> str:
        """The user's folder there."""
        return self._keeper.facts["home"]

    @property
    def login(self) -> str:
        """The user that programs run as."""
        return self._keeper.facts["login"]

    @property
    def cores(self) -> int:
        """The host's cores."""
        return int(self._keeper.facts["cores"])

    @property
    def has_curl(self) -> bool:
        """Whether the host can download."""
        return "curl" in self._keeper.facts

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        """Run a program to its end; see Shell. `env` is added to the host's own."""
        code, out, err = self.exchange(argv, env, stdin.encode(), on_err)
        if code > _SIGNALLED:
            code = _SIGNALLED - code
        return Result(tuple(argv), code, _text(out), _text(err))

    def exchange(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_err: Line | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Run a program to its end: its exit code, stdout and stderr, in bytes."""
        with self._started(argv, env) as (channel, _):
            channel.feed(stdin)
            err = channel.hear(lambda line: on_err and on_err(_text(line).rstrip("\n")))
            out, code = channel.rest(), channel.code
        if code is None:
            raise ConnectionLost(self.host)
        return code, out, err

    @contextmanager
    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Iterator[Running]:
        """Start a program to be talked to; see Shell."""
        with self._started(argv, env) as (channel, number):
            yield _Conversation(channel)
            channel.end_stdin()
            self._end(number)

    @contextmanager
    def will(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Iterator[None]:
        """Have the keeper run this where it loses us; see Shell."""
        script = f"exec {self._line('will', argv, env)} <{self.folder}/will.stdin"
        self.write(f"{self.folder}/will.stdin", stdin)
        self.write(f"{self.folder}/will", script)
        try:
            yield
        finally:
            # Where the connection is lost, this very file is what it is for.
            with suppress(ConnectionLost):
                self._check("Putting things in order", "rm", f"{self.folder}/will")

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program of that name; see Shell."""
        found = []
        for line in self.verb("find", name, *folders).out.splitlines():
            path, _, real = line.partition("\t")
            found.append((path, real))
        # The first line is PATH's, and empty where it has none.
        return [pair for pair in found[:1] if pair[0]] + sorted(found[1:], reverse=True)

    def exists(self, path: str) -> bool:
        """Whether there is such a file, as far as we may know."""
        return self.run(["test", "-e", path]).ok

    def free(self, folder: str) -> int | None:
        """Bytes free on the disk of a folder, or of where it would be made."""
        told = self.verb("free", folder)
        return int(told.out) if told.ok and told.out.strip().isdecimal() else None

    def verb(
        self,
        verb: str,
        *words: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        """Run one of the verbs of host.sh."""
        return self.run(self.script(verb, *words), env=env, stdin=stdin, on_err=on_err)

    def script(self, verb: str, *words: str) -> list[str]:
        """The command of a verb of host.sh."""
        return ["sh", f"{self.folder}/host.sh", verb, self.folder, *words]

    def lost(self, why: BaseException) -> ConnectionLost:
        """What to raise where SSH itself fails."""
        error = ConnectionLost(self.host)
        error.__cause__ = why
        return error

    @contextmanager
    def _started(
        self, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> Iterator[tuple[Channel, str]]:
        line, number = self._numbered(argv, env)
        if self._echo:
            self._echo(f"{self.host}$ {shlex.join(argv)}")
        session = self._session()
        try:
            session.exec_command(f"exec {line}")
        except Exception as error:
            raise self.lost(error) from error
        channel = Channel(session)
        try:
            yield channel, number
        except BaseException:
            self._end(number)
            raise
        finally:
            channel.close()

    def _numbered(
        self, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> tuple[str, str]:
        number = str(next(self._numbers))
        return self._line(number, argv, env), number

    def _line(
        self, number: str, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> str:
        """What the host's shell is given: quoted once, here."""
        pairs = [f"{name}={value}" for name, value in self._without_secret(env)]
        return shlex.join(self.script("start", number, *pairs, "--", *argv))

    def _without_secret(
        self, env: Mapping[str, str] | None
    ) -> Iterator[tuple[str, str]]:
        """The variables; in place of a password the file that it is in."""
        for name, value in (env or {}).items():
            if name == "PGPASSWORD":
                yield "PGPASSFILE", self._pass_file(value)
            else:
                yield name, value

    def _pass_file(self, password: str) -> str:
        """A file for libpq (documentation, 34.16) that only its owner can read."""
        if password not in self._passwords:
            path = f"{self.folder}/pgpass.{len(self._passwords)}"
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            self.write(path, f"*:*:*:*:{escaped}\n")
            self._passwords[password] = path
        return self._passwords[password]

    def write(self, path: str, text: str) -> None:
        """Write a file that nobody else can read. Raises HostRefused."""
        self._check("Writing a file", "sh", "-c", 'cat >"$0"', path, stdin=text)

    def _check(self, doing: str, *argv: str, stdin: str = "") -> None:
        result = self.run(argv, stdin=stdin)
        if not result.ok:
            raise HostRefused.by(self.host, doing, result.err)

    def _end(self, number: str) -> None:
        """See that a program and what it started are gone; of a lost host its keeper
        does."""
        with suppress(ConnectionLost):
            self.verb("end", number)


class _Conversation:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def ask(self, text: str) -> str:
        self._channel.say(text.encode())
        return _text(self._channel.line())

    def last_words(self) -> str:
        self._channel.end_stdin()
        return _text(self._channel.hear(lambda _: None))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
