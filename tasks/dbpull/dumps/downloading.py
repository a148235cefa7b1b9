"""A dump's bytes on this machine: still on their way, or here."""

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
    """A dump that is here and was seen to its end."""

    dump: Dump
    archive: Archive
    blocks: tuple[Block, ...]

    @property
    def total(self) -> int:
        """Its bytes."""
        return self.dump.size

    def open(self) -> BinaryIO:
        """The file."""
        return self.dump.path.open("rb")

    def walk(self, listener: Listener) -> None:
        """Tell of its blocks."""
        for block in self.blocks:
            listener.arrived(block)


class DownloadingDump:
    """A dump that is being downloaded; its walk is what verifies it."""

    def __init__(
        self, download: Download, front: Archive, gate: Callable[[Archive], object]
    ) -> None:
        self.archive = front
        self.began = time.monotonic()
        self.ended: float | None = None
        """When the last byte was here (of time.monotonic)."""
        self._download, self._gate = download, gate

    @property
    def progress(self) -> Callable[[int, int | None], None]:
        """What is told of its bytes."""
        return self._download.progress

    @progress.setter
    def progress(self, progress: Callable[[int, int | None], None]) -> None:
        self._download.progress = progress

    @property
    def total(self) -> int:
        """Its bytes; 0 where the host does not tell."""
        return self._download.size or 0

    @property
    def where(self) -> str:
        """Where it will lie."""
        return f" in {shown(self._download.path)}"

    def open(self) -> BinaryIO:
        """A file that waits for what is to come."""
        return self._download.reader()

    def walk(self, listener: Listener) -> None:
        """Tell of its blocks; at the end it is verified and has its name.

        Raises ObjectChanged where the bytes told of are not those that will be here:
        `finish` goes on with those.
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
        """Wait until it is whole; judge it anew where it is not what was judged."""

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
    """It is another object by now."""

    def __init__(self) -> None:
        super().__init__("It changed.")
