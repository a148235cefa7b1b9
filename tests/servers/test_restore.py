"""Dumps on their way into real databases: whole, in part, in place, and failing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from databases import BEFORE_17, FOLDERS, NO_OLD, Postgres, served
from dbpull import archive
from dbpull.embedded import postmaster
from dbpull.errors.postgres import SqlFailed
from dbpull.errors.restore import Incomplete, RestoreFailed
from dbpull.heroku.dump import PLATFORM
from dbpull.restore import check
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.schemas import create_missing
from dbpull.restore.sections import Restore
from dbpull.restore.selection import Selection, select
from dbpull.restore.statistics import analyze
from dbpull.restore.watch import Outcome
from dbpull.shell.local import Local
from lacking import or_skipped

SHOP = """
CREATE SCHEMA heroku_ext;
CREATE EXTENSION citext WITH SCHEMA heroku_ext;
CREATE SCHEMA "Über";
COMMENT ON SCHEMA "Über" IS 'with an umlaut';
CREATE TYPE "Über".mood AS ENUM ('sad', 'ok');

CREATE TABLE "Über"."Die ""A""-Kunden" (
  id serial PRIMARY KEY, "E-Mail" heroku_ext.citext UNIQUE, mood "Über".mood,
  favourite int, extra jsonb DEFAULT '{"a": "\\\\"}'
);
COMMENT ON TABLE "Über"."Die ""A""-Kunden" IS 'who buys';
COMMENT ON COLUMN "Über"."Die ""A""-Kunden"."E-Mail" IS E'two\\nlines; and ''quotes''';
INSERT INTO "Über"."Die ""A""-Kunden" ("E-Mail", mood, favourite)
  SELECT 'Nr' || i || E'@\\t\\\\.\\n', 'ok', i FROM generate_series(1, 300) i;

CREATE TABLE articles (id int PRIMARY KEY, name text, owner int, parent int);
INSERT INTO articles SELECT i, repeat('ä', i), i, i - 1 FROM generate_series(1, 300) i;
UPDATE articles SET parent = NULL WHERE id = 1;
-- A circle of two tables, and a table that refers to itself.
ALTER TABLE articles ADD CONSTRAINT owned FOREIGN KEY (owner)
  REFERENCES "Über"."Die ""A""-Kunden" DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "Über"."Die ""A""-Kunden" ADD FOREIGN KEY (favourite) REFERENCES articles;
ALTER TABLE articles ADD FOREIGN KEY (parent) REFERENCES articles;
CREATE INDEX "by name" ON articles (lower(name)) WHERE id > 10;
COMMENT ON INDEX "by name" IS 'a partial one';
COMMENT ON CONSTRAINT owned ON articles IS 'deferred';

-- Its trigger must not fire on the rows of the dump.
CREATE TABLE orders (at date, total int) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders
  FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE orders_2 PARTITION OF orders
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO orders SELECT '2024-01-01'::date + i, i FROM generate_series(1, 700) i;
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.total := -1; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER spoil BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION spoil();
COMMENT ON TRIGGER spoil ON articles IS 'never on a restore';
CREATE INDEX ON orders (total);

