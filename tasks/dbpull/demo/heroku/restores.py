"""The restore of a backup: its database is emptied, then a real pg_restore runs.

As at Heroku, an error about a comment on an extension does not fail the restore.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

from dbpull.demo.heroku import source, wipe
from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.transfers import TransferRecord

_FORGIVEN = "must be owner of extension"


class PgRestoreFailed(Exception):
    """pg_restore met an error that fails the restore."""


class Restores:
    """The workers that restore, each an asyncio task of its own."""

    def __init__(self, bucket: Bucket, pg_dump: str, psql: str) -> None:
        self._bucket = bucket
        self._psql = psql
        beside = Path(shutil.which(pg_dump) or pg_dump).with_name("pg_restore")
        self._pg_restore = str(beside) if beside.exists() else "pg_restore"
        self._running: set[asyncio.Task[None]] = set()

    def start(self, transfer: TransferRecord) -> None:
        """Begin a restore; it goes on without its client."""
        task = asyncio.create_task(self._restore(transfer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """End all restores."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _restore(self, transfer: TransferRecord) -> None:
        transfer.start()
        try:
            await self._run(transfer)
        except (PgRestoreFailed, wipe.WipeFailed, OSError) as failure:
            transfer.log(str(failure))
            transfer.finish(succeeded=False)
        else:
            transfer.finish(succeeded=True)

    async def _run(self, transfer: TransferRecord) -> None:
        stored = self._bucket.get(transfer.restored.key) if transfer.restored else None
        if stored is None:
            raise PgRestoreFailed("the backup is not there any more")
        url = transfer.addon.source
        owner = await wipe.wiped(url, self._psql)
        process = await asyncio.create_subprocess_exec(
            self._pg_restore,
            *("--no-owner", "--no-acl", "--no-password", f"--role={owner}"),
            *("--dbname", source.environment(url)["PGDATABASE"], str(stored.path)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=source.surroundings(url),
        )
        try:
            _, err = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        transfer.copied = transfer.processed_bytes = stored.size
        for line in err.decode(errors="replace").splitlines():
            transfer.log(line)
            if "error: " in line and _FORGIVEN not in line:
                raise PgRestoreFailed(line)
