from __future__ import annotations

import errno
import logging
import os
import random
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import trustme
from aiohttp import web

from dbpull import archive
from dbpull.download import Download, answer, part, patience, worker
from dbpull.download.arrival import Arrival
from dbpull.download.fault import Fault
from dbpull.download.journal import Identity
from dbpull.download.patience import Patience
from dbpull.download.reader import reader
from dbpull.errors import Interrupted, PullError
from dbpull.errors.archive import NotADump
from dbpull.errors.download import (
    AlreadyRunning,
    CannotStore,
    HostBusy,
    HostUnreachable,
    NothingThere,
    NotTrusted,
    ObjectChanged,
    Refused,
    Stopped,
    UnexpectedAnswer,
)
from lacking import LINUX, need_mounts
from range_server import RangeServer, Request, after, hang, hang_up, only, status, then

CHUNK = 64 * 1024
SIZE = 16 * CHUNK + 12345
CONTENT = b"PGDMP" + random.Random(1).randbytes(SIZE - 5)
OTHER = b"PGDMP" + random.Random(2).randbytes(SIZE - 5)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine, and outages of milliseconds instead of seconds."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(patience, "OPENING", 0.4)
    monkeypatch.setattr(patience, "SPEAK_AFTER", 0.0)


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer(CONTENT) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dumps" / "b101.dump"


def download(server: RangeServer, path: Path, **options: Any) -> Download:
    options = {"chunk": CHUNK, "accepts": archive.recognise, **options}
    return Download(options.pop("url", server.url), path, **options)


def unverified(_dump: BinaryIO) -> None:
    pass


def fetch(server: RangeServer, path: Path, **options: Any) -> bytes:
    """Download to the end and return what lies there."""
    with download(server, path, **options) as coming:
        coming.start()
        return coming.finish(unverified).read_bytes()


def failure(server: RangeServer, path: Path, **options: Any) -> PullError:
    """Download, and return the error, which tells no secret even with its causes."""
    with pytest.raises(PullError) as caught:
        fetch(server, path, **options)
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.what
    assert caught.value.remedy
    return caught.value


def halfway(server: RangeServer, path: Path, **options: Any) -> None:
    """Leave a download when the server has given half of its chunks."""
    server.faults = [after(9, status(404))]
    failure(server, path, **options)
    server.faults = []
    server.log.clear()


def left(path: Path) -> set[str]:
    return {found.name for found in path.parent.iterdir()} - {".gitignore"}


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


# The reader


def test_a_reader_waits_for_what_is_not_there_yet(
    server: RangeServer, path: Path
) -> None:
    server.pace = 0.005
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as dump:
            dump.seek(-9, os.SEEK_END)
            end = dump.read()
            dump.seek(0)

            assert (dump.read(), end) == (CONTENT, CONTENT[-9:])
            assert dump.name.endswith("b101.dump.part")


def test_a_reader_outlives_the_rename(server: RangeServer, path: Path) -> None:
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as early:
            coming.finish(unverified)

            assert early.read() == CONTENT
        with coming.reader() as late:
            assert late.read() == CONTENT


def test_a_reader_that_is_opened_while_the_file_is_renamed_finds_it(
    server: RangeServer, path: Path
) -> None:
    with download(server, path) as coming:
        coming.start()
        coming.wait()
        path.with_name(f"{path.name}.part").rename(path)

        with coming.reader() as dump:
            assert dump.read() == CONTENT


def test_a_reader_raises_what_the_download_raises(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(3, status(404))]
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as dump, pytest.raises(NothingThere):
            dump.read()


def test_a_reader_is_woken_when_the_download_is_left(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(3, hang)]
    errors: list[BaseException] = []

    def read(dump: BinaryIO) -> None:
        try:
            dump.read()
        except Stopped as error:
            errors.append(error)

    with download(server, path) as coming:
        coming.start()
        dump = coming.reader()
        waiting = threading.Thread(target=read, args=(dump,))
        waiting.start()
    waiting.join(10)
    dump.close()

    assert len(errors) == 1


