"""The Shell of a host: runs programs over SSH, without a secret in any command."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Self

from dbpull.errors.hosts import ConnectionLost, HostRefused
from dbpull.hosts.agent import HostAgent
from dbpull.hosts.channel import Channel
from dbpull.hosts.programs import HostPrograms, decoded
from dbpull.hosts.sessions import Sessions
from dbpull.naming import NAME
from dbpull.shell import Dialogue, Line, Result

_SIGNALLED = 128
"""A shell's exit code is this plus the number of the signal that ended a program."""
_TOGETHER = "psql", "pg_restore"
"""The programs of most runs, looked for in one round trip."""


class Host(HostPrograms):
    """A host during a run; a context manager.

    `typed` is its name in -H. Every method may raise ConnectionLost.
    """

    _agent: HostAgent

    def __init__(
        self,
        host: str,
        sessions: Sessions,
        typed: str,
        echo: Line | None,
        folders: Sequence[str] = (),
    ) -> None:
        """`folders` as in `find`: most runs look for programs there."""
        super().__init__(host, sessions, echo)
        self._folders = folders
        self.where = host
        self._typed = typed
        self.environ: Mapping[str, str] = {}
        self.sftp = sessions.sftp
        self._programs: dict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = {}
        self._versions: dict[str, str] = {}

    def command_for(self, task: str) -> str:
        """The command line of a task, with user and port as -H has them."""
        return f"fab -H {self._typed} {NAME.task(task)}"

    def __enter__(self) -> Self:
        wanted = [" ".join(_TOGETHER), *self._folders] if self._folders else []
        session, lost = self._sessions.take(), self._sessions.close
        self._agent = HostAgent(self.host, session, lost, *wanted)
        if wanted:
            self._note_programs(_TOGETHER, self._folders, self._agent.programs)
        self.folder = self._agent.facts["run"]
        self._sessions.run_ahead(shlex.join(self.script("next")))
        return self

    def __exit__(self, *_: object) -> None:
        self._sessions.end_ahead()
        # The program that was at work has already raised ConnectionLost, or had ended.
        with suppress(ConnectionLost):
            self._agent.close()

    @property
    def home(self) -> str:
        """The user's home folder on the host."""
        return self._agent.facts["home"]

    @property
    def login(self) -> str:
        """The user that programs run as."""
        return self._agent.facts["login"]

    @property
    def cores(self) -> int:
        """The host's cores."""
        return int(self._agent.facts["cores"])

    @property
    def has_curl(self) -> bool:
        """Whether the host has curl, and so can download."""
        return "curl" in self._agent.facts

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
    ) -> Iterator[Dialogue]:
        """Start a program and hold a dialogue with it; see Shell."""
        with self.started(argv, env, reads=True) as (channel, number):
            yield _HostDialogue(channel, self.code)
            channel.end_stdin()
            if not channel.over():  # psql ends by itself
                self.end(number)

    @contextmanager
    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Iterator[None]:
        """Have the agent run a program where the connection is lost; see Shell."""
        name = f"on_disconnect.{next(self._numbers)}"
        line = f"printf %s {shlex.quote(stdin)} | {self.line(name, argv, env)}"
        # In braces: the shell does not run a file that was cut off on the way.
        self.put(name, f"{{\n{line}\n}}\n")
        try:
            yield
        except BaseException:
            # Where the disk is full, no program runs before the agent has made room,
            # which then carries out what could not be done.
            with suppress(ConnectionLost, HostRefused):
                path = f"{self.folder}/{name}"
                self.check("Removing a file of the run", ["rm", "-f", path])
                self._agent.forget(name)  # the file may not have come before
            raise
        # No other file gets its name, so nobody has to wait.
        self._agent.forget(name)

    def put(self, name: str, text: str) -> None:
        """Have the agent write a file of the run; do not wait."""
        self._agent.put(name, text)

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program called `name`; see Shell. Each is looked for once."""
        place = tuple(folders)
        if (name, place) not in self._programs:
            names = dict.fromkeys([name, *_TOGETHER])
            found = self.verb("find", " ".join(names), *folders).out
            self._note_programs(names, folders, found.split("\n")[:-1])
        return self._programs[name, place]

    def _note_programs(
        self, names: Iterable[str], folders: Sequence[str], found: Iterable[str]
    ) -> None:
        """Note what host.sh's `find` has told of these programs."""
        place = tuple(folders)
        self._programs |= {(each, place): [] for each in names}
        for line in found:
            name, path, real, version = line.split("\t", 3)
            self._programs[name, place].append((path, real))
            self._versions[path] = version

    def version(self, path: str) -> str:
        """What a program tells with `--version`; see Shell."""
        if told := self._versions.get(path):
            return told
        answer = self.run([path, "--version"])
        return answer.out if answer.ok else ""

    def exists(self, path: str) -> bool:
        """Whether the file exists, as far as our user may know."""
        return self.run(["test", "-e", path]).ok

    def free(self, folder: str, holding: str = "") -> int | None:
        """Bytes free on the disk of a folder, which may not exist yet; see Shell."""
        result = self.verb("free", folder, holding)
        return int(result.out) if result.ok and result.out.strip().isdecimal() else None

    def verb(
        self,
        verb: str,
        *words: str,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        """Run a verb of host.sh."""
        return self.run(self.script(verb, *words), stdin=stdin, on_err=on_err)


class _HostDialogue:
    """A dialogue with a program; `judge` raises where the connection has ended it."""

    def __init__(self, channel: Channel, judge: Callable[[Channel], int]) -> None:
        self._channel = channel
        self._judge = judge

    def query(self, text: str) -> str:
        self._channel.write(text.encode())
        line = self._channel.line()
        if not line:
            self._channel.end_stdin()
            if self._channel.over():
                self._judge(self._channel)
        return decoded(line)

    def last_words(self, text: str = "") -> str:
        self._channel.write(text.encode())
        self._channel.end_stdin()
        stderr = self._channel.read_stderr(lambda _: None)
        if self._channel.over():
            self._judge(self._channel)
        return decoded(stderr)
