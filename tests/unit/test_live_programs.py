"""The client programs for a live source, and the command of its pg_dump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from dbpull.errors.live import LiveError
from dbpull.errors.postgres import MissingProgram
from dbpull.live import pg_dump, url
from dbpull.live.server import LiveServer
from dbpull.live.tables import SourceTable, SourceTables
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.programs import Program
from dbpull.shell import Result
from dbpull.shell.local import Local

FACTS = LiveServer(16, "16.4", "1", True, "shop", "reader", False, 1000, False)
WHEEL = Program("/wheel/bin/pg_dump", 18, embedded=True)


def own(major: int, name: str = "pg_dump") -> Program:
    return Program(f"/usr/lib/postgresql/{major}/bin/{name}", major)


def connection(options: str = "", host: str = "db.example.com") -> Connection:
    return url.read(f"postgres://u:s3cret@{host}/shop?{options}", "a test").connection


@pytest.mark.parametrize(
    ("options", "psql", "pg_dumps"),
    [
        ("", own(15), [own(17), own(15), WHEEL]),
        ("sslmode=prefer", own(15), [own(17), own(15), WHEEL]),
        ("sslmode=require", own(15), [own(17), own(15)]),
        ("sslmode=verify-full", own(15), [own(17), own(15)]),
        ("channel_binding=require", own(15), [own(17), own(15)]),
    ],
)
def test_programs_with_tls_come_first(
    options: str,
    psql: Program,
    pg_dumps: list[Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {"psql": [WHEEL, own(15)], "pg_dump": [WHEEL, own(15), own(17)]}
    monkeypatch.setattr(programs, "find", lambda _, name: there[name])

    found = pg_dump.clients(Local(), connection(options))

    assert (found.psql, list(found.pg_dumps)) == (psql, pg_dumps)


def test_embedded_programs_alone_are_refused_where_tls_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "find", lambda *_: [WHEEL])

    assert pg_dump.clients(Local(), connection()).psql == WHEEL
    with pytest.raises(LiveError, match="TLS") as caught:
        pg_dump.clients(Local(), connection("sslmode=require"))
    assert "postgresql-client" in caught.value.remedy


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        programs, "find", lambda _, name: [WHEEL] if name == "psql" else []
    )

    with pytest.raises(MissingProgram, match="pg_dump"):
        pg_dump.clients(Local(), connection())


@pytest.mark.parametrize(
    ("found", "server", "host", "chosen"),
    [
        ([own(17), own(15), WHEEL], FACTS, "db", own(17)),
        ([own(15), WHEEL], FACTS, "db", WHEEL),
        ([own(15), WHEEL], replace(FACTS, is_encrypted=True), "localhost", WHEEL),
        ([own(15), WHEEL], replace(FACTS, is_encrypted=True), "db", None),
        ([own(15)], FACTS, "db", None),
    ],
)
def test_a_pg_dump_is_not_older_than_the_server(
    found: list[Program], server: LiveServer, host: str, chosen: Program | None
) -> None:
    def choose() -> Program:
        return pg_dump.pg_dump_for(found, server, connection(host=host))

    if chosen:
        assert choose() == chosen
    else:
        with pytest.raises(LiveError, match="PostgreSQL 16, which no pg_dump"):
            choose()


def test_a_command_has_no_password_and_names_tables_exactly() -> None:
    table = SourceTable("1", "r", ('a"b', "c.*"), "", True, True, False)

    others = [replace(table, name=("d", f"e{number}")) for number in range(501)]
    argv = pg_dump.argv(own(17), connection(), [others[0], table, *others[1:]])

    assert '--exclude-table-data="a""b"."c.*"' in argv
    assert [word.count("|") for word in argv if '="d".' in word] == [499, 0]
    assert "--no-owner --no-acl" in " ".join(argv)
    assert "--compress=1" in argv
    assert "s3cret" not in " ".join(argv)


@dataclass
class Builds:
    """A shell at the process boundary: what each pg_dump can pack."""

    packs: Mapping[str, Sequence[str]]
    environ: Mapping[str, str] = field(default_factory=dict)

    def run(self, argv: Sequence[str], **_: object) -> Result:
        way = argv[2].removeprefix("--compress=")
        able = way in self.packs[argv[0]]
        said = "connection to server failed" if able else "this build does not support"
        return Result(tuple(argv), 1, "", f"pg_dump: error: {said}")


@pytest.mark.parametrize(
    ("packs", "pg_dump_major", "readers", "chosen"),
    [
        ({17: ("zstd:1", "lz4")}, 17, [17, 15], "zstd:1"),
        ({17: ("lz4",)}, 17, [17], "lz4"),
        ({17: ()}, 17, [17], ""),
        ({17: ("zstd:1",), 18: ("lz4",)}, 17, [17, 18], ""),
        ({15: ("zstd:1",)}, 15, [15], ""),
        ({17: ("zstd:1",)}, 17, [15], ""),
    ],
)
def test_the_compression_is_one_that_all_have(
    packs: dict[int, Sequence[str]], pg_dump_major: int, readers: list[int], chosen: str
) -> None:
    shell = Builds({own(major).path: ways for major, ways in packs.items()})
    restores = [own(major, "pg_restore") for major in readers]
    embedded = Program("/wheel/bin/pg_restore", 18, embedded=True)

    found = pg_dump.compression(
        shell,  # type: ignore[arg-type]
        own(pg_dump_major),
        [*restores, embedded],
    )

    assert found == chosen


def table(name: str, oid: str = "1", parent: str = "", kind: str = "r") -> SourceTable:
    schema, _, bare = name.partition(".")
    return SourceTable(oid, kind, (schema, bare), parent, True, True, False)


@pytest.mark.parametrize(
    ("patterns", "left_out"),
    [
        ([], []),
        (["log"], ["public.log", "audit.log_1", "audit.log_1_a"]),
        (["audit.log"], ["audit.log_1", "audit.log_1_a"]),
        (["log_?"], ["audit.log_1", "audit.log_1_a"]),
        (["*_a"], ["audit.log_1_a"]),
        (["audit.*"], ["audit.log_1", "audit.log_1_a"]),
        (["LOG", "public"], []),
    ],
)
def test_rows_are_left_out_as_a_restore_skips_them(
    patterns: list[str], left_out: list[str]
) -> None:
    """A partitioned table has no rows of its own: it stands for its partitions."""
    tables = SourceTables(
        (
            table("public.log"),
            table("audit.log", "2", kind="p"),
            table("audit.log_1", "3", "2"),
            table("audit.log_1_a", "4", "3"),
            table("audit.log_seq", "5", kind="S"),
        ),
        patterns,
    )

    assert [each.shown for each in tables.without_rows] == left_out


@pytest.mark.parametrize(
    ("wanted", "spare", "connections"),
    [(4, 90, 4), (4, 10, 4), (4, 9, 3), (2, 90, 2), (1, 90, 1), (4, 3, 1), (4, 0, 1)],
)
def test_half_of_the_free_sessions_stay_free(
    wanted: int, spare: int, connections: int
) -> None:
    assert replace(FACTS, spare=spare).connections(wanted) == connections