# Verification


def test_verification_sees_the_bytes_as_they_come(
    server: RangeServer, path: Path
) -> None:
    server.pace = 0.005
    seen: list[int] = []
    with download(server, path) as coming:
        coming.start()
        coming.finish(lambda dump: seen.append(coming.received - len(dump.read(9))))

    assert seen[0] < SIZE


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


# Lost connections


@pytest.mark.parametrize("connections", [1, 4])
def test_ten_cuts_cost_next_to_nothing(
    server: RangeServer,
    path: Path,
    connections: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "ENOUGH", CHUNK // 4)
    monkeypatch.setattr(Patience, "pause", None)  # none is needed
    server.cut_after, server.cuts = CHUNK // 3, 10

    assert fetch(server, path, connections=connections) == CONTENT
    assert server.cuts == 0
    assert server.sent < SIZE * 1.2


@pytest.mark.parametrize("at", [1, 4, 511, 512, 513, CHUNK - 1])
def test_a_cut_at_any_byte_is_mended(server: RangeServer, path: Path, at: int) -> None:
    server.cut_after, server.cuts = at, 10

    assert fetch(server, path) == CONTENT
    assert server.sent == SIZE


def test_a_connection_that_is_cut_before_any_byte_is_tried_again(
    server: RangeServer, path: Path
) -> None:
    server.faults = [hang_up(times=3)]

    assert fetch(server, path) == CONTENT


def test_a_host_that_always_hangs_up_is_given_up(
    server: RangeServer, path: Path
) -> None:
    server.faults = [hang_up()]

    error = failure(server, path)

    assert isinstance(error, HostUnreachable)
    assert "the connection was lost" in str(error)


def test_a_byte_now_and_then_is_no_progress(server: RangeServer, path: Path) -> None:
    server.cut_after, server.cuts = 1, 10**9

    error = failure(server, path, connections=1, patience=0.5)

    assert isinstance(error, HostUnreachable)
    assert "the connection was lost" in error.what
    assert "the same command resumes" in error.remedy
    assert 5 <= len(server.log) < 25


def test_progress_of_one_try_ends_the_outage() -> None:
    patient = Patience(0.1, lambda _: None)
    patient.byte()
    patient.pause(Fault("s3", "lost"), 1, 0)
    time.sleep(0.15)
    patient.byte()
    with pytest.raises(HostUnreachable):
        patient.pause(Fault("s3", "lost"), 2, 0)

    patient.progress()

    assert patient.pause(Fault("s3", "lost"), 1, 0) > 0


class Trickle:
    """In place of a response: a byte every 20 ms."""

    def __init__(self) -> None:
        self.raw = self

    def read1(self, _most: int, *, decode_content: bool) -> bytes:
        time.sleep(0.02)
        return b"x"


@pytest.mark.parametrize(("slowest", "whole"), [(1000, False), (1, True)])
def test_a_connection_that_trickles_is_given_up(
    monkeypatch: pytest.MonkeyPatch, slowest: int, whole: bool
) -> None:
    monkeypatch.setattr(answer, "SPELL", 0.1)
    monkeypatch.setattr(answer, "SLOWEST", slowest)
    response: Any = Trickle()
    trickling = answer.Answer(response, "s3", Identity(20, None), 20, ranged=True)
    came: list[bytes] = []

    with pytest.raises((Fault, UnexpectedAnswer)) as ended:
        came.extend(trickling.pieces())

    assert (len(came) == 20) is whole
    assert ("hardly anything arrives" in str(ended.value)) is not whole


def test_patience_ends_and_what_has_arrived_is_kept(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(5, hang_up())]
    notices: list[str] = []

    error = failure(server, path, connections=1, patience=0.3, notice=notices.append)
    server.faults = []
    server.log.clear()

    assert isinstance(error, HostUnreachable)
    assert "the same command resumes" in error.remedy
    assert len([n for n in notices if n.endswith("trying again.")]) == 1
    assert fetch(server, path) == CONTENT
    assert server.sent < SIZE


def test_a_name_that_is_not_known_is_told(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    error = failure(server, path, url=lambda: "http://s3.invalid/x?sig=SECRET")

    assert error.what == "s3.invalid: no such host is known (DNS)."


def test_a_refused_connection_is_told(server: RangeServer, path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    error = failure(server, path, url=lambda: f"http://127.0.0.1:{port}/?sig=SECRET")

    assert error.what == f"127.0.0.1:{port}: it refuses the connection."


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "ftp://x/SECRET", "http://[x"]
)
def test_a_url_that_is_none_is_told(server: RangeServer, path: Path, url: str) -> None:
    assert isinstance(failure(server, path, url=lambda: url), UnexpectedAnswer)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_on_the_way_the_file_is_the_object(
    server: RangeServer, path: Path, seed: int
) -> None:
    dice = random.Random(seed)

    def cut() -> None:
        server.cut_after, server.cuts = dice.randrange(CHUNK), 1

    troubles = [hang_up(), status(500), status(429), then(cut), then(cut)]

    async def trouble(request: Request) -> web.StreamResponse | None:
        return await dice.choice(troubles)(request) if dice.random() < 0.5 else None

    server.faults = [trouble]

    assert fetch(server, path, patience=30) == CONTENT
    assert server.sent == SIZE


# What the host says


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (404, NothingThere),
        (410, NothingThere),
        (403, Refused),
        (400, Refused),
        (418, UnexpectedAnswer),
        (204, UnexpectedAnswer),
        (503, HostBusy),
        (429, HostBusy),
    ],
)
def test_each_status_has_its_error(
    server: RangeServer, path: Path, code: int, kind: type[PullError]
) -> None:
    server.faults = [status(code)]

    error = failure(server, path)

    assert isinstance(error, kind)
    assert f"127.0.0.1:{server.port}" in error.what
    assert left(path) == set()


