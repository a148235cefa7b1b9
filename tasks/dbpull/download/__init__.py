"""A URL to a verified file: ranges, resume, retry; knows no Heroku, no PostgreSQL.

::

    with Download(url, Path("local/b101.dump"), accepts=archive.recognise) as download:
        download.start()                  # size, first bytes, what is here already
        contents = archive.read(download.reader())
        download.finish(lambda dump: archive.verify(dump, contents))
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from dbpull.download.backoff import Backoff
from dbpull.download.chunks import Chunks, Progress
from dbpull.download.journal import Journal
from dbpull.download.part import Part
from dbpull.download.presigned_url import PresignedUrl
from dbpull.download.reader import reader
from dbpull.download.transfer import Transfer
from dbpull.download.worker import Job
from dbpull.errors import Interrupted
from dbpull.errors.download import (
    CannotStore,
    DownloadFailed,
    ObjectChanged,
    Stopped,
    megabytes,
)

__all__ = ["CHUNK", "Download"]

CHUNK = 8 * 1024 * 1024  # bytes that a connection asks for at a time
STOPPING = 1.0  # seconds for the threads to end
# What ends a verification without saying anything about the dump.
_NOT_ITS_FAULT = (Interrupted, DownloadFailed, OSError, MemoryError)


def _nothing(*_: object) -> None:
    """Neither report nor judge."""


class Download:
    """Brings what `url()` names to `path`, by way of `<path>.part` and its journal.

    `url` gives a fresh presigned URL and is called by a thread of the download, at
    first and whenever one has expired. `connections` threads fetch chunks of `chunk`
    bytes, front first; after the first bytes, `patience` are the seconds without
    progress until it gives up. `accepts` is given the first bytes (up to 512) before
    the rest is asked for and raises where they are no dump. `progress(done, total)` in
    bytes and `notice(sentence)` are called by the download's threads; `check` by who
    waits for it, now and then, to raise where the waiting is to end.

    A context manager: leaving it stops all threads and keeps part and journal, from
    which the same call resumes, even after kill -9, where it is `resumable`. Every
    method raises the download's error, a DownloadFailed, once there is one.
    """

    def __init__(
        self,
        url: Callable[[], str],
        path: Path,
        *,
        connections: int = 4,
        patience: float = 120.0,
        chunk: int = CHUNK,
        accepts: Callable[[bytes], object] = _nothing,
        progress: Progress = _nothing,
        notice: Callable[[str], None] = _nothing,
        check: Callable[[], None] = _nothing,
    ) -> None:
        self._part = Part(path)
        self._journal = Journal(self._part.file.with_name(f"{path.name}.part.journal"))
        self._arrival = Chunks(progress, check)
        self._published = False
        self._notice = notice
        job = Job(
            PresignedUrl(url),
            self._part,
            self._journal,
            self._arrival,
            Backoff(patience, notice),
            accepts,
        )
        self._transfer = Transfer(job, connections, chunk, notice)

    @property
    def size(self) -> int | None:
        """The dump's bytes, known after `start` (None: the host tells no length)."""
        return self._arrival.size

    @property
    def path(self) -> Path:
        """Where it will lie."""
        return self._part.path

    @property
    def host(self) -> str:
        """The download host."""
        return self._arrival.host

    @property
    def progress(self) -> Progress:
        """What is told of its bytes."""
        return self._arrival.progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self._arrival.progress = progress

    @property
    def resumable(self) -> bool:
        """Whether the next run can go on with what this one leaves."""
        return self._arrival.resumable

    @property
    def already(self) -> int:
        """Bytes that an earlier run left here, as far as they have proved right."""
        return self._arrival.already

    @property
    def received(self) -> int:
        """Bytes of the dump that came over the network in this run."""
        return self._arrival.received

    def start(self) -> None:
        """Lock the part file, begin, and return when the first bytes are accepted."""
        if changed := self._part.open(self._journal.holder()):
            self._notice(changed)
        self._transfer.start()
        self._arrival.wait_ready()

    def reader(self) -> io.BufferedReader:
        """Open what arrives as a file: reading waits for the bytes, seeking is free.

        Close it. Where the object changes on the host, a reader of the old one raises
        ObjectChanged and the download goes on with the new one.
        """
        if self._published:
            return reader(self._part.path, self._arrival)
        try:
            return reader(self._part.file, self._arrival)
        except CannotStore:
            # Renamed between the two: the file is found under its name then.
            if not self._part.path.exists():
                raise
            return reader(self._part.path, self._arrival)

    def wait(self) -> None:
        """Wait until all bytes have arrived."""
        self._arrival.wait()

    def finish(self, verify: Callable[[BinaryIO], object]) -> Path:
        """Verify, give the file its name, and return that.

        `verify` is given a reader at once, so that it looks at the bytes as they
        arrive, and must raise if they are no whole dump: part and journal are removed
        then, unless this machine is to blame (OSError, MemoryError). Whoever has
        verified through `reader` passes one that does nothing.
        """
        self._verify(verify)
        self.wait()
        if damaged := self._arrival.damaged:
            lost = f"{megabytes(damaged)} of what an earlier run had left"
            self._notice(f"{lost} were damaged, and fetched again.")
        self._transfer.stop(STOPPING)
        self._part.publish()
        self._published = True
        self._journal.remove()
        self._part.close()
        return self._part.path

    def close(self) -> None:
        """Stop all threads; what has arrived is kept."""
        self._arrival.fail(Stopped(self._part.file))
        ended = self._transfer.stop(STOPPING)
        self._part.close(in_use=not ended)

    def __enter__(self) -> Download:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _verify(self, verify: Callable[[BinaryIO], object]) -> None:
        while True:
            try:
                with self.reader() as arriving:
                    verify(arriving)
            except ObjectChanged:
                if self._arrival.error is not None:
                    raise
            except _NOT_ITS_FAULT:
                raise
            except Exception as error:
                if error is not self._arrival.error:
                    self.discard()
                raise
            else:
                return

    def discard(self) -> None:
        """Stop, and remove what has arrived: it is of no use."""
        self._arrival.fail(Stopped(self._part.file))
        ended = self._transfer.stop(STOPPING)
        self._journal.remove()
        self._part.discard()
        self._part.close(in_use=not ended)
