"""A dump in pg_dump's tar format: one pg_restore restores it, with one worker."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

from dbpull import archive
from dbpull.archive import Archive
from dbpull.dumps.names import shown
from dbpull.errors.archive import AGAIN, BadDump

LAST = "restore.sql"
"""The last file of such a tar (pg_backup_tar.c, _CloseArchive)."""


def read(path: Path) -> Archive:
    """The table of contents, of a whole file. Raises BadDump, UnsupportedDump."""
    try:
        with tarfile.open(path, "r:") as tar:
            names = tar.getnames()
            toc = tar.extractfile(names[0])
            assert toc  # noqa: S101 - layers.kind has seen it
            contents = archive.read(toc, toc=True)  # type: ignore[arg-type]
    except tarfile.TarError:
        names = []
    if names[-1:] != [LAST]:
        raise BadDump(f"{shown(path)} is a tar file that is cut short.", AGAIN)
    return replace(contents, header=replace(contents.header, tar=True))
