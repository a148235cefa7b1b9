"""A file that is still arriving, as a file: reading waits until the bytes are there."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dbpull.download.chunks import Chunks
from dbpull.errors.download import CannotStore

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 256 * 1024


def reader(path: Path, arrival: Chunks) -> io.BufferedReader:
    """Open the part file for reading; it stays readable after it was renamed."""
    return io.BufferedReader(_Arriving(path, arrival), BUFFER)


class _Arriving(io.RawIOBase):
    """Reads with a descriptor of its own: the writer's lock goes with the writer's."""

    def __init__(self, path: Path, arrival: Chunks) -> None:
        super().__init__()
        self.name = str(path)
        self._arrival = arrival
        self._generation = arrival.generation
        self._at = 0
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise CannotStore.failed(path, error) from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            if self._arrival.size is None:
                self._arrival.wait()
            offset += self._arrival.size or 0
        elif whence == os.SEEK_CUR:
            offset += self._at
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._at = offset
        return offset

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        there = self._arrival.available(self._at, self._generation)
        try:
            count = os.preadv(self._file, [view[:there]], self._at)
        except OSError as error:
            raise CannotStore.failed(self.name_as_path, error) from error
        # Bytes of another object may have come in between.
        self._arrival.same(self._generation)
        self._at += count
        return count

    @property
    def name_as_path(self) -> Path:
        return Path(self.name)

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()
