"""The two ports: Heroku's APIs over HTTP, the download host over HTTPS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from aiohttp import web

from dbpull.demo.heroku import refusals
from dbpull.demo.heroku.access import guard
from dbpull.demo.heroku.account import HerokuAccount
from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.capture import Captures
from dbpull.demo.heroku.config import Config
from dbpull.demo.heroku.data_api import DataApi
from dbpull.demo.heroku.download_host import DownloadHost
from dbpull.demo.heroku.history import History
from dbpull.demo.heroku.platform_api import PlatformApi
from dbpull.demo.heroku.presigned import Signer
from dbpull.demo.heroku.restores import Restores
from dbpull.demo.heroku.transfers import Ledger
from dbpull.demo.heroku.transfers_api import TransfersApi

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Addresses:
    """The URLs of a running stand-in, and the path of its CA's certificate."""

    api: str
    download: str
    ca: str


class StandInServer:
    """A whole stand-in, in this process."""

    def __init__(self, config: Config, folder: Path, instance: str) -> None:
        self.config = config
        self.folder = folder
        self._instance = instance
        self._download = ""
        self.stopped = asyncio.Event()
        self._account = HerokuAccount(config)
        self.ledger = Ledger()
        self.bucket = Bucket()
        self.signer = Signer()
        self.captures = self.make_captures()
        self._restores = Restores(self.bucket, config.pg_dump, self.captures.psql)
        self._history = History(self._account, self.ledger, self.bucket, self.captures)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Addresses]:
        """Make the configured dumps; answer on both ports while in the context.

        Raises `capture.PgDumpFailed` and OSError.
        """
        ca, tls = self._certificates()
        runners: list[web.AppRunner] = []
        try:
            await self._history.enter(dump=self.config.dump_at_start)
            download = await _listen(runners, self.download_app(), tls)
            self._download = f"https://{LOOPBACK}:{download}"
            api = await _listen(runners, self.api_app())
            yield Addresses(f"http://{LOOPBACK}:{api}", self._download, ca)
        finally:
            await self._restores.close()
            await self.captures.close()
            for runner in runners:
                await runner.cleanup()

    def api_app(self) -> web.Application:
        """Both APIs, and the admin paths: `/stand-in` identifies, `/stop` ends."""
        middlewares = [refusals.answered, guard(self.config.token)]
        app = web.Application(middlewares=middlewares)
        transfers = TransfersApi(
            self._account,
            self.ledger,
            self.bucket,
            self.captures,
            self._restores,
            self._history,
            self.signer,
            lambda: self._download,
        )
        data = DataApi(self._account, self.captures.psql)
        for part in (PlatformApi(self._account), data, transfers):
            app.add_routes(part.routes())
        app.router.add_get("/stand-in", self._who)
        app.router.add_post("/stand-in/stop", self._stop)
        return app

    async def _who(self, _: web.Request) -> web.Response:
        return refusals.as_json({"instance": self._instance, "pid": os.getpid()})

    async def _stop(self, _: web.Request) -> web.Response:
        self.stopped.set()  # the end comes after this answer
        return refusals.as_json(None)

    def download_app(self) -> web.Application:
        """The download host."""
        app = web.Application(middlewares=[refusals.answered])
        app.add_routes(self.make_download_host().routes())
        return app

    def make_download_host(self) -> DownloadHost:
        """Make the handler of downloads."""
        return DownloadHost(self.bucket, self.signer)

    def make_captures(self) -> Captures:
        """Make the workers of captures."""
        config = self.config
        return Captures(self.bucket, self.folder, config.pg_dump, config.progress_every)

    def _certificates(self) -> tuple[str, ssl.SSLContext]:
        """A new CA: its certificate's file, and the TLS context of the server."""
        ca = trustme.CA()
        path = self.folder / "ca.pem"
        ca.cert_pem.write_to_path(str(path))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(LOOPBACK, "localhost").configure_cert(context)
        return str(path), context


async def _listen(
    runners: list[web.AppRunner],
    app: web.Application,
    tls: ssl.SSLContext | None = None,
) -> int:
    """Serve an application on loopback; return the port."""
    # A client that leaves ends its request.
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
    )
    runners.append(runner)
    await runner.setup()
    listening = socket.create_server((LOOPBACK, 0), backlog=512)
    await web.SockSite(runner, listening, ssl_context=tls).start()
    port: int = listening.getsockname()[1]
    return port
