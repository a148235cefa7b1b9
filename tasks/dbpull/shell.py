"""One command, here: started without a shell, watched line by line, ended with us.

The only module that starts programs for the flow. A `Shell` is a place where
commands run; another machine is another Shell.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Protocol

Line = Callable[[str], None]
GRACE = 5.0
"""Seconds that a program gets to end itself before it is killed."""
GRACE_OF_CHILDREN = 0.5
"""Seconds that its children get after it has ended."""


@dataclass(frozen=True)
class Result:
    """What a program answered. Its environment is not kept: it may hold a password."""

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

    def ask(self, text: str) -> str:
        """Send a line, return the next line it prints ("" where it has ended)."""

    def last_words(self) -> str:
        """End its stdin, wait for its end, return its stderr."""


class Shell(Protocol):
    """A place where commands run."""

    where: str

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

    def which(self, name: str) -> str | None:
        """Path of a program, as a shell would find it."""


@dataclass
class Local:
    """This machine."""

    where: str = "this machine"
    echo: Line | None = field(default=None, repr=False)
    """Gets each command line before it runs (Invoke's --echo)."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        """Run a program to its end; see Shell."""
        out: list[str] = []
        err: list[str] = []
        with self._started(argv, env) as process:
            threads = [
                _thread(lambda: _feed(_pipe(process.stdin), stdin)),
                _thread(lambda: out.extend(_pipe(process.stdout))),
            ]
            try:
                for line in _pipe(process.stderr):
                    err.append(line)
                    if on_err:
                        on_err(line.rstrip("\n"))
                code = process.wait()
            except BaseException:
                _end(process)
                raise
            finally:
                for thread in threads:
                    thread.join()
        return Result(tuple(argv), code, "".join(out), "".join(err))

    @contextmanager
    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Iterator[Running]:
        """Start a program to be talked to; see Shell."""
        with self._started(argv, env) as process:
            yield _Conversation(process)

    def which(self, name: str) -> str | None:
        """Path of a program on PATH."""
        return shutil.which(name)

    @contextmanager
    def _started(
        self, argv: Sequence[str], env: Mapping[str, str] | None
    ) -> Iterator[subprocess.Popen[str]]:
        if self.echo:
            self.echo(" ".join(map(_typed, argv)))
        # A session of its own: Ctrl-C reaches us alone, and we end it in order.
        process = subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)
            _close(process)


class _Conversation:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, text: str) -> str:
        stdin = _pipe(self._process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(text)
            stdin.flush()
        return _pipe(self._process.stdout).readline()

    def last_words(self) -> str:
        with suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        return _pipe(self._process.stderr).read()


def _typed(word: str) -> str:
    """A word as one would type it; psql is given separators that no terminal shows."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.encode("unicode_escape").decode().replace("'", r"\'")
    return f"$'{escaped}'"


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None  # noqa: S101 - each pipe was asked for
    return pipe


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _feed(pipe: IO[str], text: str) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(text)


def _end(process: subprocess.Popen[str]) -> None:
    """See that the program and what it started are gone, gently first."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    deadline = time.monotonic() + GRACE_OF_CHILDREN
    while _signal(process, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    _signal(process, signal.SIGKILL)
    process.wait()


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()


def _signal(process: subprocess.Popen[str], number: int) -> bool:
    """Whether there was anyone to get it."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS: the dead are not permitted
        return False
    return True


def is_remote(c: object) -> bool:
    """Whether a context is Fabric's Connection: its class has `local`.

    Asking the class, for on an instance attributes fall through to the configuration.
    """
    return hasattr(type(c), "local")