def test_an_expired_url_is_replaced(server: RangeServer, path: Path) -> None:
    asked: list[int] = []

    def url() -> str:
        asked.append(len(asked))
        return server.url(f"/b101?number={len(asked)}")

    server.faults = [after(5, only("number=1", status(403)))]

    assert fetch(server, path, url=url) == CONTENT
    assert len(asked) == 2


def test_a_url_that_is_never_good_is_asked_for_few_times(
    server: RangeServer, path: Path
) -> None:
    asked: list[str] = []

    def url() -> str:
        asked.append("once more")
        return server.url()

    server.faults = [status(403)]

    error = failure(server, path, url=url)

    assert "403 (AccessDenied)" in str(error)
    assert len(asked) <= 4


def test_what_the_url_callable_raises_is_raised(
    server: RangeServer, path: Path
) -> None:
    def url() -> str:
        raise PullError("no such backup", "look")

    assert failure(server, path, url=url).what == "no such backup"


def test_a_storm_of_503_passes(server: RangeServer, path: Path) -> None:
    server.faults = [status(503, times=4), after(8, status(500, times=4))]

    assert fetch(server, path) == CONTENT


def test_429_is_waited_for(server: RangeServer, path: Path) -> None:
    server.faults = [after(2, status(429, times=1, Retry_After="1"))]

    assert fetch(server, path) == CONTENT
    assert server.sent == SIZE


def test_retry_after_is_the_pause() -> None:
    patient = Patience(120, lambda _: None)

    assert patient.pause(Fault("s3", "busy", status=429, retry_after=7.5), 1, 0) == 7.5
    assert patient.pause(Fault("s3", "busy", status=429, retry_after=999), 1, 0) <= 120


