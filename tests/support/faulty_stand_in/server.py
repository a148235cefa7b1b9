"""The two ports of a stand-in that misbehaves."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from aiohttp import web

from dbpull.demo.heroku.config import Config
from dbpull.demo.heroku.server import StandInServer
from faulty_stand_in.armed import Faults
from faulty_stand_in.captures import FaultyCaptures
from faulty_stand_in.download_host import FaultyDownloadHost
from faulty_stand_in.faults import Fault
from faulty_stand_in.misbehaviour import Misbehaviour
from faulty_stand_in.orders import Orders
from faulty_stand_in.request_log import RequestLog


class FaultyServer(StandInServer):
    """A whole stand-in with faults and a request log, in this process."""

    def __init__(self, config: Config, folder: Path, instance: str) -> None:
        self._faults = Faults()
        self._log = RequestLog()
        self._keys = count(1)
        super().__init__(config, folder, instance)

    def api_app(self) -> web.Application:
        """The APIs, and what a test orders."""
        app = super().api_app()
        around = Misbehaviour(self._log, self._faults, {})
        app.middlewares.insert(0, around.middleware())
        app.add_routes(Orders(self._faults, self._log, self._expire).routes())
        return app

    def download_app(self) -> web.Application:
        """The download host with what only it can do wrong."""
        app = super().download_app()
        deeds = {"expire": self._expire_for, "change": self._change}
        around = Misbehaviour(self._log, self._faults, deeds, host="download")
        app.middlewares.insert(0, around.middleware())
        return app

    def make_download_host(self) -> FaultyDownloadHost:
        """What answers for the dumps."""
        return FaultyDownloadHost(self._faults, self.bucket, self.signer)

    def make_captures(self) -> FaultyCaptures:
        """What makes the dumps."""
        return FaultyCaptures(
            self._faults,
            self.bucket,
            self.folder,
            self.config.pg_dump,
            self.config.progress_every,
        )

    def _expire(self) -> None:
        """Let every URL issued so far expire."""
        self.signer.access_key = f"AKIASTANDIN{next(self._keys):09d}"

    async def _expire_for(self, _: web.Request, __: Fault) -> None:
        self._expire()

    async def _change(self, request: web.Request, fault: Fault) -> None:
        """Put another object where this request's is."""
        key = request.match_info["key"]
        transfer = next((t for t in self.ledger if t.key == key), None)
        if transfer is None:
            return
        content = Path(fault.content) if fault.content else None
        self.bucket.put(key, content or await self.captures.dump(transfer))
