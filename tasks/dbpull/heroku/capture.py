"""The capture of a new backup: requested once, even after a lost answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dbpull.errors import Interrupted
from dbpull.errors.heroku import (
    CaptureInProgress,
    DatabaseNotReady,
    HerokuError,
)
from dbpull.errors.http_api import (
    HttpError,
    NotFound,
    ProviderDown,
    RequestRefused,
    UnexpectedAnswer,
    Unreachable,
    said,
)
from dbpull.errors.sources import CaptureInterrupted
from dbpull.heroku.backups import backups, of_database
from dbpull.heroku.databases import Database
from dbpull.heroku.follow import Progress, follow
from dbpull.heroku.http import Api
from dbpull.heroku.transfers import Backup, backup_of
from dbpull.naming import command
from dbpull.network import INTERVAL

_LOOKS = 5  # looks at the list of backups, after a lost answer
# A transfer that Heroku lost track of stays "pending" for ever; it must not block new
# captures.
_STUCK = timedelta(days=1)
_BUSY = re.compile(r"in progress|already (?:being|running|underway)|currently running")


def capture(
    api: Api,
    database: Database,
    *,
    wait: float = 7200.0,
    progress: Progress = lambda _done, _total: None,
    interval: float = INTERVAL,
) -> Backup:
    """Take a backup of a database and wait up to `wait` seconds for its end.

    The request is sent once: after a lost answer, the list of backups tells whether
    the capture began. Raises `HerokuError`, also as `follow` does.
    (Data API: POST /client/v11/databases/:id/backups.)
    """
    if "shield" in database.plan.lower():
        raise HerokuError(
            f"Heroku takes no backups of databases on the plan {database.plan}"
            " (Shield).",
            "Make a dump yourself with pg_dump -Fc from inside the Shield space, and "
            f"restore it with `{command('restore')} --dump=FILE`.",
        )
    before = backups(api, database.billing_app)
    _refuse_second(before, database)
    last = max((backup.number for backup in before), default=0)
    try:
        new = _ask(api, database)
        if isinstance(new, str):
            new = _appeared(api, database, last, new, interval)
    except (KeyboardInterrupt, Interrupted) as stop:
        raise CaptureInterrupted(
            "Heroku", "", code=getattr(stop, "code", 130)
        ) from None
    return follow(api, new, wait=wait, progress=progress, interval=interval)


def _refuse_second(before: Sequence[Backup], database: Database) -> None:
    """Raise `CaptureInProgress` where a backup of this database is being taken."""
    now = datetime.now(UTC)
    for backup in of_database(before, database.names):
        unfinished = backup.status in ("running", "pending")
        if unfinished and now - backup.created_at < _STUCK:
            raise CaptureInProgress(database.name, database.billing_app, backup.id)


def _ask(api: Api, database: Database) -> Backup | str:
    """The new backup, or the reason why Heroku's answer got lost."""
    app = database.billing_app
    about = f"a new backup of {database.name} of {app}"
    path = ("client", "v11", "databases", database.id, "backups")
    try:
        transfer = api.post(dict, api.data, *path, about=about)
    except NotFound:
        raise DatabaseNotReady(database.addon, app) from None
    except RequestRefused as error:
        raise _refusal(database, error.provider_message) from None
    except (Unreachable, ProviderDown, UnexpectedAnswer) as error:
        if error.unsent:
            raise
        return error.what
    return backup_of(transfer, app) or "it was not understood"


def _refusal(database: Database, message: str) -> HerokuError:
    name, app = database.name, database.billing_app
    if _BUSY.search(message.lower()):
        return CaptureInProgress(name, app)
    return HerokuError(
        f"Heroku refuses to take a backup of {name} of {app}{said(message)}",
        "Change what it complains about, or pull an existing backup: "
        f"`{command('backups')}` shows them.",
    )


def _appeared(
    api: Api, database: Database, last: int, why: str, interval: float
) -> Backup:
    """The backup that Heroku began although the answer got lost (`why`)."""
    app = database.billing_app
    for look in range(_LOOKS):
        if look:
            api.sleep(interval)
        try:
            listed = of_database(backups(api, app), database.names)
        except HttpError as error:
            why = error.what
            break
        new = [b for b in listed if b.number > last and not b.scheduled]
        if new:
            return new[-1]
    raise HerokuError(
        f"A backup of {database.name} of {app} was asked for, but the answer got lost "
        f"({why.rstrip('.')}) and no new backup has appeared.",
        f"Look with `{command('backups')}` whether one appears; if not, run it again.",
    )
