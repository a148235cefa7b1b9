"""The engine's threads: who tells what first must not matter; nothing is started."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from dbpull.archive import Archive, Block, Entry, Header
from dbpull.heroku.dump import PLATFORM
from dbpull.restore.engine import Engine
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.queue import LARGE
from dbpull.restore.readable import Listener
from dbpull.restore.selection import select
from dbpull.restore.watch import Outcome, Watch
from dbpull.shell import Result

HEADER = Header((1, 16, 0), "gzip", datetime(2026, 1, 1), "shop", "17", "17")


def entry(dump_id: int, desc: str, section: str, definition: str = "") -> Entry:
    rows, needs = section == "data", (1,) if dump_id > 1 else ()
    return Entry(
        dump_id, rows, 0, 0, f"of {dump_id}", desc, section,
        definition, "public", "", needs,
    )  # fmt: skip


ARCHIVE = Archive(
    HEADER,
    (
        entry(1, "TABLE", "pre-data"),
        entry(2, "TABLE DATA", "data"),
        entry(3, "INDEX", "post-data", "CREATE INDEX a ON b USING btree (c)"),
        entry(4, "INDEX", "post-data", "CREATE INDEX d ON b USING gin (c)"),
    ),
    100,
)


class Dump:
    """One whose only table is restored before the walk tells that it has arrived."""

    contents, total = ARCHIVE, 0

    def __init__(self) -> None:
        self.restored = threading.Event()

    def walk(self, listener: Listener) -> None:
        listener.large(2, 100)
        self.restored.wait(20)
        time.sleep(0.1)
        listener.arrived(Block(2, 100, 100 + LARGE * 10, "data"))


class Shell:
    """Each of its pg_restores is done at once."""

    def __init__(self, dump: Dump) -> None:
        self.begun: list[str] = []
        self._dump = dump

    def start_piped(self, *_: Any, listing: str, **__: Any) -> Any:
        self.begun.append(listing)
        return SimpleNamespace(wait=lambda _: self._end(listing), end=lambda: None)

    def _end(self, listing: str) -> None:
        if listing.split() == ["2;"]:
            self._dump.restored.set()


def restore(**more: Any) -> Any:
    return SimpleNamespace(
        selection=select(LeftOut(ARCHIVE, ServerFacts((), superuser=True), PLATFORM)),
        jobs=1,
        dump="shop.dump",
        psql=more.get("psql"),
        connection=SimpleNamespace(dbname="shop"),
        watch=Watch(),
        new_watch=Watch,
        piped_argv=list,
        environment=lambda _: {},
        refuse_failed=lambda *_, **__: None,
        defined=lambda: None,
        part=lambda *_: None,
        outcome=lambda: Outcome((), {}),
    )


def engine(shell: Any, dump: Any, psql: Any = None) -> Engine:
    return Engine(restore(psql=psql), shell, dump, lambda *_: None)


def test_keys_are_weighed_also_where_rows_were_in_before_it_was_told() -> None:
    dump = Dump()
    shell = Shell(dump)

    outcome = engine(shell, dump).run()

    assert outcome.sizes == {2: LARGE * 10}
    assert [int(one.split(";")[0]) for one in shell.begun] == [1, 2, 4, 3]


class Analysis:
    """A psql that goes on until it is ended, or has failed at once."""

    def __init__(self, *, fails: bool = False) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()
        self._fails = fails

    def start_piped(self, *_: Any, **__: Any) -> Analysis:
        self.begun.set()
        return self

    def wait(self, _: object) -> Result:
        assert self._fails or self.ended.wait(20)
        return Result((), 3, "", "")

    def end(self) -> None:
        self.ended.set()


class Arriving(Dump):
    """A dump that arrives, or breaks off, only when its table is being analyzed."""

    def __init__(self, psql: Analysis, error: Exception | None = None) -> None:
        super().__init__()
        self._psql, self._error = psql, error

    def walk(self, listener: Listener) -> None:
        listener.arrived(Block(2, 100, 100 + LARGE * 10, "data"))
        assert self._psql.begun.wait(20)
        if self._error:
            raise self._error


class LostError(Exception):
    """The network is gone."""


def test_a_restore_that_fails_ends_its_analyses() -> None:
    psql = Analysis()
    dump = Arriving(psql, LostError())

    with pytest.raises(LostError):
        engine(Shell(dump), dump, psql).run()

    assert psql.ended.is_set()


def test_a_table_whose_analysis_fails_is_left_to_the_end_where_that_is_told() -> None:
    psql = Analysis(fails=True)
    dump = Arriving(psql)

    outcome = engine(Shell(dump), dump, psql).run()

    assert psql.begun.is_set()
    assert outcome.analyzed == frozenset()
