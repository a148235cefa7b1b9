"""Tables that are analyzed while others arrive: whose statistics are the same then."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import BinaryIO

from databases import Postgres
from dbpull import archive
from dbpull.heroku.dump import PLATFORM
from dbpull.restore import check
from dbpull.restore.engine import Engine
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.readable import Listener
from dbpull.restore.sections import Restore
from dbpull.restore.selection import select
from dbpull.restore.statistics import analyze
from dbpull.shell.local import Local

EARLY = {("The \"A\" \\ 'b'", 'a "B" \\ :c'), ("public", "keyed")}
"""The schema and name of what is complete before the last rows have arrived."""
FILL = "(id, data) SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 4000) g;"
SOURCE = rf"""
CREATE SCHEMA "The ""A"" \ 'b'";
CREATE TABLE "The ""A"" \ 'b'"."a ""B"" \ :c" (id int, data text);
INSERT INTO "The ""A"" \ 'b'"."a ""B"" \ :c" {FILL}
CREATE INDEX expression ON "The ""A"" \ 'b'"."a ""B"" \ :c" (lower(data));
CREATE TABLE keyed (id int PRIMARY KEY, data text);
INSERT INTO keyed {FILL}
CREATE INDEX ON keyed (id, data);
CREATE FUNCTION short(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE TABLE called (id int, data text);
INSERT INTO called {FILL}
CREATE INDEX ON called (short(data));
CREATE TABLE extended (id int, data text);
INSERT INTO extended {FILL}
CREATE STATISTICS pair (dependencies) ON id, data FROM extended;
CREATE TABLE parent (id int, data text);
INSERT INTO parent {FILL}
CREATE TABLE child () INHERITS (parent);
INSERT INTO child {FILL}
CREATE TABLE parted (id int, data text) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9000);
INSERT INTO parted {FILL}
CREATE TABLE z (id int, data text);
INSERT INTO z {FILL}
"""
STATISTICS = """
SELECT schemaname, tablename, attname, inherited FROM pg_stats
WHERE schemaname <> 'pg_catalog' AND schemaname <> 'information_schema'
UNION ALL SELECT statistics_schemaname, tablename, statistics_name, false
FROM pg_stats_ext WHERE dependencies IS NOT NULL ORDER BY 1, 2, 3, 4;
"""
ANALYZED = """
SELECT count(*) FROM pg_class
WHERE oid >= 16384 AND pg_stat_get_last_analyze_time(oid) IS NOT NULL;
"""


class Arriving:
    """A dump whose last block waits until tables are analyzed."""

    def __init__(self, dump: Path, postgres: Postgres, dbname: str) -> None:
        self._bytes = dump.read_bytes()
        self._postgres, self._dbname = postgres, dbname
        self.contents = archive.read(self.open())
        self.total = len(self._bytes)

    def open(self) -> BinaryIO:
        return io.BytesIO(self._bytes)

    def walk(self, listener: Listener) -> None:
        blocks = archive.verify(self.open(), self.contents)
        tags = {entry.dump_id: entry.tag for entry in self.contents.entries}
        for block in sorted(blocks, key=lambda block: tags[block.dump_id] == "z"):
            if tags[block.dump_id] == "z":
                self._wait()
            listener.arrived(block)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while int(self._postgres.sql(self._dbname, ANALYZED)) < len(EARLY):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_complete_tables_are_analyzed_early_and_the_statistics_are_the_same(
    postgres: Postgres, tmp_path: Path
) -> None:
    source, dbname = postgres.database(SOURCE), postgres.database()
    postgres.sql(source, "ANALYZE;")
    dumped = Arriving(
        postgres.dump(source, tmp_path / "d", "-Fc", "-Z0"), postgres, dbname
    )
    facts = ServerFacts((), superuser=True)
    restore = Restore(
        Local(),
        postgres.program("pg_restore"),
        postgres.connection(dbname),
        tmp_path / "d",
        select(LeftOut(dumped.contents, facts, PLATFORM)),
        2,
        "the dump",
        psql=postgres.psql(dbname),
    )

    outcome = Engine(restore, Local(), dumped, lambda *_: None).run()

    assert outcome.analyzed >= EARLY
    assert outcome.analyzed - EARLY <= {("public", "z")}
    statements = check.look(postgres.psql(dbname), dbname).statements(outcome.analyzed)
    assert not [text for text in statements if "keyed" in text or "expression" in text]
    analyze(postgres.psql(dbname), dbname, statements, 2)
    assert postgres.sql(dbname, STATISTICS) == postgres.sql(source, STATISTICS)
    assert postgres.sql(dbname, STATISTICS).count("expression") == 1
