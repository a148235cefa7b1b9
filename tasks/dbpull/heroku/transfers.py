"""Backups, read from the transfers of Heroku's backup service.

Restores and copies are transfers, too; a backup goes from `pg_dump` to `gof3r` (S3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from dbpull.http_api.servers import ServerAddress
from dbpull.redact import redacted

Status = Literal["finished", "failed", "canceled", "running", "pending"]
_UUID = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Backup:
    """A backup at Heroku; holds nothing secret.

    `id` is the name that Heroku shows ("b101", "a042" if scheduled, "ob001" if
    imported from the old service); `number` identifies the backup within `app`, its
    billing app. `database` is the transfer's `from_name` ("DATABASE"), `server` its
    server. `source_size` (the database's at the time) and `processed` (dumped so far;
    may lag behind even when finished) are in bytes. Times are UTC.
    """

    id: str
    number: int
    uuid: str
    app: str
    database: str
    created_at: datetime
    finished_at: datetime | None
    status: Status
    warnings: int
    source_size: int | None
    processed: int | None
    scheduled: bool
    server: ServerAddress | None


def backup_of(transfer: object, app: str) -> Backup | None:
    """The backup that a transfer's JSON describes.

    None for restores, copies, deleted backups, and JSON of another form.
    """
    if not isinstance(transfer, dict) or not _is_backup(transfer):
        return None
    try:
        return _backup(transfer, app)
    except (KeyError, TypeError, ValueError):
        return None


def logged(transfer: dict[str, Any]) -> list[str]:
    """The server's log of a transfer, without secrets.

    Heroku sends it only for `?verbose=true`.
    """
    logs = transfer.get("logs")
    lines = [
        redacted(line.get("message"))
        for line in (logs if isinstance(logs, list) else [])
        if isinstance(line, dict)
    ]
    return [line for line in lines if line]


def _is_backup(transfer: dict[str, Any]) -> bool:
    kind = (transfer.get("from_type"), transfer.get("to_type"))
    deleted = transfer.get("deleted_at") or transfer.get("purged_at")
    return kind == ("pg_dump", "gof3r") and not deleted


def _backup(transfer: dict[str, Any], app: str) -> Backup:
    number, uuid = transfer["num"], str(transfer["uuid"])
    created_at = _moment(transfer["created_at"])
    if type(number) is not int or not _UUID.fullmatch(uuid) or created_at is None:
        raise ValueError("a transfer without number, id or time")
    scheduled = bool(transfer.get("schedule"))
    options = transfer.get("options")
    imported = options.get("pgbackups_name") if isinstance(options, dict) else None
    letter = "a" if scheduled else "b"
    return Backup(
        id=f"o{imported}" if imported else f"{letter}{number:03d}",
        number=number,
        uuid=uuid,
        app=app,
        database=str(transfer.get("from_name") or ""),
        created_at=created_at,
        finished_at=_moment(transfer.get("finished_at")),
        status=_status(transfer),
        warnings=_count(transfer.get("warnings")) or 0,
        source_size=_count(transfer.get("source_bytes")),
        processed=_count(transfer.get("processed_bytes")),
        scheduled=scheduled,
        server=ServerAddress.of(transfer.get("from_url")),
    )


def _status(transfer: dict[str, Any]) -> Status:
    """The status of a transfer; a canceled transfer is not called failed.

    Canceling sets canceled_at, finished_at and succeeded=false together.
    """
    finished = transfer.get("finished_at")
    if finished and transfer.get("succeeded") is True:
        return "finished"
    if transfer.get("canceled_at"):
        return "canceled"
    if finished:
        return "failed"
    return "running" if transfer.get("started_at") else "pending"


def _moment(text: object) -> datetime | None:
    """A time such as "2020-12-13 16:22:40 +0000"; raises `ValueError`."""
    if text is None:
        return None
    try:
        moment = datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
