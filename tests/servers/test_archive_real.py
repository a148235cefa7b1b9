"""Dumps of the real pg_dump, read by us and by the pg_restore of the same version."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databases import Postgres
from dbpull import archive
from dbpull.archive.from_folder import FolderFiles
from dbpull.errors.archive import BadDump, TruncatedDump

SHOP = """
CREATE SCHEMA heroku_ext;
CREATE EXTENSION citext WITH SCHEMA heroku_ext;
CREATE TABLE empty (id int);
CREATE TABLE huge (id int, body text);
INSERT INTO huge
  SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 40000) i;
CREATE TABLE "Käse ""und"" Brot" (id serial PRIMARY KEY, "größe" heroku_ext.citext);
INSERT INTO "Käse ""und"" Brot" ("größe")
  SELECT 'x' || i FROM generate_series(1, 999) i;
CREATE TABLE "new\nline" (id int);
CREATE VIEW small AS SELECT id FROM huge;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM huge;
CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
CREATE TABLE days
  (at date NOT NULL, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)
  PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO days (at, n)
  SELECT '2024-01-01'::date + i, i FROM generate_series(0, 700) i;
CREATE INDEX ON days (n);
COMMENT ON TABLE days IS 'one day each';
SELECT lo_from_bytea(0, 'a small large object');
SELECT lo_from_bytea(4000000000, convert_to(repeat('many', 50000), 'UTF8'));
SELECT lo_create(0);
DO $$ BEGIN FOR i IN 1..300 LOOP
  EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, body text)', i);
  EXECUTE format('INSERT INTO t%s SELECT g, md5(g::text) FROM generate_series(1, %s) g',
                 i, i % 7);
