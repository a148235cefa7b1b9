"""Transfers: Heroku's word for backups, restores and copies (not pretended).

Fields as in recorded answers of the Data API (`/client/v11/apps/:app/transfers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from dbpull.demo.heroku.account import Addon, AppRef

MANUAL_KEPT, SCHEDULED_KEPT, SHARED_KEPT = 25, 5, 2


def now() -> datetime:
    """The present time in UTC, to the second, as Heroku tells times."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime | None) -> str | None:
    """A time as Heroku writes it: `2020-12-13 16:22:40 +0000`."""
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000") if moment else None


@dataclass
class TransferRecord:
    """A backup or restore. Clients see `processed_bytes`; it lags behind `copied`."""

    number: int
    addon: Addon
    from_name: str
    created_at: datetime = field(default_factory=now)
    uuid: str = field(default_factory=lambda: str(uuid4()))
    group: str = ""
    schedule: str = ""
    restored: TransferRecord | None = None
    """In a restore: the backup to restore."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    canceled_at: datetime | None = None
    deleted_at: datetime | None = None
    updated_at: datetime | None = None
    succeeded: bool | None = None
    source_bytes: int | None = None
    processed_bytes: int = 0
    copied: int = 0
    logs: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The dump's key in the bucket."""
        moment = self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{self.group}/{moment}/{self.uuid}"

    @property
    def stored_url(self) -> str:
        """The URL of the dump in Heroku's bucket; only Heroku may read it."""
        return f"https://xfrtu.s3.amazonaws.com/{self.key}"

    def log(self, message: str) -> None:
        """Add a line to the log for `?verbose=true`."""
        self.logs.append((now(), message))

    def start(self) -> None:
        """Note that a worker has begun the transfer."""
        self.started_at = self.updated_at = now()

    def finish(self, *, succeeded: bool) -> None:
        """Note the end of the transfer."""
        self.finished_at = self.updated_at = now()
        self.succeeded = succeeded

    def cancel(self) -> None:
        """Note a cancellation: canceled, finished and not succeeded at once."""
        self.canceled_at = now()
        self.finish(succeeded=False)

    def shown(self, *, verbose: bool = False) -> dict[str, object]:
        """The JSON object. Holds the database's password, as at Heroku."""
        times = ("created", "started", "canceled", "updated", "finished", "deleted")
        told: dict[str, object] = {
            "uuid": self.uuid,
            "num": self.number,
            **self._ways(),
            "options": {},
            "source_bytes": self.source_bytes,
            "processed_bytes": self.processed_bytes,
            "succeeded": self.succeeded,
            "warnings": 0,
            "purged_at": None,
            "num_keep": self._kept(),
        }
        told |= {f"{t}_at": stamp(getattr(self, f"{t}_at")) for t in times}
        if self.schedule:
            told["schedule"] = {"uuid": self.schedule}
        if verbose:
            told["logs"] = [
                {"created_at": stamp(moment), "level": "info", "message": message}
                for moment, message in self.logs
            ]
        return told

    def _ways(self) -> dict[str, object]:
        stored = "SCHEDULED BACKUP" if self.schedule else "BACKUP"
        if self.restored:
            return {
                "from_name": "BACKUP",
                "from_type": "gof3r",
                "from_url": self.restored.stored_url,
                "to_name": self.from_name,
                "to_type": "pg_restore",
                "to_url": self.addon.url,
            }
        return {
            "from_name": self.from_name,
            "from_type": "pg_dump",
            "from_url": self.addon.url,
            "to_name": stored,
            "to_type": "gof3r",
            "to_url": self.stored_url,
        }

    def _kept(self) -> int:
        if self.schedule:
            return SCHEDULED_KEPT
        return SHARED_KEPT if self.addon.shared else MANUAL_KEPT


class Ledger:
    """All transfers, numbered per billing app."""

    def __init__(self) -> None:
        self._of: dict[str, list[TransferRecord]] = {}

    def add(self, addon: Addon, from_name: str, number: int = 0) -> TransferRecord:
        """Enter a new transfer under the app that pays for the database."""
        entered = self._of.setdefault(addon.app.id, [])
        number = number or 1 + max((t.number for t in entered), default=0)
        transfer = TransferRecord(number, addon, from_name, group=addon.app.id)
        entered.append(transfer)
        return transfer

    def of(self, app: AppRef) -> list[TransferRecord]:
        """An app's transfers, newest first, without the deleted ones."""
        kept = [t for t in self._of.get(app.id, []) if t.deleted_at is None]
        return sorted(kept, key=lambda t: (t.created_at, t.number), reverse=True)

    def find(self, app: AppRef, wanted: str) -> TransferRecord | None:
        """The transfer with this number or uuid, even if deleted."""
        entered = self._of.get(app.id, [])
        return next((t for t in entered if wanted in (str(t.number), t.uuid)), None)

    def __iter__(self) -> Iterator[TransferRecord]:
        return (transfer for entered in self._of.values() for transfer in entered)
