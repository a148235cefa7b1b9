"""Capturing a backup: a real pg_dump, through a pipe, into the bucket.

The pipe is what makes the dump like Heroku's: pg_dump cannot seek back, so its table
of contents holds no data offsets.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import uuid4

from dbpull.demo.stand_in import source
from dbpull.demo.stand_in.armed import Armed, Faults
from dbpull.demo.stand_in.bucket import Bucket
from dbpull.demo.stand_in.transfers import Transfer

CHUNK = 256 << 10
PAUSE = 0.05


class CaptureFailed(Exception):
    """The dump could not be made; its text goes into the transfer's log."""


class Fate:
    """What the faults of kind `backup` have in store for one capture."""

    def __init__(self, faults: Faults, transfer: Transfer) -> None:
        self._faults = faults
        self._transfer = transfer
        self._armed: Armed | None = None
        self._taken: set[int] = set()

    async def allow_start(self) -> None:
        """Wait as long as the backup is to stay pending."""
        self._look()
        while self._outcome() == "pend":
            await asyncio.sleep(PAUSE)
            self._look()

    async def allow(self, size: int, *, last: bool = False) -> None:
        """Let `size` more bytes pass, slowly or not, or strike."""
        self._look()
        if self._armed and self._armed.fault.rate:
            await asyncio.sleep(size / self._armed.fault.rate)
        while (outcome := self._outcome()) != "finish" and (last or self._reached()):
            if outcome == "fail":
                message = self._armed and self._armed.fault.message
                raise CaptureFailed(message or "pg_dump: error: connection lost")
            if outcome == "cancel":
                self._transfer.cancel()
                raise asyncio.CancelledError
            await asyncio.sleep(PAUSE)
            self._look()

    def _look(self) -> None:
        if self._armed and not self._faults.holds(self._armed):
            self._armed = None
        self._armed = self._faults.for_backup(self._taken) or self._armed

    def _outcome(self) -> str:
        return self._armed.fault.outcome if self._armed else "finish"

    def _reached(self) -> bool:
        return bool(
            self._armed and self._transfer.copied >= (self._armed.fault.at or 0)
        )


class Captures:
    """The workers that make backups, each an asyncio task of its own."""

    def __init__(
        self, bucket: Bucket, faults: Faults, folder: Path, pg_dump: str, lag: float
    ) -> None:
        self._bucket = bucket
        self._faults = faults
        self._folder = folder
        self._pg_dump = pg_dump
        self.psql = source.psql_beside(pg_dump)
        self._lag = lag
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reporting: set[asyncio.Task[None]] = set()

    def start(self, transfer: Transfer) -> None:
        """Begin to make a backup; it goes on whatever its client does."""
        task = asyncio.create_task(self._capture(transfer))
        self._running[transfer.uuid] = task
        task.add_done_callback(lambda _: self._running.pop(transfer.uuid, None))

    async def cancel(self, transfer: Transfer) -> None:
        """End a running one, its pg_dump with it."""
        transfer.cancel()
        task = self._running.get(transfer.uuid)
        if task:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        """End them all."""
        tasks = [*self._running.values(), *self._reporting]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def dump(self, transfer: Transfer, fate: Fate | None = None) -> Path:
        """Dump the transfer's database into a new file, with its progress in it.

        Raises `CaptureFailed` with what pg_dump said last.
        """
        path = self._folder / f"{uuid4()}.dump"
        try:
            await self._dump(path, transfer, fate or Fate(Faults(), transfer))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    async def _dump(self, path: Path, transfer: Transfer, fate: Fate) -> None:
        try:
            process = await source.pg_dump(transfer.addon.source, self._pg_dump)
        except OSError as error:
            raise CaptureFailed(f"{self._pg_dump}: {error.strerror}") from error
        listening = asyncio.create_task(_listen(process, transfer))
        try:
            await _copy(process, path, transfer, fate)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait([listening])
            code = await process.wait()
        if code != 0:
            raise CaptureFailed(transfer.logs[-1][1] if transfer.logs else str(code))

    async def _capture(self, transfer: Transfer) -> None:
        fate = Fate(self._faults, transfer)
        await fate.allow_start()
        facts = await source.facts(transfer.addon.source, self.psql)
        transfer.source_bytes = facts.size if facts else None
        transfer.start()
        reporting = asyncio.create_task(self._report(transfer))
        self._reporting.add(reporting)
        reporting.add_done_callback(self._reporting.discard)
        try:
            path = await self.dump(transfer, fate)
        except (CaptureFailed, OSError) as failure:
            transfer.log(str(failure))
            transfer.finish(succeeded=False)
            return
        self._bucket.put(transfer.key, path)
        transfer.finish(succeeded=True)

    async def _report(self, transfer: Transfer) -> None:
        """Tell of the progress late: even of the last bytes, after the end."""
        finished = False
        while not finished:
            finished = transfer.finished_at is not None
            await asyncio.sleep(self._lag)
            transfer.processed_bytes = transfer.copied


async def _listen(process: asyncio.subprocess.Process, transfer: Transfer) -> None:
    """Everything that pg_dump says goes into the transfer's log."""
    if process.stderr:
        async for line in process.stderr:
            transfer.log(line.decode(errors="replace").rstrip())


async def _copy(
    process: asyncio.subprocess.Process, path: Path, transfer: Transfer, fate: Fate
) -> None:
    stream = process.stdout
    if stream is None:
        raise CaptureFailed("pg_dump has no stdout")
    with path.open("xb") as file:
        path.chmod(0o600)
        while chunk := await stream.read(CHUNK):
            file.write(chunk)
            transfer.copied += len(chunk)
            await fate.allow(len(chunk))
    await fate.allow(0, last=True)
    await process.wait()
