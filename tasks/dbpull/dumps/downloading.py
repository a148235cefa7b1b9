"""The bytes of a dump on this machine, whole or while they are downloaded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from dbpull import archive
from dbpull.archive import Archive, Block
from dbpull.download import Download
from dbpull.dumps.names import Dump, shown
from dbpull.errors.download import DownloadFailed, ObjectChanged
from dbpull.restore.incoming import Listener
from dbpull.restore.queue import LARGE


@dataclass(frozen=True)
class LocalDump:
    """A whole dump on this machine that has been verified."""

    dump: Dump
    archive: Archive
    blocks: tuple[Block, ...]

    @property
    def total(self) -> int:
        """The dump's size in bytes."""
        return self.dump.size

    def open(self) -> BinaryIO:
        """Open the dump's file."""
        return self.dump.path.open("rb")

    def walk(self, listener: Listener) -> None:
        """Pass each data block to the listener."""
        for block in self.blocks:
            listener.arrived(block)


class DownloadingDump:
    """A dump that is being downloaded; `walk` or `finish` verifies it."""

    def __init__(
        self, download: Download, front: Archive, gate: Callable[[Archive], object]
    ) -> None:
        self.archive = front
        self.began = time.monotonic()
        self.ended: float | None = None
        """When the last byte had arrived (time.monotonic)."""
        self._download, self._gate = download, gate

    @property
    def progress(self) -> Callable[[int, int | None], None]:
        """The function that is told how many bytes have arrived, of how many."""
        return self._download.progress

    @progress.setter
    def progress(self, progress: Callable[[int, int | None], None]) -> None:
        self._download.progress = progress

    @property
    def total(self) -> int:
        """The dump's size in bytes; 0 where the download host does not tell."""
        return self._download.size or 0

    @property
    def where(self) -> str:
        """The place where the dump will lie, in words."""
        return f" in {shown(self._download.path)}"

    def open(self) -> BinaryIO:
        """Open a file whose reads wait for bytes that have not arrived."""
        return self._download.reader()

    def walk(self, listener: Listener) -> None:
        """Pass each data block to the listener; at the end the dump is verified.

        Raises ObjectChanged where the download host has another object by now:
        `finish` goes on with that object.
        """
        rounds = 0

        def verify(stream: BinaryIO) -> None:
            nonlocal rounds
            rounds += 1
            read = archive.read(stream)
            if rounds > 1 or read != self.archive:
                raise _Changed
            for block in archive.blocks(stream, read, listener.large, LARGE):
                listener.arrived(block)

        try:
            self._download.finish(verify)
        except _Changed:
            raise ObjectChanged(self._download.host) from None
        self.ended = time.monotonic()

    def finish(self) -> None:
        """Wait until the dump is whole; judge its table of contents anew if changed."""

        def verify(stream: BinaryIO) -> None:
            read = archive.read(stream)
            archive.verify(stream, read)
            self.archive = read

        if self.ended is None:
            front = self.archive
            self._download.finish(verify)
            self.ended = time.monotonic()
            if self.archive != front:
                self._gate(self.archive)


class _Changed(DownloadFailed):
    """The download host has another object by now."""

    def __init__(self) -> None:
        super().__init__("It changed.")
