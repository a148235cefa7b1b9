"""The spool of a dump that a program prints: written to the part as fast as it comes.

The source never waits for the restore, which reads the part behind. Nothing of a
printed dump can be resumed: what has arrived is removed, unless it is whole.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from dbpull.download.arriving import PrintedDump
from dbpull.download.chunks import ENDLESS, Chunk, Chunks, Progress
from dbpull.download.journal import Identity
from dbpull.download.part import PIECE, PartFile
from dbpull.download.reader import reader_of
from dbpull.download.silence import Silence
from dbpull.download.worker import JUDGED, Halted
from dbpull.errors import PullError
from dbpull.errors.download import CannotStore, DownloadStopped, ObjectChanged
from dbpull.errors.sources import SourceError, SourceInterrupted
from dbpull.words import span

FIRST = 64 * 1024  # bytes that are kept for the error's sake
STOPPING = 2.0  # seconds for the thread to end


def _nothing(*_: object) -> None:
    """Do nothing: the default of every callback."""


class Spool:
    """Writes to `path`, by `<path>.part`, what the program of `start` prints.

    A thread calls `start`, and calls it once more after SourceInterrupted. `host` names
    the source in messages. `accepts` and `notice` as in Download. `ended` is called as
    soon as the program has ended well, which may be long before `finish` returns.
    A program that prints nothing for `patience` seconds is ended.

    Leaving the context ends the program, and removes a part that is not whole.
    """

    def __init__(
        self,
        start: Callable[[], AbstractContextManager[PrintedDump]],
        path: Path,
        *,
        host: str,
        accepts: Callable[[bytes], object] = _nothing,
        notice: Callable[[str], None] = _nothing,
        ended: Callable[[], None] = _nothing,
        patience: float = math.inf,
    ) -> None:
        self._begin, self._accepts = start, accepts
        self._notice, self._ended = notice, ended
        self.host, self._patience = host, patience
        self._silence = Silence(self._tell, patience, self._give_up)
        self._part = PartFile(path)
        self.progress: Progress = _nothing
        self._chunks = Chunks(lambda done, total: self.progress(done, total))
        self._published = self._stopped = False
        self.first = b""
        """The first bytes of what was printed."""
        self._printed: PrintedDump | None = None
        self._chunk: Chunk | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self._fill, name="dbpull-spool", daemon=True
        )

    @property
    def size(self) -> int | None:
        """The dump's bytes, known at its end."""
        return self._chunks.size

    def start(self) -> None:
        """Lock the part, start the thread, return when the first bytes are accepted.

        Raises AlreadyRunning where another process has the lock.
        """
        if changed := self._part.open(None):
            self._notice(changed)
        self._part.resize(0)
        self._silence.start()
        self._thread.start()
        self._chunks.wait_ready()

    def reader(self) -> io.BufferedReader:
        """Open the arriving dump; see ArrivingFile."""
        return reader_of(self._part, self._chunks)

    def grown(self, unprinted: int) -> None:
        """Note that so many bytes have come that are not printed yet: no silence."""
        self._silence.heard()
        if chunk := self._chunk:
            self.progress(chunk.reached + unprinted, None)

    def finish(self, verify: Callable[[BinaryIO], object]) -> Path:
        """Verify the dump, rename the part to `path`, and return it; see ArrivingFile.

        Raises the program's error where it has failed: before that of a dump cut short.
        """
        while not self._verified(verify):
            pass
        self._part.publish()
        self._published = True
        self._part.close()
        return self._part.path

    def close(self, *, keep: bool = True) -> None:
        """End the program and the thread; what is not whole is never kept."""
        self._silence.close()
        self._stop(DownloadStopped(self._part.file))
        if not self._thread.ident:
            return  # the part may be another process's
        self._thread.join(STOPPING)
        if not self._published:
            self._part.discard()
        self._part.close(in_use=self._thread.is_alive())

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _verified(self, verify: Callable[[BinaryIO], object]) -> bool:
        """Verify what arrives; False where it has started anew meanwhile."""
        generation = self._chunks.generation
        try:
            with self.reader() as arriving:
                verify(arriving)
            self._chunks.wait(generation)
            self._chunks.check_generation(generation)
        except ObjectChanged:
            if self._chunks.generation == generation:
                raise
            return False
        return True

    def _stop(self, error: PullError) -> None:
        """End the program; who waits for the dump gets the error."""
        self._chunks.fail(error)
        with self._lock:
            self._stopped = True
            printed = self._printed
        if printed:
            printed.end()

    # In the thread that watches for silence.

    def _tell(self, seconds: float) -> None:
        self._notice(f"{self.host}: nothing has come for {span(seconds)}.")

    def _give_up(self) -> None:
        quiet = span(self._patience)
        self._stop(
            SourceError(
                f"{self.host}: nothing has come for {quiet}, so it was given up.",
                "Look at the source, and at what leads there; --wait is the patience.",
            )
        )

    # In the thread that reads.

    def _fill(self) -> None:
        try:
            self._persist()
        except Halted:
            pass
        except CannotStore as error:
            self._chunks.fail(error.without_promise())
        except BaseException as error:  # noqa: BLE001 - raised for all who wait
            self._chunks.fail(error)
        finally:
            self._silence.close()

    def _persist(self) -> None:
        try:
            self._receive()
        except SourceInterrupted as error:
            self._check()
            self._notice(f"{error.what} Starting over: a dump can't be resumed.")
            self._chunks.restart()
            self._part.resize(0)
            self._receive()

    def _receive(self) -> None:
        self._chunks.begin(Identity(None, None), ENDLESS, {}, self.host)
        chunk = self._chunk = self._chunks.take()
        assert chunk  # noqa: S101 - an object without a length is one chunk
        try:
            with self._begin() as self._printed:
                self._check()
                self._write(self._printed, chunk)
                self._check()
                self._printed.finish()
        finally:
            self._printed = None
        self._ended()
        if chunk.reached < JUDGED:  # a failed program's error comes first
            self._judge()
        self._chunks.done(chunk)

    def _write(self, printed: PrintedDump, chunk: Chunk) -> None:
        self.first = b""
        while piece := printed.read(PIECE):
            self._check()
            self._silence.heard()
            before = chunk.reached
            self.first += piece[: max(0, FIRST - before)]
            self._part.write(piece, before)
            self._chunks.add_received(chunk, len(piece))
            if before < JUDGED <= chunk.reached:
                self._judge()

    def _judge(self) -> None:
        self._accepts(self.first[:JUDGED])
        self._chunks.allow()

    def _check(self) -> None:
        """Raise Halted where the spool was closed."""
        with self._lock:
            if self._stopped:
                raise Halted
