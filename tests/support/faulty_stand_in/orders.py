"""`/stand-in/…` on the API's port: what a test tells the stand-in, and asks of it.

The token is asked for here too. Faults travel as JSON objects with the fields of
`faults.Fault`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from dbpull.demo.heroku import refusals
from faulty_stand_in.armed import Faults
from faulty_stand_in.faults import Fault
from faulty_stand_in.request_log import RequestLog


class Orders:
    """Faults and the request log."""

    def __init__(
        self, faults: Faults, log: RequestLog, expire: Callable[[], None]
    ) -> None:
        self._faults = faults
        self._log = log
        self._expire = expire

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        return [
            web.get("/stand-in/faults", self.listed),
            web.post("/stand-in/faults", self.arm),
            web.delete("/stand-in/faults", self.clear),
            web.delete("/stand-in/faults/{number}", self.clear),
            web.get("/stand-in/requests", self.requests),
            web.delete("/stand-in/requests", self.forget),
            web.post("/stand-in/expire-urls", self.expire),
        ]

    async def listed(self, _: web.Request) -> web.Response:
        """The faults that are set."""
        return refusals.as_json(self._faults.listed())

    async def arm(self, request: web.Request) -> web.Response:
        """Set faults, a list of them; answers their numbers."""
        try:
            wanted = [Fault(**fault) for fault in await request.json()]
        except (TypeError, ValueError) as error:
            return refusals.in_json(422, message=str(error))
        return refusals.as_json([self._faults.arm(fault) for fault in wanted])

    async def clear(self, request: web.Request) -> web.Response:
        """Take back one fault, or all."""
        number = request.match_info.get("number")
        self._faults.clear(int(number) if number else None)
        return refusals.as_json(None)

    async def requests(self, _: web.Request) -> web.Response:
        """The request log."""
        return refusals.as_json([asdict(seen) for seen in self._log.all()])

    async def forget(self, _: web.Request) -> web.Response:
        """Begin the request log anew."""
        self._log.forget()
        return refusals.as_json(None)

    async def expire(self, _: web.Request) -> web.Response:
        """No URL issued so far is valid from now on."""
        self._expire()
        return refusals.as_json(None)
