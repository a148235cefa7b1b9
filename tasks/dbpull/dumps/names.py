"""The file names of dumps, which tell app, database, backup and time; surplus dumps."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dbpull import filelock
from dbpull.native import legible
from dbpull.words import source_as_written, source_label

_NAME = re.compile(
    r"(?P<app>[a-z0-9-]+)(?:-(?P<database>[A-Z0-9_]*[A-Z_][A-Z0-9_]*))?"
    r"-(?P<backup>[a-z]+\d+)-(?P<taken>\d{8}T\d{6}Z)\.dump"
)
_JOURNAL = ".journal"
UNPACKED = ".unpacked"
"""The suffix of a dump's file or folder while it is unpacked, beside its part."""
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Dump:
    """A dump's file, and the fields that its name tells."""

    path: Path
    app: str
    backup: str
    taken: datetime | None
    """When the backup was made (UTC); None where the name does not tell."""
    database: str = ""
    """The app's database, where it is not DATABASE_URL."""

    @classmethod
    def of(cls, path: Path) -> Dump:
        """The dump in a file; a file that the user named has no app and no time."""
        match = _NAME.fullmatch(path.name)
        if not match:
            return cls(path, "", legible(path.name), None)
        try:
            taken = datetime.strptime(match["taken"], _TIME).replace(tzinfo=UTC)
        except ValueError:
            return cls(path, "", legible(path.name), None)
        return cls(path, match["app"], match["backup"], taken, match["database"] or "")

    @classmethod
    def named(
        cls, folder: Path, app: str, backup: str, taken: datetime, database: str = ""
    ) -> Dump:
        """The dump of a backup, named by us; `database` as in the setting."""
        short = _short(database)
        moment = taken.astimezone(UTC).strftime(_TIME)
        name = "-".join(filter(None, (app, short, backup, moment))) + ".dump"
        return cls(folder / name, app, backup, taken, short)

    @property
    def size(self) -> int:
        """The file's bytes; those of all files of a dump in a folder."""
        if self.path.is_dir():
            return sum(file.stat().st_size for file in self.path.iterdir())
        return self.path.stat().st_size

    def remove(self) -> None:
        """Remove the dump's file or folder."""
        remove_path(self.path)

    @property
    def is_ours(self) -> bool:
        """Whether dbpull has named the file; a user's own file always stays."""
        named = Dump.of(self.path)  # without fractions of a second
        ours = (named.app, named.backup) == (self.app, self.backup)
        return ours and named.taken is not None

    @property
    def label(self) -> str:
        """The dump as messages name it: `myapp b101`, or the file's name."""
        return f"{source_label(self.app)} {self.backup}".strip()


def shown(path: Path) -> str:
    """A path as the user would type it in the current folder."""
    try:
        return legible(str(path.relative_to(Path.cwd())))
    except ValueError:
        return legible(str(path))


def dumps_in(
    folder: Path, app: str | None = None, database: str | None = None
) -> list[Dump]:
    """The whole dumps in a folder, newest first; of one app or database, or of all."""
    found = [Dump.of(path) for path in folder.glob("*.dump") if is_dump(path)]
    return newest_first(found, app, database)


def is_dump(path: Path) -> bool:
    """Whether a path leads to a file, or to a folder in pg_dump's directory format."""
    return path.is_file() or (path / "toc.dat").is_file()


def newest_first(
    found: Iterable[Dump], app: str | None = None, database: str | None = None
) -> list[Dump]:
    """The dumps that dbpull named, newest first; of one app or database, or of all."""
    ours = [dump for dump in found if dump.taken and _is_of(dump, app)]
    if database is not None:
        ours = [dump for dump in ours if dump.database == _short(database)]
    return sorted(ours, key=lambda dump: (str(dump.taken), dump.backup), reverse=True)


def _is_of(dump: Dump, app: str | None) -> bool:
    """Whether a dump is of an app or a source, whatever the source's text led to."""
    return app in {None, dump.app, source_as_written(dump.app)}


def beyond(found: Iterable[Dump], keep: int, spared: Dump | None = None) -> list[Dump]:
    """The dumps beyond the first `keep` of each app, without the spared dump.

    `found` has the newest first. Nothing is spared where none is to be kept: the dumps
    are of a masked pull.
    """
    spared = spared if keep else None
    seen: dict[str, int] = {}
    extra = []
    for dump in found:
        seen[dump.app] = seen.get(dump.app, 0) + 1
        if seen[dump.app] > keep and not (spared and dump.path == spared.path):
            extra.append(dump)
    return extra


def parts(folder: Path, app: str | None = None) -> list[Path]:
    """The parts of unfinished downloads, and what lies here without its part.

    That is a journal, or a half unpacked dump. A download may be at work on a part:
    `remove_part` finds out.
    """
    found = {path: path for path in folder.glob("*.part") if path.is_file()}
    for suffix in (_JOURNAL, UNPACKED):
        for path in folder.glob(f"*{suffix}"):
            found.setdefault(_part_of(path), path)
    ours = [(path, Dump.of(part.with_suffix(""))) for part, path in found.items()]
    return [path for path, dump in ours if dump.taken and _is_of(dump, app)]


def _part_of(path: Path) -> Path:
    """The part that a journal or a half unpacked dump belongs to."""
    if path.name.endswith(UNPACKED):
        return path.with_suffix(".part")
    return path.with_name(path.name.removesuffix(_JOURNAL))


def remove_part(found: Path) -> bool:
    """Remove a part and all beside it, also without a part; return whether removed.

    A part stays where a download has locked it, or where we may not remove it.
    """
    part = _part_of(found)
    alone = part != found
    # A missing part is made for its lock: a download may begin at any moment.
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if alone else 0)
    try:
        fd = os.open(part, flags, 0o600)
    except OSError:
        return False
    try:
        return _remove_locked(fd, part, alone=alone)
    except OSError:
        return False
    finally:
        os.close(fd)


def _remove_locked(fd: int, part: Path, *, alone: bool) -> bool:
    """Remove an open part, unless locked, or unless its name is now another file's."""
    if not (filelock.lock(fd) and filelock.is_still(fd, part)):
        return False
    if alone and os.fstat(fd).st_size:
        return False
    journal = part.with_name(part.name + _JOURNAL)
    unpacked = part.with_suffix(UNPACKED)
    existed = journal.exists() or unpacked.exists() or not alone
    journal.unlink(missing_ok=True)
    remove_path(unpacked)
    part.unlink()
    return existed


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with all in it, if there is any."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def on_disk(path: Path) -> int:
    """The bytes that a file takes on disk, without holes; 0 where it is gone."""
    try:
        files = [*path.iterdir()] if path.is_dir() else [path]
        return sum(file.stat().st_blocks * 512 for file in files)
    except FileNotFoundError:
        return 0


def _short(database: str) -> str:
    """A database's name in file names; "" for DATABASE_URL."""
    name = re.sub(r"[^A-Z0-9_]", "_", database.rpartition("::")[2].upper())
    name = name.removesuffix("_URL")
    return "" if name == "DATABASE" else name
