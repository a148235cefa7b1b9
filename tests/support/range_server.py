"""A download host on loopback that serves ranges, and misbehaves as it is told.

It keeps a log of its own, which is what the tests count in.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType

from aiohttp import web

PIECE = 64 * 1024

Fault = Callable[["Request"], Awaitable[web.StreamResponse | None]]


@dataclass
class Request:
    """One request as the server saw it; `sent` are the bytes of the body that left."""

    web: web.Request
    number: int
    first: int
    last: int | None
    transport: asyncio.Transport | None
    sent: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.web.headers)

    @property
    def path(self) -> str:
        return self.web.path_qs


@dataclass
class RangeServer:
    """Serves `content` at any path. A context manager.

    `faults` are asked in turn for each request: the first that answers is the answer.
    `cut_after` is how many bytes of a body are sent before the connection is cut (None:
    none is), `cuts` how often. `pace` is the pause in seconds after each `piece`.
    `lie_length` is added to each Content-Length.
    """

    content: bytes = field(repr=False)  # megabytes take minutes to show
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    pace: float = 0.0
    piece: int = PIECE
    cut_after: int | None = None
    cuts: int = 0
    lie_length: int = 0
    tls: ssl.SSLContext | None = None
    faults: list[Fault] = field(default_factory=list)
    log: list[Request] = field(default_factory=list)

    def __enter__(self) -> RangeServer:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def sent(self) -> int:
        """Bytes of all bodies together."""
        return sum(request.sent for request in self.log)

    def url(self, path: str = "/b101?X-Amz-Signature=SECRET") -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._over = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
        await runner.setup()
        door = socket.create_server(("127.0.0.1", 0), backlog=64)
        await web.SockSite(runner, door, ssl_context=self.tls).start()
        self.port: int = door.getsockname()[1]
        started.set()
        await self._over.wait()
        # What was just accepted must become a connection before the server closes.
        self._loop.remove_reader(door.fileno())
        await asyncio.sleep(0.01)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await runner.cleanup()
        # Else they wait until all is read. From Python 3.13: Server.abort_clients.
        for transport in list(getattr(self._loop, "_transports", {}).values()):
            transport.abort()
        await asyncio.sleep(0.01)  # transports close in the next turns of the loop

    async def _answer(self, asked: web.Request) -> web.StreamResponse:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", ""))
        first, last = (int(match[1]), int(match[2] or 1 << 62)) if match else (0, None)
        request = Request(asked, len(self.log) + 1, first, last, asked.transport)
        self.log.append(request)
        for fault in list(self.faults):
            if (answer := await fault(request)) is not None:
                return answer
        return await self._body(request)

    async def _body(self, request: Request) -> web.StreamResponse:
        content, etag = self.content, self.etag
        ranged = self.ranges and request.last is not None
        if request.headers.get("If-Range", etag) != etag:
            ranged = False
        # Never true of a weak one (RFC 9110, 13.1.1).
        strong = "" if etag.startswith("W/") else etag
        if request.headers.get("If-Match", strong) != strong:
            return web.Response(status=412)
        if not ranged:
            return await self._send(request, web.StreamResponse(), content)
        last = min(request.last or 0, len(content) - 1)
        if request.first > last:
            said = {"Content-Range": f"bytes */{len(content)}"}
            return web.Response(status=416, headers=said)
        answer = web.StreamResponse(status=206)
        said_range = f"bytes {request.first}-{last}/{len(content)}"
        answer.headers["Content-Range"] = said_range
        return await self._send(request, answer, content[request.first : last + 1])

    async def _send(
        self, request: Request, answer: web.StreamResponse, body: bytes
    ) -> web.StreamResponse:
        answer.headers["ETag"] = self.etag
        if self.modified:
            answer.headers["Last-Modified"] = self.modified
        answer.content_length = len(body) + self.lie_length
        cut = self.lie_length > 0
        if self.cuts and self.cut_after is not None and self.cut_after < len(body):
            self.cuts -= 1
            body, cut = body[: self.cut_after], True
        with contextlib.suppress(ConnectionError):  # the client has gone
            await self._write(request, answer, body)
            if not cut:
                await answer.write_eof()
        if cut and request.transport:
            request.transport.close()
        return answer

    async def _write(
        self, request: Request, answer: web.StreamResponse, body: bytes
    ) -> None:
        await answer.prepare(request.web)
        for at in range(0, len(body), self.piece):
            piece = body[at : at + self.piece]
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError  # the client has gone
            # Counted before: a client that has it all may leave while `write` waits.
            request.sent += len(piece)
            await answer.write(piece)
            if self.pace:
                await asyncio.sleep(self.pace)


def status(code: int, *, times: int = 10**9, **headers: str) -> Fault:
    """Answer so many requests with a status and no dump."""
    left = [times]

    async def answer(_request: Request) -> web.StreamResponse | None:
        left[0] -= 1
        if left[0] < 0:
            return None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
        return web.Response(status=code, headers=named, body=body)

    return answer


def hang_up(*, times: int = 10**9) -> Fault:
    """Close so many connections without an answer."""
    left = [times]

    async def answer(request: Request) -> web.StreamResponse | None:
        left[0] -= 1
        if left[0] < 0:
            return None
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    return answer


def only(path: str, fault: Fault) -> Fault:
    """Apply a fault to requests whose path and query hold this text."""

    async def answer(request: Request) -> web.StreamResponse | None:
        return await fault(request) if path in request.path else None

    return answer


def unless(authorization: str, fault: Fault) -> Fault:
    """Apply a fault to requests that lack these credentials."""

    async def answer(request: Request) -> web.StreamResponse | None:
        if request.headers.get("Authorization") == authorization:
            return None
        return await fault(request)

    return answer


def after(count: int, fault: Fault) -> Fault:
    """Apply a fault once so many requests have been made."""

    async def answer(request: Request) -> web.StreamResponse | None:
        return await fault(request) if request.number > count else None

    return answer


def then(act: Callable[[], None]) -> Fault:
    """Do something, and answer as if nothing had happened."""

    async def answer(_request: Request) -> web.StreamResponse | None:
        act()
        return None

    return answer


async def hang(_request: Request) -> web.StreamResponse | None:
    """Answer nothing at all, for long."""
    await asyncio.sleep(60)
    return None
