"""What happens around each request: it is logged, and faults may strike it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from dbpull.demo.heroku import access
from dbpull.demo.heroku.refusals import Handler
from faulty_stand_in import sending
from faulty_stand_in.armed import Armed, Faults
from faulty_stand_in.canned import canned
from faulty_stand_in.faults import Fault
from faulty_stand_in.request_log import RequestLog, Seen

Deed = Callable[[web.Request, Fault], Awaitable[None]]

SEEN = web.RequestKey("SEEN", Seen)
ARMED = web.RequestKey("ARMED", list[Armed])
GONE = 499


def seen(request: web.Request) -> Seen:
    """The log's entry for this request."""
    return request[SEEN]


def of(request: web.Request) -> list[Armed]:
    """The faults that may strike this request."""
    return request[ARMED]


class Misbehaviour:
    """The middleware of all hosts. `deeds`: what only one of them can, as expire."""

    def __init__(
        self, log: RequestLog, faults: Faults, deeds: Mapping[str, Deed], host: str = ""
    ) -> None:
        self._log = log
        self._faults = faults
        self._deeds = deeds
        self._host = host

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """For `web.Application(middlewares=…)`."""

        @web.middleware
        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._host and request.path.startswith("/stand-in"):
                return await handler(request)
            entry = request[SEEN] = self._enter(request)
            armed = self._faults.against(entry.host, request.method, request.path)
            request[ARMED] = armed
            answer = await self._answer(request, handler)
            if answer.status != GONE:
                entry.status = answer.status
            if isinstance(answer, web.Response) and request.method != "HEAD":
                entry.sent = answer.content_length or 0
            return answer

        return around

    def _enter(self, request: web.Request) -> Seen:
        host = self._host or access.role(request.path)
        entry = self._log.add(host, request.method, request.path)
        entry.query = request.query_string if host != "download" else ""
        entry.range = request.headers.get("Range", "")
        entry.if_range = request.headers.get("If-Range", "")
        entry.authorization = request.headers.get("Authorization", "").split(" ")[0]
        peer = request.transport and request.transport.get_extra_info("peername")
        entry.connection = peer[1] if peer else 0
        return entry

    async def _answer(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        for armed in of(request):
            answer = await self._strike(request, armed)
            if answer is not None:
                return answer
        answer = await handler(request)
        for armed in of(request):
            if armed.fault.kind == "lose answer" and armed.strike():
                seen(request).faults.append(armed.fault.kind)
                return await _gone(request)
        return answer

    async def _strike(
        self, request: web.Request, armed: Armed
    ) -> web.StreamResponse | None:
        """Let one fault strike before the request is handled; its answer, if any."""
        fault = armed.fault
        if fault.kind == "throttle":
            seen(request).faults.append(fault.kind)
            await asyncio.sleep(fault.seconds or 0)
            return None
        early = fault.kind in ("drop", "answer", *self._deeds)
        if not early and not (fault.kind == "hang" and fault.at is None):
            return None
        if not armed.strike():
            return None
        seen(request).faults.append(fault.kind)
        if fault.kind == "drop":
            return await _gone(request)
        if fault.kind == "answer":
            return canned(seen(request).host, fault)
        if fault.kind == "hang":
            await sending.wait(self._faults, armed, fault.seconds)
        else:
            await self._deeds[fault.kind](request, fault)
        return None


async def _gone(request: web.Request) -> web.StreamResponse:
    """Close the connection; whatever is answered now reaches nobody."""
    await sending.end(request, None)
    return web.Response(status=GONE)
