"""What arrives is the whole object, private, and checked as it comes."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from dbpull import archive
from dbpull.errors import Interrupted, PullError
from dbpull.errors.archive import NotADump
from dbpull.errors.download import CannotStore
from downloads import CHUNK, CONTENT, SIZE, download, failure, fetch, left, unverified
from range_server import RangeServer, Request, after

# What arrives


@pytest.mark.parametrize("connections", [1, 4])
def test_the_file_is_the_object(
    server: RangeServer, path: Path, connections: int
) -> None:
    assert fetch(server, path, connections=connections) == CONTENT
    assert left(path) == {"b101.dump"}
    assert server.sent == SIZE


@pytest.mark.parametrize("size", [1, 5, 511, 513, CHUNK - 1, CHUNK, CHUNK + 1])
def test_any_size_will_do(server: RangeServer, path: Path, size: int) -> None:
    server.content = CONTENT[:size]

    assert fetch(server, path, accepts=len) == CONTENT[:size]


def test_the_front_is_asked_for_first(server: RangeServer, path: Path) -> None:
    fetch(server, path, connections=1)

    assert [r.first for r in server.log] == list(range(0, SIZE, CHUNK))


def test_file_and_folder_are_private(server: RangeServer, path: Path) -> None:
    before = os.umask(0)
    try:
        with download(server, path) as coming:
            coming.start()
            part, journal = (
                path.with_name("b101.dump.part"),
                path.with_name("b101.dump.part.journal"),
            )
            modes = [f.stat().st_mode & 0o777 for f in (path.parent, part, journal)]
            coming.finish(unverified)
    finally:
        os.umask(before)

    assert modes == [0o700, 0o600, 0o600]
    assert path.stat().st_mode & 0o777 == 0o600
    assert (path.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "*.dump*\n"), ("*.log\n", "*.log\n*.dump*\n"), ("*\n", "*\n")],
)
def test_in_a_folder_that_is_in_use_git_ignores_dumps_and_nothing_else_of_ours(
    server: RangeServer, path: Path, before: str | None, after: str
) -> None:
    path.parent.mkdir()
    (path.parent / "README").touch()
    ignored = path.parent / ".gitignore"
    if before is not None:
        ignored.write_text(before)

    fetch(server, path)

    assert left(path) == {"README", "b101.dump"}
    assert ignored.read_text() == after


def test_a_gitignore_in_another_encoding_is_added_to(
    server: RangeServer, path: Path
) -> None:
    path.parent.mkdir()
    ignored = path.parent / ".gitignore"
    ignored.write_bytes(b"# \xfcber\r\n*.log")

    fetch(server, path)

    assert ignored.read_bytes() == b"# \xfcber\r\n*.log\n*.dump*\n"


def test_progress_ends_at_the_size(server: RangeServer, path: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    fetch(server, path, progress=lambda done, total: seen.append((done, total)))

    assert seen[-1] == (SIZE, SIZE)
    assert sorted(seen) == seen


def test_size_and_received_are_told(server: RangeServer, path: Path) -> None:
    with download(server, path) as coming:
        coming.start()
        coming.wait()

        assert (coming.size, coming.already, coming.received) == (SIZE, 0, SIZE)


# Verification


def test_verification_sees_the_bytes_as_they_come(
    server: RangeServer, path: Path
) -> None:
    read, seen = threading.Event(), list[int]()

    async def held(_request: Request) -> None:
        await asyncio.to_thread(read.wait, 20)
        read.set()  # in vain: the others come without a wait

    def verify(dump: BinaryIO) -> None:
        assert dump.read(9) == CONTENT[:9]
        seen.append(coming.received)
        read.set()

    server.faults = [after(1, held)]
    with download(server, path) as coming:
        coming.start()
        coming.finish(verify)

    assert 9 <= seen[0] <= CHUNK


def test_what_is_no_whole_dump_is_removed(server: RangeServer, path: Path) -> None:
    with download(server, path) as coming:
        coming.start()
        with pytest.raises(PullError):
            coming.finish(archive.read)

    assert left(path) == set()


@pytest.mark.parametrize(
    "trouble",
    [
        Interrupted("Ctrl-C"),
        OSError(errno.EIO, "Input/output error"),
        MemoryError(),
        CannotStore(Path("x"), "the disk fails", "Try another."),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_a_verification_that_says_nothing_about_the_dump_keeps_the_part(
    server: RangeServer, path: Path, trouble: Exception
) -> None:
    def troubled(_dump: BinaryIO) -> None:
        raise trouble

    with download(server, path) as coming:
        coming.start()
        with pytest.raises(type(trouble)):
            coming.finish(troubled)

    assert left(path) == {"b101.dump.part", "b101.dump.part.journal"}


@pytest.mark.parametrize("code", [200, 206])
def test_an_error_document_is_told_by_its_first_bytes(
    server: RangeServer, path: Path, code: int
) -> None:
    body = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>".ljust(
        CHUNK * 3
    )
    server.content, server.ranges = body, code == 206

    error = failure(server, path)

    assert isinstance(error, NotADump)
    assert "NoSuchKey" in str(error)
    assert len(server.log) == 1
    assert left(path) == set()
