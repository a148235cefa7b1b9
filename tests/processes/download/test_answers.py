"""What the host answers, with and without ranges."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aiohttp import web

from dbpull.download.backoff import Backoff
from dbpull.download.fault import Retryable
from dbpull.errors import PullError
from dbpull.errors.download import HostBusy, NothingThere, UnusableResponse, UrlRefused
from downloads import CONTENT, SIZE, download, failure, fetch, left, unverified
from range_server import RangeServer, Request, after, only, status

# What the host says


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (404, NothingThere),
        (410, NothingThere),
        (403, UrlRefused),
        (400, UrlRefused),
        (418, UnusableResponse),
        (204, UnusableResponse),
        (503, HostBusy),
        (429, HostBusy),
    ],
)
@pytest.mark.usefixtures("impatient")
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
    patient = Backoff(120, lambda _: None)

    assert (
        patient.pause(Retryable("s3", "busy", status=429, retry_after=7.5), 1, 0) == 7.5
    )
    assert (
        patient.pause(Retryable("s3", "busy", status=429, retry_after=999), 1, 0) <= 120
    )


def test_pauses_grow() -> None:
    patient = Backoff(9999, lambda _: None)
    patient.byte()

    first, tenth = (patient.pause(Retryable("s3", "lost"), n, 0) for n in (1, 10))

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
