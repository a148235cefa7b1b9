"""A program at the other end of an SSH channel: its streams, by lines.

The channel is paramiko's (Fabric's `Connection.create_session` opens one); nothing
here blocks for long, so that Ctrl-C is heard while a program works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from dbpull.signals import PAUSE, SIGNALS

GREETING = b"dbpull:\n"
PIECE = 32768
MOMENT = 1.0
"""Seconds after which what has ended together is known to have."""
KILLED = 128 + 9
"""The code of one whose shell was killed: paramiko does not tell by what."""


class Channel:
    """A program's stdin, stdout, stderr and exit code."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._err = LineReader(channel.recv_stderr)
        self._out = LineReader(channel.recv)

    def write(self, data: bytes) -> None:
        """Write to the program's stdin; nothing where it has ended."""
        with suppress(OSError, EOFError):
            self._channel.sendall(data)

    def end_stdin(self) -> None:
        """Let it know that nothing more comes."""
        with suppress(OSError, EOFError):
            self._channel.shutdown_write()

    def write_all(self, data: bytes) -> None:
        """Write all of the program's stdin in a thread, as fast as it reads."""

        def write() -> None:
            self.write(data)
            self.end_stdin()

        threading.Thread(target=write, daemon=True).start()

    def line(self, *, seconds: float | None = None) -> bytes:
        """The next line that it prints, as soon as it comes; b"" at the end."""
        return self._out.next(seconds)

    def read_rest(self) -> bytes:
        """Read its stdout to the end."""
        return self._out.read_rest()

    def read_stderr(self, on_line: Callable[[bytes], None]) -> bytes:
        """Read its stderr to the end, a line at a time, and return all of it."""
        heard = []
        while line := self._err.next():
            heard.append(line)
            on_line(line)
        return b"".join(heard)

    @property
    def refusal(self) -> str | None:
        """Why it was not even begun, as its shell said, once it has ended."""
        if self._out.greeted:
            return None
        for lines in (self._out, self._err):  # its last words may be on their way
            lines.next(MOMENT)
        words = [*self._out.before.splitlines(), *self._err.before.splitlines()]
        said = [text for word in words if (text := word.decode(errors="replace"))]
        return said[-1].strip().rstrip(".") if said else "its shell said nothing"

    def over(self, seconds: float = MOMENT) -> bool:
        """Whether it has ended, or the connection; waits for that for so long."""
        waited = 0.0
        while not (ended := self._channel.status_event.wait(PAUSE)):
            waited += PAUSE
            if waited >= seconds:
                break
            SIGNALS.check()
        return bool(ended)

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended; None where the connection has instead."""
        while not self.over():
            pass
        code: int = self._channel.exit_status
        if code != -1 and self._channel.eof_received:
            return code
        # It may have ended with more to tell, or by a signal.
        transport = self._channel.get_transport()
        transport.join(MOMENT)
        if not transport.is_active():
            return None
        return KILLED if code == -1 else code

    def close(self) -> None:
        """Let go of it."""
        self._channel.close()


class LineReader:
    """The lines of one stream after the greeting: login scripts may print some, too."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._ended = False
        self.greeted = False
        self.before = b""
        """The last of what came without a greeting."""
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, seconds: float | None = None) -> bytes:
        """The next line; b"" at the end, or where none comes for so many seconds.

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
        """Read all lines up to the end, as one."""
        return b"".join(iter(self.next, b""))

    def _read(self) -> None:
        left = b""
        try:
            with suppress(OSError, EOFError):
                while piece := self._receive(PIECE):
                    *lines, left = (left + piece).split(b"\n")
                    for line in lines:
                        self._take(line + b"\n")
            if left:
                self._take(left)
        finally:
            self._queue.put(b"")

    def _take(self, line: bytes) -> None:
        if self.greeted:
            self._queue.put(line)
        elif line.endswith(GREETING):
            self.greeted = True
        else:
            self.before = line
