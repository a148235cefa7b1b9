"""Capturing a backup: a real pg_dump, through a pipe, into the bucket.

The pipe is what makes the dump like Heroku's: pg_dump cannot seek back, so its table
of contents holds no data offsets.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import uuid4

from dbpull.demo.heroku import source
from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.transfers import TransferRecord

CHUNK = 256 << 10


class PgDumpFailed(Exception):
    """The dump could not be made; the error goes into the transfer's log."""


class Captures:
    """The workers that make backups, each an asyncio task of its own."""

    def __init__(self, bucket: Bucket, folder: Path, pg_dump: str, lag: float) -> None:
        self._bucket = bucket
        self._folder = folder
        self._pg_dump = pg_dump
        self.psql = source.psql_beside(pg_dump)
        self._lag = lag
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reporting: set[asyncio.Task[None]] = set()

    def start(self, transfer: TransferRecord) -> None:
        """Begin a backup; it goes on without its client."""
        task = asyncio.create_task(self.capture(transfer))
        self._running[transfer.uuid] = task
        task.add_done_callback(lambda _: self._running.pop(transfer.uuid, None))

    async def cancel(self, transfer: TransferRecord) -> None:
        """End a running capture with its pg_dump."""
        transfer.cancel()
        task = self._running.get(transfer.uuid)
        if task:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """End all captures."""
        tasks = [*self._running.values(), *self._reporting]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def dump(self, transfer: TransferRecord) -> Path:
        """Dump the transfer's database into a new file; count the bytes copied.

        Raises `PgDumpFailed` with the last line of pg_dump's stderr.
        """
        path = self._folder / f"{uuid4()}.dump"
        try:
            await self._dump(path, transfer)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    async def _dump(self, path: Path, transfer: TransferRecord) -> None:
        try:
            process = await source.pg_dump(transfer.addon.source, self._pg_dump)
        except OSError as error:
            raise PgDumpFailed(f"{self._pg_dump}: {error.strerror}") from error
        listening = asyncio.create_task(_listen(process, transfer))
        try:
            await self.copy(process, path, transfer)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait([listening])
            if process.stdout:  # asyncio sees no end before all is read
                await process.stdout.read()
            code = await process.wait()
        if code != 0:
            raise PgDumpFailed(transfer.logs[-1][1] if transfer.logs else str(code))

    async def capture(self, transfer: TransferRecord) -> None:
        """Make a backup, from start to end."""
        facts = await source.facts(transfer.addon.source, self.psql)
        transfer.source_bytes = facts.size if facts else None
        transfer.start()
        reporting = asyncio.create_task(self._report(transfer))
        self._reporting.add(reporting)
        reporting.add_done_callback(self._reporting.discard)
        try:
            path = await self.dump(transfer)
        except (PgDumpFailed, OSError) as failure:
            transfer.log(str(failure))
            transfer.finish(succeeded=False)
            return
        self._bucket.put(transfer.key, path)
        transfer.finish(succeeded=True)

    async def copy(
        self, process: asyncio.subprocess.Process, path: Path, transfer: TransferRecord
    ) -> None:
        """Write the whole output of pg_dump into a new file."""
        stream = process.stdout
        if stream is None:
            raise PgDumpFailed("pg_dump has no stdout")
        with path.open("xb") as file:
            path.chmod(0o600)
            while chunk := await stream.read(CHUNK):
                file.write(chunk)
                await self.copied(transfer, len(chunk))
        await process.wait()

    async def copied(self, transfer: TransferRecord, size: int) -> None:
        """Count `size` more bytes in the transfer's file."""
        transfer.copied += size

    async def _report(self, transfer: TransferRecord) -> None:
        """Report progress late: the last bytes even after the end."""
        finished = False
        while not finished:
            finished = transfer.finished_at is not None
            await asyncio.sleep(self._lag)
            transfer.processed_bytes = transfer.copied


async def _listen(
    process: asyncio.subprocess.Process, transfer: TransferRecord
) -> None:
    """Copy pg_dump's stderr into the transfer's log."""
    if process.stderr:
        async for line in process.stderr:
            transfer.log(line.decode(errors="replace").rstrip())
