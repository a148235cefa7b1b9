"""Lost connections are mended, for as long as there is hope."""

from __future__ import annotations

import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from clock import Clock
from dbpull.download import answer, backoff, worker
from dbpull.download.backoff import Backoff
from dbpull.download.fault import Retryable
from dbpull.download.journal import Identity
from dbpull.errors.download import NoConnection, UnusableResponse
from downloads import CHUNK, CONTENT, SIZE, failure, fetch
from range_server import RangeServer, Request, after, hang_up, status, then


@pytest.mark.parametrize("connections", [1, 4])
def test_ten_cuts_cost_next_to_nothing(
    server: RangeServer,
    path: Path,
    connections: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "ENOUGH", CHUNK // 4)
    monkeypatch.setattr(Backoff, "pause", None)  # none is needed
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


@pytest.mark.usefixtures("impatient")
def test_a_host_that_always_hangs_up_is_given_up(
    server: RangeServer, path: Path
) -> None:
    server.faults = [hang_up()]

    error = failure(server, path)

    assert isinstance(error, NoConnection)
    assert "the connection was lost" in str(error)


def test_a_byte_now_and_then_is_no_progress(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.cut_after, server.cuts = 1, 10**9
    clock, pause = Clock(now=1.0), Backoff.pause

    def paused(*told: Any) -> float:
        clock.sleep(pause(*told))
        return 0.0

    monkeypatch.setattr(backoff, "time", clock)
    monkeypatch.setattr(Backoff, "pause", paused)

    error = failure(server, path, connections=1, patience=2.0)

    assert isinstance(error, NoConnection)
    assert "the connection was lost" in error.what
    assert "the same command resumes" in error.remedy
    assert 5 <= len(server.log) < 100


def test_progress_of_one_try_ends_the_outage() -> None:
    patient = Backoff(0.1, lambda _: None)
    patient.byte()
    patient.pause(Retryable("s3", "lost"), 1, 0)
    time.sleep(0.15)
    patient.byte()
    with pytest.raises(NoConnection):
        patient.pause(Retryable("s3", "lost"), 2, 0)

    patient.progress()

    assert patient.pause(Retryable("s3", "lost"), 1, 0) > 0


class Trickle:
    """In place of a response: a byte every 20 ms of a clock."""

    def __init__(self, clock: Clock) -> None:
        self.raw, self._clock = self, clock

    def read1(self, _most: int, *, decode_content: bool) -> bytes:
        self._clock.sleep(0.02)
        return b"x"


@pytest.mark.parametrize(("slowest", "whole"), [(1000, False), (1, True)])
def test_a_connection_that_trickles_is_given_up(
    monkeypatch: pytest.MonkeyPatch, slowest: int, whole: bool
) -> None:
    monkeypatch.setattr(answer, "SPELL", 0.1)
    monkeypatch.setattr(answer, "SLOWEST", slowest)
    clock = Clock()
    monkeypatch.setattr(answer, "time", clock)
    response: Any = Trickle(clock)
    trickling = answer.Answer(response, "s3", Identity(20, None), 20, ranged=True)
    came: list[bytes] = []

    with pytest.raises((Retryable, UnusableResponse)) as ended:
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

    assert isinstance(error, NoConnection)
    assert "the same command resumes" in error.remedy
    assert len([n for n in notices if n.endswith("trying again.")]) == 1
    assert fetch(server, path) == CONTENT
    assert server.sent < SIZE


@pytest.mark.usefixtures("impatient")
def test_a_name_that_is_not_known_is_told(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    error = failure(server, path, url=lambda: "http://s3.invalid/x?sig=SECRET")

    assert error.what == "s3.invalid: no such host is known (DNS)."


@pytest.mark.usefixtures("impatient")
def test_a_refused_connection_is_told(server: RangeServer, path: Path) -> None:
    with socket.socket() as deaf:  # bound, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        url = f"http://127.0.0.1:{port}/?sig=SECRET"
        error = failure(server, path, url=lambda: url)

    assert error.what == f"127.0.0.1:{port}: it refuses the connection."


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "ftp://x/SECRET", "http://[x"]
)
def test_a_url_that_is_none_is_told(server: RangeServer, path: Path, url: str) -> None:
    assert isinstance(failure(server, path, url=lambda: url), UnusableResponse)


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
