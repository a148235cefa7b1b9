"""The stream of a dump that arrives on a host, where pg_restore reads the dump."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.dumps.stream import by_sections, fetched
from dbpull.errors.restore import RestoreFailed
from dbpull.hosts.transfer import HostTransfer
from dbpull.restore import commands, streamed
from dbpull.restore.sections import Restore
from dbpull.restore.watch import Outcome

_ROWS_PER_SECOND = 6_000_000
"""Bytes of a dump (packed by gzip) whose rows one pg_restore loads in a second."""


@dataclass
class HostStream:
    """A dump on its way to a host; see DumpStream."""

    dump: Dump
    contents: Archive
    transfer: HostTransfer
    sizes: Mapping[int, int] = field(default_factory=dict)
    """Empty: the rows don't pass through this machine."""
    in_order: bool = True
    """Whether its blocks are in the order of its table of contents."""
    _is_whole: bool = field(default=False, init=False)

    def commands(self, into: Restore) -> list[str]:
        """The commands of `restore`, for a plan."""
        return commands.of_arriving(into)

    def finish(self, reporter: Reporter) -> None:
        """Wait until the dump is whole, verify it, and name its file."""
        if not self._is_whole:
            self.transfer.check()
            self._finish(reporter)

    def restore(self, into: Restore, reporter: Reporter) -> Outcome:
        """Restore rows while the dump arrives, where it arrives slowly enough."""
        if self.transfer.left and self._can_overlap and self._overlap_pays(into.jobs):
            try:
                self._finish(reporter, lambda: self._restore_rows(into))
            except RestoreFailed as error:
                raise error.before_the_end() from error
        else:
            self.finish(reporter)
        return by_sections(into, reporter)

    @property
    def _can_overlap(self) -> bool:
        """Whether pg_restore can read the dump in order: not a tar, nor a folder."""
        is_other = self.contents.header.tar or self.transfer.is_folder
        return self.in_order and not is_other

    def _overlap_pays(self, jobs: int) -> bool:
        """Whether one pg_restore should restore the rows while the dump arrives.

        One pg_restore takes the longer of the arrival's time and its own. `jobs`
        pg_restores need the whole file: they take the time of the arrival, and then
        one pg_restore's time divided by `jobs`.
        """
        transfer = self.transfer
        arrival = transfer.left / max(transfer.rate, 1)
        alone = transfer.total / _ROWS_PER_SECOND
        return max(arrival, alone) <= arrival + alone / jobs

    def _restore_rows(self, into: Restore) -> None:
        """Restore the arriving definitions and rows by one pg_restore."""
        transfer = self.transfer
        if into.on_defined:
            streamed.define(into, transfer.part)
        argv = transfer.fed(streamed.stream_argv(into, transfer.listing))
        streamed.stream(into, argv, transfer.check, lambda: transfer.left > 0)

    def _finish(
        self, reporter: Reporter, meanwhile: Callable[[], None] | None = None
    ) -> None:
        label = self.dump.label
        rows = " and restoring its rows" if meanwhile else ""
        with reporter.step("fetch", f"Fetching {label}{rows}", "bytes") as step:
            self.transfer.progress = step.progress
            if meanwhile:
                meanwhile()
                label = f"{label}, its rows are in"
            self.transfer.finish()
            step.sentence = fetched(label, self.transfer.total)
        self._is_whole = True
