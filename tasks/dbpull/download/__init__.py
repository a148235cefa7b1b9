"""The download of a URL into a verified file: ranges, retries, resume.

The package knows neither Heroku nor PostgreSQL.

::

    with Download(url, Path("local/b101.dump"), accepts=archive.recognise) as download:
        download.start()                  # size, first bytes, an earlier run's bytes
        contents = archive.read(download.reader())
        download.finish(lambda dump: archive.verify(dump, contents))
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from dbpull import words
from dbpull.download.arriving import verify_arriving
from dbpull.download.backoff import Backoff
from dbpull.download.chunks import Chunks, Progress
from dbpull.download.journal import Journal
from dbpull.download.part import PartFile
from dbpull.download.presigned_url import PresignedUrl
from dbpull.download.reader import reader_of
from dbpull.download.threads import DownloadThreads
from dbpull.download.worker import DownloadJob
from dbpull.errors.download import DownloadStopped

__all__ = ["CHUNK", "Download"]

CHUNK = 8 * 1024 * 1024  # bytes that a connection asks for at a time
STOPPING = 1.0  # seconds for the threads to end


def _nothing(*_: object) -> None:
    """Do nothing: the default of every callback."""


class Download:
    """Downloads the object of `url()` to `path`, by `<path>.part` and its journal.

    `url` gives a fresh presigned URL; a thread of the download calls it, at first and
    whenever a URL has expired. `connections` threads fetch chunks of `chunk` bytes,
    front first unless told otherwise (`prefer`). After the first byte, the download
    gives up after `patience` seconds without progress. `accepts` gets the first bytes
    (up to 512) before the others are requested, and raises for bytes that are no dump.
    The download's threads call `progress(done, total)` in bytes and `notice(sentence)`.

    Leaving the context stops all threads and keeps part and journal. The same
    call then resumes, even after kill -9, where the object is `resumable`. Every method
    raises the download's error, a DownloadFailed, once a thread has failed.
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
    ) -> None:
        self._part = PartFile(path)
        self._journal = Journal(self._part.file.with_name(f"{path.name}.part.journal"))
        self.progress = progress
        self._chunks = Chunks(lambda done, total: self.progress(done, total))
        self._notice = notice
        job = DownloadJob(
            PresignedUrl(url),
            self._part,
            self._journal,
            self._chunks,
            Backoff(patience, notice),
            accepts,
            notice,
            connections,
            chunk,
        )
        self._threads = DownloadThreads(job)

    @property
    def size(self) -> int | None:
        """The dump's bytes, known after `start` (None: the host tells no length)."""
        return self._chunks.size

    @property
    def host(self) -> str:
        """The download host."""
        return self._chunks.host

    @property
    def resumable(self) -> bool:
        """Whether the next run can resume from this run's part."""
        return self._chunks.resumable

    @property
    def already(self) -> int:
        """Bytes of an earlier run's part, without those whose checksum was wrong."""
        return self._chunks.already

    @property
    def received(self) -> int:
        """Bytes of the dump that came over the network in this run."""
        return self._chunks.received

    def start(self) -> None:
        """Lock the part, start the threads, return when the first bytes are accepted.

        Raises AlreadyRunning where another process has the lock.
        """
        if changed := self._part.open(self._journal.holder()):
            self._notice(changed)
        self._threads.start()
        self._chunks.wait_ready()

    def reader(self) -> io.BufferedReader:
        """Open the arriving dump as a file: reading waits for bytes, seeking is free.

        The caller closes the reader. Where the object changes on the host, a reader of
        the old object raises ObjectChanged; the download goes on with the new object.
        """
        return reader_of(self._part, self._chunks)

    def prefer(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Fetch these ranges of bytes first, in this order, as far as it is unfetched.

        The bytes beside them follow, front first.
        """
        self._chunks.prefer(ranges)

    def wait(self) -> None:
        """Wait until all bytes have arrived."""
        self._chunks.wait()

    def finish(self, verify: Callable[[BinaryIO], object]) -> Path:
        """Verify the dump, rename the part to `path`, and return that path.

        `verify` gets a reader at once, reads the bytes as they arrive, and must raise
        where they are no whole dump. Part and journal are then removed, unless this
        machine is to blame (OSError, MemoryError). A caller that has verified through
        `reader` passes a function that does nothing.
        """
        verify_arriving(self, verify, lambda: self._chunks.error)
        self.wait()
        if damaged := self._chunks.damaged:
            lost = f"{words.size(damaged)} of what an earlier run had left"
            self._notice(f"{lost} were damaged, and fetched again.")
        self._threads.stop(STOPPING)
        self._part.publish()
        self._journal.remove()
        self._part.close()
        return self._part.path

    def close(self, *, keep: bool = True) -> None:
        """Stop all threads; `keep` the part and its journal, or remove them."""
        self._chunks.fail(DownloadStopped(self._part.file))
        ended = self._threads.stop(STOPPING)
        if not keep:
            self._journal.remove()
            self._part.discard()
        self._part.close(in_use=not ended)

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
