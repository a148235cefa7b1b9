"""A machine reached over SSH: the same commands, without a secret in any of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from dbpull.errors.hosts import ConnectionLost, HostRefused
from dbpull.hosts.agent import HostAgent
from dbpull.hosts.channel import Channel
from dbpull.hosts.sessions import HostSessions, decoded
from dbpull.naming import NAME
from dbpull.shell import Line, Result, Running

_SIGNALLED = 128
"""What a shell adds to the signal that ended a program."""


class Host(HostSessions):
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
        typed: str = "",
        echo: Line | None = None,
    ) -> None:
        super().__init__(host, session, echo)
        self.where = host
        self._typed = typed or host
        self.environ: Mapping[str, str] = {}
        self.sftp = sftp
        self._hang_up = hang_up
        self._keeper: HostAgent

    def command_for(self, task: str) -> str:
        """What to type for a task; with user and port where -H has them."""
        return f"fab -H {self._typed} {NAME.task(task)}"

    def __enter__(self) -> Self:
        self._keeper = HostAgent(self.host, self._session(), self._hang_up)
        self.folder = self._keeper.facts["run"]
        return self

    def __exit__(self, *_: object) -> None:
        # Of a host that is lost whoever was at work has told, or had ended.
        with suppress(ConnectionLost):
            self._keeper.close()

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
        return Result(tuple(argv), code, decoded(out), decoded(err))

    @contextmanager
    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Iterator[Running]:
        """Start a program to be talked to; see Shell."""
        with self.started(argv, env) as (channel, number):
            yield _Conversation(channel, self.code)
            channel.end_stdin()
            self.end(number)

    @contextmanager
    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Iterator[None]:
        """Have the keeper run this where it loses us; see Shell."""
        path = f"{self.folder}/will"
        self.write(f"{path}.stdin", stdin)
        line = f"{self.line('will', argv, env)} <{shlex.quote(path)}.stdin"
        # In braces: what was cut off by the connection's end is not run.
        self.write(path, f"{{\nexec {line}\n}}\n")
        try:
            yield
        finally:
            # Where the connection is lost, or its disk is full, it is what this file is
            # for; else there is nothing left for it to do.
            with suppress(ConnectionLost, HostRefused):
                self.check("Putting things in order", ["rm", "-f", path])

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program of that name; see Shell."""
        lines = self.verb("find", name, *folders).out.removesuffix("\n").split("\n")
        pairs = [
            (path, real) for path, _, real in (line.partition("\t") for line in lines)
        ]
        # The first line is PATH's, and empty where it has none.
        return [pair for pair in pairs if pair[0]]

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


class _Conversation:
    """`judge` raises where it is not by the program that a channel has ended."""

    def __init__(self, channel: Channel, judge: Callable[[Channel], int]) -> None:
        self._channel = channel
        self._judge = judge

    def query(self, text: str) -> str:
        self._channel.write(text.encode())
        line = self._channel.line()
        if not line and self._channel.over():
            self._judge(self._channel)
        return decoded(line)

    def last_words(self) -> str:
        self._channel.end_stdin()
        heard = self._channel.read_stderr(lambda _: None)
        if self._channel.over():
            self._judge(self._channel)
        return decoded(heard)
