"""The wait for the end of a backup that Heroku is taking."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from dbpull.errors import Interrupted
from dbpull.errors.heroku import BackupGone, HerokuError
from dbpull.errors.http_api import (
    HttpError,
    NotFound,
    ProviderDown,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
)
from dbpull.errors.sources import CaptureInterrupted, CaptureUnseen
from dbpull.heroku.http import Api
from dbpull.heroku.transfers import Backup, backup_of, logged
from dbpull.naming import command
from dbpull.network import INTERVAL, pause_after

Progress = Callable[[int, int | None], None]

_LONGEST_PAUSE = 30.0  # seconds between two requests while Heroku is in trouble
_LOG_LINES = 5


def follow(
    api: Api,
    backup: Backup,
    *,
    wait: float = 7200.0,
    progress: Progress = lambda _done, _total: None,
    interval: float = INTERVAL,
) -> Backup:
    """Wait up to `wait` seconds for the end of a backup that is being taken.

    `progress` gets the bytes dumped and the database's size in bytes. Temporary
    failures are waited out. Raises `CaptureInterrupted`, `BackupGone`, `HttpError`s
    (401, 403), and `HerokuError` where the backup fails.
    (Data API: GET /client/v11/apps/:app/transfers/:uuid.)
    """
    try:
        ended = _ended(api, backup, wait, progress, interval)
    except (KeyboardInterrupt, Interrupted) as stop:
        code = getattr(stop, "code", 130)
        raise CaptureInterrupted("Heroku", backup.id, code=code) from None
    if ended.status == "canceled":
        raise HerokuError(
            f"The backup {backup.id} was canceled at Heroku while it was being taken.",
            "Run it again, or ask who canceled it.",
        )
    if ended.status == "failed":
        raise HerokuError(
            f"The backup {backup.id} failed at Heroku{_last_words(api, backup)}",
            "Run it again; if it fails again, ask Heroku support about this backup.",
        )
    return ended


def _ended(
    api: Api, backup: Backup, wait: float, progress: Progress, interval: float
) -> Backup:
    """Wait until the backup is neither pending nor running."""
    begun = api.clock()
    waits, trouble = interval, ""
    while True:
        try:
            seen = _look(api, backup)
        except HttpError as error:
            _stop_unless_passing(api, backup, error)
            pause = waits = _longer(waits, error.retry_after)
            if not trouble:
                api.notice(f"{error.what} Waiting on for {backup.id}.")
            trouble = error.what
        else:
            progress(seen.processed or 0, seen.source_size)
            if seen.status not in ("pending", "running"):
                return seen
            waits, trouble = interval, ""
            pause = pause_after(api.clock() - begun, interval)
        remaining = begun + wait - api.clock()
        if remaining <= 0:
            raise CaptureUnseen("Heroku", backup.id, wait, trouble)
        api.sleep(min(pause, remaining))


def _look(api: Api, backup: Backup) -> Backup:
    """Request the backup's present state."""
    about = f"the backup {backup.id}"
    transfer = api.get(dict, api.data, *_path(backup), about=about, patience=0)
    seen = backup_of(transfer, backup.app)
    if seen:
        return seen
    if transfer.get("deleted_at"):
        raise BackupGone(backup.id)
    host = str(urlsplit(api.data).hostname)
    raise UnexpectedAnswer(host, about, "it is no backup")


def _stop_unless_passing(api: Api, backup: Backup, error: HttpError) -> None:
    """Raise a lasting error: a bad token, no access, a deleted backup."""
    if isinstance(error, NotFound) and error.gone:
        raise BackupGone(backup.id)
    # Network trouble is temporary: this machine has just talked to Heroku.
    passing = (Unreachable, ProviderDown, RateLimited, UnexpectedAnswer, NotFound)
    if not isinstance(error, passing):
        api.notice(
            f"The backup {backup.id} goes on at Heroku; pick it up later with "
            f"`{command('pull')} --backup={backup.id}`."
        )
        raise error


def _longer(pause: float, retry_after: float | None) -> float:
    return max(min(2 * pause, _LONGEST_PAUSE), retry_after or 0.0)


def _last_words(api: Api, backup: Backup) -> str:
    """The last lines of the server's log about a backup, to end a sentence."""
    about = f"the log of {backup.id}"
    try:
        transfer = api.get(
            dict, api.data, *_path(backup), about=about, query={"verbose": "true"}
        )
    except HttpError:
        return "."  # the failure itself matters, its log less
    lines = "".join(f"\n    {line}" for line in logged(transfer)[-_LOG_LINES:])
    return f"; the last it said:{lines}" if lines else "."


def _path(backup: Backup) -> tuple[str, ...]:
    return ("client", "v11", "apps", backup.app, "transfers", backup.uuid)
