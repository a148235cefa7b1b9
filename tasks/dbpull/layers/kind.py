"""The kind of a layer, by its first bytes; and what is refused by them."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Literal

from dbpull.archive import RECOGNISABLE
from dbpull.errors.archive import PhysicalBackup

Layer = Literal["gzip", "tar"]
GZIP = b"\x1f\x8b"
BLOCK = tarfile.BLOCKSIZE
OWN_TAR = b"toc.dat\0"
"""The first bytes of pg_dump's tar format (pg_backup_tar.c): pg_restore reads it."""
PHYSICAL = {
    "PG_VERSION", "backup_label", "backup_manifest", "base.tar", "base.tar.gz",
    "pg_wal.tar", "pg_wal.tar.gz",
}  # fmt: skip
"""Files of pg_basebackup and its like: a server's own files, not a database's rows."""


def layer_of(first: bytes) -> Layer | None:
    """The layer that begins with these bytes, up to 512; None for a dump or anything.

    pg_dump's own tar format is no layer, but a dump.
    """
    if first.startswith(GZIP):
        return "gzip"
    if first[257:262] == b"ustar" and not first.startswith(OWN_TAR):
        return "tar"
    return None


def is_packed(first: bytes) -> bool:
    """Whether a file with these first bytes has a layer around it."""
    return layer_of(first) is not None


def judge(first: bytes, judge_dump: Callable[[bytes], object], name: str) -> None:
    """Refuse what can't become a dump, as far as its first bytes tell.

    `judge_dump` judges the first bytes inside all layers, and raises. Raises
    PhysicalBackup.
    """
    layer = layer_of(first)
    if layer is None:
        judge_dump(first)
    elif layer == "gzip":
        try:
            inside = zlib.decompressobj(wbits=31).decompress(first, RECOGNISABLE)
        except zlib.error:
            return  # judged once the bytes are unpacked
        if len(inside) == RECOGNISABLE:
            judge(inside, judge_dump, name)
    else:
        refuse_physical(member_name(first), name)


def refuse_physical(member: str, name: str) -> None:
    """Raise PhysicalBackup for a file of a server's own in a tar."""
    if PurePosixPath(member).name in PHYSICAL:
        raise PhysicalBackup(name)


def member_name(first: bytes) -> str:
    """The name of a tar's first member; "" where its header is damaged."""
    try:
        return tarfile.TarInfo.frombuf(first[:BLOCK], "utf-8", "surrogateescape").name
    except tarfile.TarError:
        return ""
