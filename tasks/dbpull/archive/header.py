"""The header of a dump: format, version, compression, when and by which pg_dump.

Source: ReadHead in src/bin/pg_dump/pg_backup_archiver.c, and _discoverArchiveFormat
for the other formats of a file.
"""

from __future__ import annotations

import re
import shlex
import zlib
from dataclasses import dataclass
from datetime import datetime

from dbpull.archive.fields import Fields
from dbpull.errors.archive import NotADump, TruncatedDump, UnsupportedDump

MAGIC = b"PGDMP"
RECOGNISABLE = 512  # bytes: a tar file's mark is at 257

# pg_dump 12 to 15 write 1.14, 16 writes 1.15, 17 and 18 write 1.16.
OLDEST = (1, 14)
NEWEST = (1, 16)
COMPRESSION_NAMED = (1, 15)  # before, the header holds gzip's level instead

COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
CUSTOM = 1
TAR = 3  # what the toc.dat of a directory dump says too

PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip -c"),
    b"BZh": ("bzip2", "bunzip2 -c"),
    b"\xfd7zXZ": ("xz", "unxz -c"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd -c"),
    b"PK\x03\x04": ("zip", "unzip -p"),
}
"""The first bytes of packed files: the packing program, and the unpacking one."""
CLUSTER = b"PostgreSQL database cluster dump"
ENCRYPTED = re.compile(
    rb"-----BEGIN PGP MESSAGE|\x84|\x85[\x01-\x04]|\x8c\x0d|\xc3\x0d"
)
"""The first packets of gpg's files: a session key by a public key, or by a password
(RFC 9580, 5.1 and 5.3)."""
UNNAMED = "the dump"
OTHERS = re.compile(rb"-- (MySQL|MariaDB) dump|\A(SQLite) format 3\0")
"""Other programs' dumps and databases."""
SQL = re.compile(rb"\s*(--|/\*|\\restrict|\\connect|SET\s|CREATE\s|BEGIN|DROP\s)", re.I)


@dataclass(frozen=True)
class Header:
    """The facts in a dump's header.

    `version` is the archive's own (1, 14, 0); `compression` one of none, gzip, lz4 and
    zstd; `created` is the local time of the machine that ran pg_dump, without a zone.
    """

    version: tuple[int, int, int]
    compression: str
    created: datetime
    dbname: str
    server_version: str
    dump_version: str
    tar: bool = False
    """Whether the dump is a tar file, which only one worker can restore."""


def recognise(first: bytes, name: str = UNNAMED) -> None:
    """Accept the first bytes of a dump in custom format.

    Five bytes are enough to accept; up to 512 tell what else a file is. Raises
    NotADump, UnsupportedDump, or TruncatedDump for fewer than five bytes.
    """
    if first.startswith(MAGIC):
        return
    if first and MAGIC.startswith(first):
        raise TruncatedDump(name, len(first), "within the header")
    if first[257:262] == b"ustar":
        raise UnsupportedDump(name, "a tar file", "Dump with pg_dump -Fc.")
    for magic, (packer, unpack) in PACKED.items():
        if first.startswith(magic):
            inside = _inside(first) if packer == "gzip" else ""
            looks = f"it is packed with {packer}{inside}"
            raise NotADump(name, looks, _unpacking(name, unpack, inside))
    if ENCRYPTED.match(first):
        raise NotADump(name, "it is encrypted with gpg", _by_command(name, "gpg -d"))
    if other := OTHERS.search(first):
        program = (other[1] or other[2]).decode()
        raise NotADump(name, f"it is {program}'s, which PostgreSQL does not read")
    if SQL.match(first.removeprefix(b"\xef\xbb\xbf")):
        kind = ", of all databases (pg_dumpall)" if CLUSTER in first else ""
        restored = f"restore it with `psql -d DATABASE -f {_typed(name)}`"
        remedy = f"Dump with `pg_dump -Fc` instead, or {restored}."
        raise NotADump(name, f"it is plain SQL{kind}", remedy)
    raise NotADump(name, _looks(first))


