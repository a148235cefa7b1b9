"""The engine: many pg_restores at once restore a dump that may still be arriving.

pg_restore does the restoring; the engine decides which entries each pg_restore gets,
and when. On its stdin a pg_restore gets a table of contents with its entries, then the
blocks of the tables that it fills; keys and indexes need no block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from dbpull.archive import Block
from dbpull.errors.archive import BadDump
from dbpull.errors.download import DownloadFailed
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.job import Job
from dbpull.restore.queue import Queue
from dbpull.restore.readable import ReadableDump, write_part
from dbpull.restore.sections import Restore, numbers
from dbpull.restore.statistics import start_analyzing
from dbpull.restore.watch import Bar, Outcome
from dbpull.shell import PipedInput, PipedProcess, Write
from dbpull.signals import SIGNALS

PATIENCE = 10.0  # seconds for the walk to judge a damaged dump
LOOK_AGAIN = 0.2  # seconds between two checks for a signal


Tell = Callable[[int, int, list[str]], None]
"""Called with the bytes of the dump that pg_restores have got, how many there are in
total, and the names of the jobs under way."""


class Engine:
    """Restores a dump, whole or still arriving, with at most `jobs` pg_restores.

    The table that is just arriving waits for the network, not for a core: its
    pg_restore comes on top. Create an engine and `run` it once.
    """

    def __init__(
        self,
        restore: Restore,
        shell: PipedInput,
        dump: ReadableDump,
        tell: Tell,
        whole: Callable[[], None] | None = None,
    ) -> None:
        self._restore, self._shell, self._dump = restore, shell, dump
        self._tell, self._whole = tell, whole
        dependencies = Dependencies(dump.contents, restore.selection)
        self._queue = Queue(dependencies, restore.jobs, restore.psql is not None)
        restore.still_arriving = lambda: not self._queue.whole
        self._changed = threading.Condition()
        self._running: dict[int, tuple[Job, PipedProcess]] = {}
        self._walker = threading.Thread(target=self._walk, daemon=True)
        self._error: BaseException | None = None
        self._fed = 0
        self._bars: list[Bar] = []
        self._took: dict[int, float] = {}
        self._analyzed: set[tuple[str, str]] = set()

    def run(self) -> Outcome:
        """Restore all. Raises RestoreFailed, the error of the arrival, and Ctrl-C."""
        self._walker.start()
        try:
            if self._queue.defined:
                self._restore.defined()
            self._run_jobs()
            self._restore_remaining()
        except BaseException:
            self._end()
            raise
        return self._outcome()

    # Called by the walk over the dump's blocks, in a thread of its own.

    def large(self, dump_id: int, start: int) -> None:
        """A large block has begun to arrive."""
        with self._changed:
            self._queue.large(dump_id, start)
            self._changed.notify_all()

    def arrived(self, block: Block) -> None:
        """A block has arrived; the job that restores it takes a core from now on."""
        with self._changed:
            self._queue.arrived(block)
            for job, _ in self._running.values():
                if job.arriving and job.entries[0].dump_id == block.dump_id:
                    job.arriving = False
            self._changed.notify_all()

    def _walk(self) -> None:
        try:
            self._dump.walk(self)
            self._queue.whole = True
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._fail(error)
        with self._changed:
            self._changed.notify_all()

    # Each job runs in a thread of its own.

    def _start(self, job: Job, workers: int) -> None:
        """Start the program of a job; the caller holds the lock."""
        job.began = time.monotonic()
        psql = self._restore.psql
        if psql and job.kind == "analyze":
            dbname = self._restore.connection.dbname
            process = start_analyzing(psql, self._shell, dbname, job.table)
        else:
            process = self._start_restoring(job, workers)
        self._running[id(job)] = job, process
        threading.Thread(target=self._await, args=(job, process), daemon=True).start()

    def _start_restoring(self, job: Job, workers: int) -> PipedProcess:
        def write_stdin(write: Write) -> None:
            def count(piece: bytes) -> None:
                write(piece)
                self._fed += len(piece) if job.starts else 0

            write_part(self._dump, job.entries, job.starts, count, job.statement)

        return self._shell.start_piped(
            self._restore.piped_argv(),
            write_stdin,
            env=self._restore.environment(workers),
            listing=numbers(job.entries),
            source=str(self._restore.dump),
        )

    def _await(self, job: Job, process: PipedProcess) -> None:
        try:
            self._wait(job, process)
            if not self._queue.defined:  # no other job runs
                self._restore.defined()
        except (BadDump, DownloadFailed) as error:
            # The walk judges the dump, and removes it: a job then finds no file.
            self._walker.join(PATIENCE)
            self._fail(error)
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            self._fail(error)
        with self._changed:
            # The cost of its keys needs the block's size, which the walk tells soon.
            self._changed.wait_for(lambda: not job.arriving or self._error)
            del self._running[id(job)]
            if self._error is None:
                self._queue.finished(job)
                now = time.monotonic()
                self._bars.append((job.kind, job.name, job.began, now))
                if len(job.entries) == 1 and job.kind != "analyze":
                    # A key in two steps is two jobs of one entry: their times add up.
                    dump_id = job.entries[0].dump_id
                    self._took[dump_id] = self._took.get(dump_id, 0) + now - job.began
            self._changed.notify_all()

    def _wait(self, job: Job, process: PipedProcess) -> None:
        """Wait for a job's program. Raises RestoreFailed."""
        if job.kind != "analyze":
            watch = self._restore.new_watch()
            self._restore.refuse_failed(watch, process.wait(watch))
        elif process.wait(lambda _: None).ok:  # else it fails at the end, and is told
            self._analyzed.add(job.table)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    # Decides which job starts next, in the thread of `run`.

    def _run_jobs(self) -> None:
        with self._changed:
            while not self._error and (self._running or not self._queue.empty):
                self._start_possible()
                self._report()
                SIGNALS.wait(self._changed, LOOK_AGAIN)
        if self._error:
            raise self._error

    def _start_possible(self) -> None:
        while True:
            running = [job for job, _ in self._running.values()]
            busy = sum(not job.arriving for job in running)
            reads_arriving = len(running) > busy
            job = None
            if not reads_arriving and busy <= self._restore.jobs:
                job = self._queue.take_arriving()
            if job is None and busy < self._restore.jobs:
                job = self._queue.take(running)
            if job is None:
                return
            self._start(job, self._spare(job, [*running, job]))

    def _spare(self, job: Job, running: list[Job]) -> int:
        """The idle cores, which the server's own workers may use to build an index."""
        busy = sum(not job.arriving for job in running)
        spare = self._restore.jobs - busy
        if job.kind != "index" or spare <= 0:
            return 0
        return max(0, spare - self._queue.others(running, spare))

    def _report(self) -> None:
        if self._queue.whole and self._whole:
            self._whole()
            self._whole = None
        running = sorted(job.name for job, _ in self._running.values())
        total = self._dump.total or self._fed
        self._tell(min(self._fed, total), total, running)

    def _restore_remaining(self) -> None:
        """Restore the other post-data entries: pg_restore knows their dependencies."""
        self._report()
        began = time.monotonic()

        def progress(done: int, total: int | None) -> None:
            doing = [f"{done} of {total} other keys, indexes and the like"]
            self._tell(self._fed, self._fed, doing)

        for part in self._queue.dependencies.remaining(self._queue.done):
            self._restore.part("post-data", part, progress)
            self._bars += self._remaining_bars(began)
            began = time.monotonic()

    def _remaining_bars(self, began: float) -> list[Bar]:
        by_id = self._dump.contents.by_id
        watch = self._restore.watch
        spans, watch.spans = watch.spans, {}
        if not spans:
            return [("rest", "the rest", began, time.monotonic())]
        return [
            ("rest", by_id[dump_id].tag, *span)
            for dump_id, span in spans.items()
            if dump_id in by_id
        ]

    def _end(self) -> None:
        with self._changed:
            self._error = self._error or InterruptedError()
            self._changed.notify_all()
            running = [process for _, process in self._running.values()]
        for process in running:
            process.end()
        deadline = time.monotonic() + 5
        with self._changed:
            while self._running and time.monotonic() < deadline:
                SIGNALS.wait(self._changed, LOOK_AGAIN)

    def _outcome(self) -> Outcome:
        return replace(
            self._restore.outcome(),
            seconds=self._took,
            sizes=dict(self._queue.sizes),
            bars=tuple(self._bars),
            analyzed=frozenset(self._analyzed),
        )