CREATE VIEW sums AS SELECT at, sum(total) AS total FROM orders GROUP BY at;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n, sum(total) FROM sums;
CREATE UNIQUE INDEX ON totals (n);
CREATE RULE quiet AS ON DELETE TO articles DO INSTEAD NOTHING;
CREATE TABLE audit (id int, at timestamptz DEFAULT now());
INSERT INTO audit SELECT generate_series(1, 50);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON audit USING (id > 1);
CREATE STATISTICS pair (dependencies) ON id, owner FROM articles;
SELECT lo_from_bytea(4711, 'large'), setval('"Über"."Die ""A""-Kunden_id_seq"', 4000);
COMMENT ON LARGE OBJECT 4711 IS 'a picture';
"""
MARK = "CREATE TABLE mark (of text); INSERT INTO mark VALUES ('as it was');"


class Progress:
    """Takes the progress of each phase."""

    def __init__(self, at: Callable[[str], object] = lambda _: None) -> None:
        self.phases: dict[str, list[tuple[int, int | None]]] = {}
        self._at = at

    def __call__(self, unit: str) -> Callable[[int, int | None], None]:
        self._at(unit)
        told = self.phases.setdefault(unit, [])
        return lambda done, total: told.append((done, total))


def selected(postgres: Postgres, dump: Path, *skip: str) -> Selection:
    with dump.open("rb") as file:
        contents = archive.read(file)
    creatable = postgres.state("postgres").extensions
    server = ServerFacts(creatable, superuser=True)
    return select(LeftOut(contents, server, PLATFORM), skip)


def restorer(
    postgres: Postgres, dump: Path, dbname: str, *skip: str, jobs: int = 2
) -> Restore:
    """What restores a dump into a database; heroku_ext is there already."""
    with dump.open("rb") as file:
        missing = archive.read(file).missing_schemas
    create_missing(postgres.psql(dbname), dbname, missing)
    return Restore(
        Local(),
        postgres.program("pg_restore"),
        postgres.connection(dbname),
        dump,
        selected(postgres, dump, *skip),
        jobs,
        "the dump",
    )


def restored(postgres: Postgres, dump: Path, *skip: str, jobs: int = 2) -> str:
    """A new database with what is in a dump; its name."""
    dbname = postgres.database()
    restorer(postgres, dump, dbname, *skip, jobs=jobs).run(Progress())
    return dbname


def failure(postgres: Postgres, script: str, tmp_path: Path, jobs: int = 1) -> str:
    """What is told where the dump of such a database is restored."""
    dump = postgres.dump(postgres.database(script), tmp_path / "bad.dump")
    with pytest.raises(RestoreFailed) as caught:
        restored(postgres, dump, jobs=jobs)
    return str(caught.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dumps")


@pytest.fixture(scope="module")
def source(postgres: Postgres) -> str:
    return postgres.database(SHOP)


@pytest.fixture(scope="module")
def dump(postgres: Postgres, source: str, folder: Path) -> Path:
    return postgres.dump(source, folder / f"{postgres.major}.dump")


@pytest.fixture(scope="module")
def reference(postgres: Postgres, dump: Path) -> str:
    """What a plain pg_restore, one item after the other, makes of it."""
    dbname = postgres.database("CREATE SCHEMA heroku_ext")
    argv = [
        postgres.program("pg_restore"),
        "--no-owner",
        "--no-acl",
        "-d",
        dbname,
        str(dump),
    ]
    env = postgres.connection(dbname).environment()
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return postgres.picture(dbname)


# Whole


def test_the_reference_is_the_source(
    postgres: Postgres, source: str, reference: str
) -> None:
    assert reference == postgres.picture(source)
    assert "COMMENT ON" in reference
    assert "lo_create" in reference


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_restored_database_is_what_a_plain_pg_restore_makes_and_lacks_are_named(
    postgres: Postgres, dump: Path, reference: str, jobs: int
) -> None:
    dbname, progress = postgres.database(), Progress()

    restore = restorer(postgres, dump, dbname, jobs=jobs)
    outcome = restore.run(progress)

    assert postgres.picture(dbname) == reference
    assert outcome.harmless == ()
    check.look(postgres.psql(dbname), dbname).refuse_incomplete(restore.selection)
    analyzed(postgres, dbname, 2)
    tables = {table.dump_id for table in restore.selection.tables}
    assert jobs == 1 or tables & set(outcome.seconds)
    assert_progress_ends_at_its_total(progress, jobs)
    refuses_what_is_missing(postgres, dbname, restore.selection)


def assert_progress_ends_at_its_total(progress: Progress, jobs: int) -> None:
    """Of tables, and of indexes."""
    assert list(progress.phases) == [
        "definitions",
        "tables and sequences",
        "keys, indexes and the like",
    ]
    for unit in ("tables and sequences", "keys, indexes and the like"):
        told = progress.phases[unit]
        done, total = zip(*told, strict=True)
        assert set(total) == {done[-1]}
        assert list(done) == sorted(set(done))
        assert jobs > 1 or list(done) == list(range(1, total[0] + 1))


def refuses_what_is_missing(
    postgres: Postgres, dbname: str, selection: Selection
) -> None:
    """By name, once some of it is gone."""
    postgres.sql(dbname, 'DROP MATERIALIZED VIEW totals; DROP INDEX "by name";')
    with pytest.raises(Incomplete) as caught:
        check.look(postgres.psql(dbname), dbname).refuse_incomplete(selection)

    assert "MATERIALIZED VIEW public.totals" in str(caught.value)
    assert "INDEX public.by name" in str(caught.value)


@pytest.mark.parametrize("postgres", or_skipped(BEFORE_17, NO_OLD), indirect=True)
def test_a_setting_that_only_a_newer_pg_restore_knows_is_harmless(
    postgres_18: Postgres, postgres: Postgres, dump: Path, reference: str
) -> None:
    dbname = postgres.database()
    restore = restorer(postgres, dump, dbname)
    newer = replace(restore, program=postgres_18.program("pg_restore"))

    outcome = newer.run(Progress())

    assert outcome.harmless == ("transaction_timeout",)
    assert postgres.picture(dbname) == reference


# In part


@pytest.mark.parametrize("postgres", ["wheel"], indirect=True)
def test_skipped_rows_leave_their_tables_empty_and_all_else_as_it_was(
    postgres: Postgres, dump: Path
) -> None:
    dbname = restored(postgres, dump, "audit", "public.orders_*")

    counts = "SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM orders),"
    assert (
        postgres.sql(dbname, f"{counts} (SELECT count(*) FROM articles)") == "0|0|300"
    )
    assert postgres.sql(dbname, "SELECT n FROM totals") == "0"


def test_what_heroku_put_into_a_database_is_left_out(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    source = postgres_18.database(
        """CREATE SCHEMA _heroku;
        COMMENT ON SCHEMA _heroku IS 'not yours';
        CREATE FUNCTION _heroku.log() RETURNS event_trigger LANGUAGE plpgsql
          AS $$ BEGIN END $$;
        COMMENT ON FUNCTION _heroku.log() IS 'nor this';
        CREATE EVENT TRIGGER log_create_ext ON ddl_command_end
          EXECUTE FUNCTION _heroku.log();
        COMMENT ON EVENT TRIGGER log_create_ext IS 'nor this';
        CREATE PUBLICATION p; CREATE EXTENSION hstore;
        CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p
          WITH (connect = false);
        COMMENT ON SUBSCRIPTION s IS 'would replicate';
        CREATE TABLE _heroku_like (id int); COMMENT ON TABLE _heroku_like IS 'yours';"""
    )
    dump = postgres_18.dump(source, tmp_path / "heroku.dump")
    postgres_18.sql(
        source,
        "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s;",
    )

    dbname = restored(postgres_18, dump)

    told = postgres_18.picture(dbname)
    assert "_heroku." not in told
    assert "EVENT TRIGGER" not in told
    assert "SUBSCRIPTION" not in told
    assert "COMMENT ON TABLE public._heroku_like IS 'yours'" in told
    reasons = " ".join(selected(postgres_18, dump).left_out)
    assert "Heroku's own schema _heroku (4)" in reasons
    assert "Heroku's own event triggers (1)" in reasons
    assert "subscriptions, which would replicate into the copy (2)" in reasons


# Failing


def test_a_failing_row_is_named(postgres: Postgres, tmp_path: Path) -> None:
    told = failure(
        postgres,
        """CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE TABLE "Käse" (id int CHECK (fine(id)));
        INSERT INTO "Käse" VALUES (1), (2);
        CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE sql
          AS 'SELECT $1 <> 2';""",
        tmp_path,
        jobs=2,
    )

    assert 'violates check constraint "Käse_id_check"' in told
    assert "Restoring failed at TABLE DATA Käse: " in told
    assert "line 2" in told
    assert "`invoke db.restore` tries again" in told


def test_a_failing_unique_index_is_named(postgres: Postgres, tmp_path: Path) -> None:
    told = failure(
        postgres,
        """CREATE FUNCTION key(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
        CREATE TABLE t (id int);
        CREATE UNIQUE INDEX only_once ON t (key(id));
        INSERT INTO t VALUES (1), (2);
        CREATE OR REPLACE FUNCTION key(int) RETURNS int IMMUTABLE LANGUAGE sql
          AS 'SELECT 0';""",
        tmp_path,
        jobs=2,
    )

    assert "Restoring failed at INDEX only_once: " in told
    assert 'could not create unique index "only_once"' in told


def test_a_failing_foreign_key_is_named(postgres: Postgres, tmp_path: Path) -> None:
    told = failure(
        postgres,
        """CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);
        SET session_replication_role = replica;
        INSERT INTO b VALUES (7);""",
        tmp_path,
    )

    assert "Restoring failed at FK CONSTRAINT b b_a_fkey: " in told
    assert "violates foreign key constraint" in told
    assert "skip_data" in told


@pytest.mark.parametrize("postgres", ["wheel"], indirect=True)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_dump_that_was_cut_off_is_not_taken_for_whole(
    postgres: Postgres, dump: Path, tmp_path: Path, jobs: int
) -> None:
    cut = tmp_path / "cut.dump"
    with dump.open("rb") as file:
        begin = archive.read(file).data_start
    data = dump.read_bytes()
    cut.write_bytes(data[: begin + (len(data) - begin) // 2])

    with pytest.raises(RestoreFailed, match="end of file"):
        restored(postgres, cut, jobs=jobs)


def test_a_server_that_dies_during_the_restore_is_told(tmp_path: Path) -> None:
    with served(FOLDERS["wheel"]) as server:
        dump = server.dump(server.database(SHOP), tmp_path / "shop.dump")
        running = postmaster.find(server.server.data)
        assert running

        def die(unit: str) -> None:
            if unit == "tables and sequences":
                os.kill(running.pid, signal.SIGQUIT)

        restore = restorer(server, dump, server.database())
        with pytest.raises(RestoreFailed, match="Restoring failed at"):
            restore.run(Progress(die))
        # Nobody else waits for a child that was not stopped in order.
        postmaster._started[running.pid].wait()


def test_a_role_that_may_not_is_told_with_the_object(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    source = postgres_18.database("CREATE EXTENSION pageinspect; CREATE TABLE t ();")
    dump = postgres_18.dump(source, tmp_path / "x.dump")
    role = postgres_18.role()
    dbname = postgres_18.database(options=f"OWNER {role}")
    restore = Restore(
        Local(),
        postgres_18.program("pg_restore"),
        postgres_18.connection(dbname, role),
        dump,
        selected(postgres_18, dump),
        1,
        "the dump",
    )

    with pytest.raises(RestoreFailed, match="EXTENSION pageinspect: permission denied"):
        restore.run(Progress())


# In place


def in_place(
    postgres: Postgres, dump: Path, dbname: str, *, at_once: bool = True
) -> Outcome:
    restore = restorer(postgres, dump, dbname)
    return restore.run_in_place(Progress(), at_once=at_once)


def test_in_place_the_databases_own_tables_are_replaced(
    postgres: Postgres, source: str, dump: Path, reference: str
) -> None:
    dbname = postgres.database(MARK, options=f"TEMPLATE {source}")
    postgres.sql(dbname, "TRUNCATE articles CASCADE; DROP TABLE audit CASCADE")

    outcome = in_place(postgres, dump, dbname)

    assert outcome.harmless == ()
    assert postgres.sql(dbname, "SELECT of FROM mark") == "as it was"
    postgres.sql(dbname, "DROP TABLE mark")
    assert postgres.picture(dbname) == reference


BAD_FK = """
CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);
SET session_replication_role = replica;
INSERT INTO b VALUES (7);
"""


def test_in_place_at_once_a_failure_leaves_everything_as_it_was(
    postgres: Postgres, tmp_path: Path
) -> None:
    dump = postgres.dump(postgres.database(BAD_FK), tmp_path / "bad.dump")
    dbname = postgres.database("CREATE TABLE a (mine text); CREATE TABLE c ();")
    before = postgres.picture(dbname)

    with pytest.raises(RestoreFailed, match="FK CONSTRAINT b b_a_fkey"):
        in_place(postgres, dump, dbname)

    assert postgres.picture(dbname) == before


def test_in_place_not_at_once_a_failure_leaves_what_was_done(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    dump = postgres_18.dump(postgres_18.database(BAD_FK), tmp_path / "bad.dump")
    dbname = postgres_18.database()

    with pytest.raises(RestoreFailed, match="FK CONSTRAINT b b_a_fkey"):
        in_place(postgres_18, dump, dbname, at_once=False)

    assert postgres_18.sql(dbname, "SELECT a FROM b") == "7"


@pytest.mark.parametrize("postgres", or_skipped(BEFORE_17, NO_OLD), indirect=True)
def test_in_place_with_a_newer_pg_restore_is_not_at_once_but_works(
    postgres_18: Postgres, postgres: Postgres, source: str, dump: Path, reference: str
) -> None:
    dbname = postgres.database(options=f"TEMPLATE {source}")
    restore = restorer(postgres, dump, dbname)
    newer = replace(restore, program=postgres_18.program("pg_restore"))

    outcome = newer.run_in_place(Progress(), at_once=False)

    assert outcome.harmless == ("transaction_timeout",)
    assert postgres.picture(dbname) == reference


def analyzed(postgres: Postgres, dbname: str, sessions: int) -> None:
    """Analyze a database as after its restore."""
    psql = postgres.psql(dbname)
    analyze(psql, dbname, check.look(psql, dbname).statements(), sessions)


def test_what_analyze_says_is_heard_and_what_fails_is_told(postgres: Postgres) -> None:
    # More than a pipe holds; both when a table is analyzed, not when its rows come.
    dbname = postgres.database("""
