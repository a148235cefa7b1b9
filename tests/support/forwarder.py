"""A forwarder: what comes to a port of this machine goes to a server, and back.

    python forwarder.py PORT HOST:PORT [BYTES]

With BYTES, the server's answers come no faster than so many a second.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

PIECE = 32 * 1024


def command(place: str, port: str = "{port}", rate: int = 0) -> str:
    """The command line of a forwarder to `host:port`: a tunnel."""
    return f"{sys.executable} {Path(__file__)} {port} {place} {rate}"


def serve(port: int, place: str, rate: float) -> None:
    """Forward each connection, until the process ends."""
    host, _, number = place.rpartition(":")
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            near, _ = listener.accept()
            far = socket.socket()
            if rate:  # else megabytes have left the server that are not here yet
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
            far.connect((host, int(number)))
            for ends in ((near, far, 0.0), (far, near, rate)):
                threading.Thread(target=_copy, args=ends, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket, rate: float) -> None:
    """Copy until either end is closed; then close both."""
    free = time.monotonic()  # when the link is free again
    with suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
            if rate:
                free = max(free, time.monotonic()) + len(piece) / rate
                time.sleep(max(0.0, free - time.monotonic()))
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if sys.argv[3:] else 0.0)
