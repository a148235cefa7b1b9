"""Writing to an app's database: emptying it, and having a backup put back into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dbpull.errors.heroku import (
    HerokuDown,
    NotFound,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
)
from dbpull.errors.push import PutBackFailed
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.attachments import attached_to
from dbpull.heroku.databases import Database
from dbpull.heroku.follow import INTERVAL, pause_after
from dbpull.heroku.http import Api
from dbpull.heroku.transfers import logged

T = TypeVar("T")

_TRIES = 3
_PASSING = (Unreachable, HerokuDown, RateLimited, UnexpectedAnswer)


def database_url(api: Api, database: Database) -> str | None:
    """The URL of an app's database, with its password; None where it is not told.

    Raises `HttpError`s. (Platform API: GET /apps/:app/config-vars.)
    """
    app = AppChoice(database.app)
    own = [one for one in attached_to(api, app) if one.addon_id == database.id]
    about = f"the config vars of {app.name}"
    path = ("apps", app.name, "config-vars")
    values = api.get(dict, api.platform, *path, about=about)
    for one in sorted(own, key=lambda one: one.namespace is not None):
        for name in one.config_vars:
            url = values.get(name)
            if name.endswith("_URL") and isinstance(url, str):
                return url
    return None


def reset(api: Api, database: Database) -> None:
    """Empty a database. Nothing of it is left, nor its sessions.

    Raises `HttpError`s; after one it may be empty all the same. (Data API: PUT
    /client/v11/databases/:id/reset.)
    """
    about = f"the reset of {database.name} of {database.app}"
    path = ("client", "v11", "databases", database.id, "reset")
    api.set("PUT", api.data, *path, about=about, body={})


def put_back(
    api: Api,
    database: Database,
    backup: Stored,
    *,
    wait: float,
    pause: float = INTERVAL,
) -> None:
    """Have Heroku restore a backup into a database, and wait for its end.

    Whatever is in the database goes. For up to `wait` seconds troubles that may pass
    are waited out. Raises `PutBackFailed` and `HttpError`s (401, 403). (Data API: POST
    /client/v11/databases/:id/restores.)
    """
    _PutBack(api, database, backup, api.clock() + wait, pause).run()


class Stored(Protocol):
    """A backup that can be put back."""

    @property
    def id(self) -> str:
        """As Heroku shows it: `b101`."""

    @property
    def uuid(self) -> str:
        """The transfer's."""

    @property
    def app(self) -> str:
        """The billing app that it lives under."""


@dataclass(frozen=True)
class _PutBack:
    api: Api
    database: Database
    backup: Stored
    end: float
    pause: float

    def run(self) -> None:
        for _ in range(_TRIES):
            ended = self._once()
            if ended.get("succeeded"):
                return
            why = self._last_words(ended)
            self.api.notice(f"Putting {self.backup.id} back failed: {why}")
        raise PutBackFailed(self.backup.id, why)

    def _once(self) -> dict[str, Any]:
        """The restore, ended; how, it says itself."""
        before = {one["num"] for one in self._patiently(self._restores)}
        stored = self._patiently(self._stored)
        uuid = str(self._begin(stored, before)["uuid"])
        begun = self.api.clock()
        while True:
            seen = self._patiently(lambda: self._transfer(uuid))
            if seen.get("finished_at"):
                return seen
            self.api.sleep(pause_after(self.api.clock() - begun, self.pause))

    def _begin(self, stored: str, before: set[int]) -> dict[str, Any]:
        """Ask for it; where the answer got lost, look whether it was begun."""
        path = ("client", "v11", "databases", self.database.id, "restores")

        def ask() -> dict[str, Any]:
            new = [
                one
                for one in self._restores()
                if one["num"] not in before and one.get("from_url") == stored
            ]
            if new:
                return new[0]
            about = f"putting {self.backup.id} back"
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
                    raise PutBackFailed(self.backup.id, error.what) from error
                waiting = f"Waiting on to put {self.backup.id} back."
                self.api.notice(f"{error.what} {waiting}")
                self.api.sleep(max(self.pause, error.retry_after or 0.0))

    def _restores(self) -> list[dict[str, Any]]:
        """The restores of the billing app that are known, newest first."""
        app = self.backup.app
        path = ("client", "v11", "apps", app, "transfers")
        about = f"the restores of {app}"
        found = self.api.get(list, self.api.data, *path, about=about, patience=0)
        return [
            one
            for one in found
            if isinstance(one, dict)
            and one.get("to_type") == "pg_restore"
            and isinstance(one.get("num"), int)
        ]

    def _stored(self) -> str:
        """Where Heroku keeps the backup: what its CLI sends, too, for a restore."""
        found = self._transfer(self.backup.uuid)
        url = found.get("to_url")
        if not isinstance(url, str):
            raise PutBackFailed(self.backup.id, "Heroku does not say where it is")
        return url

    def _transfer(self, uuid: str) -> dict[str, Any]:
        app = self.backup.app
        path = ("client", "v11", "apps", app, "transfers", uuid)
        about = f"the restore of {self.backup.id}"
        query = {"verbose": "true"}
        return self.api.get(
            dict, self.api.data, *path, about=about, query=query, patience=0
        )

    def _last_words(self, transfer: dict[str, Any]) -> str:
        return next(reversed(logged(transfer)), "Heroku does not say why")