END LOOP; END $$;
"""
ENGLISH = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
# Never listed by pg_restore, which applies them by itself or leaves them to -C.
UNLISTED = {"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"}


@dataclass
class Cluster:
    """A database of a real server, filled with SHOP, and its dumps."""

    postgres: Postgres
    dbname: str
    folder: Path
    dumps: dict[tuple[str, ...], Path] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Of programs that speak English and are to find it."""
        return self.postgres.connection(self.dbname).environment() | ENGLISH

    def run(self, program: str, *args: str) -> str:
        done = subprocess.run(
            [self.postgres.program(program), *args],
            encoding="utf-8",
            capture_output=True,
            env=self.environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dump(self, *options: str, piped: bool = True) -> Path:
        """Dump with these options, through a pipe as Heroku does unless told not to."""
        key = (*options, str(piped))
        if key not in self.dumps:
            path = self.folder / f"{len(self.dumps)}.dump"
            argv = [self.postgres.program("pg_dump"), "-Fc", *options]
            argv += [] if piped else ["-f", str(path)]
            done = subprocess.run(
                argv, capture_output=True, env=self.environment, check=True
            )
            if piped:
                path.write_bytes(done.stdout)
            self.dumps[key] = path
        return self.dumps[key]


@pytest.fixture(scope="module")
def cluster(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    folder = tmp_path_factory.mktemp("archive")
    return Cluster(postgres, postgres.database(SHOP), folder)


COMPRESSIONS = [
    pytest.param((), "gzip", id="gzip"),
    pytest.param(("-Z0",), "none", id="none"),
]
FEW_TABLES = ("-t", "huge", "-t", "empty", "-t", "days*")
HEROKU = ("--no-acl", "--no-owner", "--quote-all-identifiers", "-N", "heroku_ext")


@pytest.mark.parametrize(("options", "compression"), COMPRESSIONS)
def test_a_dump_is_whole_and_says_how_it_is_compressed(
    cluster: Cluster, options: tuple[str, ...], compression: str
) -> None:
    with cluster.dump(*options).open("rb") as dump:
        contents = archive.read(dump)
        blocks = archive.verify(dump, contents)

    assert contents.header.compression == compression
    assert contents.header.dbname == cluster.dbname
    assert {b.dump_id for b in blocks} == {e.dump_id for e in contents.with_data}
    assert any(block.kind == "large objects" for block in blocks)
    assert blocks[0].start == contents.data_start
    assert blocks[-1].end == cluster.dump(*options).stat().st_size


@pytest.mark.parametrize(("options", "compression"), COMPRESSIONS)
def test_a_dump_of_a_folder_holds_the_same(
    cluster: Cluster, tmp_path: Path, options: tuple[str, ...], compression: str
) -> None:
    """Also where its blocks are in another order."""
    folder, path = tmp_path / "folder", tmp_path / "x.dump"
    cluster.run("pg_dump", "-Fd", "-j2", "-f", str(folder), *options)
    files = FolderFiles(folder)
    with path.open("wb") as made:
        made.write(files.front())
        with path.open("rb") as front:
            last = archive.read(front).with_data[-1].dump_id
        for piece in (*files.block(last), *files.block(last), *files.rest()):
            made.write(piece)

    with path.open("rb") as dump:
        contents = archive.read(dump)
        blocks = archive.verify(dump, contents)
    assert contents.header.compression == compression
    assert blocks[0].dump_id == last
    assert blocks[-1].end == path.stat().st_size
    assert [file.name for file in folder.iterdir()] == ["toc.dat"]
    assert restored(cluster, path) == restored(cluster, cluster.dump(*options))


def restored(cluster: Cluster, path: Path) -> list[str]:
    """What pg_restore makes of a dump, without its comments and random words."""
    lines = cluster.run("pg_restore", "-f", "-", str(path)).splitlines()
    return [line for line in lines if not line.startswith(("--", "\\"))]


@pytest.mark.parametrize("options", [(), HEROKU], ids=["plain", "as Heroku"])
@pytest.mark.parametrize("piped", [True, False])
def test_the_table_of_contents_is_pg_restores(
    cluster: Cluster, options: tuple[str, ...], piped: bool
) -> None:
    path = cluster.dump(*options, piped=piped)
    with path.open("rb") as dump:
        contents = archive.read(dump)

    listed = cluster.run("pg_restore", "-l", "-v", str(path)).splitlines()
    lines = [line for line in listed if line and not line.startswith(";")]
    dependencies = [line for line in listed if line.startswith(";\tdepends on:")]

    assert [entry.line for entry in contents.entries] == lines
    assert [
        ";\tdepends on: " + " ".join(map(str, entry.dependencies))
        for entry in contents.entries
        if entry.dependencies
    ] == dependencies
    assert f";     TOC Entries: {len(contents.entries)}" in listed
    major, minor, _ = contents.header.version
    assert f";     Dump Version: {major}.{minor}-0" in listed
    assert f";     Dumped by pg_dump version: {contents.header.dump_version}" in listed
    assert (
        f";     Dumped from database version: {contents.header.server_version}"
        in listed
    )
    assert f"; Archive created at {contents.header.created} UTC" in listed


@pytest.mark.parametrize("section", ["pre-data", "data", "post-data"])
def test_sections_are_pg_restores(cluster: Cluster, section: str) -> None:
    path = cluster.dump()
    with path.open("rb") as dump:
        contents = archive.read(dump)

    listed = cluster.run("pg_restore", "-l", f"--section={section}", str(path))
    listed_ids = {
        int(line.split(";")[0]) for line in listed.splitlines() if line[:1] != ";"
    }

    ours = {e.dump_id for e in contents.entries if e.section == section}
    special = {e.dump_id for e in contents.entries if e.desc in UNLISTED}
    comments = {e.dump_id for e in contents.entries if e.section == "none"}
    assert ours - special == listed_ids - comments


def test_a_block_holds_what_the_seekable_dump_says(cluster: Cluster) -> None:
    """A dump written to a file has its offsets in the TOC; its blocks lie there."""
    path = cluster.dump(piped=False)
    with path.open("rb") as dump:
        contents = archive.read(dump)
        blocks = archive.verify(dump, contents)
        dump.seek(0)
        head = dump.read(contents.data_start)

    for block in blocks:
        assert b"\x02" + block.start.to_bytes(8, "little") in head


def test_heroku_ext_is_known_to_be_missing(cluster: Cluster) -> None:
    with cluster.dump(*HEROKU).open("rb") as dump:
        as_heroku = archive.read(dump)
    with cluster.dump().open("rb") as dump:
        whole = archive.read(dump)

    assert as_heroku.missing_schemas == {"heroku_ext"}
    assert as_heroku.extensions == (archive.Extension("citext", "heroku_ext"),)
    assert whole.missing_schemas == frozenset()


@pytest.mark.parametrize("options", [("--schema-only",), ("-t", "empty")])
def test_a_dump_of_little_is_whole(cluster: Cluster, options: tuple[str, ...]) -> None:
    with cluster.dump(*options).open("rb") as dump:
        contents = archive.read(dump)

        assert len(archive.verify(dump, contents)) == len(contents.with_data)


def test_pg_restore_takes_our_lines_as_a_list(cluster: Cluster) -> None:
    path, listed = cluster.dump(), cluster.folder / "one.list"
    with path.open("rb") as dump:
        entries = archive.read(dump).entries
    kept = [e for e in entries if e.desc in {"TABLE", "TABLE DATA"} and e.tag == "huge"]
    listed.write_text("".join(f"{entry.line}\n" for entry in kept), "utf-8")

    taken = cluster.run("pg_restore", "-l", "-L", str(listed), str(path)).splitlines()

    assert [line for line in taken if line[:1] not in (";", "")] == [
        e.line for e in kept
    ]


def read_all(data: bytes) -> None:
    stream = io.BytesIO(data)
    archive.verify(stream, archive.read(stream))


@pytest.mark.parametrize("options", [(), ("-Z0",)], ids=["gzip", "none"])
def test_cut_anywhere_it_is_never_taken_for_whole(
    cluster: Cluster, options: tuple[str, ...]
) -> None:
    whole = cluster.dump(*options, "-b", *FEW_TABLES).read_bytes()
    start = archive.read(io.BytesIO(whole)).data_start
    step = max(1, len(whole) // 300)
    ends = {*range(1, 40), *range(40, len(whole), step), *range(start - 9, start + 20)}
    ends |= set(range(len(whole) - 20, len(whole)))

    for end in ends:
        with pytest.raises(TruncatedDump) as caught:
            read_all(whole[:end])
        assert caught.value.offset == end


def test_contents_that_are_written_twice_are_no_damage(cluster: Cluster) -> None:
    """What pg_dump 16 and newer write where their stdout is a file (`>`, `>>`)."""
    path = cluster.folder / "twice.dump"
    argv = [cluster.postgres.program("pg_dump"), "-Fc", *FEW_TABLES]
    for _ in range(2):
        with path.open("ab") as file:
            subprocess.run(argv, stdout=file, env=cluster.environment, check=True)
    once = cluster.dump(*FEW_TABLES)

    with path.open("rb") as file, once.open("rb") as piped:
        blocks = archive.verify(file, contents := archive.read(file))
        assert blocks == archive.verify(piped, archive.read(piped))
    assert path.stat().st_size > 2 * once.stat().st_size
    script = cluster.run("pg_restore", "-f", "-", str(path))
    assert script.count("COPY ") == len(contents.with_data)


def test_cut_between_two_blocks_the_missing_table_is_named(cluster: Cluster) -> None:
    whole = cluster.dump("-t", "days_1", "-t", "days_2").read_bytes()
    stream = io.BytesIO(whole)
    first, _second = archive.verify(stream, archive.read(stream))

    with pytest.raises(TruncatedDump, match=r"1 blocks are missing.*public\.days_2"):
        read_all(whole[: first.end])


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_flipped_bytes_of_the_structure_are_answered_in_words(
    cluster: Cluster, data: st.DataObject
) -> None:
    whole = bytearray(cluster.dump("-Z0", "-b", *FEW_TABLES[2:]).read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))

    with contextlib.suppress(BadDump):
        read_all(bytes(whole))


def test_other_formats_of_pg_dump_are_named(cluster: Cluster, tmp_path: Path) -> None:
    cluster.run("pg_dump", "-Fd", "-f", str(tmp_path / "folder"), "-t", "empty")
    cluster.run("pg_dump", "-Ft", "-f", str(tmp_path / "tar"), "-t", "empty")
    cluster.run("pg_dump", "-Fp", "-f", str(tmp_path / "sql"), "-t", "empty")

    for path, said in [
        ("folder/toc.dat", "directory or tar dump"),
        ("tar", "tar file"),
        ("sql", "plain SQL"),
    ]:
        with pytest.raises(BadDump, match=said), (tmp_path / path).open("rb") as file:
            archive.read(file)
