"""An arriving dump in another order than its bytes': where a former one tells of it."""

from __future__ import annotations

import asyncio
import io
import random
import stat
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dbpull import archive
from dbpull.archive import Archive, Block
from dbpull.console import Reporter
from dbpull.download import Download
from dbpull.download.chunks import Chunks
from dbpull.download.journal import Identity
from dbpull.dumps import former, ordered
from dbpull.dumps.local_stream import LocalStream
from dbpull.dumps.names import Dump
from dbpull.dumps.ordered import Anew, OrderedWalk, Stretch
from dbpull.errors.archive import DamagedDump, TruncatedDump
from dbpull.heroku.dump import PLATFORM
from dbpull.restore.arrivals import best_order
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.selection import Selection, select
from dbpull.restore.watch import Outcome, Watch
from made_dumps import Made
from range_server import RangeServer, Request

CHUNK = 64 * 1024
SIZES = {11: 3 * CHUNK, 12: 100, 13: 8 * CHUNK, 14: 3 * CHUNK, 15: 100}
"""The bytes of each table's rows, by dump id; `c` (14) has the only indexes."""
TABLES = dict(zip(range(1, 6), "abxcy", strict=True))
made = Made()


def block(dump_id: int, size: int) -> bytes:
    """Rows that zlib can't make smaller, as pg_dump writes them."""
    packed = zlib.compress(random.Random(dump_id).randbytes(size))
    return made.block(
        dump_id, *(packed[at : at + 4096] for at in range(0, len(packed), 4096))
    )


def dump(sizes: dict[int, int] = SIZES) -> bytes:
    entries = [made.entry(i, name, "TABLE") for i, name in TABLES.items()]
    entries += [made.entry(10 + i, name, needs=i) for i, name in TABLES.items()]
    entries += [
        made.entry(i, f"by_{i}", "INDEX", " USING gin (a)", needs=4) for i in (21, 22)
    ]
    return made.toc(*entries) + b"".join(block(*one) for one in sizes.items())


