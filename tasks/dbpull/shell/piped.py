"""A program of this machine whose stdin a thread writes while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, AnyStr

from dbpull.native import native
from dbpull.shell import LISTING, Line, Result, WriteStdin
from dbpull.signals import SIGNALS

GRACE = 5.0
"""Seconds that a program gets to end itself before it is killed."""
GRACE_OF_CHILDREN = 0.5
"""Seconds that a program's children get after the program has ended."""


class PipedProgram:
    """A program whose stdin `write_stdin` writes; see PipedInput."""

    def __init__(
        self,
        argv: Sequence[str],
        write_stdin: WriteStdin,
        env: Mapping[str, str],
        listing: str,
    ) -> None:
        with tempfile.TemporaryFile() as file:  # has no name: it can't be left behind
            file.write(listing.encode())
            file.seek(0)
            path = f"/dev/fd/{file.fileno()}"
            self._argv = [path if word == LISTING else word for word in argv]
            self._process = self._start(env, file.fileno())
        self._error: BaseException | None = None
        self._ended = False
        self._writer = threading.Thread(
            target=self._write, args=(write_stdin,), daemon=True
        )
        self._writer.start()

    def _start(self, env: Mapping[str, str], listing: int) -> subprocess.Popen[bytes]:
        process = None
        try:
            # A signal must not come between a program's start and `process`.
            # A session of its own: Ctrl-C reaches us alone; we then end the program.
            with SIGNALS.deferred():
                process = subprocess.Popen(
                    list(map(native, self._argv)),
                    env=encoded(env),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(listing,),
                    start_new_session=True,
                )
        except BaseException:
            if process:
                end(process)
            raise
        return process

    def wait(self, on_err: Line) -> Result:
        """Wait for the program's end. Raises an error of `write_stdin` or `on_err`."""
        err: list[str] = []
        try:
            with opened(self._process.stderr) as lines:
                for raw in lines:
                    err.append(raw.decode("utf-8", "replace"))
                    on_err(err[-1].rstrip("\n"))
            code = self._process.wait()
        except BaseException:
            self.end()
            if self._error:
                raise self._error from None
            raise
        if code and not self._ended:
            # The writer's error may be the cause; the writer ends with the pipe.
            self._writer.join(GRACE)
        if self._error:
            raise self._error
        return Result(tuple(self._argv), code, "", "".join(err))

    def end(self) -> None:
        """End the program, from any thread."""
        self._ended = True
        end(self._process)

    def _write(self, write_stdin: WriteStdin) -> None:
        pipe = opened(self._process.stdin)
        try:
            write_stdin(pipe.write)
        except BrokenPipeError:
            pass  # the program needs no more, or has failed: its exit code tells
        except BaseException as error:  # noqa: BLE001 - raised by who waits
            self._error = error
            end(self._process)  # before it takes the pipe's end for the input's
        with suppress(BrokenPipeError):
            pipe.close()


def encoded(env: Mapping[str, str]) -> dict[bytes, bytes]:
    """A program's environment, in bytes."""
    return {native(name): native(value) for name, value in env.items()}


def end(
    process: subprocess.Popen[str] | subprocess.Popen[bytes],
    children: float = GRACE_OF_CHILDREN,
) -> None:
    """End a program and its children, gently first.

    The children get `children` seconds after the program has ended.
    """
    _signal(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
        deadline = time.monotonic() + children
        while _signal(process.pid, 0) and time.monotonic() < deadline:
            time.sleep(0.01)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def opened(pipe: IO[AnyStr] | None) -> IO[AnyStr]:
    """A program's pipe, which was asked for when the program was started."""
    assert pipe is not None  # noqa: S101 - each pipe was asked for
    return pipe


def _signal(group: int, number: int) -> bool:
    """Send a signal to a process group; whether the group had any process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: the dead are not permitted
        return False
    return True
