"""The configured backups, which a stand-in has from the start."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from dbpull.demo.heroku import config, source
from dbpull.demo.heroku.account import Addon, HerokuAccount
from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.capture import Captures
from dbpull.demo.heroku.transfers import Ledger, TransferRecord, now

TOOK = timedelta(seconds=8)


class History:
    """Configured backups, and the dumps of the finished backups.

    Backups of one database share one real dump of that database.
    """

    def __init__(
        self, account: HerokuAccount, ledger: Ledger, bucket: Bucket, captures: Captures
    ) -> None:
        self._account = account
        self._ledger = ledger
        self._bucket = bucket
        self._captures = captures
        self._files: dict[str, Path] = {}
        self._dumps: dict[str, TransferRecord] = {}
        self._lock = asyncio.Lock()

    async def enter(self, *, dump: bool) -> None:
        """Enter every configured backup; with `dump`, make their dumps at once."""
        for app in self._account.configured.values():
            for backup in app.backups:
                transfer = self._enter(app, backup)
                if dump:
                    await self.provide(transfer)

    async def provide(self, transfer: TransferRecord) -> None:
        """Put a finished backup's dump into the bucket, unless the dump is in it.

        Raises `capture.PgDumpFailed`.
        """
        if not transfer.succeeded or self._bucket.get(transfer.key):
            return
        async with self._lock:
            path = self._files.get(transfer.uuid) or await self._dump(transfer.addon)
        stored = self._bucket.put(transfer.key, path)
        transfer.copied = transfer.processed_bytes = stored.size
        made = self._dumps.get(transfer.addon.id)
        if made and not transfer.logs:
            transfer.source_bytes = made.source_bytes
            transfer.logs = list(made.logs)

    async def _dump(self, addon: Addon) -> Path:
        made = self._dumps.get(addon.id)
        if made is None:
            made = TransferRecord(0, addon, "")
            facts = await source.facts(addon.source, self._captures.psql)
            made.source_bytes = facts.size if facts else None
            self._files[made.uuid] = await self._captures.dump(made)
            self._dumps[addon.id] = made
        return self._files[made.uuid]

    def _enter(
        self, app: config.AppConfig, backup: config.BackupConfig
    ) -> TransferRecord:
        addon = self._database(app, backup)
        from_name = self._account.from_name(addon)
        transfer = self._ledger.add(addon, from_name, backup.number)
        transfer.created_at -= timedelta(seconds=backup.age)
        transfer.schedule = str(uuid4()) if backup.scheduled else ""
        if backup.dump:
            self._files[transfer.uuid] = Path(backup.dump)
        self._settle(transfer, backup.status)
        return transfer

    def _database(self, app: config.AppConfig, backup: config.BackupConfig) -> Addon:
        owned = (
            [backup.database] if backup.database else [d.name for d in app.databases]
        )
        if not owned or owned[0] not in self._account.addons:
            raise ValueError(f"a backup of {app.name} is of no database that exists")
        return self._account.addons[owned[0]]

    def _settle(self, transfer: TransferRecord, status: str) -> None:
        """Set a configured backup's state, with the times that fit its age."""
        if status == "pending":
            return
        transfer.started_at = transfer.updated_at = transfer.created_at
        if status == "running":
            return
        transfer.finish(succeeded=status == "finished")
        ended = transfer.created_at + TOOK
        transfer.finished_at = transfer.updated_at = min(ended, now())
        if status == "canceled":
            transfer.canceled_at = transfer.finished_at
        if status == "failed":
            transfer.log("pg_dump: error: query failed: server closed the connection")
