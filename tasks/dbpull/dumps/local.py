"""The store of dumps on this machine, and the download into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dbpull import archive
from dbpull.console import Reporter
from dbpull.download import CHUNK, Download
from dbpull.download.ignored import make_private
from dbpull.dumps import folder, former, listed_toc, names
from dbpull.dumps.arrival import accept, arriving, listed, unpacked
from dbpull.dumps.local_stream import LocalStream
from dbpull.dumps.names import Dump, shown
from dbpull.dumps.packed import PackedFile, is_packed, locked, unpacked_name
from dbpull.dumps.printed import spooled
from dbpull.dumps.store import ANEW, dump_of, judging
from dbpull.dumps.stream import DumpStream, FileStream
from dbpull.errors.archive import BadDump, NoDumpFolder, UnsupportedDump
from dbpull.restore.commands import of_engine
from dbpull.restore.sections import Restore
from dbpull.settings import Settings
from dbpull.shell.local import Local
from dbpull.sources.source import ByFile, ByProgram, ByUrl, SourceBackup
from dbpull.words import size


@dataclass(frozen=True)
class LocalStore:
    """A folder of dumps on this machine; see DumpStore."""

    settings: Settings
    shell: Local = field(default_factory=Local)
    """Starts the pg_restores."""

    def shown(self, path: Path) -> str:
        """A path, as the user would type it."""
        return shown(path)

    def dumps(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps in the folder, newest first."""
        return names.dumps_in(self.settings.path, app, database)

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The dump in a named file or folder, or the newest. Raises NoDumpFolder.

        A relative name is looked up in the current folder, in the folder of dumps, and
        in its parent.
        """
        if not name:
            return next(iter(self.dumps(app, self.settings.database)), None)
        folder = self.settings.path
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's raises
        candidates = [Path.cwd() / path, folder / path, folder.parent / path]
        found = next((c for c in candidates if names.is_dump(c)), None)
        named = next((c for c in candidates if c.is_dir()), None)
        if named and not found:
            raise NoDumpFolder(shown(named))
        return Dump.of(found.resolve()) if found else None

    def has(self, dump: Dump) -> bool:
        """Whether the whole dump is stored: a part has another name.

        A packed file of the user's own is not: it has to be unpacked.
        """
        return names.is_dump(dump.path) and not is_packed(dump.path)

    def size(self, dump: Dump) -> int:
        """A dump's size in bytes."""
        return dump.size

    def used(self) -> int:
        """Bytes that the dumps and parts take on the disk."""
        folder = self.settings.path
        paths = {dump.path for dump in self.dumps()} | {*names.parts(folder)}
        return sum(map(names.on_disk, paths))

    def look(self, dump: Dump) -> DumpStream:
        """A stored dump with its rows unread, for a plan. Raises BadDump."""
        if dump.path.is_dir():
            with judging(dump, self.settings.path):
                return folder.stream_of(dump, self.shell)
        try:
            with self._file(dump) as file:
                return LocalStream(dump, archive.read(file), self.shell)
        except UnsupportedDump as error:
            with judging(dump, self.settings.path):
                return FileStream(dump, listed_toc.read(dump.path, error, Local()))

    def open(self, dump: Dump, reporter: Reporter) -> DumpStream:
        """Read and verify a stored dump; unpack a packed one. Raises BadDump."""
        name = shown(dump.path)
        if dump.path.is_dir():
            with judging(dump, self.settings.path):
                return folder.opened(dump, self.shell, reporter)
        if is_packed(dump.path):
            return self._open_packed(dump, reporter)
        try:
            with (
                reporter.step("dump", f"Checking {name}") as step,
                self._file(dump) as file,
            ):
                read = archive.read(file)
                blocks = archive.verify(file, read)
                step.sentence = f"{name} is here and whole: {size(dump.size)}"
        except UnsupportedDump as error:
            with judging(dump, self.settings.path):
                return listed(dump, error, reporter)
        return LocalStream(dump, read, self.shell, blocks=blocks)

    @contextmanager
    def _file(self, dump: Dump) -> Iterator[BinaryIO]:
        """A dump's open file. Raises BadDump."""
        ours = self.settings.path.resolve()
        try:
            with judging(dump, ours), dump.path.open("rb") as file:
                yield file
        except (PermissionError, IsADirectoryError) as error:
            raise BadDump(
                f"{shown(dump.path)} can't be read: {str(error.strerror).lower()}.",
                "Check its permissions (`ls -l`), then run the same command again.",
            ) from None

    @contextmanager
    def fetch(self, backup: SourceBackup, reporter: Reporter) -> Iterator[DumpStream]:
        """Download and verify a backup's dump; see DumpStore."""
        dump = dump_of(backup, self.settings)
        way = backup.way
        if self.has(dump):
            yield self.open(dump, reporter)
        elif isinstance(way, ByUrl):
            with (
                self._downloading(way, dump, reporter) as download,
                arriving(download, dump, self.shell, reporter) as stream,
            ):
                yield stream
        elif isinstance(way, ByProgram):
            with (
                spooled(way, dump, accept, reporter, self.settings.wait) as spool,
                arriving(spool, dump, self.shell, reporter) as stream,
            ):
                yield stream
        elif isinstance(way, ByFile):
            with self._unpacked(way.path, dump, reporter) as stream:
                yield stream
        else:
            raise NotImplementedError

    def _open_packed(self, dump: Dump, reporter: Reporter) -> DumpStream:
        into = unpacked_name(dump, self.settings.path)
        if self.has(into):
            return self.open(into, reporter)
        with self._unpacked(dump.path, into, reporter) as stream:
            stream.finish(reporter)
        return stream

    @contextmanager
    def _unpacked(
        self, path: Path, into: Dump, reporter: Reporter
    ) -> Iterator[DumpStream]:
        """Unpack a packed file of the user's own into the folder of dumps."""
        reporter.doing, reporter.kept_on_failure = f"Unpacking {shown(path)}", ""
        with (
            locked(into.path, reporter.note),
            judging(Dump.of(path), self.settings.path),
            unpacked(PackedFile(path), into, self.shell, reporter) as stream,
        ):
            yield stream

    @contextmanager
    def _downloading(
        self, way: ByUrl, dump: Dump, reporter: Reporter
    ) -> Iterator[Download]:
        with Download(
            way.url,
            dump.path,
            connections=self.settings.connections,
            chunk=former.SMALL_CHUNK if former.is_known(dump) else CHUNK,
            accepts=accept,
            notice=reporter.note,
        ) as download:
            reporter.doing = f"Fetching {dump.label}"
            download.start()
            if not download.resumable:
                reporter.kept_on_failure = ANEW
            if download.already:
                found = size(download.already)
                reporter.note(f"{found} of it were here from an earlier run.")
            yield download

    def refuse_unable(self, *, by_url: bool) -> None:
        """Do nothing: dbpull downloads without other programs."""

    def fetch_commands(self, *, by_url: bool) -> list[str]:
        """The request of a download, for a plan."""
        if not by_url:
            return []
        count = self.settings.connections
        return [f"GET that URL, in ranges over {count} connections"]

    def restore_commands(self, into: Restore) -> list[str]:
        """The engine's commands, for a plan."""
        return of_engine(into)

    def private(self, name: str) -> Dump:
        """An empty file that nobody else can read."""
        make_private(self.settings.path)
        path = self.settings.path / name
        path.unlink(missing_ok=True)
        path.touch(0o600)
        return Dump.of(path)

    def remove(self, dump: Dump) -> int:
        """Remove a dump: no other file belongs to it."""
        freed = self.size(dump)
        dump.remove()
        return freed

    def remove_surplus(self, keep: int, pulled: Dump | None) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts."""
        app = pulled.app if pulled else None
        beyond = names.beyond(self.dumps(app), keep, pulled)
        removed = {dump.path.name: dump.size for dump in beyond}
        for dump in beyond:
            self.remove(dump)
        for part in names.parts(self.settings.path, app):
            freed = names.on_disk(part)
            if names.remove_part(part):
                removed[part.name] = freed
        return removed
