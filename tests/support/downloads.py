"""A download and the object that it is of: what the tests of downloads share."""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from dbpull import archive
from dbpull.download import Download
from dbpull.errors import PullError
from range_server import RangeServer, after, status

CHUNK = 64 * 1024
SIZE = 16 * CHUNK + 12345
CONTENT = b"PGDMP" + random.Random(1).randbytes(SIZE - 5)
OTHER = b"PGDMP" + random.Random(2).randbytes(SIZE - 5)


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


def change(server: RangeServer, content: bytes, etag: str) -> Callable[[], None]:
    def act() -> None:
        server.content, server.etag = content, etag

    return act


def running() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "dbpull-download"]