SELECT format('ALTER DATABASE %I SET synchronous_commit = on', current_database())
\\gexec
CREATE FUNCTION loud(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('application_name') = 'dbpull: ANALYZE' THEN
      ASSERT current_setting('synchronous_commit') = 'off';
    END IF;
    RAISE INFO '%', repeat('x', 100); RETURN $1;
  END $$;
CREATE TABLE loud (id int);
CREATE INDEX ON loud (loud(id));
INSERT INTO loud SELECT generate_series(1, 3000);
""")
    known = "SELECT count(*) FROM pg_stats WHERE tablename = 'loud';"

    analyzed(postgres, dbname, 2)

    assert postgres.sql(dbname, known) == "1"
    postgres.sql(
        dbname,
        """
CREATE OR REPLACE FUNCTION loud(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RAISE 'not today'; END $$;
""",
    )
    with pytest.raises(SqlFailed, match=r"ANALYZE failed.*loud\(integer\) raised an"):
        analyzed(postgres, dbname, 2)


@pytest.mark.parametrize("sessions", [1, 2])
def test_of_the_catalogs_those_that_have_changed_are_analyzed(
    postgres: Postgres, sessions: int
) -> None:
    dbname = postgres.database("""
CREATE VIEW analyzed AS SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
  WHERE relname IN ('few', 'pg_proc', 'pg_attribute', 'sql_features')
    AND pg_stat_get_last_analyze_time(oid) IS NOT NULL;
CREATE TABLE few (id int);
SELECT format('CREATE TABLE t%s (a int, b int, c int, d int, e int, f int)', i)
  FROM generate_series(1, 100) i \\gexec
""")

    analyzed(postgres, dbname, sessions)

    assert postgres.sql(dbname, "TABLE analyzed;") == "few pg_attribute"
