"""The threads of a download: their start, their restart, and their end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dbpull.download.answer import Answer
from dbpull.download.chunks import ENDLESS
from dbpull.download.fault import Changed, Cut, StartOver
from dbpull.download.journal import Record
from dbpull.download.worker import DownloadJob, Halted, Worker
from dbpull.errors.download import CannotStore, NoConnection, ObjectChanged

MOST_STARTS = 4  # for an object that changes or can't be resumed


class DownloadThreads:
    """Fetches an object with the job's `connections`, a thread for each.

    The first thread finds the object's identity and an earlier run's bytes, has the
    first bytes judged, and then starts the other threads.
    """

    def __init__(self, job: DownloadJob) -> None:
        self._job = job
        self._stopped = False
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._workers: set[Worker] = set()
        self._raised: list[BaseException] = []

    def start(self) -> None:
        """Start the first thread; the job's Chunks report its progress and errors."""
        self._spawn(self._lead)

    def stop(self, seconds: float) -> bool:
        """End all threads; True where all have ended within `seconds`."""
        with self._lock:
            self._stopped = True
            self._halt()
        joined = threading.Event()
        threading.Thread(target=self._join, args=(joined,), daemon=True).start()
        return joined.wait(seconds)

    def _start_others(self) -> None:
        """Start the other threads: the first bytes are accepted."""
        for _ in range(self._job.connections - 1):
            self._spawn(lambda: self._guard(Worker.work))
        self._job.chunks.allow()

    def _join(self, joined: threading.Event) -> None:
        for thread in self._threads:
            thread.join()
        joined.set()

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="dbpull-download", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _halt(self) -> None:
        self._job.halt.set()
        for worker in list(self._workers):
            worker.connection.shut()

    def _guard(self, work: Callable[[Worker], None]) -> None:
        """Do one thread's work; the first error ends the other threads."""
        worker = Worker(self._job)
        self._workers.add(worker)
        try:
            work(worker)
        except Halted:
            pass
        except BaseException as error:  # noqa: BLE001 - _lead passes it on
            self._raised.append(error)
            self._halt()
        finally:
            self._workers.discard(worker)
            worker.connection.close()

    def _lead(self) -> None:
        try:
            self._persist()
        except Halted:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again for all who wait
            self._job.chunks.fail(self._without_false_promise(error))

    def _without_false_promise(self, error: BaseException) -> BaseException:
        """Remove the promise to resume from an error where a run can't resume."""
        if isinstance(error, CannotStore) and not self._job.chunks.resumable:
            return error.without_promise()
        return error

    def _persist(self) -> None:
        """Download; start over where the object has changed or can't be resumed."""
        reason: StartOver | None = None
        for _ in range(MOST_STARTS):
            if reason:
                self._start_over(reason)
            try:
                return self._attempt()
            except StartOver as end:
                reason = end
        if isinstance(reason, Cut):
            why = "the connection is lost again and again, and it can't resume"
            raise NoConnection(reason.host, why) from None
        raise ObjectChanged(reason.host if reason else "") from None

    def _attempt(self) -> None:
        self._guard(self._first)
        for thread in self._threads[1:]:
            thread.join()
        if self._raised:
            raise self._raised[0]
        self._job.check()

    def _start_over(self, reason: StartOver) -> None:
        why = "the connection was lost, and it can't resume"
        if isinstance(reason, Changed):
            why = "the dump changed there"
        self._job.notice(f"{reason.host}: {why}; starting over.")
        self._job.chunks.restart()
        self._job.journal.remove()
        self._job.part.resize(0)
        with self._lock:
            del self._threads[1:]
            self._raised.clear()
            if not self._stopped:
                self._job.halt.clear()

    def _first(self, worker: Worker) -> None:
        record = None if self._job.part.empty else self._job.journal.load()
        if record:
            with worker.open(0, 0, record.identity) as answer:
                self._resume(record, answer.host)
        else:
            with worker.open(0, self._job.chunk - 1, None) as answer:
                self._begin(answer)
                worker.begin(answer, self._start_others)
        worker.work()

    def _resume(self, record: Record, host: str) -> None:
        job, size = self._job, record.identity.size or 0
        job.chunks.begin(record.identity, record.chunk, record.checksums, host)
        job.part.check_room(size - job.chunks.already)
        job.part.resize(size)
        job.journal.resume()
        self._start_others()

    def _begin(self, answer: Answer) -> None:
        job, size = self._job, answer.identity.size
        chunk = job.chunk if answer.ranged else ENDLESS
        job.chunks.begin(answer.identity, chunk, {}, answer.host)
        if size is not None:
            job.part.check_room(size)
        job.part.resize(size or 0)
        job.journal.remove()
        if answer.ranged:
            job.journal.begin(answer.identity, chunk)
