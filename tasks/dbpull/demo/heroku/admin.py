"""`/stand-in/…` on the API's port: who it is, and its end. The token is asked for."""

from __future__ import annotations

import os
from asyncio import Event

from aiohttp import web

from dbpull.demo.heroku import refusals


class Admin:
    """What a starter asks of its stand-in, and tells it."""

    def __init__(self, instance: str, stop: Event) -> None:
        self._instance = instance
        self._stop = stop

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        return [web.get("/stand-in", self.who), web.post("/stand-in/stop", self.stop)]

    async def who(self, _: web.Request) -> web.Response:
        """Which stand-in this is."""
        return refusals.as_json({"instance": self._instance, "pid": os.getpid()})

    async def stop(self, _: web.Request) -> web.Response:
        """End, after this answer."""
        self._stop.set()
        return refusals.as_json(None)
