"""The work of one download thread: chunk after chunk, each with retries."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from dbpull.download.answer import Answer
from dbpull.download.backoff import Backoff
from dbpull.download.chunks import Chunk, Chunks
from dbpull.download.fault import Cut, Retryable
from dbpull.download.journal import Identity, Journal
from dbpull.download.part import PartFile
from dbpull.download.presigned_url import PresignedUrl
from dbpull.download.request import Expired, HttpConnection
from dbpull.errors.download import CannotStore, UrlRefused

ENOUGH = 64 * 1024  # bytes that make a try count as progress, unless it ends its chunk
NOTED = 256 * 1024  # bytes that a killed run fetches again at most, per connection
JUDGED = 512  # bytes that tell whether an object is a dump


class Halted(Exception):
    """Ends a thread: another thread has failed, or the download was closed."""


@dataclass
class DownloadJob:
    """The objects and options that the threads of a download share.

    `accepts` gets the first 512 bytes before others are requested, and raises for
    bytes that are no dump.
    """

    url: PresignedUrl
    part: PartFile
    journal: Journal
    chunks: Chunks
    backoff: Backoff
    accepts: Callable[[bytes], object]
    notice: Callable[[str], None]
    connections: int
    chunk: int
    halt: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise Halted where the threads are to end."""
        if self.halt.is_set():
            raise Halted


class Worker:
    """Fetches chunks over a connection of its own, which other threads may shut."""

    def __init__(self, job: DownloadJob) -> None:
        self._job = job
        self._accepted: Callable[[], None] | None = None
        self.connection = HttpConnection(job.url)

    def open(self, first: int, last: int, known: Identity | None) -> Answer:
        """Request a range until there is an answer. Raises Changed, DownloadFailed."""
        tries = 0
        while True:
            self._job.check()
            try:
                return self.connection.get(first, last, known)
            except Expired as expired:
                if not self._job.url.renew(expired.signed):
                    code = expired.code
                    raise UrlRefused(expired.host, expired.status, code) from None
            except Retryable as fault:
                tries += 1
                self._pause(fault, tries)

    def begin(self, answer: Answer, accepted: Callable[[], None]) -> None:
        """Fetch the first chunk, from `answer` on, and have its first bytes judged.

        `accepted` is called as soon as the first bytes are accepted.
        """
        self._accepted = accepted
        chunk = self._job.chunks.take()
        if chunk and answer.ranged:
            self._fetch(chunk, answer)
        elif chunk:
            self._stream(chunk, answer)

    def work(self) -> None:
        """Fetch chunks until all are taken; keep bytes whose crc fits."""
        while chunk := self._job.chunks.take():
            self._job.check()
            if chunk.claims:
                self._regain(chunk)
            if chunk.reached < chunk.end:
                self._fetch(chunk)
            else:
                self._job.chunks.done(chunk)

    def _regain(self, chunk: Chunk) -> None:
        """Keep an earlier run's first bytes of a chunk, as far as their crc32s fit."""
        good, crc = 0, 0
        read, so_far = chunk.start, 0
        for count, claimed in chunk.claims:
            so_far = self._job.part.checksum(read, chunk.start + count, so_far)
            read = chunk.start + count
            if so_far == claimed:
                good, crc = count, so_far
        self._job.chunks.regain(chunk, good, crc)

    def _fetch(self, chunk: Chunk, answer: Answer | None = None) -> None:
        """Fetch a chunk; after an error, note its first bytes for the next run."""
        try:
            self._fetch_remaining(chunk, answer)
        except BaseException:
            with suppress(CannotStore):
                self._note(chunk)
            raise
        self._job.journal.add(chunk.index, chunk.crc)
        self._job.chunks.done(chunk)

    def _fetch_remaining(self, chunk: Chunk, answer: Answer | None) -> None:
        """Fetch a chunk's remaining bytes, with retries."""
        known = self._job.chunks.identity
        fruitless = 0
        while chunk.reached < chunk.end:
            before = chunk.reached
            with answer or self.open(before, chunk.end - 1, known) as answer:
                try:
                    self._receive(answer, chunk)
                except Retryable as fault:
                    fruitless = 0 if _is_progress(chunk, before) else fruitless + 1
                    if fruitless:
                        self._pause(fault, fruitless)
            answer = None

    def _note(self, chunk: Chunk) -> None:
        """Note a chunk's first bytes in the journal: the part has them already."""
        if chunk.noted < chunk.count:
            self._job.journal.add_start(chunk.index, chunk.count, chunk.crc)
            chunk.noted = chunk.count

    def _stream(self, chunk: Chunk, answer: Answer) -> None:
        """Fetch the whole object from a host without ranges, by one request."""
        try:
            self._receive(answer, chunk)
        except Retryable as fault:
            if not chunk.reached:
                self._pause(fault, 1)
            raise Cut(answer.host) from None
        self._judge()
        self._job.chunks.done(chunk)

    def _receive(self, answer: Answer, chunk: Chunk) -> None:
        job, before = self._job, chunk.reached
        for piece in answer.pieces():
            job.check()
            job.part.write(piece, chunk.reached)
            chunk.crc = zlib.crc32(piece, chunk.crc)
            job.backoff.byte()
            job.url.worked()
            job.chunks.add_received(chunk, len(piece))
            if answer.ranged and chunk.count - chunk.noted >= NOTED:
                self._note(chunk)
            if _is_progress(chunk, before):
                job.backoff.progress()
            if self._accepted and chunk.reached >= min(JUDGED, chunk.end):
                self._judge()

    def _judge(self) -> None:
        """Have the first bytes judged, once."""
        accepted, self._accepted = self._accepted, None
        if not accepted:
            return
        try:
            self._job.accepts(self._job.part.read(0, JUDGED))
        except Exception:
            self._job.journal.remove()
            self._job.part.discard()
            raise
        accepted()

    def _pause(self, fault: Retryable, tries: int) -> None:
        self._job.check()
        kept = self._job.chunks.kept
        self._job.halt.wait(self._job.backoff.pause(fault, tries, kept))


def _is_progress(chunk: Chunk, before: int) -> bool:
    """Whether a try that began at `before` has brought enough to count as progress."""
    return chunk.reached - before >= ENOUGH or chunk.reached == chunk.end
