"""The removal of layers around a dump, while its bytes arrive.

A tar holds a dump in one file, or the files of pg_dump's directory format in one
folder, whose name nobody knows.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from dbpull.archive import RECOGNISABLE, recognise
from dbpull.errors.archive import ACCEPTED, BadDump, DamagedLayer
from dbpull.layers.kind import OWN_TAR, layer_of, refuse_physical
from dbpull.native import legible

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE = 256 * 1024
MAGIC = b"PGDMP"
TOC = "toc.dat"
DATA_FILE = re.compile(r"toc\.dat|(?:\d+|blob_\d+)\.dat(?:\.\w+)?|blobs(?:_\d+)?\.toc")
"""The names of a directory dump's files (pg_backup_directory.c)."""
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)


@dataclass(frozen=True)
class OneFile:
    """A dump in one file: pg_dump's custom or tar format."""

    stream: BinaryIO
    finish: Callable[[], None]
    """Read the layers to their ends. Raises BadDump."""


@dataclass(frozen=True)
class ManyFiles:
    """The files of a dump in directory format, in the tar's order."""

    files: Iterator[tuple[str, BinaryIO]]
    """Each file's name, without folders, and its bytes. Raises BadDump."""
    finish: Callable[[], None]


def opened(stream: BinaryIO, name: str) -> OneFile | ManyFiles:
    """Take the layers off a stream; reads as far as the dump's first bytes.

    `name` names the file in errors. Raises BadDump, and the stream's own errors.
    """
    first = _first(stream, name)
    inside = _Layer.around(stream, first, name)
    layer = layer_of(first)
    if layer == "gzip":
        unpacked = gzip.GzipFile(fileobj=inside, mode="rb")
        found = opened(cast("BinaryIO", unpacked), name)
    elif layer == "tar":
        found = _in_tar(inside, name)
    else:
        if not first.startswith(OWN_TAR):
            recognise(first, name)
        found = OneFile(inside, lambda: _drain(inside))
    return found


def _in_tar(stream: BinaryIO, name: str) -> OneFile | ManyFiles:
    with _worded(name):
        tar = tarfile.open(fileobj=stream, mode="r|", bufsize=PIECE)  # noqa: SIM115
    members = _members(tar, name)
    for path, content in members:
        if DATA_FILE.fullmatch(path.name):
            files = _of_one_folder(path, content, members, name)
            return ManyFiles(files, lambda: _drain(stream))
        first = _first(content, name)
        if first.startswith(MAGIC):
            inside = _Layer.around(content, first, name)
            return OneFile(inside, lambda: _finish_single(members, stream, name))
    raise BadDump(f"{name} is a tar file without a dump in it.", ACCEPTED)


def _members(
    tar: tarfile.TarFile, name: str
) -> Iterator[tuple[PurePosixPath, BinaryIO]]:
    """The files of a tar. Raises BadDump for links, and for paths that lead outside."""
    while True:
        with _worded(name):
            member = tar.next()
        if member is None:
            return
        path = PurePosixPath(member.name)
        refuse_physical(member.name, name)
        if member.isdir():
            continue
        if not member.isreg() or path.is_absolute() or ".." in path.parts:
            raise BadDump(
                f"{name} holds {legible(member.name)}, which is no plain file within"
                " it.",
                "Make the tar file anew, with the dump's files alone.",
            )
        content = tar.extractfile(member)
        assert content  # noqa: S101 - a regular file has one
        yield path, cast("BinaryIO", content)


def _of_one_folder(
    path: PurePosixPath,
    content: BinaryIO,
    members: Iterator[tuple[PurePosixPath, BinaryIO]],
    name: str,
) -> Iterator[tuple[str, BinaryIO]]:
    """The files of the folder that the first file is in."""
    folder = path.parent
    yield path.name, _Layer.around(content, b"", name)
    for path, content in members:
        if DATA_FILE.fullmatch(path.name):
            if path.parent != folder:
                raise _several(name)
            yield path.name, _Layer.around(content, b"", name)


def _finish_single(
    members: Iterator[tuple[PurePosixPath, BinaryIO]], stream: BinaryIO, name: str
) -> None:
    """Read a tar to its end. Raises BadDump for a second dump in it."""
    for _, content in members:
        if _first(content, name).startswith(MAGIC):
            raise _several(name)
    _drain(stream)


def _several(name: str) -> BadDump:
    return BadDump(
        f"{name} holds several dumps.", "Unpack it, and name one of the dumps in it."
    )


def _first(stream: BinaryIO, name: str) -> bytes:
    """The first bytes of a stream; fewer where it ends."""
    first = b""
    with _worded(name):
        while len(first) < RECOGNISABLE and (
            piece := stream.read(RECOGNISABLE - len(first))
        ):
            first += piece
    return first


def _drain(stream: BinaryIO) -> None:
    while stream.read(PIECE):
        pass


@contextmanager
def _worded(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN:
        raise DamagedLayer(name) from None


class _Layer(io.RawIOBase):
    """A stream with its first bytes put back, and with errors in words."""

    def __init__(self, stream: BinaryIO, first: bytes, name: str) -> None:
        super().__init__()
        self.name = name
        self._first = first
        self._read = getattr(stream, "read1", stream.read)

    @classmethod
    def around(cls, stream: BinaryIO, first: bytes, name: str) -> BinaryIO:
        """A buffered stream, whose reads bring the bytes at hand."""
        return io.BufferedReader(cls(stream, first, name), PIECE)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._first:
            piece = self._first[: len(view)]
            self._first = self._first[len(piece) :]
        else:
            with _worded(self.name):
                piece = self._read(len(view))
        view[: len(piece)] = piece
        return len(piece)
