"""A TCP proxy on loopback that counts the bytes which pass, in both directions."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import Self

from machines import Machine

PIECE = 65536


class Tap:
    """Stands between a laptop and a machine's sshd; a context manager.

    With a `rate` (bytes a second) it lets no more pass, of each connection. With a
    `delay` (seconds) each byte arrives that much later, either way.
    """

    def __init__(self, machine: Machine, rate: float = 0.0) -> None:
        self._machine = machine
        self._rate = rate
        self.delay = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.passed = 0
        """Bytes, both ways together."""

    @property
    def machine(self) -> Machine:
        """The machine as it is to be introduced: behind this proxy."""
        return replace(self._machine, port=self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake who waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(("127.0.0.1", self._machine.port))
                for end in (ours, theirs):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for ends in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        threading.Thread(target=_deliver, args=(late, sink), daemon=True).start()
        with suppress(OSError):
            while piece := source.recv(PIECE):
                with self._lock:
                    self.passed += len(piece)
                late.put((time.monotonic() + self.delay, piece))
                if self._rate:
                    time.sleep(len(piece) / self._rate)
        late.put((time.monotonic() + self.delay, b""))
        with suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
        source.close()  # the sink is the source of the other direction


def _deliver(late: SimpleQueue[tuple[float, bytes]], sink: socket.socket) -> None:
    """Send each piece when it is due; at the last, which is empty, end."""
    with suppress(OSError):
        while True:
            due, piece = late.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not piece:
                break
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
