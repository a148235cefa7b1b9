"""The spool of a printed dump: never slower than its source, kept only where whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from dbpull.download import silence
from dbpull.download.arriving import PrintedDump
from dbpull.download.spool import Spool
from dbpull.errors import PullError
from dbpull.errors.archive import NotADump
from dbpull.errors.download import AlreadyRunning, DownloadStopped
from dbpull.errors.sources import SourceError, SourceInterrupted

BYTES = bytes(range(256)) * 1000
CUT = SourceInterrupted("The server went away.")


class Script:
    """A program that prints pieces, and then ends or fails; None waits for `end`."""

    def __init__(self, *pieces: bytes | None, fails: PullError | None = None) -> None:
        self.pieces: SimpleQueue[bytes | None] = SimpleQueue()
        for piece in pieces:
            self.pieces.put(piece)
        self.fails = fails
        self.ended = threading.Event()
        self.left = False

    def read(self, count: int) -> bytes:
        piece = b"" if self.pieces.empty() else self.pieces.get()
        if piece is None:
            self.ended.wait()
            return b""
        assert len(piece) <= count
        return piece

    def finish(self) -> None:
        if self.fails:
            raise self.fails

    def end(self) -> None:
        self.ended.set()

    @contextmanager
    def start(self) -> Iterator[PrintedDump]:
        try:
            yield self
        finally:
            self.left = True


def spool(
    path: Path,
    *runs: Script,
    accepts: Callable[[bytes], object] = bytes,
    notice: Callable[[str], None] = lambda _: None,
    ended: Callable[[], None] = lambda: None,
    patience: float = 60,
) -> Spool:
    left = iter(runs)
    return Spool(
        lambda: next(left).start(),
        path,
        host="shop",
        accepts=accepts,
        notice=notice,
        ended=ended,
        patience=patience,
    )


def whole(found: list[bytes]) -> Callable[[BinaryIO], object]:
    return lambda stream: found.append(stream.read())


def there(path: Path) -> list[str]:
    """What is in the folder, besides what keeps it out of git."""
    return [each.name for each in path.parent.iterdir() if each.name != ".gitignore"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "local" / "shop-d1.dump"


def test_what_is_printed_becomes_the_file(path: Path) -> None:
    found: list[bytes] = []
    seen: list[tuple[int, int | None]] = []
    with spool(path, Script(BYTES[:1000], BYTES[1000:])) as arriving:
        arriving.progress = lambda done, total: seen.append((done, total))
        arriving.start()
        assert arriving.finish(whole(found)) == path

    assert found == [BYTES]
    assert path.read_bytes() == BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert seen[-1] == (len(BYTES), len(BYTES))
    assert there(path) == [path.name]


def test_the_source_is_read_to_its_end_though_nobody_reads_here(path: Path) -> None:
    ended = threading.Event()
    with spool(path, Script(*[BYTES] * 50), ended=ended.set) as arriving:
        arriving.start()
        assert ended.wait(20)
        assert arriving.reader().read() == BYTES * 50


def test_bytes_are_read_as_they_arrive(path: Path) -> None:
    script = Script(BYTES, None)
    with spool(path, script) as arriving:
        arriving.start()
        with arriving.reader() as stream:
            assert stream.read(len(BYTES)) == BYTES
        script.end()
        arriving.finish(whole([]))


def test_a_failed_program_is_told_before_its_cut_output(path: Path) -> None:
    gone = PullError("The command failed with code 3.")
    with spool(path, Script(BYTES, fails=gone)) as arriving:
        arriving.start()
        with pytest.raises(PullError, match="code 3"):
            arriving.finish(whole([]))

    assert not there(path)


def test_a_program_that_fails_at_once_is_told_before_its_first_bytes(
    path: Path,
) -> None:
    def refuse(first: bytes) -> None:
        raise NotADump("it", repr(first))

    gone = PullError("The command failed with code 3.")
    failing = spool(path, Script(b"oh\n", fails=gone), accepts=refuse)
    with failing, pytest.raises(PullError, match="code 3"):
        failing.start()

    succeeding = spool(path, Script(b"oh\n"), accepts=refuse)
    with succeeding, pytest.raises(NotADump, match=r"oh\\n"):
        succeeding.start()


def test_what_is_no_dump_ends_the_program_at_once(path: Path) -> None:
    def refuse(first: bytes) -> None:
        assert first == BYTES[:512]
        raise NotADump("it", "a page")

    script = Script(BYTES, None)
    with spool(path, script, accepts=refuse) as arriving, pytest.raises(NotADump):
        arriving.start()

    assert script.left
    assert not there(path)


def test_an_interrupted_source_is_read_once_more_from_its_start(path: Path) -> None:
    found: list[bytes] = []
    notes: list[str] = []
    runs = Script(b"old" * 1000, fails=CUT), Script(BYTES)
    with spool(path, *runs, notice=notes.append) as arriving:
        arriving.start()
        arriving.finish(whole(found))

    assert found[-1] == path.read_bytes() == BYTES
    assert notes == ["The server went away. Starting over: a dump can't be resumed."]
    assert all(run.left for run in runs)


def test_a_source_that_is_interrupted_twice_is_told(path: Path) -> None:
    runs = Script(BYTES, fails=CUT), Script(BYTES[1:], fails=CUT)
    with spool(path, *runs) as arriving:
        arriving.start()
        with pytest.raises(SourceInterrupted):
            arriving.finish(whole([]))

    assert not there(path)


def test_what_was_verified_before_a_new_start_does_not_count(path: Path) -> None:
    """The archive's end is seen before the program's: the program may still fail."""
    first, second = Script(BYTES, None, fails=CUT), Script(BYTES[::-1])
    found: list[bytes] = []

    def verify(stream: BinaryIO) -> None:
        found.append(stream.read(len(BYTES)))
        first.end()

    with spool(path, first, second) as arriving:
        arriving.start()
        arriving.finish(verify)

    assert found[-1] == path.read_bytes() == BYTES[::-1]


def test_leaving_ends_the_program_and_removes_the_part(path: Path) -> None:
    script = Script(BYTES, None)
    errors: list[BaseException] = []

    def wait(reader: BinaryIO) -> None:
        try:
            reader.read()
        except DownloadStopped as error:
            errors.append(error)

    with spool(path, script) as arriving:
        arriving.start()
        waiting = threading.Thread(target=wait, args=[arriving.reader()])
        waiting.start()
        assert path.with_name(f"{path.name}.part").stat().st_size == len(BYTES)

    waiting.join(20)
    assert script.left
    assert errors
    assert not there(path)


def test_a_dump_that_fails_its_verification_is_not_kept(path: Path) -> None:
    def refuse(_: BinaryIO) -> None:
        raise NotADump("it", "damaged")

    with spool(path, Script(BYTES)) as arriving:
        arriving.start()
        with pytest.raises(NotADump):
            arriving.finish(refuse)

    assert not there(path)


def test_two_runs_do_not_write_one_part(path: Path) -> None:
    script = Script(BYTES, None)
    with spool(path, script) as first:
        first.start()
        with spool(path, Script()) as second, pytest.raises(AlreadyRunning):
            second.start()
        script.end()
        first.finish(whole([]))

    assert path.read_bytes() == BYTES


def test_a_source_that_falls_silent_is_told_and_at_last_ended(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "FIRST", 0.01)
    # Time passes once the first bytes have come, a bit with each look at the clock.
    begun, passed = threading.Event(), count(0.1, 0.1)
    clock = SimpleNamespace(monotonic=lambda: next(passed) if begun.is_set() else 0.0)
    monkeypatch.setattr(silence, "time", clock)
    script, told = Script(BYTES, None), list[str]()
    with spool(path, script, notice=told.append, patience=0.5) as arriving:
        arriving.start()
        begun.set()
        with pytest.raises(SourceError, match=r"nothing has come .* given up"):
            arriving.finish(whole([]))

    assert script.ended.is_set()
    assert "shop: nothing has come for" in told[-1]
    assert there(path) == []
