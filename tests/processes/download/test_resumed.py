"""What a download that was ended leaves, and what the next run fetches."""

from __future__ import annotations

import asyncio
import errno
import json
import math
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from dbpull import archive, words
from dbpull.download import Download, backoff
from dbpull.download.answer import PIECE as LARGEST
from dbpull.download.chunks import ENDLESS, Chunks
from dbpull.download.journal import Identity, Journal
from dbpull.download.part import PartFile
from dbpull.errors.download import CannotStore, NoConnection
from range_server import RangeServer, Request, after, hang, hang_up
from silences import until

CHUNK = 1024 * 1024
SIZE = 7 * CHUNK + 12345
CONTENT = b"PGDMP" + random.Random(3).randbytes(SIZE - 5)
NOTED = 256 * 1024

CHILD = """
import sys, threading, time
from pathlib import Path
from dbpull import download
from dbpull.signals import SIGNALS
url, path = sys.argv[1:3]
chunk, connections, at = map(int, sys.argv[3:])
download.STOPPING = 60.0
coming = download.Download(
    lambda: url, Path(path), chunk=chunk, connections=connections
)
def tell():
    while coming.received < at: time.sleep(0.005)
    print(coming.already, coming.received, flush=True)
threading.Thread(target=tell, daemon=True).start()
with SIGNALS.handled():
    try:
        with coming:
            coming.start()
            coming.wait()
    finally:
        print(coming.already, coming.received, flush=True)
"""
"""Tells how much was here already and how much has come: once `at`, and at the end."""


@dataclass
class HaltingServer(RangeServer):
    """Sends no more once `most` bytes have left: no child is ever done too early."""

    most: float = math.inf

    async def _write(
        self, request: Request, answer: web.StreamResponse, body: bytes
    ) -> None:
        for at in range(0, len(body), self.piece):
            while self.sent >= self.most:
                await asyncio.sleep(0.01)
            await super()._write(request, answer, body[at : at + self.piece])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages of milliseconds instead of seconds."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(backoff, "OPENING", 0.2)


@pytest.fixture
def server() -> Iterator[HaltingServer]:
    server = HaltingServer(CONTENT)
    with server:
        yield server


def download(
    server: RangeServer, path: Path, chunk: int = CHUNK, connections: int = 4
) -> Download:
    return Download(
        server.url,
        path,
        chunk=chunk,
        connections=connections,
        accepts=archive.recognise,
        patience=0.3,
    )


def fetch(
    server: RangeServer, path: Path, chunk: int = CHUNK, connections: int = 4
) -> int:
    """Download to the end; returns the bytes that were here already."""
    with download(server, path, chunk, connections) as coming:
        coming.start()
        coming.finish(lambda _: None)
        assert is_same(path, server.content)
        return coming.already


def is_same(path: Path, content: bytes) -> bool:
    """Compared here: pytest takes minutes to show how megabytes differ."""
    return path.read_bytes() == content


