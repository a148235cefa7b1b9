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


class Channel:
    """What a program says, and what it is told."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._err = Lines(channel.recv_stderr)
        self._out = Lines(channel.recv)

    def say(self, data: bytes) -> None:
        """Write to its stdin; one that has ended hears nothing."""
        with suppress(OSError):
            self._channel.sendall(data)

    def end_stdin(self) -> None:
        """Let it know that nothing more comes."""
        with suppress(OSError, EOFError):
            self._channel.shutdown_write()

    def feed(self, data: bytes) -> None:
        """Write all of its stdin, however slowly it takes it, meanwhile."""

        def write() -> None:
            self.say(data)
            self.end_stdin()

        threading.Thread(target=write, daemon=True).start()

    def line(self, *, seconds: float | None = None) -> bytes:
        """The next line that it prints, as soon as it comes; b"" at the end."""
        return self._out.next(seconds)

    def rest(self) -> bytes:
        """All that it prints up to its end."""
        return self._out.rest()

    def hear(self, on_line: Callable[[bytes], None]) -> bytes:
        """Listen to its stderr up to its end, line by line, and return all of it."""
        heard = b""
        while line := self._err.next():
            heard += line
            on_line(line)
        return heard

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended; None where the connection has instead."""
        code: int = self._channel.recv_exit_status()
        return None if code == -1 else code

    def close(self) -> None:
        """Let go of it."""
        self._channel.close()


class Lines:
    """The lines of one stream after the greeting: login scripts may print some, too."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def next(self, seconds: float | None = None) -> bytes:
        """The next line; b"" at the end, or where none comes for so many seconds.

        Raises Stopped where a signal has come meanwhile.
        """
        waited = 0.0
        while not self._ended and (seconds is None or waited < seconds):
            try:
                line = self._queue.get(timeout=PAUSE)
            except Empty:
                waited += PAUSE
                SIGNALS.check()
            else:
                self._ended = not line
                return line
        return b""

    def rest(self) -> bytes:
        """All lines up to the end, together."""
        return b"".join(iter(self.next, b""))

    def _read(self) -> None:
        greeted, left = False, b""
        with suppress(OSError, EOFError):
            while piece := self._receive(PIECE):
                *lines, left = (left + piece).split(b"\n")
                for line in lines:
                    if greeted:
                        self._queue.put(line + b"\n")
                    greeted = greeted or (line + b"\n").endswith(GREETING)
        if left and greeted:
            self._queue.put(left)
        self._queue.put(b"")
