"""The jobs that are possible, but for what runs: which of them is to be begun."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice

from dbpull.restore.job import Job


class Ready:
    """Sorted by weight, for there may be thousands, of which most may start."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._wanted: Counter[int] = Counter()
        """How many would lock each table."""
        self._indexed: Counter[int] = Counter()
        """How many indexes of each table are yet to begin."""
        self._done: set[int] = set()
        self._waiting: dict[int, list[Job]] = {}
        """What must wait for another entry, by that."""

    def __bool__(self) -> bool:
        return bool(self._jobs or self._waiting)

    def add(self, job: Job) -> None:
        """Another one is possible."""
        self._count(job, 1)
        self._place(job)

    def finished(self, entries: Collection[int]) -> None:
        """Entries are done, by dump id: what waited for them may start."""
        self._done.update(entries)
        for one in entries:
            for job in self._waiting.pop(one, ()):
                self._place(job)

    def take(self, running: Collection[Job]) -> Job | None:
        """The heaviest that may start beside those, in the form in which it may."""
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
        """How many may start beside those, counted up to `most`."""
        return sum(1 for _ in islice(self._free(running), most))

    def _place(self, job: Job) -> None:
        missing = job.needs - self._done
        if missing:
            self._waiting.setdefault(min(missing), []).append(job)
        else:
            insort(self._jobs, job, key=lambda one: -_at_most(one))

    def _free(self, running: Collection[Job]) -> Iterator[tuple[int, Job]]:
        """What may start: where it is, and in which form."""
        locked = Counter(table for job in running for table in job.locks)
        for at, job in enumerate(self._jobs):
            form = self._form(job, locked)
            # In one piece it would keep indexes waiting that are yet to begin.
            keeps_waiting = form.is_whole_reference and self._is_to_be_indexed(form)
            if not keeps_waiting and not any(map(form.keeps_out, running)):
                yield at, form

    def _form(self, job: Job, locked: Counter[int]) -> Job:
        """Its first half where others want its tables too, else the whole at once."""
        if job.halves and any(self._wanted[i] + locked[i] > 1 for i in job.locks):
            return job.halves[0]
        return job

    def _is_to_be_indexed(self, job: Job) -> bool:
        return any(self._indexed[table] for table in job.locks)

    def _count(self, job: Job, by: int) -> None:
        for table in job.locks:
            self._wanted[table] += by
            if job.kind == "index":
                self._indexed[table] += by


def _at_most(job: Job) -> float:
    """How heavy it is in whichever form."""
    return max(job.weight, job.halves[0].weight if job.halves else 0.0)
