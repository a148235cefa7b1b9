"""A pg_dump with several connections: each brings a table, and a far server all.

pg_dump writes a folder of files, one for each table, and says when one is whole
(`finished item 12 TABLE DATA orders`); then it goes into the dump, which is in custom
format, as that of a single connection. The last table, which is often the largest, goes
into it as it comes. pg_dump never waits for that.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from dbpull.archive.from_folder import FolderFiles
from dbpull.download.arriving import Scratch
from dbpull.errors import PullError
from dbpull.errors.archive import UnsupportedDump
from dbpull.errors.download import CannotStore
from dbpull.errors.sources import SourceInterrupted
from dbpull.live.dumping import environment, failed
from dbpull.live.server import LiveServer
from dbpull.postgres.psql import Psql
from dbpull.shell.output import ProgramOutput, printed
from dbpull.signals import SIGNALS

MOST = 4
"""Connections: a small server has twenty, and its app needs them."""
LOOK = 0.25  # seconds between two looks at how the files grow
_FINISHED = re.compile(r"pg_dump: finished item (\d+) ")
_BEGINS = re.compile(r"pg_dump: (?:dumping contents of|saving large objects|finished)")
"""Rows are dumped: the table of contents is whole (pg_backup_directory.c)."""
_PROGRESS = re.compile(r"pg_dump: (?!error|detail|hint|warning)")
_REFUSED = re.compile(
    r"connection slots|too many (?:connections|clients)|max client connections"
    r"|no more connections|could not obtain lock|out of shared memory"
    r"|snapshot|could not (?:fork|create worker)",
    re.IGNORECASE,
)
"""Errors of a pg_dump of several connections that one connection may not meet."""


@dataclass
class Connections:
    """How many connections the next dump of a source has."""

    count: int


class ParallelDump:
    """What a pg_dump of several connections dumps, in custom format; see PrintedDump.

    Blocks are in the order in which tables were whole. `heard` gets each line of
    pg_dump's stderr, and then b"".
    """

    def __init__(
        self,
        output: ProgramOutput,
        heard: SimpleQueue[bytes],
        psql: Psql,
        scratch: Scratch,
        connections: Connections,
    ) -> None:
        self._output, self._heard, self._psql = output, heard, psql
        self._scratch, self._connections = scratch, connections
        self._grown = self._passed_on = 0
        self._is_silent = False
        """Whether pg_dump has said its last line."""
        self._pieces = self._dump()

    def read(self, count: int) -> bytes:
        """A piece of the dump, as soon as there is one; b"" at its end.

        Raises BadDump, CannotStore.
        """
        del count  # a piece is smaller
        try:
            return next(self._pieces, b"")
        except OSError as error:
            raise CannotStore.failed(self._scratch.folder, error) from error

    def finish(self) -> None:
        """Wait for pg_dump's end. Raises DumpFailed, SourceInterrupted, CannotStore."""
        result = self._output.wait()
        if not result.ok:
            lines = result.err.splitlines()
            said = "\n".join(line for line in lines if not _PROGRESS.match(line))
            raise self._failed(said, result.code)

    def end(self) -> None:
        """End pg_dump, from any thread."""
        self._output.end()
        self._heard.put(b"")

    def _failed(self, said: str, code: int) -> PullError:
        if os.strerror(errno.ENOSPC) in said:
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return CannotStore.failed(self._scratch.folder, full)
        error = failed(self._psql, said, code)
        return self._by_one(error) if _REFUSED.search(said) else error

    def _dump(self) -> Iterator[bytes]:
        """The table of contents, then each block; all of them if pg_dump succeeds."""
        files: FolderFiles | None = None
        for line in self._lines():
            if not files and _BEGINS.match(line):
                files = self._files()
                yield files.front()
            if files and (found := _FINISHED.match(line)):
                yield from files.block(int(found[1]))
            if files and (last := files.last):
                yield from self._growing(files, last)
        if self._output.wait().ok:
            if not files:
                files = self._files()
                yield files.front()
            yield from files.rest()

    def _growing(self, files: FolderFiles, dump_id: int) -> Iterator[bytes]:
        """The last block, as its file grows; without its end where pg_dump fails."""

        def growing() -> bool:
            line = self._line()
            if line == "" and not self._output.wait().ok:
                raise _Failed
            found = _FINISHED.match(line or "")
            return line != "" and not (found and int(found[1]) == dump_id)

        with suppress(_Failed):
            for piece in files.block(dump_id, growing):
                self._passed_on += len(piece)
                yield piece

    def _files(self) -> FolderFiles:
        """The dump's files. A newer pg_dump's may be of a kind that we don't know."""
        try:
            return FolderFiles(self._scratch.folder)
        except UnsupportedDump as error:
            raise self._by_one(error) from error

    def _by_one(self, error: PullError) -> SourceInterrupted:
        self._connections.count = 1
        what = f"{error.what} From now on by one connection."
        return SourceInterrupted(what, error.remedy)

    def _lines(self) -> Iterator[str]:
        """The lines of pg_dump's stderr, as they come."""
        while (line := self._line()) != "":
            if line:
                yield line

    def _line(self) -> str | None:
        """The next line that pg_dump says; "" at the end, None if it says none now."""
        SIGNALS.check()
        if self._is_silent:
            return ""
        try:
            line = self._heard.get(timeout=LOOK)
        except Empty:
            self._tell_growth()
            return None
        self._is_silent = not line
        return line.decode("utf-8", "replace")

    def _tell_growth(self) -> None:
        with suppress(OSError):
            files = self._scratch.folder.iterdir()
            grown = sum(file.stat().st_size for file in files)
            if grown != self._grown:
                self._grown = grown
                self._scratch.grown(max(0, grown - self._passed_on))


class _Failed(Exception):
    """pg_dump has failed: the block of its last table stays without an end."""


@contextmanager
def dumping_in_parallel(
    argv: Sequence[str],
    facts: LiveServer,
    psql: Psql,
    scratch: Scratch,
    connections: Connections,
) -> Iterator[ParallelDump]:
    """Start pg_dump, which writes into the scratch's folder; removed afterwards.

    Raises CannotStore.
    """
    folder = scratch.folder
    env = environment(facts, psql)
    try:
        shutil.rmtree(folder, ignore_errors=True)  # of a killed run
        folder.mkdir(0o700)
    except OSError as error:
        raise CannotStore.failed(folder, error) from error
    try:
        heard: SimpleQueue[bytes] = SimpleQueue()
        with printed(argv, env=env, hear=heard.put) as output:
            yield ParallelDump(output, heard, psql, scratch, connections)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
