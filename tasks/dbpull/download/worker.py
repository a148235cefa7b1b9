"""One thread's work: the next chunk, piece by piece, however often it takes."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from dbpull.download.answer import Answer
from dbpull.download.backoff import Backoff
from dbpull.download.chunks import Chunk, Chunks
from dbpull.download.fault import Retryable
from dbpull.download.journal import Identity, Journal
from dbpull.download.part import Part
from dbpull.download.presigned_url import PresignedUrl
from dbpull.download.request import Connection, Expired
from dbpull.errors.download import CannotStore, Refused

ENOUGH = 64 * 1024  # bytes that make a try progress, if it does not end its chunk
NOTED = 256 * 1024  # bytes that a killed run fetches again at most, per connection
JUDGED = 512  # bytes that tell whether this is a dump at all


class Halted(Exception):
    """This thread is to end: another has failed, or the download was left."""


class Cut(Exception):
    """A host without ranges was cut: nothing of it can be continued."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


@dataclass
class Job:
    """What the threads of a download share.

    `accepts` gets the first 512 bytes before more is asked for, and raises where they
    are no dump.
    """

    address: PresignedUrl
    part: Part
    journal: Journal
    arrival: Chunks
    patience: Backoff
    accepts: Callable[[bytes], object]
    halt: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise Halted where the threads are to end."""
        if self.halt.is_set():
            raise Halted


class Worker:
    """Fetches chunks over a connection of its own; `shut` may come from any thread."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._accepted: Callable[[], None] | None = None
        self._connection = Connection(job.address)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def shut(self) -> None:
        """End what is under way."""
        self._connection.shut()

    def open(self, first: int, last: int, known: Identity | None) -> Answer:
        """Ask for a range until there is an answer. Raises Changed or an error."""
        tries = 0
        while True:
            self._job.check()
            try:
                return self._connection.get(first, last, known)
            except Expired as expired:
                if not self._job.address.renew(expired.signed):
                    code = expired.code
                    raise Refused(expired.host, expired.status, code) from None
            except Retryable as fault:
                tries += 1
                self._pause(fault, tries)

    def begin(self, answer: Answer, accepted: Callable[[], None]) -> None:
        """Fetch the first chunk, whose beginning `answer` brings, and have it judged.

        `accepted` is called as soon as the first bytes have turned out to be good.
        """
        self._accepted = accepted
        chunk = self._job.arrival.take()
        if chunk and answer.ranged:
            self._fetch(chunk, answer)
        elif chunk:
            self._stream(chunk, answer)

    def work(self) -> None:
        """Fetch chunks until there are none; trust an earlier run's if they fit."""
        while chunk := self._job.arrival.take():
            self._job.check()
            if chunk.claims:
                self._regain(chunk)
            if chunk.reached < chunk.end:
                self._fetch(chunk)
            else:
                self._job.arrival.done(chunk)

    def _regain(self, chunk: Chunk) -> None:
        """Take what an earlier run left, as far as the crc32s say that it is right."""
        good, crc = 0, 0
        read, so_far = chunk.start, 0
        for count, claimed in chunk.claims:
            so_far = self._job.part.checksum(read, chunk.start + count, so_far)
            read = chunk.start + count
            if so_far == claimed:
                good, crc = count, so_far
        self._job.arrival.regain(chunk, good, crc)

    def _fetch(self, chunk: Chunk, answer: Answer | None = None) -> None:
        """Fetch a chunk; whatever ends that, the next run goes on from there."""
        try:
            self._fetch_rest(chunk, answer)
        except BaseException:
            with suppress(CannotStore):
                self._note(chunk)
            raise
        self._job.journal.add(chunk.index, chunk.crc)
        self._job.arrival.done(chunk)

    def _fetch_rest(self, chunk: Chunk, answer: Answer | None) -> None:
        """Go on where a lost connection has left it."""
        known = self._job.arrival.identity
        barren = 0
        while chunk.reached < chunk.end:
            before = chunk.reached
            with answer or self.open(before, chunk.end - 1, known) as answer:
                try:
                    self._receive(answer, chunk)
                except Retryable as fault:
                    barren = 0 if _is_progress(chunk, before) else barren + 1
                    if barren:
                        self._pause(fault, barren)
            answer = None

    def _note(self, chunk: Chunk) -> None:
        """Have the journal claim what has arrived; its bytes are in the file."""
        if chunk.noted < chunk.count:
            self._job.journal.add_start(chunk.index, chunk.count, chunk.crc)
            chunk.noted = chunk.count

    def _stream(self, chunk: Chunk, answer: Answer) -> None:
        """Fetch the whole object from a host without ranges, in one go."""
        try:
            self._receive(answer, chunk)
        except Retryable as fault:
            if not chunk.reached:
                self._pause(fault, 1)
            raise Cut(answer.host) from None
        self._judge()
        self._job.arrival.done(chunk)

    def _receive(self, answer: Answer, chunk: Chunk) -> None:
        job, before = self._job, chunk.reached
        for piece in answer.pieces():
            job.check()
            job.part.write(piece, chunk.reached)
            chunk.crc = zlib.crc32(piece, chunk.crc)
            job.patience.byte()
            job.address.worked()
            job.arrival.grew(chunk, len(piece))
            if answer.ranged and chunk.count - chunk.noted >= NOTED:
                self._note(chunk)
            if _is_progress(chunk, before):
                job.patience.progress()
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
        kept = self._job.arrival.kept
        self._job.halt.wait(self._job.patience.pause(fault, tries, kept))


def _is_progress(chunk: Chunk, before: int) -> bool:
    """Whether a try that began at `before` has brought enough to begin anew."""
    return chunk.reached - before >= ENOUGH or chunk.reached == chunk.end
