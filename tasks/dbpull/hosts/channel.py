"""The SSH channel of a program on a host: its streams, by lines, and its exit code.

The channel is paramiko's (Fabric's `Connection.create_session` opens one). No method
blocks for long, so that Ctrl-C is heard while a program works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from dbpull.signals import PAUSE, SIGNALS

_T = TypeVar("_T")
GREETING = b"dbpull:\n"
PIECE = 32768
MOMENT = 1.0
"""Seconds within which all of a program's ends arrive: streams, code, connection."""
KILLED = 128 + 9
"""The exit code of a killed program: paramiko does not tell the signal."""


def answered(transport: Any, ask: Callable[[], _T]) -> _T:
    """The result of `ask`. Raises EOFError where the connection has ended.

    paramiko waits without end for an answer where the connection ends just before
    that, between its look at the channel and the wait.
    """

    def look() -> None:
        if not transport.is_active():
            raise EOFError

    return SIGNALS.during(ask, look)


def run_line(session: Any, line: str) -> None:
    """Have a fresh session run a line, in the place of its login shell."""
    ask = partial(session.exec_command, f"exec {line}")
    answered(session.get_transport(), ask)


class Channel:
    """A program's stdin, stdout, stderr and exit code."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._err = LineReader(channel.recv_stderr)
        self._out = LineReader(channel.recv)

    def write(self, data: bytes) -> None:
        """Write to the program's stdin; do nothing where the program has ended."""
        with suppress(OSError, EOFError):
            self._channel.sendall(data)

    def end_stdin(self) -> None:
        """End the program's stdin."""
        with suppress(OSError, EOFError):
            self._channel.shutdown_write()

    def write_all(self, data: bytes) -> None:
        """Write all of the program's stdin, in a thread, and end it."""

        def write() -> None:
            self.write(data)
            self.end_stdin()

        threading.Thread(target=write, daemon=True).start()

    def line(self, *, seconds: float | None = None) -> bytes:
        """The next line of the program's stdout, once complete; b"" at the end."""
        return self._out.next(seconds)

    def read_rest(self) -> bytes:
        """Read its stdout to the end."""
        return self._out.read_rest()

    def read_stderr(self, on_line: Callable[[bytes], None]) -> bytes:
        """Read the program's stderr line by line to its end, and return all."""
        lines = []
        while line := self._err.next():
            lines.append(line)
            on_line(line)
        return b"".join(lines)

    @property
    def refusal(self) -> str | None:
        """The login shell's reason for not starting the program, once it has ended.

        None where the program was started.
        """
        if self._out.greeted:
            return None
        for reader in (self._out, self._err):  # the last lines may still be under way
            reader.next(MOMENT)
        lines = [*self._out.before.splitlines(), *self._err.before.splitlines()]
        texts = [text for line in lines if (text := line.decode(errors="replace"))]
        return texts[-1].strip().rstrip(".") if texts else "its shell said nothing"

    def over(self, seconds: float = MOMENT) -> bool:
        """Whether program or connection has ended; waits up to `seconds` for it."""
        waited = 0.0
        while not (ended := self._channel.status_event.wait(PAUSE)):
            waited += PAUSE
            if waited >= seconds:
                break
            SIGNALS.check()
        return bool(ended)

    @property
    def code(self) -> int | None:
        """The exit code, once the program has ended; None where the connection has."""
        while not self.over():
            pass
        code: int = self._channel.exit_status
        if code != -1 and self._channel.eof_received:
            return code
        # The connection may have ended, or a signal may have ended the program.
        transport = self._channel.get_transport()
        transport.join(MOMENT)
        if not transport.is_active():
            return None
        return KILLED if code == -1 else code

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


class LineReader:
    """The lines of a stream after the greeting: login scripts may print some before."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._ended = False
        self.greeted = False
        self.before = b""
        """The last line before the greeting."""
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, seconds: float | None = None) -> bytes:
        """The next line; b"" at the end, or where no line comes within `seconds`.

        Raises Stopped where a signal has come meanwhile.
        """
        waited = 0.0
        while not self._ended and (seconds is None or waited < seconds):
            SIGNALS.check()
            try:
                line = self._queue.get(timeout=PAUSE)
            except Empty:
                waited += PAUSE
            else:
                self._ended = not line
                return line
        return b""

    def read_rest(self) -> bytes:
        """Read all lines to the end, joined."""
        return b"".join(iter(self.next, b""))

    def _read(self) -> None:
        unfinished = b""
        try:
            with suppress(OSError, EOFError):
                while piece := self._receive(PIECE):
                    *lines, unfinished = (unfinished + piece).split(b"\n")
                    for line in lines:
                        self._take(line + b"\n")
            if unfinished:
                self._take(unfinished)
        finally:
            self._queue.put(b"")

    def _take(self, line: bytes) -> None:
        if self.greeted:
            self._queue.put(line)
        elif line.endswith(GREETING):
            self.greeted = True
        else:
            self.before = line
