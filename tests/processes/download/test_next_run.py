"""The next run fetches only what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from downloads import (
    CHUNK,
    CONTENT,
    OTHER,
    SIZE,
    change,
    download,
    fetch,
    halfway,
    unverified,
)
from range_server import RangeServer


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
