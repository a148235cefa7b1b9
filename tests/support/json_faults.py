"""Answers in JSON, and answers that get lost: faults of a `RangeServer`."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from aiohttp import web

from range_server import Fault, RangeServer, Request, hang, hang_up

DROP = hang_up()
HANG = hang


def json_server(
    reply: Callable[[Request], object], tls: ssl.SSLContext | None = None
) -> RangeServer:
    """Answers with the JSON that `reply` gives, with its status, or by its fault."""

    async def answer(request: Request) -> web.StreamResponse | None:
        said = reply(request)
        if callable(said):
            fault: Fault = said
            return await fault(request)
        if isinstance(said, int):
            return web.json_response({}, status=said)
        response = web.json_response(said)
        response.enable_compression()  # where the client takes it
        return response

    return RangeServer(b"", faults=[answer], tls=tls)


async def drip(request: Request) -> web.StreamResponse:
    """Answer a byte at a time, until the client has gone."""
    response = web.StreamResponse()
    await response.prepare(request.web)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)
    return response


async def cut(request: Request) -> web.StreamResponse:
    """Answer half of it, and break off."""
    response = web.StreamResponse()
    response.content_length = 2
    await response.prepare(request.web)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


def count(server: RangeServer, method: str) -> int:
    """How many requests of a method there were."""
    return sum(request.web.method == method for request in server.log)
