"""An object that changes is never mixed with what it was."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from dbpull.download.chunks import Chunks
from dbpull.download.journal import Identity
from dbpull.download.reader import reader
from dbpull.errors.download import ObjectChanged
from downloads import CHUNK, CONTENT, OTHER, SIZE, change, download, failure, fetch
from range_server import RangeServer, Request, after, then


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
    opened, changing = threading.Event(), then(change(server, OTHER, '"two"'))

    async def changes_once_opened(request: Request) -> web.StreamResponse | None:
        while not opened.is_set():
            await asyncio.sleep(0.01)
        return await changing(request)

    server.faults = [after(1, changes_once_opened)]
    with download(server, path, connections=1) as coming:
        coming.start()
        with coming.reader() as old:
            opened.set()
            with pytest.raises(ObjectChanged):
                old.read()
        seen: list[bytes] = []
        coming.finish(lambda dump: seen.append(dump.read()))

    assert seen[-1] == path.read_bytes() == OTHER


def test_bytes_that_change_while_they_are_read_are_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, arrival = tmp_path / "b101.dump.part", Chunks(lambda _done, _total: None)
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
