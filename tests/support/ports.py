"""Ports that nobody else takes between the finding and the listening."""

from __future__ import annotations

import os
import random
import socket
from itertools import cycle

FIRST, EACH, PROCESSES = 30_000, 160, 17
"""Below those that the kernel gives out: one stays free during a restart."""


def _own() -> range:
    """The part of this process of the tests."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % PROCESSES
    return range(FIRST + EACH * number, FIRST + EACH * (number + 1))


# Begun anywhere: another run of the tests may be under way on this machine.
_ports = cycle(random.sample(_own(), EACH))


def free_port() -> int:
    """A port of 127.0.0.1 at which nobody listens, another one each time."""
    for _ in range(EACH):
        port = next(_ports)
        with socket.socket() as probe:
            # As a server binds: connections that have ended there are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
