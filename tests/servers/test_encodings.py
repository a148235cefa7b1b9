"""Names in other encodings than UTF-8: in dumps, in servers, and for Python itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from choices import in_turn
from databases import AS_HEROKU, FOLDERS, Postgres
from projects import Project

ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
STREET = """
CREATE SCHEMA "Größe";
CREATE TABLE "Größe"."Straße" (id int PRIMARY KEY, "Länge" int, t text DEFAULT 'ä');
INSERT INTO "Größe"."Straße" SELECT i, i FROM generate_series(1, 5000) i;
CREATE INDEX "nach Länge" ON "Größe"."Straße" ("Länge");
ALTER TABLE "Größe"."Straße" ADD CONSTRAINT "Schlüssel" UNIQUE ("Länge");
CREATE VIEW "Übersicht" AS SELECT count(*) FROM "Größe"."Straße";
"""


def dumped(postgres: Postgres, encoding: str, folder: Path) -> Path:
    """A database of that encoding, dumped in it."""
    options = f"TEMPLATE template0 ENCODING {encoding} LOCALE 'C'"
    source = postgres.database(STREET, options=options)
    return postgres.dump(source, folder / "names.dump", *AS_HEROKU, "-E", encoding)


def project_of(postgres: Postgres, dbname: str, folder: Path) -> Project:
    url = postgres.server.url(dbname)
    return Project.at(folder / "project", DATABASE_URL=url)


@pytest.mark.parametrize(
    ("encoding", "jobs", "postgres"),
    in_turn(["LATIN1", "WIN1252", "UTF8"], [1, 5], list(FOLDERS)),
    indirect=["postgres"],
)
def test_names_in_another_encoding_are_restored_and_found(
    postgres: Postgres, tmp_path: Path, encoding: str, jobs: int
) -> None:
    dump = dumped(postgres, encoding, tmp_path)
    target = postgres.database(options="TEMPLATE template0 ENCODING UTF8 LOCALE 'C'")
    project = project_of(postgres, target, tmp_path)

    project.invoke("db.restore", f"--dump={dump}", f"--jobs={jobs}").succeeds()

    count = 'SELECT count(*) FROM "Größe"."Straße";'
    assert postgres.sql(target, count) == "5000"
    assert postgres.sql(target, """SELECT 'Übersicht'::regclass;""")


def test_names_of_a_tar_file_are_read_in_its_encoding(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    source, target = postgres_18.database(STREET), postgres_18.database()
    dump = postgres_18.dump(source, tmp_path / "names.tar", "-Ft", "-E", "LATIN1")

    project_of(postgres_18, target, tmp_path).invoke(
        "db.restore", f"--dump={dump}", "--skip-data=Straße"
    ).succeeds()

    assert postgres_18.sql(target, 'SELECT count(*) FROM "Größe"."Straße";') == "0"


def test_an_unknown_encoding_is_restored_and_not_looked_through(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    options = "TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    source, target = (postgres_18.database(options=options) for _ in range(2))
    # The bytes of LATIN1 in what has no encoding.
    latin = r"""SET client_encoding = 'SQL_ASCII';
      DO $$ BEGIN EXECUTE format('CREATE TABLE %I ()',
        convert_from('\x6be4', 'SQL_ASCII')); END $$;"""
    postgres_18.sql(source, latin)
    dump = postgres_18.dump(
        source, tmp_path / "names.dump", *AS_HEROKU, "-E", "SQL_ASCII"
    )

    project_of(postgres_18, target, tmp_path).invoke(
        "db.restore", f"--dump={dump}"
    ).succeeds()

    assert postgres_18.sql(target, "SELECT count(*) FROM pg_stat_user_tables;") == "1"


@pytest.mark.parametrize("environment", [{}, ASCII_ONLY])
def test_rows_are_skipped_by_a_name_as_it_is_typed(
    postgres_18: Postgres, tmp_path: Path, environment: dict[str, str]
) -> None:
    dump, target = dumped(postgres_18, "LATIN1", tmp_path), postgres_18.database()
    project = project_of(postgres_18, target, tmp_path)
    project.environment |= environment

    project.invoke("db.restore", f"--dump={dump}", "--skip-data=Straße").succeeds()

    assert postgres_18.sql(target, 'SELECT count(*) FROM "Größe"."Straße";') == "0"


def test_a_python_that_knows_ascii_only_does_with_any_name(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    """In a variable, in `.env`, and as a flag: encoded, and as it is typed."""
    name = "käse"
    dump = dumped(postgres_18, "UTF8", tmp_path).rename(tmp_path / "größe.dump")
    postgres_18.database("CREATE TABLE mine ();", name=name)
    project = project_of(postgres_18, name, tmp_path)
    project.environment |= ASCII_ONLY
    url = project.environment.pop("DATABASE_URL")
    restore, raw = ["db.restore", f"--dump={dump}"], f"--target={url}"
    plan = [*restore, "--dry-run"]

    plans = [project.invoke(*plan, DATABASE_URL=url)]
    plans += [project.invoke(*plan, raw)]
    (project.folder / ".env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    plans += [project.invoke(*plan)]
    (project.folder / ".env").unlink()
    raw = raw.replace(quote(name), name)
    # One process for both: each imports all anew, as none can be forked of ours.
    told = project.invoke(*restore, raw, "db.undo", "--original", raw).succeeds()

    shown = name.encode("ascii", "backslashreplace").decode()
    for planned in plans:
        assert f"{shown} on this machine" in planned.succeeds().err, planned.err
    assert "größe.dump" in told.err or r"\xf6" in told.err
    assert postgres_18.sql(name, "SELECT 'mine'::regclass;") == "mine"
