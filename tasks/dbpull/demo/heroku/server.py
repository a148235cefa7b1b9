"""The two ports: Heroku's APIs over http, the download host over https."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from aiohttp import web

from dbpull.demo.heroku import refusals
from dbpull.demo.heroku.access import Access
from dbpull.demo.heroku.account import HerokuAccount
from dbpull.demo.heroku.admin import Admin
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
    """Where it answers, once it does. `ca` is a file's path, empty without TLS."""

    api: str
    download: str
    ca: str


class StandInServer:
    """A whole stand-in, in this process."""

    def __init__(self, config: Config, folder: Path, instance: str) -> None:
        self.config = config
        self.folder = folder
        self._download = ""
        self.stopped = asyncio.Event()
        self._account = HerokuAccount(config)
        self.ledger = Ledger()
        self.bucket = Bucket()
        self.signer = Signer(config.url_lifetime)
        self.captures = self.make_captures()
        self._restores = Restores(self.bucket, config.pg_dump, self.captures.psql)
        self._history = History(self._account, self.ledger, self.bucket, self.captures)
        self._admin = Admin(instance, self.stopped)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Addresses]:
        """Make the configured dumps, answer on both ports, and end it all.

        Raises `capture.PgDumpFailed` and OSError (a port that is taken).
        """
        ca, tls = self._certificates() if self.config.tls else ("", None)
        runners: list[web.AppRunner] = []
        try:
            await self._history.enter(dump=self.config.dump_at_start)
            download = await self._listen(
                runners, self.download_app(), self.config.download_port, tls
            )
            self._download = f"{'https' if tls else 'http'}://{LOOPBACK}:{download}"
            api = await self._listen(runners, self.api_app(), self.config.api_port)
            yield Addresses(f"http://{LOOPBACK}:{api}", self._download, ca)
        finally:
            await self._restores.close()
            await self.captures.close()
            for runner in runners:
                await runner.cleanup()

    def api_app(self) -> web.Application:
        """Both APIs, and the way to the end."""
        config = self.config
        access = Access(config.token, config.data_host)
        app = web.Application(middlewares=[refusals.answered, access.middleware()])
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
        for part in (PlatformApi(self._account), data, transfers, self._admin):
            app.add_routes(part.routes())
        return app

    def download_app(self) -> web.Application:
        """The download host."""
        app = web.Application(middlewares=[refusals.answered])
        app.add_routes(self.make_download_host().routes())
        return app

    def make_download_host(self) -> DownloadHost:
        """What answers for the dumps."""
        return DownloadHost(self.bucket, self.signer)

    def make_captures(self) -> Captures:
        """What makes the dumps."""
        config = self.config
        return Captures(self.bucket, self.folder, config.pg_dump, config.progress_every)

    async def _listen(
        self,
        runners: list[web.AppRunner],
        app: web.Application,
        port: int,
        tls: ssl.SSLContext | None = None,
    ) -> int:
        """Serve an application on loopback; the port."""
        # A client that leaves ends its request.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        runners.append(runner)
        await runner.setup()
        for host in [LOOPBACK, *self._other_address()]:
            listening = socket.create_server((host, port), backlog=512)
            port = listening.getsockname()[1]
            await web.SockSite(runner, listening, ssl_context=tls).start()
        return port

    def _other_address(self) -> list[str]:
        """The Data API's own address, where it has one."""
        try:
            address = ipaddress.ip_address(self.config.data_host)
        except ValueError:
            return []
        return [] if str(address) == LOOPBACK else [str(address)]

    def _certificates(self) -> tuple[str, ssl.SSLContext]:
        """A CA of its own: the file with its certificate, and the server's side."""
        ca = trustme.CA()
        path = self.folder / "ca.pem"
        ca.cert_pem.write_to_path(str(path))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(LOOPBACK, "localhost").configure_cert(context)
        return str(path), context
