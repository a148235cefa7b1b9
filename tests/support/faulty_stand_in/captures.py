"""Captures that go on as the faults of kind `backup` have it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dbpull.demo.heroku.bucket import Bucket
from dbpull.demo.heroku.capture import Captures, PgDumpFailed
from dbpull.demo.heroku.transfers import TransferRecord
from faulty_stand_in.armed import Armed, Faults

PAUSE = 0.05


class Fate:
    """What the faults of kind `backup` have in store for one capture."""

    def __init__(self, faults: Faults, transfer: TransferRecord) -> None:
        self._faults = faults
        self._transfer = transfer
        self._behaved = faults.behaved
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
                raise PgDumpFailed(message or "pg_dump: error: connection lost")
            if outcome == "cancel":
                self._transfer.cancel()
                raise asyncio.CancelledError
            await asyncio.sleep(PAUSE)
            self._look()

    def _look(self) -> None:
        if self._behaved != self._faults.behaved:
            # A fault that is set now is for a later test's capture, not for this one.
            self._armed = None
            return
        if self._armed and not self._faults.holds(self._armed):
            self._armed = None
        self._armed = self._faults.for_backup(self._taken) or self._armed

    def _outcome(self) -> str:
        return self._armed.fault.outcome if self._armed else "finish"

    def _reached(self) -> bool:
        return bool(
            self._armed and self._transfer.copied >= (self._armed.fault.at or 0)
        )


class FaultyCaptures(Captures):
    """Each capture has a fate; dumps that are made for another reason have none."""

    def __init__(
        self, faults: Faults, bucket: Bucket, folder: Path, pg_dump: str, lag: float
    ) -> None:
        super().__init__(bucket, folder, pg_dump, lag)
        self._faults = faults
        self._fates: dict[str, Fate] = {}

    async def capture(self, transfer: TransferRecord) -> None:
        """Make one backup, once it may begin."""
        fate = self._fates[transfer.uuid] = Fate(self._faults, transfer)
        await fate.allow_start()
        await super().capture(transfer)

    async def copy(
        self, process: asyncio.subprocess.Process, path: Path, transfer: TransferRecord
    ) -> None:
        """Let pg_dump dump; the end waits for its fate."""
        await super().copy(process, path, transfer)
        if fate := self._fates.get(transfer.uuid):
            await fate.allow(0, last=True)

    async def copied(self, transfer: TransferRecord, size: int) -> None:
        """Go on as fast and as far as its fate has it."""
        await super().copied(transfer, size)
        if fate := self._fates.get(transfer.uuid):
            await fate.allow(size)
