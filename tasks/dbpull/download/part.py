"""The part, `<name>.part`: a dump's file while it grows, private and locked."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbpull import filelock
from dbpull.download.ignored import keep_out_of_git, make_private
from dbpull.errors.download import AlreadyRunning, CannotStore

MARGIN = 64 * 1024 * 1024  # bytes to leave free beside the dump
PIECE = 1024 * 1024
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class PartFile:
    """The part of a dump that becomes `path`. Every method may raise CannotStore."""

    def __init__(self, path: Path, suffix: str = ".part") -> None:
        self.path = path
        self.file = path.with_name(path.name + suffix)
        self.published = False
        self._fd = -1

    def open(self, holder: int | None) -> str:
        """Make the folder, open the file and lock it, or raise AlreadyRunning.

        `holder` is the process that probably has the lock, for the error. Returns a
        sentence where a .gitignore was changed.
        """
        with self._worded():
            make_private(self.path.parent)
            while True:
                fd = os.open(self.file, FLAGS, 0o600)
                if not filelock.lock(fd):
                    os.close(fd)
                    raise AlreadyRunning(self.file, holder)
                if filelock.is_still(fd, self.file):
                    break
                os.close(fd)  # the lock's last holder has just renamed the file
            self._fd = fd
            os.fchmod(fd, 0o600)
            return keep_out_of_git(self.path)

    @property
    def empty(self) -> bool:
        """Whether the file has no bytes."""
        return os.fstat(self._fd).st_size == 0

    def check_room(self, missing: int) -> None:
        """Raise CannotStore where the disk has no room for `missing` bytes."""
        with self._worded():
            free = shutil.disk_usage(self.path.parent).free
        if free < missing + MARGIN:
            raise CannotStore.no_room(self.path.parent, missing + MARGIN, free)

    def resize(self, size: int) -> None:
        """Give the file its final size (sparse), or size 0 to start over."""
        with self._worded():
            os.ftruncate(self._fd, size)

    def write(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        remaining = memoryview(data)
        with self._worded():
            while remaining:
                written = os.pwrite(self._fd, remaining, offset)
                remaining, offset = remaining[written:], offset + written

    def read(self, offset: int, count: int) -> bytes:
        """Read up to `count` bytes at `offset`."""
        with self._worded():
            return os.pread(self._fd, count, offset)

    def checksum(self, start: int, end: int, crc: int = 0) -> int:
        """Return the crc32 of the bytes from `start` to `end` (excluded).

        `crc` is the crc32 of the bytes before `start`, to be continued.
        """
        while start < end and (piece := self.read(start, min(PIECE, end - start))):
            crc = zlib.crc32(piece, crc)
            start += len(piece)
        return crc

    def publish(self) -> None:
        """Sync the part to the disk, and rename it to the dump's name."""
        with self._worded():
            os.fsync(self._fd)
            os.fchmod(self._fd, 0o600)
            self.file.replace(self.path)
        self.published = True

    def discard(self) -> None:
        """Remove the file: its bytes are of no use."""
        with self._worded():
            self.file.unlink(missing_ok=True)

    def close(self, *, in_use: bool = False) -> None:
        """Release the lock; remove the file where it is empty.

        With `in_use`, where a thread may still write, the descriptor stays open: its
        number must not become another file's.
        """
        fd, self._fd = self._fd, self._fd if in_use else -1
        if fd < 0:
            return
        with self._worded():
            if os.fstat(fd).st_size == 0 and filelock.is_still(fd, self.file):
                self.file.unlink()
            if in_use:
                filelock.unlock(fd)
            else:
                os.close(fd)

    @contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotStore.failed(self.file, error) from error
