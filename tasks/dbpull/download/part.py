"""`<name>.part`: the file while it grows, private, locked, written at any place.

The lock is a flock on the file itself: the kernel gives it back even after kill -9.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbpull.download.ignored import keep_out_of_git, make_private
from dbpull.errors.download import AlreadyRunning, CannotStore

MARGIN = 64 * 1024 * 1024  # bytes to leave free beyond the dump
PIECE = 1024 * 1024
FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Part:
    """The part file of a dump that will be `path`. Raises CannotStore throughout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.with_name(path.name + ".part")
        self._fd = -1

    def open(self, holder: int | None) -> str:
        """Make the folder, open the file and lock it, or raise AlreadyRunning.

        `holder` is the process that probably has the lock where it is taken. Returns
        a sentence where git had to be kept from taking the dump.
        """
        with self._worded():
            make_private(self.path.parent)
            while True:
                fd = os.open(self.file, FLAGS, 0o600)
                if not _locked(fd):
                    os.close(fd)
                    raise AlreadyRunning(self.file, holder)
                if _is_still(fd, self.file):
                    break
                os.close(fd)  # the one who held the lock has just renamed it
            self._fd = fd
            os.fchmod(fd, 0o600)
            return keep_out_of_git(self.path)

    @property
    def empty(self) -> bool:
        """Whether nothing was ever written to it."""
        return os.fstat(self._fd).st_size == 0

    def check_room(self, missing: int) -> None:
        """Refuse early where the disk has less than the bytes still missing."""
        with self._worded():
            free = shutil.disk_usage(self.path.parent).free
        if free < missing + MARGIN:
            raise CannotStore.no_room(self.path.parent, missing + MARGIN, free)

    def resize(self, size: int) -> None:
        """Give the file its final size at once (sparse), or none to start over."""
        with self._worded():
            os.ftruncate(self._fd, size)

    def write(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        rest = memoryview(data)
        with self._worded():
            while rest:
                written = os.pwrite(self._fd, rest, offset)
                rest, offset = rest[written:], offset + written

    def read(self, offset: int, count: int) -> bytes:
        """Read up to `count` bytes at `offset`."""
        with self._worded():
            return os.pread(self._fd, count, offset)

    def checksum(self, start: int, end: int, crc: int = 0) -> int:
        """Return the crc32 of the bytes from `start` to `end` (excluded).

        `crc` is that of what stands before them, where it is to cover that, too.
        """
        while start < end and (piece := self.read(start, min(PIECE, end - start))):
            crc = zlib.crc32(piece, crc)
            start += len(piece)
        return crc

    def publish(self) -> None:
        """Make it the dump: on the disk, 0600, under its final name."""
        with self._worded():
            os.fsync(self._fd)
            os.fchmod(self._fd, 0o600)
            self.file.replace(self.path)

    def discard(self) -> None:
        """Remove it: what it holds is of no use."""
        with self._worded():
            self.file.unlink(missing_ok=True)

    def close(self, *, in_use: bool = False) -> None:
        """Give the lock back, and leave no empty file behind.

        While a thread may still write, the descriptor must not be another file's.
        """
        fd, self._fd = self._fd, self._fd if in_use else -1
        if fd < 0:
            return
        with self._worded():
            if os.fstat(fd).st_size == 0 and _is_still(fd, self.file):
                self.file.unlink()
            if in_use:
                fcntl.flock(fd, fcntl.LOCK_UN)
            else:
                os.close(fd)

    @contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotStore.failed(self.file, error) from error


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        raise
    return True


def _is_still(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
