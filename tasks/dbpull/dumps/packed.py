"""A packed dump of the user's own: unpacked into the folder of dumps, never changed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from dbpull import layers
from dbpull.archive import RECOGNISABLE
from dbpull.download.chunks import Progress
from dbpull.download.part import PartFile
from dbpull.dumps.names import Dump, shown
from dbpull.errors.download import DownloadStopped

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def is_packed(path: Path) -> bool:
    """Whether a file has gzip or tar around it; False where it can't be read."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return layers.is_packed(file.read(RECOGNISABLE))
    except OSError:
        return False


def unpacked_name(dump: Dump, folder: Path) -> Dump:
    """The dump that a packed one becomes, in the folder of dumps.

    Another file of that name, even as old, becomes another dump.
    """
    changed = datetime.fromtimestamp(dump.path.stat().st_mtime, UTC)
    slug = re.sub(r"[^a-z0-9]+", "-", dump.path.name.lower()).strip("-") or "dump"
    digest = sha256(str(dump.path.resolve()).encode(errors="surrogateescape"))
    return Dump.named(folder, f"{slug}--{digest.hexdigest()[:6]}", "d1", changed)


class PackedFile:
    """A packed file of this machine, as it is read; see PackedBytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.host = shown(path)
        self.size = path.stat().st_size
        self.closed = False
        self.progress: Progress = lambda _done, _total: None

    def reader(self) -> io.BufferedReader:
        """Open the file."""
        return io.BufferedReader(_Reading(self), 256 * 1024)

    def close(self, *, keep: bool = True) -> None:
        """End every read; the file stays as it is."""
        del keep
        self.closed = True


class _Reading(io.FileIO):
    """Tells the progress, and ends where the file is closed by another thread."""

    def __init__(self, file: PackedFile) -> None:
        super().__init__(file.path, "rb")
        self._file = file

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self._file.closed:
            raise DownloadStopped(self._file.host)
        count = super().readinto(buffer)
        self._file.progress(self.tell(), self._file.size)
        return count


@contextmanager
def locked(into: Path, notice: Callable[[str], None]) -> Iterator[None]:
    """Lock the place of a dump that is unpacked, as a download does.

    `notice` is told where a .gitignore was changed. Raises AlreadyRunning, CannotStore.
    """
    part = PartFile(into)
    if changed := part.open(None):
        notice(changed)
    try:
        yield
    finally:
        part.close()