def test_pauses_grow() -> None:
    patient = Patience(9999, lambda _: None)
    patient.byte()

    first, tenth = (patient.pause(Fault("s3", "lost"), n, 0) for n in (1, 10))

    assert first < tenth


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("bytes 5-99/1000", "another range"),
        ("bytes 0-999999999/9999999999", "another range"),
        ("bytes 0-99/50", "another range"),
        ("items 0-99/1000", "a range it does not name"),
        ("bytes 0-98/1000", "announced another length"),
    ],
)
def test_a_wrong_range_is_caught(
    server: RangeServer, path: Path, said: str, wrong: str
) -> None:
    async def lie(_request: Request) -> web.StreamResponse:
        return web.Response(
            status=206, body=b"x" * 100, headers={"Content-Range": said}
        )

    server.faults = [lie]

    assert wrong in str(failure(server, path))


def test_more_bytes_than_announced_are_caught(server: RangeServer, path: Path) -> None:
    async def much(request: Request) -> web.StreamResponse:
        said = {"Content-Range": "bytes 0-99/1000"}
        answer = web.StreamResponse(status=206, headers=said)
        answer.enable_chunked_encoding()
        await answer.prepare(request.web)
        await answer.write(b"PGDMP" * 100)
        return answer

    server.faults = [much]

    assert "sent more than it announced" in str(failure(server, path))


def test_shorter_ranges_than_asked_for_are_put_together(
    server: RangeServer, path: Path
) -> None:
    async def shorter(request: Request) -> web.StreamResponse:
        last = min(request.first + 9999, request.last or 0, SIZE - 1)
        said = f"bytes {request.first}-{last}/{SIZE}"
        body = CONTENT[request.first : last + 1]
        headers = {"Content-Range": said, "ETag": '"one"'}
        return web.Response(status=206, body=body, headers=headers)

    server.faults = [shorter]

    assert fetch(server, path) == CONTENT


def test_an_empty_object_is_told(server: RangeServer, path: Path) -> None:
    server.content = b""

    assert isinstance(failure(server, path), NothingThere)


# An object that changes


def change(server: RangeServer, content: bytes, etag: str) -> Callable[[], None]:
    def act() -> None:
        server.content, server.etag = content, etag

    return act


