"""A TCP proxy on loopback that counts the bytes which pass, in both directions."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Self

from machines import Machine

PIECE = 65536


class Tap:
    """Stands between a laptop and a machine's sshd; a context manager.

    With a `rate` (bytes a second) it lets no more pass, of each connection.
    """

    def __init__(self, machine: Machine, rate: float = 0.0) -> None:
        self._machine = machine
        self._rate = rate
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
        with suppress(OSError):
            while piece := source.recv(PIECE):
                with self._lock:
                    self.passed += len(piece)
                sink.sendall(piece)
                if self._rate:
                    time.sleep(len(piece) / self._rate)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()  # the sink is the source of the other direction