def _inside(first: bytes) -> str:
    """The contents of a gzip'ed file, as far as its first bytes tell."""
    try:
        start = zlib.decompressobj(wbits=31).decompress(first, RECOGNISABLE)
    except zlib.error:
        return ""
    if start.startswith(MAGIC):
        return ", a dump inside"
    return ", plain SQL inside" if SQL.match(start) else ""


def _unpacking(name: str, unpack: str, inside: str) -> str:
    if "SQL" in inside:
        return f"`{unpack} {_typed(name)} | psql -d DATABASE` restores it."
    return _by_command(name, unpack)


def _by_command(name: str, command: str) -> str:
    """The remedy for a file that a command makes a dump of, on its stdout."""
    if name == UNNAMED:
        return f"Name a command as source: `| curl -s URL | {command}`."
    return f"Name a command as source: `| {command} {_typed(name)}`."


def _typed(name: str) -> str:
    return "FILE" if name == UNNAMED else shlex.quote(name)


def _looks(first: bytes) -> str:
    """Name the probable format of a file that is no dump."""
    if not first:
        return "it is empty"
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "the download host answered with a web page instead"
    if start.startswith(b"<"):
        code = re.search(rb"<Code>(\w{1,40})</Code>", first)
        said = f" ({code[1].decode('ascii', 'replace')})" if code else ""
        return f"the download host answered with an error document instead{said}"
    return "its first bytes are not PGDMP"


def read_header(fields: Fields, *, toc: bool = False) -> Header:
    """Read the header (`toc`: of a toc.dat), and set the widths of later fields."""
    recognise(fields.peek(RECOGNISABLE), fields.name)
    fields.take(len(MAGIC))
    version = _version(fields)
    fields.integer_width = _width(fields)
    fields.offset_width = _width(fields)
    _refuse_format(fields, TAR if toc else CUSTOM)
    return Header(
        version,
        _compression(fields, version),
        _created(fields),
        dbname=fields.text() or "",
        server_version=fields.text() or "",
        dump_version=fields.text() or "",
    )


def _version(fields: Fields) -> tuple[int, int, int]:
    version = (fields.byte(), fields.byte(), fields.byte())
    if OLDEST <= version[:2] <= NEWEST:
        return version
    newer = version[:2] > NEWEST
    raise UnsupportedDump(
        fields.name,
        f"a dump of archive version {version[0]}.{version[1]}, "
        + ("newer than 1.16 (pg_dump 18)" if newer else "older than pg_dump 12's"),
        "Update dbpull." if newer else "Dump it with pg_dump 12 or newer.",
        version,
    )


def _width(fields: Fields) -> int:
    start = fields.offset
    width = fields.byte()
    if not 1 <= width <= 8:
        fields.damaged(f"{width} bytes for a number", start)
    return width


def _refuse_format(fields: Fields, wanted: int) -> None:
    start = fields.offset
    found = fields.byte()
    if found == TAR != wanted:
        what = "the toc.dat of a directory or tar dump"
        raise UnsupportedDump(fields.name, what, "Name the folder with all its files.")
    if found != wanted:
        fields.damaged(f"{found} is no format", start)


def _compression(fields: Fields, version: tuple[int, int, int]) -> str:
    if version < COMPRESSION_NAMED:
        return "gzip" if fields.integer() else "none"
    start = fields.offset
    found = fields.byte()
    if found >= len(COMPRESSIONS):
        fields.damaged(f"{found} is no compression", start)
    return COMPRESSIONS[found]


def _created(fields: Fields) -> datetime:
    start = fields.offset
    second, minute, hour, day, month, year, _summer = (
        fields.integer() for _ in range(7)
    )
    try:
        # C counts months from 0 and years from 1900, and has leap seconds.
        return datetime(year + 1900, month + 1, day, hour, minute, min(second, 59))
    except (ValueError, OverflowError):
        fields.damaged("an impossible date", start)