def journal(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.journal")


def stop(
    server: RangeServer,
    path: Path,
    at: int,
    how: int,
    connections: int,
    chunk: int,
    ready: Callable[[], object] = lambda: True,
) -> tuple[int, int]:
    """Have a process download, and signal it once it has received so many bytes.

    Returns the last that it told: the bytes that were here already, and those received.
    """
    words = server.url(), str(path), *map(str, (chunk, connections, at))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with child:
        assert child.stdout
        told = child.stdout.readline()
        until(ready)
        child.send_signal(how)
        last, _ = child.communicate(timeout=20)
    assert child.returncode
    already, received = map(int, (last or told).split())
    return already, received


@pytest.mark.parametrize(
    ("how", "connections"),
    [(signal.SIGINT, 4), (signal.SIGTERM, 1), (signal.SIGHUP, 4)],
)
def test_a_dump_of_less_than_a_chunk_goes_on_where_it_was_stopped(
    server: HaltingServer, path: Path, how: int, connections: int
) -> None:
    server.pace, server.most = 0.01, SIZE // 2
    _, received = stop(server, path, SIZE // 3, how, connections, chunk=8 * CHUNK)
    server.pace, server.most, server.log[:] = 0, math.inf, []

    already = fetch(server, path, chunk=8 * CHUNK)

    assert already >= SIZE // 3
    # What was on its way between the two when the signal came is all that is lost.
    assert already == received
    assert server.sent == SIZE - already + 1  # a byte to learn that it is the same


@pytest.mark.parametrize("connections", [1, 4])
def test_three_kills_cost_less_than_a_tenth(path: Path, connections: int) -> None:
    size = 80 * CHUNK  # what a kill costs is the same for any size
    # Each KB has its number: to make so many random bytes takes longer than the rest.
    content = b"PGDMP".ljust(1024) + b"".join(
        number.to_bytes(8, "big").ljust(1024, b"x") for number in range(1, size // 1024)
    )
    server, runs = HaltingServer(content, pace=0.001 * connections), []
    with server:
        for part in (0.2, 0.17, 0.31):
            at = int(size * part)
            server.most = server.sent + at + CHUNK
            runs.append(
                stop(server, path, at, signal.SIGKILL, connections, chunk=8 * CHUNK)
            )
        server.pace, server.most = 0, math.inf
        with download(server, path, 8 * CHUNK, connections) as coming:
            coming.start()
            coming.finish(lambda _: None)
        runs.append((coming.already, coming.received))
    assert is_same(path, content)
    # Not what the server has sent: some of that never came out of a socket.
    assert sum(received for _, received in runs) / size <= 1.1
    for (already, received), (kept, _) in pairwise(runs):
        # Each connection may lose what was not noted, and a piece that just came.
        assert already + received - kept <= connections * (NOTED + LARGEST)


def test_a_cut_host_leaves_what_came(server: RangeServer, path: Path) -> None:
    server.cuts, server.cut_after = 1, 3 * NOTED + 77
    server.faults = [after(1, hang_up())]
    with pytest.raises(NoConnection, match="is kept"):
        fetch(server, path, connections=1)
    server.faults, server.log[:] = [], []

    assert fetch(server, path) == 3 * NOTED + 77


def test_where_the_journal_lies_bytes_are_fetched_again_and_that_is_said(
    server: RangeServer, path: Path
) -> None:
    server.cuts, server.cut_after = 1, 3 * NOTED + 77
    server.faults = [after(1, hang_up())]
    with pytest.raises(NoConnection):
        fetch(server, path, connections=1)
    server.faults, server.log[:] = [], []
    with path.with_name("b101.dump.part").open("rb+") as file:
        file.seek(2 * NOTED + 1)
        file.write(b"\0" * 64)
    said: list[str] = []

    with Download(server.url, path, chunk=CHUNK, notice=said.append) as coming:
        coming.start()
        coming.finish(lambda _: None)

    # Up to the last note in front of the damage they are good.
    assert NOTED <= coming.already <= 2 * NOTED
    assert is_same(path, CONTENT)
    lost = words.size(3 * NOTED + 77 - coming.already)
    [damaged] = said
    assert damaged.startswith(f"{lost} of what an earlier run had left were damaged")


def test_an_object_that_changed_is_fetched_whole(
    server: RangeServer, path: Path
) -> None:
    server.cuts, server.cut_after = 1, 3 * NOTED
    server.faults = [after(1, hang_up())]
    with pytest.raises(NoConnection):
        fetch(server, path, connections=1)
    server.faults, server.log[:] = [], []
    server.content, server.etag = CONTENT[:5] + CONTENT[:4:-1], '"two"'

    with download(server, path) as coming:
        coming.start()
        coming.finish(lambda _: None)

    assert is_same(path, server.content)
    assert coming.already == 0


# The journal, which lies on users' disks


def test_the_journal_of_an_older_version_is_read(
    server: RangeServer, path: Path
) -> None:
    path.parent.mkdir()
    path.with_name("b101.dump.part").write_bytes(CONTENT[:CHUNK].ljust(SIZE, b"\0"))
    lines: list[dict[str, object]] = [
        {"size": SIZE, "etag": server.etag, "chunk": CHUNK},
        {"pid": 1},
        {"index": 0, "crc32": zlib.crc32(CONTENT[:CHUNK])},
        {"index": 7, "crc32": zlib.crc32(CONTENT[7 * CHUNK :])},
    ]
    journal(path).write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert fetch(server, path) == CHUNK


def older_claims(path: Path) -> dict[int, int]:
    """The chunks that older versions take for complete (their Journal.load)."""
    lines = [json.loads(line) for line in journal(path).read_text().splitlines()]
    return {
        int(line["index"]): int(line["crc32"]) for line in lines[1:] if "crc32" in line
    }


def test_an_older_version_trusts_nothing_but_complete_chunks(
    server: RangeServer, path: Path
) -> None:
    server.pace, server.faults = 0.005, [after(4, hang)]

    def asked() -> bool:
        """Who asks for a fifth chunk has noted one that is complete."""
        return len(server.log) > 4

    stop(server, path, 3 * CHUNK, signal.SIGKILL, 4, CHUNK, ready=asked)

    assert "crc32_so_far" in journal(path).read_text()
    assert older_claims(path)
    for index, crc in older_claims(path).items():
        assert crc == zlib.crc32(CONTENT[index * CHUNK :][:CHUNK])


@pytest.mark.parametrize(
    "line",
    [
        '{"index": 1, "arrived": 99',
        '{"index": 1, "crc32_so_far": 5}',
        '{"index": 1, "arrived": -5, "crc32_so_far": 0}',
        '{"index": 1, "arrived": 99999999, "crc32_so_far": 0}',
        '{"index": -1, "arrived": 5, "crc32_so_far": 0}',
        '{"index": 99, "crc32": 0}',
        '{"index": "x", "arrived": 5, "crc32_so_far": 0}',
        "[]",
    ],
)
def test_a_line_that_says_nonsense_hides_no_other(tmp_path: Path, line: str) -> None:
    found = Journal(tmp_path / "journal")
    found.begin(Identity(SIZE, '"one"'), CHUNK)
    with found.path.open("a") as file:
        file.write(f"{line}\n")
    found.add_start(2, 7, 11)

    record = found.load()

    assert record
    assert record.checksums == {2: {7: 11}}


def test_to_a_journal_that_is_gone_nothing_is_added(tmp_path: Path) -> None:
    found = Journal(tmp_path / "journal")
    found.begin(Identity(SIZE, '"one"'), CHUNK)
    found.remove()

    found.add_start(0, 5, 5)

    assert not found.path.exists()


def test_bytes_are_in_the_file_before_the_journal_claims_them(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[int] = []
    add_start = Journal.add_start

    def looked_at(self: Journal, index: int, arrived: int, crc32: int) -> None:
        with path.with_name("b101.dump.part").open("rb") as file:
            file.seek(index * CHUNK)
            wrong.append(zlib.crc32(file.read(arrived)) != crc32)
        add_start(self, index, arrived, crc32)

    monkeypatch.setattr(Journal, "add_start", looked_at)
    fetch(server, path)

    assert wrong
    assert not any(wrong)


# Where nothing can be gone on with, nobody says that it can


def full(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """A disk that takes so many bytes."""
    write = PartFile.write

    def limited(self: PartFile, data: bytes, offset: int) -> None:
        if offset + len(data) > at:
            raise CannotStore.failed(self.file, OSError(errno.ENOSPC, ""))
        write(self, data, offset)

    monkeypatch.setattr(PartFile, "write", limited)


def whole(server: RangeServer) -> None:
    """A host with ranges and a name for its object."""


def rangeless(server: RangeServer) -> None:
    server.ranges = False


def nameless(server: RangeServer) -> None:
    server.etag = ""


@pytest.mark.parametrize(
    ("host", "resumes"), [(whole, True), (rangeless, False), (nameless, False)]
)
def test_a_full_disk_promises_to_resume_where_that_is_so(
    server: RangeServer,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: Callable[[RangeServer], None],
    *,
    resumes: bool,
) -> None:
    host(server)
    with monkeypatch.context() as patched:
        full(patched, 2 * NOTED)
        with pytest.raises(CannotStore) as caught:
            fetch(server, path)
    server.log[:] = []

    with download(server, path) as coming:
        coming.start()
        coming.finish(lambda _: None)

    assert ("is kept" in str(caught.value)) is resumes
    assert (coming.already > 0) is resumes
    assert coming.resumable is resumes
    assert is_same(path, CONTENT)


def test_a_host_without_length_is_not_resumable() -> None:
    arrival = Chunks(lambda _done, _total: None)
    arrival.begin(Identity(None, '"one"'), ENDLESS, {}, "host")

    assert not arrival.resumable
