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


def close(session: Any) -> None:
    """Close a session, or an SFTP client, also while its connection is ending.

    paramiko sends a message for it, and raises EOFError or OSError where it can't.
    """
    with suppress(OSError, EOFError):
        session.close()


class Channel:
    """A program's stdin, stdout, stderr and exit code."""

    def __init__(self, channel: Any, *, in_bytes: bool = False) -> None:
        """`in_bytes`: stdout is read by `read`, else by `line` or `read_rest`."""
        self._channel = channel
        self._stdout = GreetedStream(channel.recv)
        self._stderr = GreetedStream(channel.recv_stderr)
        self._err = LineReader(self._stderr)
        self._out = None if in_bytes else LineReader(self._stdout)

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
        assert self._out  # noqa: S101 - not in bytes
        return self._out.next(seconds)

    def read_rest(self) -> bytes:
        """Read its stdout to the end."""
        assert self._out  # noqa: S101 - not in bytes
        return self._out.read_rest()

    def read(self, count: int) -> bytes:
        """Up to `count` bytes of stdout, as soon as there are any; b"" at the end.

        It hears no signal; `close`, by another thread, ends it.
        """
        return self._stdout.read(count)

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
        if self._stdout.greeted:
            return None
        for reader in (self._out, self._err):  # the last lines may still be under way
            if reader:
                reader.next(MOMENT)
        lines = [self._stdout.last_line, self._stderr.last_line]
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
        close(self._channel)


class GreetedStream:
    """A stream's bytes after the greeting: login scripts may print some before."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._unread = b""
        self.greeted = False

    @property
    def last_line(self) -> bytes:
        """The last line before the greeting, while there is no greeting."""
        return b"".join(self._unread.splitlines()[-1:])

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the end."""
        with suppress(OSError, EOFError):
            while not self.greeted:
                if not (piece := self._receive(PIECE)):
                    return b""
                self._look_for_greeting(piece)
            found, self._unread = self._unread[:count], self._unread[count:]
            return found or self._receive(count)
        return b""

    def _look_for_greeting(self, piece: bytes) -> None:
        before, greeting, after = (self._unread + piece).partition(GREETING)
        self.greeted = bool(greeting)
        self._unread = after if greeting else before[-PIECE:]


class LineReader:
    """The lines of a stream, read by a thread."""

    def __init__(self, stream: GreetedStream) -> None:
        self._stream = stream
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._ended = False
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
            while piece := self._stream.read(PIECE):
                *lines, unfinished = (unfinished + piece).split(b"\n")
                for line in lines:
                    self._queue.put(line + b"\n")
            if unfinished:
                self._queue.put(unfinished)
        finally:
            self._queue.put(b"")
