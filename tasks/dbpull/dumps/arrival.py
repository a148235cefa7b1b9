"""The stream of a dump that arrives on this machine, packed or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from dbpull import archive, layers
from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.download.arriving import ArrivingFile
from dbpull.dumps import folder, listed_toc
from dbpull.dumps.local_stream import LocalStream, finish
from dbpull.dumps.names import Dump
from dbpull.dumps.packed import PackedFile
from dbpull.dumps.stream import DumpStream, FileStream
from dbpull.dumps.unpacked import UnpackedFile, unpacking
from dbpull.dumps.unpacking import PackedBytes
from dbpull.errors.archive import BadDump, NotADump, UnsupportedDump
from dbpull.errors.download import ObjectChanged
from dbpull.shell.local import Local


def accept(first: bytes) -> None:
    """Refuse a dump by its first bytes where no program here can read it."""
    layers.judge(first, _judge, "the dump")


def _judge(first: bytes) -> None:
    """Refuse the first bytes inside of all layers."""
    try:
        archive.recognise(first)
        archive.read(BytesIO(first))
    except UnsupportedDump as error:
        listed_toc.refuse_unreadable(first, error, Local())
    except NotADump as error:
        raise error.at_its_host() from None
    except BadDump:
        pass  # the first bytes are cut short; the whole dump is judged later


@contextmanager
def arriving(
    file: ArrivingFile, dump: Dump, shell: Local, reporter: Reporter
) -> Iterator[DumpStream]:
    """The stream of a file that arrives; what is around a dump is taken off."""
    if layers.is_packed(_first(file)):
        with unpacked(file, dump, shell, reporter) as stream:
            yield stream
    else:
        yield _stream(file, dump, shell, reporter)


@contextmanager
def unpacked(
    file: PackedBytes, dump: Dump, shell: Local, reporter: Reporter
) -> Iterator[DumpStream]:
    """The stream of a dump that is unpacked while its file arrives."""
    name = file.host if isinstance(file, PackedFile) else dump.label
    with unpacking(file, dump.path, name) as found:
        if isinstance(found, UnpackedFile):
            yield _stream(found, dump, shell, reporter)
        else:
            yield folder.arriving(found, dump, shell, reporter)


def _stream(
    file: ArrivingFile, dump: Dump, shell: Local, reporter: Reporter
) -> DumpStream:
    try:
        front = _front(file)
    except UnsupportedDump as error:
        finish(file, dump, reporter)
        return listed(dump, error, reporter, ours=True)
    return LocalStream(dump, front, shell, download=file)


def _first(file: ArrivingFile) -> bytes:
    """The first bytes of an arriving file."""
    try:
        with file.reader() as stream:
            return stream.read(archive.RECOGNISABLE)
    except ObjectChanged:
        return _first(file)


def _front(file: ArrivingFile) -> Archive:
    """The table of contents of an arriving dump."""
    try:
        with file.reader() as stream:
            return archive.read(stream)
    except ObjectChanged:
        return _front(file)
    except UnsupportedDump:
        raise
    except BadDump:
        file.close(keep=False)
        raise


def listed(
    dump: Dump, error: UnsupportedDump, reporter: Reporter, *, ours: bool = False
) -> DumpStream:
    """The stream of a dump that only pg_restore can restore.

    `ours`: a cut dump is removed.
    """
    try:
        read = listed_toc.read(dump.path, error, Local())
    except UnsupportedDump:
        raise
    except BadDump:
        if ours:
            dump.remove()
        raise
    reporter.note(f"{dump.label} is {error.found}: that is left to pg_restore.")
    return FileStream(dump, read)
