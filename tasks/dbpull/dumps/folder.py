"""A dump in pg_dump's directory format: a folder, restored by `pg_restore -j`."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbpull import archive
from dbpull.archive import Archive
from dbpull.console import Reporter, Step
from dbpull.dumps import listed_toc
from dbpull.dumps.names import Dump, shown
from dbpull.dumps.stream import by_sections, fetched
from dbpull.dumps.unpacked import UnpackedFolder
from dbpull.errors.archive import BadDump, UnsupportedDump
from dbpull.errors.download import ObjectChanged
from dbpull.restore import commands
from dbpull.restore.sections import Restore
from dbpull.restore.watch import Outcome
from dbpull.shell import Shell
from dbpull.words import size

_PACKED = re.compile(r"\.(?:gz|lz4|zst)$")
_END = b"\\.\n\n\n"
"""The last line of a table's rows (pg_dump.c, dumpTableData_copy)."""


@dataclass
class FolderStream:
    """A dump in a folder, whole or still unpacked; see DumpStream."""

    dump: Dump
    contents: Archive
    shell: Shell
    arriving: UnpackedFolder | None = None
    began: float = 0.0
    """When it began to arrive, by the monotonic clock."""
    sizes: Mapping[int, int] = field(default_factory=dict)

    def commands(self, into: Restore) -> list[str]:
        """The commands of `restore`, for a plan."""
        return commands.of_sections(into)

    def finish(self, reporter: Reporter) -> None:
        """Wait until all files are here, and verify them."""
        if not self.arriving:
            return
        arriving, label = self.arriving, self.dump.label

        def verify(folder: Path) -> None:
            self.contents = read(folder, self.shell)
            refuse_incomplete(folder, self.contents)

        with reporter.step("fetch", f"Fetching {label}", "bytes") as step:
            step.began, arriving.progress = self.began, step.progress
            arriving.finish(verify)
            where = f" in {shown(self.dump.path)}"
            step.sentence = fetched(label, self.dump.size, where)
        self.arriving = None

    def restore(self, into: Restore, reporter: Reporter) -> Outcome:
        """Restore section by section, with `-j`, once all files are here."""
        prepared = self.contents
        self.finish(reporter)
        if self.contents != prepared:
            raise ObjectChanged(self.dump.label)
        return by_sections(into, reporter)


def stream_of(dump: Dump, shell: Shell) -> FolderStream:
    """A dump in a folder of this machine, with its files unread. Raises BadDump."""
    return FolderStream(dump, read(dump.path, shell), shell)


def opened(dump: Dump, shell: Shell, reporter: Reporter) -> FolderStream:
    """A dump in a folder of this machine, none of whose files is missing."""
    name = shown(dump.path)
    with reporter.step("dump", f"Checking {name}") as step:
        stream = stream_of(dump, shell)
        refuse_incomplete(dump.path, stream.contents)
        step.sentence = f"{name} is here and complete: {size(dump.size)}"
    return stream


def arriving(
    unpacked: UnpackedFolder, dump: Dump, shell: Shell, reporter: Reporter
) -> FolderStream:
    """A dump whose table of contents has been unpacked. Raises BadDump.

    In a tar it may be the last file: waiting for it may be most of the arrival.
    """
    doing = f"Fetching {dump.label}, up to its table of contents"
    step = Step("fetch", doing, "bytes", reporter.host)
    unpacked.progress = step.progress
    try:
        with reporter.underway(step):
            contents = read(unpacked.wait_for_toc(), shell)
    except BadDump:
        unpacked.close(keep=False)
        raise
    return FolderStream(dump, contents, shell, unpacked, step.began)


def read(folder: Path, shell: Shell) -> Archive:
    """The table of contents of a dump in directory format. Raises BadDump."""
    try:
        with (folder / "toc.dat").open("rb") as toc:
            return archive.read(toc, toc=True)
    except UnsupportedDump as error:
        return listed_toc.read(folder, error, shell)


def refuse_incomplete(folder: Path, contents: Archive) -> None:
    """Raise BadDump where a file of an entry is missing, or ends too early.

    A table's packed rows that end too early are found by pg_restore, unless there are
    none; a large object's are not (15 and 18, tried out).
    """
    files = {_PACKED.sub("", path.name): path for path in folder.iterdir()}
    for entry in contents.with_data:
        names = [f"{entry.dump_id}.dat"]
        if entry.desc == "BLOBS":
            names = _large_objects(files, entry.dump_id)
        for name in names:
            if name not in files:
                raise _incomplete(folder, f"{name} is missing")
            if not _is_whole(files[name]):
                raise _incomplete(folder, f"{name} is cut short")


def _large_objects(files: Mapping[str, Path], dump_id: int) -> list[str]:
    """The names of the list of large objects, and of theirs: `OID blob_OID.dat`."""
    # From pg_dump 17 on there may be several lists.
    name = next((n for n in (f"blobs_{dump_id}.toc", "blobs.toc") if n in files), "")
    if not name:
        return [f"blobs_{dump_id}.toc"]
    lines = files[name].read_text("ascii", "replace").splitlines()
    return [name, *(line.partition(" ")[2] for line in lines)]


def _is_whole(path: Path) -> bool:
    """Whether a file is whole, as far as can be told before the restore."""
    if path.suffix == ".toc":
        return path.read_bytes().endswith(b"\n")
    if path.suffix != ".dat" and not path.stat().st_size:
        return False
    if path.name.startswith("blob_"):
        return path.suffix != ".gz" or _unpacks(path)
    return path.suffix != ".dat" or _ends_whole(path)


def _unpacks(path: Path) -> bool:
    """Whether a gzipped file can be unpacked to its end."""
    try:
        with gzip.open(path) as file:
            while file.read(1024 * 1024):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return True


def _ends_whole(path: Path) -> bool:
    """Whether a table's unpacked rows end as pg_dump ends them; INSERTs end anyhow."""
    with path.open("rb") as file:
        begins = file.read(6)
        file.seek(max(0, path.stat().st_size - len(_END)))
        end = file.read()
    return begins in {b"INSERT", b"\n\n"} or end == _END


def _incomplete(folder: Path, why: str) -> BadDump:
    return BadDump(
        f"{shown(folder)} is an incomplete dump in directory format: {why}.",
        "Copy it once more, with all its files.",
    )
