"""The ready jobs, sorted by weight: the next one is the heaviest that may start."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice

from dbpull.restore.job import Job


class Ready:
    """The ready jobs, sorted by weight: there may be thousands, and most may start."""

    def __init__(self, done: Collection[int]) -> None:
        self._done = done
        """The entries that are done, by dump id; the queue adds to them."""
        self._jobs: list[Job] = []
        self._wanted: Counter[int] = Counter()
        """How many jobs would lock each table."""
        self._indexed: Counter[int] = Counter()
        """How many indexes of each table have not begun."""
        self._waiting: dict[int, list[Job]] = {}
        """The jobs that wait for another entry, by its dump id."""

    def __bool__(self) -> bool:
        return bool(self._jobs or self._waiting)

    def add(self, job: Job) -> None:
        """Add a job, to start once the entries in its `needs` are done."""
        self._count(job, 1)
        self._place(job)

    def finished(self, entries: Collection[int]) -> None:
        """Start the jobs that waited for entries, by dump id, which are done now."""
        for dump_id in entries:
            for job in self._waiting.pop(dump_id, ()):
                self._place(job)

    def take(self, running: Collection[Job]) -> Job | None:
        """Take the heaviest job that may start beside `running`, or its first step."""
        found: tuple[int, Job] | None = None
        heavy = 0.0
        for at, form in self._free(running):
            job = self._jobs[at]
            if found and _at_most(job) <= heavy:
                break
            if not found or max(form.weight, job.weight) > heavy:
                found, heavy = (at, form), max(form.weight, job.weight)
        if not found:
            return None
        at, form = found
        self._count(self._jobs.pop(at), -1)
        return form

    def count(self, running: Collection[Job], most: int) -> int:
        """How many jobs may start beside `running`, counted up to `most`."""
        return sum(1 for _ in islice(self._free(running), most))

    def _place(self, job: Job) -> None:
        missing = job.needs.difference(self._done)
        if missing:
            self._waiting.setdefault(min(missing), []).append(job)
        else:
            insort(self._jobs, job, key=lambda other: -_at_most(other))

    def _free(self, running: Collection[Job]) -> Iterator[tuple[int, Job]]:
        """The jobs that may start: position, and the job itself or its first step."""
        locked = Counter(table for job in running for table in job.locks)
        for at, job in enumerate(self._jobs):
            form = self._form(job, locked)
            # A foreign key in one piece would keep the tables' indexes waiting.
            is_whole = form.kind == "reference" and form.statement is None
            keeps_waiting = is_whole and any(self._indexed[i] for i in form.locks)
            if not keeps_waiting and not any(map(form.keeps_out, running)):
                yield at, form

    def _form(self, job: Job, locked: Counter[int]) -> Job:
        """The first step where other jobs want the same tables, else the whole job."""
        if job.steps and any(self._wanted[i] + locked[i] > 1 for i in job.locks):
            return job.steps[0]
        return job

    def _count(self, job: Job, by: int) -> None:
        for table in job.locks:
            self._wanted[table] += by
            if job.kind == "index":
                self._indexed[table] += by


def _at_most(job: Job) -> float:
    """The weight of a job or of its first step, whichever is more."""
    return max(job.weight, job.steps[0].weight if job.steps else 0.0)
