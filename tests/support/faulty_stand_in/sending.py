"""Bytes of an object onto a connection: fast, or throttled, cut and stalled."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import BinaryIO

from aiohttp import web

from faulty_stand_in.armed import Armed, Faults
from faulty_stand_in.request_log import Seen

CHUNK = 512 << 10
PACED_CHUNKS_A_SECOND = 20
PAUSE = 0.05


@dataclass(frozen=True)
class Stop:
    """A fault that waits at byte `at` of the object."""

    at: int
    armed: Armed


class Sending:
    """The body of one answer: object bytes `start` to `stop`."""

    def __init__(
        self, request: web.Request, armed: list[Armed], faults: Faults, seen: Seen
    ) -> None:
        self._request = request
        self._faults = faults
        self._armed = list(armed)
        self._seen = seen

    @property
    def _rate(self) -> float:
        """Bytes a second, as long as a throttle holds."""
        throttles = [a for a in self._armed if a.fault.kind == "throttle"]
        rates = [a.fault.rate for a in throttles if self._faults.holds(a)]
        return min((rate for rate in rates if rate), default=0.0)

    async def send(
        self, response: web.StreamResponse, file: BinaryIO, start: int, stop: int
    ) -> None:
        """Send it, as far as the faults let it go. Returns with the connection closed
        where one of them cut it."""
        file.seek(start)
        position = start
        while True:
            ahead = self._ahead(position, stop)
            await self._copy(response, file, position, ahead.at if ahead else stop)
            if ahead is None:
                return
            position = ahead.at
            if await self._struck(response, ahead.armed):
                return

    async def _copy(
        self, response: web.StreamResponse, file: BinaryIO, start: int, stop: int
    ) -> None:
        loop = asyncio.get_running_loop()
        size = CHUNK
        if rate := self._rate:
            size = max(1, min(CHUNK, int(rate / PACED_CHUNKS_A_SECOND)))
        began = loop.time()
        for position in range(start, stop, size):
            chunk = file.read(min(size, stop - position))
            if rate := self._rate:
                due = began + (position + len(chunk) - start) / rate
                await asyncio.sleep(due - loop.time())
            if self._request.transport is None or self._request.transport.is_closing():
                raise ConnectionResetError  # the client has gone
            try:
                await response.write(chunk)
            finally:  # a client that has it all may leave while `write` waits
                self._seen.sent += len(chunk)

    def _ahead(self, start: int, stop: int) -> Stop | None:
        """The first fault that waits between the two."""
        found = [s for armed in self._armed for s in _stops(armed, start, stop)]
        return min(found, key=lambda s: s.at, default=None)

    async def _struck(self, response: web.StreamResponse, armed: Armed) -> bool:
        """Let a fault strike, once in this answer; whether it ended the connection."""
        fault = armed.fault
        self._armed.remove(armed)
        if not self._faults.holds(armed) or not armed.strike():
            return False
        self._seen.faults.append(fault.kind)
        if fault.kind == "hang":
            await wait(self._faults, armed, fault.seconds)
            return False
        await end(self._request, response, reset=fault.reset)
        return True


async def wait(faults: Faults, armed: Armed, seconds: float | None) -> None:
    """Keep silent: so long, or until the fault is taken back."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while faults.holds(armed):
        if seconds is not None and loop.time() - began >= seconds:
            return
        await asyncio.sleep(PAUSE)


async def end(
    request: web.Request, response: web.StreamResponse | None, *, reset: bool = False
) -> None:
    """End a connection: what was written arrives, unless by `reset`."""
    transport = request.transport
    if transport is None:
        return
    if response is not None:
        await response.write(b"")
    while transport.get_write_buffer_size() and not transport.is_closing():
        await asyncio.sleep(0.001)
    if reset:
        # Lingering for zero seconds makes the kernel send RST in place of FIN.
        connection = transport.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()


def _stops(armed: Armed, start: int, stop: int) -> list[Stop]:
    """Where one fault waits among these bytes."""
    fault = armed.fault
    if fault.kind not in ("cut", "hang", "truncate"):
        return []
    if fault.kind == "truncate" and fault.length != "full":
        return []
    if fault.every:
        at = (start // fault.every + 1) * fault.every
        return [Stop(at, armed)] if at < stop else []
    if fault.at is None:
        return []
    at = fault.at
    if fault.kind == "truncate":
        at = max(start, at)
    return [Stop(at, armed)] if start <= at < stop else []
