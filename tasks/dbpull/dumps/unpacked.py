"""What a packed dump becomes while it arrives: one file, or the files of a folder."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dbpull.download.arriving import verify_arriving
from dbpull.download.reader import reader_of
from dbpull.dumps.names import UNPACKED, remove_path
from dbpull.dumps.unpacking import STOPPING, PackedBytes, Unpacking, opened
from dbpull.errors.archive import BadDump, NoDumpFolder
from dbpull.errors.download import CannotStore, ObjectChanged
from dbpull.layers import TOC, ManyFiles, OneFile


def unpacking(
    packed: PackedBytes, path: Path, name: str
) -> UnpackedFile | UnpackedFolder:
    """Begin to unpack a dump to `path`; returns once its kind is known.

    `name` names the packed file in errors. Raises BadDump and the arrival's errors.
    """
    found = opened(packed, name)
    kind = UnpackedFile if isinstance(found, OneFile) else UnpackedFolder
    unpacked = kind(packed, path, name)
    with _stored(path):
        remove_path(path.with_name(path.name + UNPACKED))  # of a killed run
    unpacked.start(found)
    return unpacked


class UnpackedFile(Unpacking):
    """A dump in one file; see ArrivingFile."""

    def reader(self) -> io.BufferedReader:
        """Open the dump for reading, while it is unpacked."""
        return reader_of(self._part, self._chunks)

    def finish(self, verify: Callable[[BinaryIO], object]) -> Path:
        """Verify the dump, and give it its final name; the packed bytes are removed."""

        def whole() -> None:
            verify_arriving(self, verify, lambda: self._chunks.error)
            self._chunks.wait()

        _removing(whole, self)
        self._thread.join(STOPPING)
        self._part.publish()
        self._part.close()
        self._packed.close(keep=False)
        return self._part.path

    def _begin(self) -> None:
        if self._chunks.generation == 0:
            self._part.open(None)
        self._part.resize(0)

    def _take(self, found: OneFile | ManyFiles) -> None:
        if not isinstance(found, OneFile):
            raise ObjectChanged(self.host)
        at = 0

        def write(piece: bytes) -> None:
            nonlocal at
            self._part.write(piece, at)
            at += len(piece)

        self._copy(found.stream, write)

    def _discard(self) -> None:
        self._part.discard()
        self._part.close(in_use=self._thread.is_alive())


class UnpackedFolder(Unpacking):
    """A dump in directory format, in a folder that only its owner can read."""

    def wait_for_toc(self) -> Path:
        """Wait for the table of contents; returns the folder with it."""
        _removing(self._chunks.wait_ready, self)
        return self._part.file

    def finish(self, verify: Callable[[Path], object]) -> Path:
        """Wait for all files, verify the folder, and give it its final name."""

        def whole() -> None:
            self._chunks.wait()
            verify(self._part.file)

        _removing(whole, self)
        with _stored(self._part.file):
            self._part.file.replace(self._part.path)
        self._part.published = True
        self._packed.close(keep=False)
        return self._part.path

    def _begin(self) -> None:
        with _stored(self._part.file):
            remove_path(self._part.file)
            self._part.file.mkdir(0o700)

    def _take(self, found: OneFile | ManyFiles) -> None:
        if not isinstance(found, ManyFiles):
            raise ObjectChanged(self.host)
        for name, stream in found.files:
            with _stored(self._part.file), _private(self._part.file / name) as file:
                self._copy(stream, file.write)
                file.flush()
                os.fsync(file.fileno())
            if name == TOC:
                self._chunks.allow()
        if not self._chunks.ready:
            raise NoDumpFolder(self._name)

    def _discard(self) -> None:
        shutil.rmtree(self._part.file, ignore_errors=True)


def _removing(wait: Callable[[], object], unpacking: Unpacking) -> None:
    """Wait; a dump that proves to be none is removed with its packed bytes."""
    try:
        wait()
    except BadDump:
        unpacking.close(keep=False)
        raise


def _private(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "wb")


@contextmanager
def _stored(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotStore.failed(path, error) from error
