"""A download that is packed, unpacked while it arrives."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from dbpull.download import Download
from dbpull.dumps.unpacked import UnpackedFile, UnpackedFolder, unpacking
from dbpull.errors.archive import DamagedLayer
from dbpull.errors.download import DownloadFailed, DownloadStopped
from downloads import CHUNK, CONTENT, OTHER
from packings import tarred
from range_server import PIECE, RangeServer, Request, after, hang, status, then

PACKED = gzip.compress(CONTENT, mtime=0)
TOC = ("x/toc.dat", b"PGDMP\x01\x10\x00\x04\x08\x03")


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer(PACKED) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dumps" / "x.dump"


def left(path: Path) -> set[str]:
    return {found.name for found in path.parent.iterdir()} - {".gitignore"}


async def ends(request: Request) -> web.StreamResponse | None:
    """Only the first nine chunks come, in whichever order they are asked for."""
    return await hang(request) if request.first >= 9 * CHUNK else None


def arrive(server: RangeServer, path: Path, connections: int = 4) -> Path:
    """Download and unpack to the end."""
    with Download(
        server.url, path, chunk=CHUNK, patience=0.1, connections=connections
    ) as download:
        download.start()
        with unpacking(download, path, "x") as unpacked:
            return unpacked.finish(lambda _: None)


def test_a_packed_file_becomes_the_dump(server: RangeServer, path: Path) -> None:
    assert arrive(server, path) == path
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert left(path) == {"x.dump"}


def test_a_packed_folder_becomes_a_folder(server: RangeServer, path: Path) -> None:
    server.content = gzip.compress(tarred(("x/3.dat", CONTENT), TOC), mtime=0)

    assert arrive(server, path) == path

    assert left(path) == {"x.dump"}
    assert (path / "3.dat").read_bytes() == CONTENT
    assert (path / "toc.dat").read_bytes() == TOC[1]
    assert path.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o600}


def test_the_table_of_contents_is_there_before_the_rows(
    server: RangeServer, path: Path
) -> None:
    server.content = tarred(TOC, ("x/3.dat", CONTENT))
    server.faults = [ends]
    with Download(server.url, path, chunk=CHUNK) as download:
        download.start()
        with unpacking(download, path, "x") as unpacked:
            assert isinstance(unpacked, UnpackedFolder)
            assert (unpacked.wait_for_toc() / "toc.dat").read_bytes() == TOC[1]
            assert not path.exists()

    assert left(path) == {"x.dump.part", "x.dump.part.journal"}


def test_bytes_can_be_read_while_others_arrive(server: RangeServer, path: Path) -> None:
    server.faults = [ends]
    with Download(server.url, path, chunk=CHUNK) as download:
        download.start()
        with unpacking(download, path, "x") as unpacked:
            assert isinstance(unpacked, UnpackedFile)
            with unpacked.reader() as reader:
                assert reader.read(PIECE) == CONTENT[:PIECE]
            assert unpacked.size is None


def test_a_file_that_changes_at_its_host_is_unpacked_anew(
    server: RangeServer, path: Path
) -> None:
    changed = threading.Event()

    def change() -> None:
        if not changed.is_set():
            changed.set()
            server.content, server.etag = gzip.compress(OTHER, mtime=0), '"two"'

    server.faults = [after(9, then(change))]

    arrive(server, path)

    assert changed.is_set()
    assert path.read_bytes() == OTHER
    assert left(path) == {"x.dump"}


def test_what_was_packed_stays_for_the_next_run(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(9, status(404))]
    with pytest.raises(DownloadFailed):
        arrive(server, path, connections=1)  # no other request is still answered then
    assert left(path) == {"x.dump.part", "x.dump.part.journal"}
    server.faults, before = [], server.sent

    arrive(server, path)

    assert server.sent - before < len(PACKED) * 2 // 3
    assert path.read_bytes() == CONTENT


def test_a_cut_layer_that_the_reader_meets_removes_it_too(
    server: RangeServer, path: Path
) -> None:
    server.content = PACKED[: len(PACKED) // 2]
    with Download(server.url, path, chunk=CHUNK) as download:
        download.start()
        with unpacking(download, path, "x") as unpacked:
            assert isinstance(unpacked, UnpackedFile)
            with pytest.raises(DamagedLayer):
                unpacked.finish(lambda stream: stream.read())

    assert left(path) == set()


@pytest.mark.parametrize(
    "content", [PACKED[:-9], tarred(TOC, ("x/3.dat", CONTENT))[: -len(CONTENT) // 2]]
)
def test_a_damaged_layer_removes_what_has_arrived(
    server: RangeServer, path: Path, content: bytes
) -> None:
    server.content = content

    with pytest.raises(DamagedLayer):
        arrive(server, path)

    assert left(path) == set()


def test_who_waits_is_told_that_it_was_stopped(server: RangeServer, path: Path) -> None:
    server.faults = [ends]
    with Download(server.url, path, chunk=CHUNK) as download:
        download.start()
        unpacked = unpacking(download, path, "x")
        waiting = threading.Event()

        def close() -> None:
            waiting.wait()
            unpacked.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(DownloadStopped):
            unpacked.finish(lambda _: waiting.set())
        closing.join()
