"""A program of this machine whose stdout is read in bytes while it runs."""

from __future__ import annotations

import errno
import fcntl
import math
import os
import select
import shlex
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from dbpull.native import native
from dbpull.shell import Line, Result
from dbpull.shell.heir import HEIR
from dbpull.shell.piped import GRACE, encoded, end, opened
from dbpull.shell.stderr import STDERR_ENDS
from dbpull.signals import PAUSE, SIGNALS

PIPE = 1024 * 1024  # bytes that the program may be ahead of its reader, on Linux
LAST_LINES = 100  # lines of stderr that are kept
LONGEST_LINE = 8192  # bytes
_ONCE_TOLD = 'read -r _ && exec "$@" </dev/null'
"""Starts the program once its heir knows of it: we may be killed before."""
LINGERS = 30.0
"""Seconds for a program to end after its output, and for its output after it."""


@contextmanager
def printed(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    echo: Line | None = None,
    hear: Callable[[bytes], object] | None = None,
) -> Iterator[ProgramOutput]:
    """Start a program whose stdout is read; `env` and stderr as in Shell.run.

    `echo` gets the command line before; `hear` each line of stderr as it comes, in
    another thread, and b"" at its end. The program and all that it has started end
    with the context, or with this process, even by `kill -9`. Raises OSError where
    the program can't be started.
    """
    if echo:
        echo(shlex.join(argv))
    output = None
    try:
        # A signal must not come between a program's start and `output`.
        with SIGNALS.deferred():
            output = ProgramOutput(argv, env, hear)
        yield output
    finally:
        if output:
            output.close()


class ProgramOutput:
    """A running program; see `printed`."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        hear: Callable[[bytes], object] | None = None,
    ) -> None:
        self._argv, self._hear = tuple(argv), hear
        if not shutil.which(argv[0]):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        HEIR.want()
        try:
            # A session of its own: Ctrl-C reaches us alone; we then end the program.
            self._process = subprocess.Popen(
                ["sh", "-c", _ONCE_TOLD, "sh", *map(native, argv)],
                env=None if env is None else encoded(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            HEIR.leave()
            raise
        HEIR.tell(f"+{self._process.pid}")
        with suppress(BrokenPipeError), opened(self._process.stdin) as told:
            told.write(b"\n")
        self._out = opened(self._process.stdout)
        _enlarge(self._out.fileno())
        self._reading = threading.Lock()
        self._ended = False
        self._err: deque[bytes] = deque(maxlen=LAST_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def read(self, count: int, deadline: float = math.inf) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end.

        After `end`, or the deadline of the monotonic clock, there is no more output;
        nor is there where the program has ended, and what it has left behind is silent.
        """
        with self._reading:
            if self._out.closed:
                return b""
            readable = select.poll()
            readable.register(self._out, select.POLLIN)
            while not self._ended and (now := time.monotonic()) < deadline:
                SIGNALS.check()
                if readable.poll(PAUSE * 1000):
                    return os.read(self._out.fileno(), count)
                if self.has_ended:
                    deadline = min(deadline, now + LINGERS)
        return b""

    def wait(self) -> Result:
        """Wait for the program's end; `err` has the last lines of its stderr.

        Call it after the output's end. A program that goes on without output is ended,
        as one that has done its work.
        """
        deadline = time.monotonic() + LINGERS
        while not self.has_ended:
            SIGNALS.check()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PAUSE)
            if time.monotonic() > deadline:
                self.end()
                return Result(self._argv, 0, "", self.err)
        return Result(self._argv, self._process.returncode, "", self.err)

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None

    @property
    def err(self) -> str:
        """The last lines of stderr: so far, or all of them after the program's end."""
        if self.has_ended:
            self._listener.join(STDERR_ENDS)
        return b"".join(list(self._err)).decode("utf-8", "replace")

    def end(self) -> None:
        """End the program and all that it has started, from any thread."""
        self._ended = True
        end(self._process, GRACE)

    def close(self) -> None:
        """End the program, and forget it."""
        self.end()
        HEIR.tell(f"-{self._process.pid}")
        HEIR.leave()
        with self._reading:
            self._out.close()

    def _listen(self) -> None:
        stderr = opened(self._process.stderr)
        with suppress(OSError), stderr:
            while line := stderr.readline(LONGEST_LINE):
                self._err.append(line)
                if self._hear:
                    self._hear(line)
        if self._hear:
            self._hear(b"")


def _enlarge(pipe: int) -> None:
    """Enlarge a pipe, so that a burst of output never waits for its reader's turn."""
    if size := getattr(fcntl, "F_SETPIPE_SZ", None):  # Linux
        with suppress(OSError):
            fcntl.fcntl(pipe, size, PIPE)
