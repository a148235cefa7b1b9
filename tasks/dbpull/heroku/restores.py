"""Writes to an app's database: empty the database, put a backup back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from dbpull.errors.http_api import (
    NotFound,
    ProviderDown,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
)
from dbpull.errors.push import PutBackFailed
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.attachments import attached_to
from dbpull.heroku.databases import Database
from dbpull.heroku.http import Api
from dbpull.heroku.transfers import logged
from dbpull.network import INTERVAL, pause_after

T = TypeVar("T")

_TRIES = 3
_PASSING = (Unreachable, ProviderDown, RateLimited, UnexpectedAnswer)


def database_url(api: Api, database: Database) -> str | None:
    """The URL of an app's database, with its password; None where no config var has it.

    Raises `HttpError`s. (Platform API: GET /apps/:app/config-vars.)
    """
    app = AppChoice(database.app)
    own = [each for each in attached_to(api, app) if each.addon_id == database.id]
    about = f"the config vars of {app.name}"
    path = ("apps", app.name, "config-vars")
    values = api.get(dict, api.platform, *path, about=about)
    for attachment in sorted(own, key=lambda each: each.namespace is not None):
        for name in attachment.config_vars:
            url = values.get(name)
            if name.endswith("_URL") and isinstance(url, str):
                return url
    return None


def reset(api: Api, database: Database) -> None:
    """Empty a database, and end its sessions.

    Raises `HttpError`s; the database may be empty even then. (Data API: PUT
    /client/v11/databases/:id/reset.)
    """
    about = f"the reset of {database.name} of {database.app}"
    path = ("client", "v11", "databases", database.id, "reset")
    api.set("PUT", api.data, *path, about=about, body={})


def put_back(
    api: Api, database: Database, backup: str, uuid: str, *, wait: float
) -> None:
    """Have Heroku restore a backup into a database, and wait for its end.

    The backup is given by its id (`b101`) and its transfer's uuid. The contents of the
    database are lost. For up to `wait` seconds, temporary failures are waited out.
    Raises `PutBackFailed` and `HttpError`s (401, 403). (Data API: POST
    /client/v11/databases/:id/restores.)
    """
    _PutBack(api, database, backup, uuid, api.clock() + wait).run()


@dataclass(frozen=True)
class _PutBack:
    api: Api
    database: Database
    backup: str
    uuid: str
    end: float

    def run(self) -> None:
        for _ in range(_TRIES):
            ended = self._once()
            if ended.get("succeeded"):
                return
            why = self._last_words(ended)
            self.api.notice(f"Putting {self.backup} back failed: {why}")
        raise PutBackFailed(self.backup, why)

    def _once(self) -> dict[str, Any]:
        """Run one restore to its end; return its transfer."""
        before = {restore["num"] for restore in self._patiently(self._restores)}
        stored = self._patiently(self._stored)
        uuid = str(self._begin(stored, before)["uuid"])
        begun = self.api.clock()
        while True:
            seen = self._patiently(lambda: self._transfer(uuid))
            if seen.get("finished_at"):
                return seen
            self.api.sleep(pause_after(self.api.clock() - begun))

    def _begin(self, stored: str, before: set[int]) -> dict[str, Any]:
        """Request the restore; after a lost answer, check first whether it began."""
        path = ("client", "v11", "databases", self.database.id, "restores")

        def ask() -> dict[str, Any]:
            new = [
                restore
                for restore in self._restores()
                if restore["num"] not in before and restore.get("from_url") == stored
            ]
            if new:
                return new[0]
            about = f"putting {self.backup} back"
            body = {"backup_url": stored}
            return self.api.post(dict, self.api.data, *path, about=about, body=body)

        return self._patiently(ask)

    def _patiently(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return ask()
            except (*_PASSING, NotFound) as error:
                if isinstance(error, NotFound) and error.gone:
                    raise
                if self.api.clock() >= self.end:
                    raise PutBackFailed(self.backup, error.what) from error
                waiting = f"Waiting on to put {self.backup} back."
                self.api.notice(f"{error.what} {waiting}")
                self.api.sleep(max(INTERVAL, error.retry_after or 0.0))

    def _restores(self) -> list[dict[str, Any]]:
        """The restores among the billing app's transfers, newest first."""
        app = self.database.billing_app
        path = ("client", "v11", "apps", app, "transfers")
        about = f"the restores of {app}"
        found = self.api.get(list, self.api.data, *path, about=about, patience=0)
        return [
            transfer
            for transfer in found
            if isinstance(transfer, dict)
            and transfer.get("to_type") == "pg_restore"
            and isinstance(transfer.get("num"), int)
        ]

    def _stored(self) -> str:
        """The URL of the backup in Heroku's bucket, as the Heroku CLI sends it, too."""
        found = self._transfer(self.uuid)
        url = found.get("to_url")
        if not isinstance(url, str):
            raise PutBackFailed(self.backup, "Heroku does not say where it is")
        return url

    def _transfer(self, uuid: str) -> dict[str, Any]:
        app = self.database.billing_app
        path = ("client", "v11", "apps", app, "transfers", uuid)
        about = f"the restore of {self.backup}"
        query = {"verbose": "true"}
        return self.api.get(
            dict, self.api.data, *path, about=about, query=query, patience=0
        )

    def _last_words(self, transfer: dict[str, Any]) -> str:
        return next(reversed(logged(transfer)), "Heroku does not say why")
