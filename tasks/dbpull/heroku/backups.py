"""An app's backups: the list, the newest backup of a database, a backup by its id."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from dbpull.errors.heroku import BackupGone, HerokuError, UnknownApp
from dbpull.errors.http_api import NotFound, UnexpectedAnswer
from dbpull.errors.sources import CAPTURE, NoBackup, pick_up
from dbpull.errors.spelling import did_you_mean
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.attachments import short
from dbpull.heroku.http import Api
from dbpull.heroku.transfers import Backup, backup_of
from dbpull.naming import command
from dbpull.network import is_safe

_NUMBERED = re.compile(r"[abcr]?([0-9]{1,9})", re.IGNORECASE)
_KNOWN = 5  # ids that an error names
_STATE = {
    "failed": "failed",
    "canceled": "was canceled",
    "running": "is still being taken",
    "pending": "has not begun yet",
}


def backups(api: Api, app: AppChoice | str) -> list[Backup]:
    """The backups kept under an app, newest first.

    A database's backups are kept under its `billing_app`. Raises `UnknownApp` and
    `HttpError`s. (Data API: GET /client/v11/apps/:app/transfers.)
    """
    choice = AppChoice.of(app)
    about = f"the backups of {choice.name}"
    path = ("client", "v11", "apps", choice.name, "transfers")
    try:
        transfers = api.get(list, api.data, *path, about=about)
    except NotFound:
        raise UnknownApp(choice.name, choice.origin, choice.near) from None
    found = [backup_of(transfer, choice.name) for transfer in transfers]
    return sorted(filter(None, found), key=_age, reverse=True)


def of_database(
    backups: Sequence[Backup], names: str | Collection[str] | None
) -> list[Backup]:
    """The backups of a database, by its name or by all its names (`Database.names`)."""
    if names is None:
        return list(backups)
    wanted = {short(name) for name in ([names] if isinstance(names, str) else names)}
    return [backup for backup in backups if short(backup.database) in wanted]


def newest(backups: Sequence[Backup], database: str | Collection[str] | None) -> Backup:
    """The newest finished backup of a database (None: of any); raises `NoBackup`."""
    own = sorted(of_database(backups, database), key=_age, reverse=True)
    finished = [backup for backup in own if backup.status == "finished"]
    if finished:
        return finished[0]
    names = [database] if isinstance(database, str) else database or ()
    others = {b.database for b in backups if b.status == "finished"}
    unfinished = f"{own[0].id}, {_STATE[own[0].status]}" if own else ""
    raise NoBackup(names, others, unfinished)


def find(
    backups: Sequence[Backup],
    id: str,  # noqa: A002
    *,
    or_running: bool = False,
) -> Backup:
    """The finished backup with an id: b101, 101 and a101 are the same backup.

    With `or_running` also a backup still being taken, for `follow`. Raises
    `HerokuError`.
    """
    name = id.strip().lower()
    numbered = _NUMBERED.fullmatch(name)
    number = int(numbered[1]) if numbered else None
    for backup in backups:
        if backup.number == number or backup.id.lower() == name:
            if or_running and backup.status in {"running", "pending"}:
                return backup
            return _finished(backup)
    known = [backup.id for backup in backups[:_KNOWN]]
    raise HerokuError(
        f"There is no backup {id[:40]!r}.",
        f"{did_you_mean(id, known)}There are {', '.join(known)};"
        f" `{command('backups')}` shows them all."
        if known
        else f"There are no backups at all. {CAPTURE}.",
    )


def download_url(api: Api, backup: Backup) -> str:
    """A presigned URL of the backup, valid for an hour: a secret.

    Raises `BackupGone` and `HttpError`s. (Data API: POST
    /client/v11/apps/:app/transfers/:num/actions/public-url; `expires_at` is the
    time until which a download may start.)
    """
    about = f"the download of {backup.id}"
    path = ("client", "v11", "apps", backup.app, "transfers", str(backup.number))
    try:
        answer = api.post(
            dict,
            api.data,
            *(*path, "actions", "public-url"),
            about=about,
            repeatable=True,  # each answer is another URL of the same object
        )
    except NotFound:
        raise BackupGone(backup.id) from None
    url = answer.get("url")
    if not isinstance(url, str) or not is_safe(url):
        host = str(urlsplit(api.data).hostname)
        raise UnexpectedAnswer(host, about, "it has no https URL")
    return url


def _finished(backup: Backup) -> Backup:
    look = f"`{command('backups')}`"
    if backup.status == "finished":
        return backup
    if backup.status in {"running", "pending"}:
        raise HerokuError(
            f"The backup {backup.id} is still being taken.",
            f"Look with {look}; when it is finished, {pick_up(backup.id)}.",
        )
    how = "failed at Heroku" if backup.status == "failed" else "was canceled"
    raise HerokuError(
        f"The backup {backup.id} {how}, so there is nothing to pull.",
        f"{CAPTURE}, or choose another from {look}.",
    )


def _age(backup: Backup) -> tuple[float, int]:
    return backup.created_at.timestamp(), backup.number
