"""A stand-in for Render's API and its download host, on loopback.

Its answers have the shape of https://api-docs.render.com (as the types of Render's own
CLI have it, too); it has never been compared with the API itself. An export is taken at
once, but gets its URL only after so many lists.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from range_server import RangeServer, Request

KEY = "rnd_key-of-a-test"
AUTH = "eyJhbGciOiJIUzI1NiJ9.test"
"""The beginning of each URL's secret."""
PAGE = 20  # databases, unless the request says more
Answer = Callable[[web.Request], Awaitable[web.Response | None]]


@dataclass
class StoredExport:
    """An export; `looks` are the lists until it has a URL."""

    id: str
    taken: datetime
    looks: int = 0

    @property
    def path(self) -> str:
        return f"{self.taken:%Y-%m-%dT%H:%MZ}.dir.tar.gz"


@dataclass
class RenderPostgresMade:
    """A database, with the exports that the stand-in keeps of it."""

    id: str
    name: str
    url: str = "postgresql://shop:5ecret@dpg-x.oregon-postgres.render.com/shop_x1y2"
    region: str = "oregon"
    version: str = "16"
    exports: list[StoredExport] = field(default_factory=list)

    def export(self, age: timedelta = timedelta(), *, looks: int = 0) -> StoredExport:
        """Take an export, as of so long ago."""
        taken = datetime.now(UTC).replace(microsecond=123_000) - age
        made = StoredExport(f"exp-{len(self.exports) + 1}", taken, looks)
        self.exports.append(made)
        return made

    @property
    def shown(self) -> dict[str, object]:
        """The database in Render's list."""
        return {
            "id": self.id,
            "name": self.name,
            "databaseName": "shop_x1y2",
            "databaseUser": "shop",
            "region": self.region,
            "version": self.version,
            "plan": "basic_256mb",
            "status": "available",
            "suspended": "not_suspended",
            "createdAt": "2026-01-01T00:00:00Z",
            "ipAllowList": [],
        }


@dataclass
class RenderStandIn(AbstractContextManager["RenderStandIn"]):
    """Serves `databases`; each export's file is `content`.

    `looks` are the lists after which a new export has its URL. `answers` are asked in
    turn for each request: the first that answers is the answer. `asked` is the log.
    """

    content: bytes = field(repr=False, default=b"")
    looks: int = 2
    lifetime: float = 3600.0
    """Seconds for which a download's URL is valid."""
    databases: list[RenderPostgresMade] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> RenderStandIn:
        self.downloads = RangeServer(self.content)
        self.downloads.faults.append(self._expired)
        self.downloads.__enter__()
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.downloads.__exit__(None, None, None)
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which dbpull finds it."""
        return {"RENDER_HOST": self.base, "RENDER_API_KEY": KEY}

    def database(self, name: str = "shop", **fields: Any) -> RenderPostgresMade:
        """Add a database."""
        known = f"dpg-{len(self.databases) + 1:04d}-a"
        made = RenderPostgresMade(id=fields.pop("id", known), name=name, **fields)
        self.databases.append(made)
        return made

    def count(self, asked: str) -> int:
        """How often a request was made: `GET /postgres`."""
        return self.asked.count(asked)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))
        self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        self._over = asyncio.Event()
        app = web.Application(middlewares=[self._judged])
        app.router.add_get("/v1/postgres", self._list)
        app.router.add_get("/v1/postgres/{id}/export", self._exports)
        app.router.add_post("/v1/postgres/{id}/export", self._export)
        app.router.add_get("/v1/postgres/{id}/connection-info", self._address)
        runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = runner.addresses[0][1]
        started.set()
        await self._over.wait()
        await runner.cleanup()

    @web.middleware
    async def _judged(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path.removeprefix('/v1')}")
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return refused(401, "Unauthorized")
        for answer in list(self.answers):
            if (said := await answer(request)) is not None:
                return said
        return await handler(request)

    async def _list(self, request: web.Request) -> web.Response:
        limit = min(int(request.query.get("limit", PAGE)), 100)
        first = int(request.query.get("cursor", -1)) + 1
        page = list(enumerate(self.databases))[first : first + limit]
        return web.json_response(
            [{"postgres": each.shown, "cursor": str(at)} for at, each in page]
        )

    async def _exports(self, request: web.Request) -> web.Response:
        database = self._named(request)
        shown = []
        for export in database.exports:
            item = {"id": export.id, "createdAt": export.taken.isoformat()}
            if export.looks <= 0:
                item["url"] = self._url(database, export)
            export.looks -= 1
            shown.append(item)
        return web.json_response(shown)

    async def _export(self, request: web.Request) -> web.Response:
        self._named(request).export(looks=self.looks)
        return web.Response(status=202)

    async def _address(self, request: web.Request) -> web.Response:
        url = self._named(request).url
        return web.json_response(
            {
                "externalConnectionString": url,
                "internalConnectionString": url.replace(".oregon-postgres", ""),
                "password": "5ecret",
                "psqlCommand": "PGPASSWORD=5ecret psql …",
            }
        )

    def _named(self, request: web.Request) -> RenderPostgresMade:
        asked = request.match_info["id"]
        found = [each for each in self.databases if each.id == asked]
        if not found:
            body = '{"message": "not found: postgres"}'
            raise web.HTTPNotFound(text=body, content_type="application/json")
        return found[0]

    def _url(self, database: RenderPostgresMade, export: StoredExport) -> str:
        until = time.time() + self.lifetime
        path = f"/db/{database.id}/{export.path}?auth={AUTH}.{until!r}"
        return self.downloads.url(path)

    async def _expired(self, request: Request) -> web.StreamResponse | None:
        until = float(request.path.rpartition(f"{AUTH}.")[2])
        return web.Response(status=403) if time.time() > until else None


def refused(status: int, message: str, **headers: str) -> web.Response:
    """An error of Render's: `{id, message}`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"id": "b4d", "message": message}
    return web.json_response(body, status=status, headers=named)


def failing(asked: str, status: int, *, times: int = 1, **headers: str) -> Answer:
    """Answer so many requests for something with a status."""
    left = [times]

    async def answer(request: web.Request) -> web.Response | None:
        if f"{request.method} {request.path.removeprefix('/v1')}" != asked:
            return None
        left[0] -= 1
        return refused(status, "Sorry", **headers) if left[0] >= 0 else None

    return answer
