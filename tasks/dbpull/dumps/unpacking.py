"""A packed dump that is unpacked while it arrives: a second file over the first.

The packed bytes are kept until the dump is whole, so that an interrupted download
resumes; what was unpacked of them is made anew.
"""

from __future__ import annotations

import io
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from dbpull import layers
from dbpull.download.chunks import ENDLESS, Chunks, Progress
from dbpull.download.journal import Identity
from dbpull.download.part import PartFile
from dbpull.dumps.names import UNPACKED
from dbpull.errors.archive import BadDump
from dbpull.errors.download import DownloadStopped, ObjectChanged
from dbpull.layers import ManyFiles, OneFile

MOST_STARTS = 5  # for a packed file that changes while it arrives
STOPPING = 5.0  # seconds for the thread to end
PIECE = 256 * 1024


class PackedBytes(Protocol):
    """The packed file, as far as it is needed here; see ArrivingFile."""

    progress: Progress

    @property
    def host(self) -> str:
        """Where the file comes from, for messages."""

    def reader(self) -> io.BufferedReader:
        """Open the arriving file."""

    def close(self, *, keep: bool = True) -> None:
        """Stop the arrival; `keep` what has arrived, or remove it."""


def opened(packed: PackedBytes, name: str) -> OneFile | ManyFiles:
    """Take the layers off a packed file; removes a file that is no dump."""
    for _ in range(MOST_STARTS):
        try:
            return layers.opened(packed.reader(), name)
        except ObjectChanged:
            pass
        except BadDump:
            packed.close(keep=False)
            raise
    raise ObjectChanged(packed.host)


class Unpacking(ABC):
    """Unpacks in a thread of its own; a context manager that ends it."""

    size = None
    """The unpacked bytes are not known beforehand."""

    def __init__(self, packed: PackedBytes, path: Path, name: str) -> None:
        self._packed, self._name = packed, name
        self._part = PartFile(path, UNPACKED)
        self._chunks = Chunks(lambda _done, _total: None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._found: OneFile | ManyFiles | None = None

    @property
    def progress(self) -> Progress:
        """The progress of the packed bytes, whose number may be known."""
        return self._packed.progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self._packed.progress = progress

    @property
    def host(self) -> str:
        """Where the packed file comes from, for messages."""
        return self._packed.host

    def start(self, found: OneFile | ManyFiles) -> None:
        """Start the thread."""
        self._found = found
        self._chunks.begin(Identity(None, None), ENDLESS, {}, self.host)
        self._begin()
        self._thread.start()

    def close(self, *, keep: bool = True) -> None:
        """Stop; `keep` the packed bytes, or remove them."""
        self._chunks.fail(DownloadStopped(self._part.file))
        self._packed.close(keep=keep)
        self._thread.join(STOPPING)
        if not self._part.published:
            self._discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _begin(self) -> None:
        """Make an empty file or folder."""

    @abstractmethod
    def _take(self, found: OneFile | ManyFiles) -> None:
        """Write all that was found."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove what was unpacked."""

    def _run(self) -> None:
        try:
            self._unpack()
        except BaseException as error:  # noqa: BLE001 - raised for all who wait
            self._chunks.fail(error)

    def _unpack(self) -> None:
        for _ in range(MOST_STARTS):
            found = self._found or opened(self._packed, self._name)
            self._found = None
            chunk = self._chunks.take()
            assert chunk  # noqa: S101 - there is one, without an end
            try:
                self._chunk = chunk
                self._take(found)
                found.finish()
            except ObjectChanged:
                self._chunks.restart()
                self._chunks.begin(Identity(None, None), ENDLESS, {}, self.host)
                self._begin()
            else:
                self._chunks.done(chunk)
                return
        raise ObjectChanged(self.host)

    def _copy(self, stream: BinaryIO, write: Callable[[bytes], object]) -> None:
        """Write a stream's bytes as they come."""
        read = getattr(stream, "read1", stream.read)
        while piece := read(PIECE):
            if self._chunks.error:
                raise self._chunks.error
            write(piece)
            self._chunks.add_received(self._chunk, len(piece))