GROWN = dump(SIZES | {11: 3 * CHUNK + 9000})
CONTENTS = archive.read(io.BytesIO(GROWN))
BLOCKS = archive.verify(io.BytesIO(GROWN), CONTENTS)
BEFORE = {
    block.dump_id: block.end - block.start
    for block in archive.verify(io.BytesIO(dump()), CONTENTS)
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds of megabytes holds of kilobytes here."""
    monkeypatch.setattr(ordered, "WORTH", CHUNK)
    monkeypatch.setattr(ordered, "SLACK", CHUNK // 4)
    monkeypatch.setattr(ordered, "LARGE", CHUNK // 2)
    monkeypatch.setattr(former, "LEAST", 0)


def selected(contents: Archive, *skip: str) -> Selection:
    facts = ServerFacts((), superuser=True)
    return select(LeftOut(contents, facts, PLATFORM), skip)


def best(contents: Archive = CONTENTS) -> list[tuple[int, ...]]:
    found, order = ordered.best(contents, selected(contents), BEFORE, len(GROWN))
    return [found[number].entries for number in order]


class Arriving(io.BytesIO):
    """A dump of which never more than some bytes are there to be read."""

    count = 0
    """The bytes that were read."""

    def read1(self, _size: int | None = -1, /) -> bytes:
        piece = super().read1(4096)
        self.count += len(piece)
        return piece


class Told:
    """What the walk has told, in its order."""

    def __init__(self) -> None:
        self.large_ones: list[tuple[int, int]] = []
        self.blocks: list[Block] = []

    def large(self, dump_id: int, start: int) -> None:
        assert dump_id not in dict(self.large_ones), "its rows would be restored twice"
        self.large_ones.append((dump_id, start))

    def arrived(self, block: Block) -> None:
        self.blocks.append(block)

    @property
    def order(self) -> list[int]:
        return [block.dump_id for block in self.blocks]


def walk_of(
    told: Told, data: bytes | Arriving = GROWN, known: dict[int, int] = BEFORE
) -> tuple[list[Block], list[Any]]:
    """All blocks, and what was preferred."""
    stream = data if isinstance(data, Arriving) else Arriving(data)
    size = len(stream.getbuffer())
    found, order = ordered.best(CONTENTS, selected(CONTENTS), known, size)
    assert order
    preferred: list[Any] = []
    walk = OrderedWalk(CONTENTS, found, size, told, preferred.append)
    return walk.walk(stream, order), preferred


def test_much_work_comes_first_and_little_last() -> None:
    assert best() == [(14, 15), (11, 12), (13,)]


def test_a_key_waits_for_both_its_tables() -> None:
    entries = (
        made.entry(1, "orders", "TABLE"),
        made.entry(2, "users", "TABLE"),
        made.entry(11, "orders", needs=1),
        made.entry(12, "users", needs=2),
        made.entry(21, "by", "INDEX", " USING btree (a)", needs=2),
    )
    contents = archive.read(io.BytesIO(made.toc(*entries)))
    dependencies = Dependencies(contents, selected(contents))

    assert best_order(dependencies, {11: 100, 12: 100}, [[11], [12]]) == [1, 0]
    assert best_order(dependencies, {11: 100, 12: 0}, [[11], [12]]) == [0, 1]
    skipped = Dependencies(contents, selected(contents, "users"))
    assert best_order(skipped, {11: 100, 12: 100}, [[11], [12]]) == [0, 1]


@pytest.mark.parametrize(
    "known",
    [
        {},
        {11: 100},
        dict.fromkeys(BEFORE, 100),
        {dump_id: 2 * size for dump_id, size in BEFORE.items()},
    ],
    ids=["nothing", "a small table", "much smaller", "much larger"],
)
def test_where_nothing_is_known_it_comes_front_first(known: dict[int, int]) -> None:
    found = ordered.best(CONTENTS, selected(CONTENTS), known, len(GROWN))
    assert found == ([], [])


def test_a_dump_with_large_objects_comes_front_first() -> None:
    entries = made.entry(1, "a"), made.entry(2, "b"), made.entry(3, "BLOBS", "BLOBS")
    contents = archive.read(io.BytesIO(made.toc(*entries)))
    known = {1: CHUNK, 2: CHUNK, 3: CHUNK}

    assert ordered.best(contents, selected(contents), known, 3 * CHUNK) == ([], [])


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [(-500, 500, True), (0, 0, True), (1, 500, False), (-500, -1, False)],
)
@pytest.mark.parametrize("dump_id", [13, 14])
def test_a_block_is_found_in_its_window(
    first: int, last: int, found: bool, dump_id: int
) -> None:
    start = next(block.start for block in BLOCKS if block.dump_id == dump_id)
    stream = io.BufferedReader(io.BytesIO(GROWN), 64)

    at = archive.find(stream, CONTENTS, dump_id, start + first, start + last)

    assert at == (start if found else None)


@pytest.mark.parametrize(
    ("number", "begins", "found"),
    [
        (1, b"\x78\x9c", True), (1, b"\x78\x01", True), (1, b"\x78\x9d", False),
        (1, b"\x28\xb5\x2f\xfd", False), (2, b"\x04\x22\x4d\x18", True),
        (2, b"\x78\x9c", False), (3, b"\x28\xb5\x2f\xfd", True), (0, b"1\tAnn", True),
    ],
)  # fmt: skip
def test_a_block_begins_as_its_compression_does(
    number: int, begins: bytes, found: bool
) -> None:
    newer = Made(15)
    toc = newer.header(number) + newer.integer(1) + newer.entry(258, "a")
    contents = archive.read(io.BytesIO(toc))
    rows = newer.integer(0) + newer.block(258, begins + b"more")

    at = archive.find(io.BytesIO(rows), contents, 258, 0, len(rows))

    assert at == (5 if found else None)


def test_bytes_that_look_like_a_block_but_for_their_chunk_are_passed_over() -> None:
    false = bytes(5) + b"\x01" + made.integer(14)
    real = bytes(5) + block(14, 100)
    looks = [false + b"\x01" + bytes(20), false + bytes(20), false[5:] + b"\0x\x9c"]
    for rows in looks:
        at = archive.find(io.BytesIO(rows + real), CONTENTS, 14, 0, 1000)
        assert at == len(rows) + 5


def test_each_block_is_told_once_and_the_best_first() -> None:
    told = Told()

    found, preferred = walk_of(told)

    assert found == BLOCKS
    assert told.order == [14, 15, 11, 12, 13]
    assert sorted(told.blocks, key=lambda block: block.start) == BLOCKS
    assert [dump_id for dump_id, _ in told.large_ones] == [14, 11, 13]
    for (first, end), (_, start) in zip(
        [ranges[0] for ranges in preferred], told.large_ones, strict=True
    ):
        assert first <= start < end


def test_no_block_is_read_twice_to_be_walked() -> None:
    """Of 50 GB on a slow disk, that would take minutes once all has come."""
    stream = Arriving(GROWN)

    walk_of(Told(), stream)

    windows = 2 * 2 * ordered.SLACK  # two stretches that have to be found
    assert stream.count < len(GROWN) + windows + 20 * 4096


@pytest.mark.parametrize("grown", [11, 13, 14])
def test_a_block_is_found_whichever_table_has_grown(grown: int) -> None:
    known = BEFORE | {11: BEFORE[11] + 9000}
    known[grown] -= 60_000
    told = Told()

    _, preferred = walk_of(told, known=known)

    assert told.order[0] == 14
    assert () not in preferred


def test_what_is_not_where_it_was_guessed_comes_front_first() -> None:
    known = BEFORE | {14: BEFORE[14] + CHUNK, 13: BEFORE[13] - CHUNK}
    told = Told()

    found, preferred = walk_of(told, known=known)

    assert (found, told.blocks) == (BLOCKS, BLOCKS)
    assert preferred[-1] == ()


def test_entries_in_another_order_than_the_blocks_come_front_first() -> None:
    found = [Stretch((11, 14), BEFORE[11]), Stretch((13,), BEFORE[13])]
    preferred: list[Any] = []
    told = Told()
    walk = OrderedWalk(CONTENTS, found, len(GROWN), told, preferred.append)

    assert walk.walk(Arriving(GROWN), [0, 1]) == BLOCKS
    assert told.blocks == BLOCKS
    assert preferred[-1] == ()


def test_damage_is_told_as_by_a_walk_from_the_front() -> None:
    first, last = BLOCKS[0], BLOCKS[3]
    hurt = bytearray(GROWN)
    for block in (first, last):  # the sign of the second chunk's length
        hurt[block.start + 1 + 2 * (1 + made.width) + 4096] = 7

    for data, error in ((bytes(hurt), DamagedDump), (GROWN[:-2000], TruncatedDump)):
        with pytest.raises(error) as usual:
            archive.verify(io.BytesIO(data), CONTENTS)
        with pytest.raises(error) as caught:
            walk_of(Told(), data)
        assert str(caught.value) == str(usual.value)


def test_what_only_looked_like_a_block_has_all_begin_anew() -> None:
    inner = bytes(1 + made.width) + block(14, CHUNK)
    outer = made.block(13, zlib.compress(b"a"), inner + bytes(8 * CHUNK))
    data = GROWN[: BLOCKS[2].start] + outer + GROWN[BLOCKS[2].end :]
    false = data.index(inner) + 1 + made.width
    found = [Stretch((11, 12, 13), false - CONTENTS.data_start), Stretch((14,), 0)]
    walk = OrderedWalk(CONTENTS, found, len(data), Told(), lambda _: None)

    with pytest.raises(Anew):
        walk.walk(Arriving(data), [1])


def test_chunks_come_as_preferred_and_the_others_front_first() -> None:
    chunks = Chunks(lambda *_: None)
    chunks.begin(Identity(100, "a"), 10, {}, "")
    chunks.take()

    chunks.prefer([(75, 80), (39, 41), (0, 20)])
    order = [chunk.index for _ in range(6) if (chunk := chunks.take())]
    chunks.prefer([])
    order += [chunk.index for _ in range(9) if (chunk := chunks.take())]

    assert order == [7, 3, 4, 1, 2, 5, 6, 8, 9]


@pytest.fixture
def pulled(tmp_path: Path) -> Dump:
    return Dump.named(tmp_path, "shop", "b2", datetime(2026, 1, 2, tzinfo=UTC))


def test_sizes_outlive_their_dump_and_nobody_else_reads_them(pulled: Dump) -> None:
    folder, earlier = pulled.path.parent, datetime(2026, 1, 1, tzinfo=UTC)
    before = Dump.named(folder, "shop", "b1", earlier)
    contents = archive.read(io.BytesIO(dump()))

    former.keep(before, contents, archive.verify(io.BytesIO(dump()), contents))

    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert former.sizes_in(pulled, CONTENTS) == BEFORE
    other = Dump.named(folder, "shop", "b2", earlier, "BLUE")
    assert former.sizes_in(other, CONTENTS) == {}


def test_sizes_of_small_dumps_and_of_the_users_own_are_not_kept(
    pulled: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    former.keep(Dump.of(pulled.path.with_name("mine.dump")), CONTENTS, BLOCKS)
    monkeypatch.setattr(former, "LEAST", 10**9)
    former.keep(pulled, CONTENTS, BLOCKS)

    assert not [*pulled.path.parent.iterdir()]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"blocks": 1}', '{"blocks": [1]}',
             '{"blocks": [["a", [], "x"]]}', '{"blocks": [[[], "a", 1]]}', '\xff'],
)  # fmt: skip
def test_sizes_that_cannot_be_read_are_none(pulled: Dump, text: str) -> None:
    former.keep(pulled, CONTENTS, BLOCKS)
    (file,) = pulled.path.parent.iterdir()
    file.write_text(text, "latin-1")

    assert former.sizes_in(pulled, CONTENTS) == {}


class Shell:
    """Its pg_restores read all that they get, and do nothing with it."""

    def __init__(self) -> None:
        self.got: dict[str, bytes] = {}

    def start_piped(
        self, _: Any, write: Callable[[Any], None], *, listing: str, **__: Any
    ) -> Any:
        def wait(_: object) -> None:
            pieces: list[bytes] = []
            write(pieces.append)
            self.got[listing] = b"".join(pieces)

        return SimpleNamespace(wait=wait, end=lambda: None)


def restoring(contents: Archive) -> Any:
    return SimpleNamespace(
        selection=selected(contents), jobs=2, psql=None, dump="", label="shop",
        watch=Watch(), new_watch=Watch, piped_argv=list, environment=lambda _: {},
        refuse_failed=lambda *_: None, defined=lambda: None, part=lambda *_: None,
        outcome=lambda: Outcome((), {}),
    )  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """One that gives nothing but the first chunk until a pull knows its order."""
    known = threading.Event()
    best, prefer = ordered.best, Chunks.prefer

    def order(*given: Any) -> Any:
        found = best(*given)
        if found == ([], []):
            known.set()
        return found

    def preferred(chunks: Chunks, ranges: Sequence[tuple[int, int]]) -> None:
        prefer(chunks, ranges)
        known.set()

    async def hold(request: Request) -> None:
        if not request.first:
            known.clear()
        while request.first and not known.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(ordered, "best", order)
    monkeypatch.setattr(Chunks, "prefer", preferred)
    with RangeServer(GROWN) as server:
        server.faults = [hold]
        yield server


def pull(server: RangeServer, into: Dump, shell: Any) -> list[int]:
    """Pull a dump; the first byte of each request for it."""
    server.log.clear()
    with Download(server.url, into.path, connections=1, chunk=CHUNK) as coming:
        coming.start()
        with coming.reader() as reader:
            contents = archive.read(reader)
        stream = LocalStream(into, contents, shell, download=coming)
        outcome = stream.restore(restoring(contents), Reporter())
    assert outcome.sizes == {block.dump_id: block.end - block.start for block in BLOCKS}
    return [request.first for request in server.log]


def test_the_second_pull_fetches_and_restores_in_the_best_order(
    server: RangeServer, pulled: Dump
) -> None:
    first = pull(server, pulled, Shell())
    pulled.path.unlink()
    shell = Shell()

    second = pull(server, pulled, shell)

    assert first == list(range(0, len(GROWN), CHUNK))
    # The second chunk may be asked for before the table of contents has been read.
    ordered_ones = [start for start in second if start not in {0, CHUNK}]
    starts = {block.dump_id: block.start for block in BLOCKS}
    assert starts[14] - 2 * CHUNK < ordered_ones[0] <= starts[14]
    assert starts[13] < ordered_ones[-1] < starts[14]
    assert sorted(second) == first
    for block in BLOCKS:
        rows = GROWN[block.start : block.end]
        assert sum(rows in got for got in shell.got.values()) == 1
