"""The reader of an arriving file: reading waits until the bytes are on the disk."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dbpull.download.chunks import Chunks
from dbpull.download.part import PartFile
from dbpull.errors.download import CannotStore

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 256 * 1024


def reader(path: Path, chunks: Chunks) -> io.BufferedReader:
    """Open the part file for reading; it stays readable after it was renamed."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise CannotStore.failed(path, error) from error
    return io.BufferedReader(_ArrivingFile(path, file, chunks), BUFFER)


def reader_of(part: PartFile, chunks: Chunks) -> io.BufferedReader:
    """Open a part for reading, or the whole file that has just been made of it."""
    try:
        return reader(part.file, chunks)
    except CannotStore:
        if not part.path.exists():
            raise
        return reader(part.path, chunks)


class _ArrivingFile(io.RawIOBase):
    """Reads by a descriptor of its own: the lock belongs to the writer's descriptor."""

    def __init__(self, path: Path, file: int, chunks: Chunks) -> None:
        super().__init__()
        self.name = str(path)
        self._chunks = chunks
        self._generation = chunks.generation
        self._at = 0
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            if self._chunks.size is None:
                self._chunks.wait()
            offset += self._chunks.size or 0
        elif whence == os.SEEK_CUR:
            offset += self._at
        if offset < 0:
            raise ValueError(f"negative seek position {offset}")
        self._at = offset
        return offset

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        available = self._chunks.available(self._at, self._generation)
        try:
            count = os.preadv(self._file, [view[:available]], self._at)
        except OSError as error:
            raise CannotStore.failed(Path(self.name), error) from error
        # Bytes of another object may have been written before they were read.
        self._chunks.check_generation(self._generation)
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()
