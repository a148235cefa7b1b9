"""Heroku's Data API on transfers: list, show, capture, restore, public URL, …"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from dbpull.demo.heroku import data_api, refusals
from dbpull.demo.heroku.account import AppRef, HerokuAccount
from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.capture import Captures, PgDumpFailed
from dbpull.demo.heroku.history import History
from dbpull.demo.heroku.presigned import Signer
from dbpull.demo.heroku.restores import Restores
from dbpull.demo.heroku.transfers import Ledger, TransferRecord, now, stamp


@dataclass
class TransfersApi:
    """Transfers, by billing app and number or uuid."""

    _account: HerokuAccount
    _ledger: Ledger
    _bucket: Bucket
    _captures: Captures
    _restores: Restores
    _history: History
    _signer: Signer
    _download_url: Callable[[], str]

    def routes(self) -> list[web.RouteDef]:
        """The routes of the transfer requests."""
        path = "/client/v11/apps/{app}/transfers"
        one = path + "/{transfer}"
        return [
            web.get(path, self.listed),
            web.get(one, self.one),
            web.delete(one, self.delete),
            web.post(f"{one}/actions/public-url", self.public_url),
            web.post(f"{one}/actions/cancel", self.cancel),
            web.post("/client/v11/databases/{addon}/backups", self.capture),
            web.post("/client/v11/databases/{addon}/restores", self.restore),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        """The list of an app's transfers."""
        found = self._ledger.of(self._app(request))
        return refusals.as_json([transfer.shown() for transfer in found])

    async def one(self, request: web.Request) -> web.Response:
        """A transfer; with its log only for `?verbose=true`."""
        verbose = request.query.get("verbose") == "true"
        return refusals.as_json(self._known(request).shown(verbose=verbose))

    async def capture(self, request: web.Request) -> web.Response:
        """Begin a backup: answer 201 before the worker starts."""
        addon = data_api.known(self._account, request)
        transfer = self._ledger.add(addon, self._account.from_name(addon))
        told = transfer.shown()
        self._captures.start(transfer)
        return refusals.as_json(told, status=201)

    async def restore(self, request: web.Request) -> web.Response:
        """Begin to restore a backup into a database, which is emptied first."""
        addon = data_api.known(self._account, request)
        wanted = (await request.json()).get("backup_url")
        found = (t for t in self._ledger if not t.restored and t.stored_url == wanted)
        backup = next(found, None)
        if backup is None or not backup.succeeded or backup.deleted_at:
            raise _refused(422, "That URL is of no backup that can be restored.")
        await self._history.provide(backup)
        transfer = self._ledger.add(addon, self._account.from_name(addon))
        transfer.restored = backup
        told = transfer.shown()
        self._restores.start(transfer)
        return refusals.as_json(told, status=201)

    async def public_url(self, request: web.Request) -> web.Response:
        """The presigned URL of a finished backup: a secret."""
        transfer = self._known(request)
        if not transfer.succeeded or transfer.restored:
            raise _refused(400, "This transfer is not a finished backup.")
        try:
            await self._history.provide(transfer)
        except PgDumpFailed as failure:
            raise _refused(422, str(failure)) from failure
        url = self._signer.sign(self._download_url(), transfer.key)
        expires = now() + timedelta(seconds=self._signer.lifetime)
        return refusals.as_json({"url": url, "expires_at": stamp(expires)})

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel a pending or running transfer."""
        transfer = self._known(request)
        if transfer.finished_at:
            raise _refused(400, "This transfer has already finished.")
        await self._captures.cancel(transfer)
        told = {"canceled_at": stamp(transfer.canceled_at)}
        return refusals.as_json(told, status=201)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a backup and its dump."""
        transfer = self._known(request)
        if not transfer.finished_at:
            await self._captures.cancel(transfer)
        transfer.deleted_at = transfer.updated_at = now()
        self._bucket.delete(transfer.key)
        return refusals.as_json(transfer.shown())

    def _app(self, request: web.Request) -> AppRef:
        app = self._account.app(request.match_info["app"])
        if app is None:
            raise refusals.no_app()
        return app

    def _known(self, request: web.Request) -> TransferRecord:
        transfer = self._ledger.find(self._app(request), request.match_info["transfer"])
        if transfer is None:
            raise _refused(404, "Couldn't find that transfer.")
        if transfer.deleted_at:
            raise _refused(410, "That transfer has been deleted.")
        return transfer


def _refused(status: int, message: str) -> refusals.ErrorResponse:
    return refusals.ErrorResponse(refusals.in_json(status, message=message))
