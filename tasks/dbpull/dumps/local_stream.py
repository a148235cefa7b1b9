"""The stream of a dump on this machine, whole or arriving, for the engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from dbpull import archive
from dbpull.archive import Archive, Block
from dbpull.console import Reporter, Step
from dbpull.download import Download
from dbpull.download.arriving import ArrivingFile
from dbpull.dumps import former, ordered
from dbpull.dumps.names import Dump, shown
from dbpull.dumps.ordered import Anew, OrderedWalk, Stretch
from dbpull.dumps.stream import fetched, restored
from dbpull.errors.download import ObjectChanged
from dbpull.errors.restore import RestoreFailed
from dbpull.restore import commands
from dbpull.restore.engine import Engine
from dbpull.restore.readable import Listener
from dbpull.restore.sections import Restore
from dbpull.restore.watch import Outcome
from dbpull.shell import PipedInput
from dbpull.words import listed


class LocalStream:
    """A dump on this machine, verified or being downloaded; see DumpStream.

    The engine reads the dump by `open`, `total` and `walk`; see ReadableDump.
    """

    def __init__(
        self,
        dump: Dump,
        contents: Archive,
        shell: PipedInput,
        *,
        blocks: Sequence[Block] = (),
        download: ArrivingFile | None = None,
    ) -> None:
        self.dump, self.contents = dump, contents
        self._shell, self._blocks, self._download = shell, blocks, download
        self._began = time.monotonic()
        self._ended: float | None = None
        self._order: tuple[list[Stretch], list[int]] = [], []
        """Stretches, and the order in which they come; empty: front first."""

    @property
    def sizes(self) -> Mapping[int, int]:
        """The bytes of each data block, by dump id; empty while the dump arrives."""
        return {block.dump_id: block.end - block.start for block in self._blocks}

    def commands(self, into: Restore) -> list[str]:
        """The engine's commands, for a plan."""
        return commands.of_engine(into, self.contents)

    def finish(self, reporter: Reporter) -> None:
        """Wait until the dump is whole, and verify it."""

        def verify(stream: BinaryIO) -> None:
            self.contents = archive.read(stream)
            self._blocks = archive.verify(stream, self.contents)

        if self._download and self._ended is None:
            finish(self._download, self.dump, reporter, verify)
            self._keep_sizes(self._download, self._blocks)
            self._download = None

    def restore(self, into: Restore, reporter: Reporter) -> Outcome:
        """Restore by many pg_restores at once, from the first bytes that arrive."""
        download, label = self._download, into.label
        doing = f"Fetching and restoring {label}" if download else f"Restoring {label}"
        arriving = download is not None
        with reporter.step("restore", doing, "bytes") as step:

            def on_progress(done: int, total: int, doing: list[str]) -> None:
                step.doing = listed(doing, 2)
                if not arriving:
                    step.progress(done, total)

            def on_whole() -> None:
                nonlocal arriving
                if download:
                    arriving = False
                    self._tell_fetched(reporter)
                    step.sentence = reporter.doing = f"Restoring {label}"

            if download:
                download.progress = step.progress
                self._order = self._best_order(into)

            try:
                outcome = Engine(into, self._shell, self, on_progress, on_whole).run()
            except RestoreFailed as error:
                if download and self._ended is None:
                    raise error.before_the_end() from error
                raise
            step.sentence = restored(into)
        if not download:
            return outcome
        bar = "download", label, self._began, self._ended or self._began
        return replace(outcome, bars=(bar, *outcome.bars))

    @property
    def total(self) -> int:
        """The dump's bytes; 0 where the download host does not tell."""
        return self._download.size or 0 if self._download else self.dump.size

    def open(self) -> BinaryIO:
        """Open the dump; reads wait for bytes that have not arrived."""
        if self._download:
            return self._download.reader()
        return self.dump.path.open("rb")

    def walk(self, listener: Listener) -> None:
        """Pass each data block to the listener; at the end the dump is verified.

        Raises ObjectChanged where the download host now has another dump, which
        `finish` gets.
        """
        if self._download:
            self._walk_arriving(self._download, listener)
            return
        for block in self._blocks:
            listener.arrived(block)

    def _walk_arriving(self, download: ArrivingFile, listener: Listener) -> None:
        rounds = 0
        found, order = self._order
        prefer = download.prefer if isinstance(download, Download) else (lambda _: None)
        walk = OrderedWalk(self.contents, found, self.total, listener, prefer)
        blocks: list[Block] = []

        def verify(stream: BinaryIO) -> None:
            nonlocal rounds
            rounds += 1
            read = archive.read(stream)
            if rounds > 1 or read != self.contents:
                raise Anew
            blocks.extend(walk.walk(stream, order))

        try:
            download.finish(verify)
        except Anew:
            raise ObjectChanged(download.host) from None
        self._ended = time.monotonic()
        self._keep_sizes(download, blocks)

    def _best_order(self, into: Restore) -> tuple[list[Stretch], list[int]]:
        """The order in which the bytes best come, where a former dump tells of it."""
        if not isinstance(self._download, Download):
            return [], []
        known = former.sizes_in(self.dump, self.contents)
        return ordered.best(self.contents, into.selection, known, self.total)

    def _keep_sizes(self, download: ArrivingFile, blocks: Sequence[Block]) -> None:
        """Keep the sizes for the next dump, where its bytes may come in any order."""
        if isinstance(download, Download):
            former.keep(self.dump, self.contents, blocks)

    def _tell_fetched(self, reporter: Reporter) -> None:
        step = Step("fetch", "", "bytes", reporter.host, began=self._began)
        step.sentence = _fetched(self.dump)
        reporter.done(step, self._ended)


def finish(
    download: ArrivingFile,
    dump: Dump,
    reporter: Reporter,
    verify: Callable[[BinaryIO], object] = lambda _: None,
) -> None:
    """Wait until a download is whole; `verify` judges it, as in Download.finish."""
    with reporter.step("fetch", f"Fetching {dump.label}", "bytes") as step:
        download.progress = step.progress
        download.finish(verify)
        step.sentence = _fetched(dump)


def _fetched(dump: Dump) -> str:
    return fetched(dump.label, dump.size, f" in {shown(dump.path)}")
