"""The Shell of this machine: programs started without sh, and ended with the run."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from dbpull.naming import NAME, CommandFor
from dbpull.native import native
from dbpull.shell import LISTING, Dialogue, Line, PipedProcess, Result, WriteStdin
from dbpull.shell.heir import inherited
from dbpull.shell.piped import PipedProgram, encoded, end, opened
from dbpull.shell.stderr import said
from dbpull.signals import SIGNALS


@dataclass
class Local:
    """This machine."""

    echo: Line | None = field(default=None, repr=False)
    """Gets each command line before its program starts (Invoke's --echo)."""
    typed: CommandFor = field(default=NAME.invoke, repr=False)
    """The command line of a task."""
    where = "this machine"
    host = ""

    def command_for(self, task: str) -> str:
        """The command line of a task."""
        return self.typed(task)

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of this process."""
        return os.environ

    @property
    def login(self) -> str:
        """The user of this process."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "postgres"

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
        listing = stdin if "/dev/stdin" in argv else ""
        with (
            self._started(argv, env, listing) as process,
            inherited(process.pid) if on_err else nullcontext(),
        ):
            threads = [
                _thread(lambda: _feed(opened(process.stdin), stdin)),
                _thread(lambda: out.extend(opened(process.stdout))),
            ]
            try:
                for line in said(
                    opened(process.stderr), lambda: process.poll() is not None
                ):
                    err.append(line)
                    if on_err:
                        on_err(line.rstrip("\n"))
                code = process.wait()
            except BaseException:
                end(process)
                raise
            finally:
                for thread in threads:
                    thread.join()
        return Result(tuple(argv), code, "".join(out), "".join(err))

    def become(self, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
        """Replace this process by a program, for a user who works with it."""
        self._echo_command(argv)
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os.execve(argv[0], list(map(native, argv)), encoded(env))  # noqa: S606

    def start_piped(
        self,
        argv: Sequence[str],
        write_stdin: WriteStdin,
        *,
        env: Mapping[str, str],
        listing: str = "",
        source: str = "",
    ) -> PipedProcess:
        """Start a program whose stdin a thread writes; see PipedInput."""
        self._echo_command(argv, listing, source)
        return PipedProgram(argv, write_stdin, env, listing)

    @contextmanager
    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> Iterator[Dialogue]:
        """Start a program for a dialogue; see Shell."""
        with self._started(argv, env) as process:
            dialogue = _LocalDialogue(process)
            try:
                yield dialogue
            finally:
                if process.poll() is None:
                    end(process)
                dialogue.stderr()

    @contextmanager
    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Iterator[None]:
        """Do nothing: after this process was killed, the next run puts things right."""
        yield

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        """Every program called `name`; see Shell."""
        on_path = shutil.which(name)
        found = [on_path] if on_path else []
        for pattern in folders:
            matches = Path("/").glob(f"{pattern[1:]}/{name}")
            found += sorted(map(str, matches), reverse=True)
        return [(path, os.path.realpath(path)) for path in found]

    def version(self, path: str) -> str:
        """What a program tells with `--version`; see Shell."""
        answer = self.run([path, "--version"])
        return answer.out if answer.ok else ""

    def exists(self, path: str) -> bool:
        """Whether the file exists."""
        return os.path.exists(path)  # noqa: PTH110 - Path's raises

    def free(self, folder: str, holding: str = "") -> int | None:
        """Bytes free on the disk of a folder; see Shell."""
        with suppress(OSError):
            Path(folder, holding).stat()
            return shutil.disk_usage(folder).free
        return None

    def _echo_command(
        self, argv: Sequence[str], listing: str = "", source: str = ""
    ) -> None:
        """Echo a command as it could be typed, with its list and its input file."""
        if not self.echo:
            return
        typed = " ".join(map(_typed, argv))
        if listing:  # the lines of -L are valid without their semicolons
            numbers = " ".join(listing.replace(";", "").split())
            for file in (shlex.quote(LISTING), "/dev/stdin"):
                typed = typed.replace(f"-L {file}", f"-L <(printf '%s\\n' {numbers})")
        self.echo(f"{typed} <{_typed(source)}" if source else typed)

    @contextmanager
    def _started(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        listing: str = "",
    ) -> Iterator[subprocess.Popen[str]]:
        self._echo_command(argv, listing)
        process = None
        try:
            # A signal must not come between a program's start and `process`.
            # A session of its own: Ctrl-C reaches us alone; we then end the program.
            with SIGNALS.deferred():
                process = subprocess.Popen(
                    list(map(native, argv)),
                    env=None if env is None else encoded(env),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="surrogateescape",
                    start_new_session=True,
                )
            yield process
        finally:
            if process:
                if process.poll() is None:
                    end(process)
                _close(process)


class _LocalDialogue:
    """A dialogue with a program of this machine; see Dialogue."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._err: list[str] = []
        # A program with a full stderr pipe would wait until the pipe is read.
        self._reader = _thread(lambda: self._err.extend(opened(process.stderr)))

    def query(self, text: str) -> str:
        stdin = opened(self._process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(text)
            stdin.flush()
        return opened(self._process.stdout).readline()

    def last_words(self, text: str = "") -> str:
        with suppress(BrokenPipeError), opened(self._process.stdin) as stdin:
            stdin.write(text)
        return self.stderr()

    def stderr(self) -> str:
        """All of the program's stderr, once it has ended."""
        self._reader.join()
        return _printable("".join(self._err))


def _printable(text: str) -> str:
    """A program's output as text; bytes that are no UTF-8 are replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _typed(word: str) -> str:
    """An argument as it would be typed; psql's separators are control characters."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.encode("unicode_escape").decode().replace("'", r"\'")
    return f"$'{escaped}'"


def _thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _feed(pipe: IO[str], text: str) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(text)


def _close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