@pytest.mark.parametrize("weak", ["", "W/"])
@pytest.mark.parametrize(
    "content", [OTHER, OTHER[: SIZE // 3]], ids=["same", "shorter"]
)
def test_an_object_that_changes_is_never_mixed(
    server: RangeServer, path: Path, weak: str, content: bytes
) -> None:
    server.etag = f'{weak}"one"'
    changing = then(change(server, content, f'{weak}"two"'))
    server.faults = [after(6, changing)]
    notices: list[str] = []

    assert fetch(server, path, notice=notices.append) == content
    assert [n for n in notices if "the dump changed there; starting over" in n]


def test_an_object_that_changes_only_in_size_is_noticed(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(6, then(change(server, OTHER[: SIZE // 3], '"one"')))]

    assert fetch(server, path) == OTHER[: SIZE // 3]


def test_a_reader_of_the_old_object_is_told(server: RangeServer, path: Path) -> None:
    changing = then(change(server, OTHER, '"two"'))
    server.pace = 0.002
    with download(server, path, connections=1) as coming:
        coming.start()
        with coming.reader() as old:
            server.faults = [changing]
            with pytest.raises(ObjectChanged):
                old.read()
        seen: list[bytes] = []
        coming.finish(lambda dump: seen.append(dump.read()))

    assert seen[-1] == path.read_bytes() == OTHER


def test_bytes_that_change_while_they_are_read_are_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, arrival = tmp_path / "b101.dump.part", Arrival(lambda _done, _total: None)
    file.write_bytes(CONTENT[:9])
    arrival.begin(Identity(9, '"one"'), CHUNK, {}, "s3")
    chunk = arrival.take()
    assert chunk is not None
    arrival.done(chunk)
    preadv = os.preadv

    def changing(*args: Any) -> int:
        arrival.restart()
        return preadv(*args)

    monkeypatch.setattr(os, "preadv", changing)

    with reader(file, arrival) as dump, pytest.raises(ObjectChanged):
        dump.read(9)


def test_an_object_that_never_stops_changing_is_given_up(
    server: RangeServer, path: Path
) -> None:
    numbers = iter(range(10**6))
    server.faults = [then(lambda: setattr(server, "etag", f'"{next(numbers)}"'))]

    assert isinstance(failure(server, path), ObjectChanged)


# A host without ranges


def test_without_ranges_one_stream_will_do(server: RangeServer, path: Path) -> None:
    server.ranges = False

    assert fetch(server, path) == CONTENT
    assert len(server.log) == 1


def test_without_ranges_a_cut_starts_over(server: RangeServer, path: Path) -> None:
    server.ranges, server.cut_after, server.cuts = False, SIZE // 2, 1
    notices: list[str] = []

    assert fetch(server, path, notice=notices.append) == CONTENT
    assert [n for n in notices if "it can't resume; starting over" in n]


@pytest.mark.parametrize("lie", [0, 500])
def test_without_ranges_what_is_always_cut_is_given_up(
    server: RangeServer, path: Path, lie: int
) -> None:
    server.ranges, server.cut_after, server.cuts = False, SIZE // 2, 99
    server.lie_length = lie

    assert "it can't resume" in str(failure(server, path))
    assert not path.exists()


def test_without_length_and_ranges_the_end_is_the_end(
    server: RangeServer, path: Path
) -> None:
    async def endless(request: Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request.web)
        await answer.write(CONTENT)
        return answer

    server.faults = [endless]
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as dump:
            dump.seek(-1, os.SEEK_END)
            assert dump.read() == CONTENT[-1:]
        assert coming.finish(unverified).read_bytes() == CONTENT


# Another run


def test_the_next_run_fetches_only_what_is_missing(
    server: RangeServer, path: Path
) -> None:
    halfway(server, path)

    with download(server, path) as coming:
        coming.start()
        already = coming.already
        coming.finish(unverified)

    assert path.read_bytes() == CONTENT
    assert already >= 5 * CHUNK
    assert server.sent == SIZE - already + 1  # a byte to learn that it is the same


def test_what_only_lacks_its_name_costs_one_byte(
    server: RangeServer, path: Path
) -> None:
    with download(server, path) as coming:
        coming.start()
        coming.wait()
    server.log.clear()

    assert fetch(server, path) == CONTENT
    assert (len(server.log), server.sent) == (1, 1)


def test_a_chunk_that_went_bad_is_fetched_again(
    server: RangeServer, path: Path
) -> None:
    with download(server, path) as coming:
        coming.start()
        coming.wait()
    server.log.clear()
    with path.with_name("b101.dump.part").open("rb+") as file:
        file.seek(2 * CHUNK + 99)
        file.write(b"bad")

    assert fetch(server, path) == CONTENT
    assert server.sent == CHUNK + 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + b'{"index": 3, "crc3',
        lambda text: text[:-5],
        lambda text: text.replace(b'"crc32": ', b'"crc32": 1'),
        lambda text: text[:10],
        lambda _text: b"",
        lambda _text: b"[]\n[]\n",
        lambda _text: b"\xff\xfe\n",
        lambda text: text.replace(b'"chunk": 65536', b'"chunk": 0'),
    ],
)
def test_a_spoilt_journal_spoils_no_dump(
    server: RangeServer, path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    halfway(server, path)
    journal = path.with_name("b101.dump.part.journal")
    journal.write_bytes(spoil(journal.read_bytes()))

    assert fetch(server, path) == CONTENT


def test_a_journal_without_its_part_is_of_no_use(
    server: RangeServer, path: Path
) -> None:
    halfway(server, path)
    path.with_name("b101.dump.part").unlink()

    assert fetch(server, path) == CONTENT


def test_the_next_run_may_have_another_chunk_size(
    server: RangeServer, path: Path
) -> None:
    halfway(server, path)

    assert fetch(server, path, chunk=CHUNK * 3) == CONTENT
    assert server.sent < SIZE


def test_the_next_run_of_another_object_starts_over(
    server: RangeServer, path: Path
) -> None:
    halfway(server, path)
    change(server, OTHER, '"two"')()

    assert fetch(server, path) == OTHER


def test_without_an_etag_nothing_of_another_run_is_trusted(
    server: RangeServer, path: Path
) -> None:
    server.etag = ""
    halfway(server, path)
    server.content = OTHER

    assert fetch(server, path) == OTHER


# The disk


def test_a_disk_without_room_is_told_before(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "MARGIN", 10**18)

    error = failure(server, path)

    assert isinstance(error, CannotStore)
    assert "are needed there" in str(error)
    assert len(server.log) == 1


def test_a_full_disk_is_told_and_the_part_is_kept(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(path.parent)]
    need_mounts()
    subprocess.run(mount, check=True)
    monkeypatch.setattr(part, "MARGIN", -(10**9))
    try:
        error = failure(server, path)
        kept = left(path)
    finally:
        subprocess.run(["umount", str(path.parent)], check=True)

    assert "the disk is full" in str(error)
    assert kept == {"b101.dump.part", "b101.dump.part.journal"}


def test_a_limit_on_the_size_of_files_is_told(server: RangeServer, path: Path) -> None:
    limit = (SIZE // 2, SIZE // 2)
    child = start_child(
        server,
        path,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    out, _ = child.communicate(timeout=30)

    assert "CannotStore" in out
    assert "files can't be that large" in out


def test_a_folder_that_can_not_be_written_is_told(
    server: RangeServer, path: Path
) -> None:
    path.parent.mkdir(mode=0o500)
    us = os.geteuid()
    if us == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        error = failure(server, path)
    finally:
        os.seteuid(us)

    assert "permission denied" in str(error)


def test_a_folder_that_is_a_file_is_told(server: RangeServer, path: Path) -> None:
    path.parent.touch()

    assert isinstance(failure(server, path), CannotStore)


def test_a_part_that_is_a_link_is_not_followed(server: RangeServer, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("b101.dump.part").symlink_to(path.parent / "elsewhere")

    assert isinstance(failure(server, path), CannotStore)


# Other processes

CHILD = """
import sys
from pathlib import Path
from dbpull.download import Download
from dbpull.errors import PullError
url, path, chunk = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
def progress(done, total):
    print(done, flush=True)
try:
    with Download(lambda: url, path, chunk=chunk, progress=progress) as coming:
        coming.start()
        print("started", flush=True)
        coming.wait()
except PullError as error:
    print(type(error).__name__, error, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
status = Path("/proc/self/status")
if status.exists():
    print(*[line for line in status.read_text().splitlines() if "VmHWM" in line])
"""


def start_child(
    server: RangeServer,
    path: Path,
    chunk: int = CHUNK,
    preexec: Callable[[], None] | None = None,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url(), str(path), str(chunk)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=preexec,
    )


def until(child: subprocess.Popen[str], received: int) -> int:
    """Read the child's progress until it has so many bytes."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip().isdecimal() and int(line) >= received:
            return int(line)
    raise AssertionError("the child ended before")


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_kill_9_costs_only_the_chunks_in_flight(
    server: RangeServer, path: Path, share: float
) -> None:
    server.pace = 0.05
    with start_child(server, path) as child:
        received = until(child, int(SIZE * share))
        child.kill()
    server.pace = 0
    server.log.clear()

    assert fetch(server, path) == CONTENT
    assert server.sent <= SIZE - received + 4 * CHUNK + 1


def test_ctrl_c_ends_at_once_and_keeps_what_has_arrived(
    server: RangeServer, path: Path
) -> None:
    server.pace = 0.05
    with start_child(server, path) as child:
        until(child, SIZE // 3)
        server.faults = [hang]
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=20)

    server.pace, server.faults = 0, []
    server.log.clear()
    assert "interrupted" in out
    assert left(path) == {"b101.dump.part", "b101.dump.part.journal"}
    assert fetch(server, path) == CONTENT
    assert server.sent < SIZE


def test_a_second_process_is_refused(server: RangeServer, path: Path) -> None:
    server.pace = 0.05
    with start_child(server, path) as child:
        until(child, 1)
        error = failure(server, path)
        child.kill()

    assert isinstance(error, AlreadyRunning)
    assert error.pid == child.pid
    assert f"b101.dump.part is being downloaded by process {child.pid}" in error.what


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason=LINUX)
def test_memory_stays_flat(path: Path) -> None:
    with RangeServer(CONTENT * 60) as server:
        out, _ = start_child(server, path, 8 * 1024 * 1024).communicate(timeout=60)

    *_, name, kilobytes, _unit = out.split()
    assert name == "VmHWM:"
    assert int(kilobytes) < 100_000


# Threads


def running() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "dbpull-download"]


@pytest.mark.parametrize("trouble", [hang, hang_up()], ids=["hanging", "pausing"])
def test_leaving_ends_all_threads(
    server: RangeServer, path: Path, trouble: Any
) -> None:
    with download(server, path, connections=4) as coming:
        coming.start()
        server.faults = [trouble]
        server.pace = 1

    assert running() == []


def test_the_first_error_ends_all_threads(server: RangeServer, path: Path) -> None:
    async def the_seventh_fails(request: Request) -> web.StreamResponse | None:
        return await (status(404) if request.number == 7 else hang)(request)

    server.faults = [after(4, the_seventh_fails)]

    assert isinstance(failure(server, path), NothingThere)
    assert running() == []


# Secrets, proxies, TLS


def test_no_credentials_of_netrc_are_sent(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.faults = [only("/moved", status(302, Location="/b101"))]

    assert fetch(server, path, url=lambda: server.url("/moved")) == CONTENT
    assert len(server.log) > 2
    assert not [r for r in server.log if "Authorization" in r.headers]
    assert {r.headers["Accept-Encoding"] for r in server.log} == {"identity"}


def test_the_proxy_of_the_environment_is_used(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stands in for a proxy: it is asked for a host that does not exist."""
    monkeypatch.setenv("HTTP_PROXY", server.url(""))

    assert fetch(server, path, url=lambda: "http://s3.invalid/b101") == CONTENT
    assert {r.headers["Host"] for r in server.log} == {"s3.invalid"}


def test_a_proxy_that_is_not_there_is_told(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:SECRET@127.0.0.1:9")

    assert "the proxy that the environment names" in str(failure(server, path))


def test_no_log_holds_the_signature(
    server: RangeServer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        fetch(server, path)

    assert "GET /b101 HTTP" in caplog.text
    assert "SECRET" not in caplog.text


def test_tls_is_checked(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with RangeServer(CONTENT, tls=tls) as server:
        error = failure(server, path)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        fetched = fetch(server, path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        missing = failure(server, path)

    assert isinstance(error, NotTrusted)
    assert "REQUESTS_CA_BUNDLE" in error.remedy
    assert fetched == CONTENT
    assert isinstance(missing, NotTrusted)


def test_a_redirect_out_of_tls_is_refused(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with RangeServer(CONTENT, tls=tls) as secure:
        secure.faults = [only("/plain", status(302, Location=server.url()))]
        secure.faults.append(only("/moved", status(302, Location="/b101")))

        error = failure(secure, path, url=lambda: secure.url("/plain"))
        fetched = fetch(secure, path, url=lambda: secure.url("/moved"))

    assert isinstance(error, UnexpectedAnswer)
    assert "redirects to a URL without TLS" in error.what
    assert server.log == []
    assert fetched == CONTENT


def test_tls_connections_are_ended_too(path: Path, tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with RangeServer(CONTENT, tls=tls) as server, pytest.MonkeyPatch.context() as patch:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        patch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        with download(server, path) as coming:
            coming.start()
            server.faults = [hang]
            server.pace = 1

    assert running() == []
