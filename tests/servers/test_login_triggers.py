"""What a restored database does when it is connected to: not for our own sessions."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

import pytest

from databases import Postgres
from projects import Ended, Project

# The setting is that of the database that is dumped, and is not dumped itself.
LOGINS = """
CREATE TABLE logins (at timestamptz, who text);
INSERT INTO logins VALUES ('2024-01-01', 'the app');
CREATE FUNCTION note_login() RETURNS event_trigger SECURITY DEFINER LANGUAGE plpgsql
  AS $$ BEGIN IF current_setting('trial.open', true) IS NULL THEN %s END IF; END $$;
CREATE EVENT TRIGGER noting ON login EXECUTE FUNCTION note_login();
"""
WRITES = LOGINS % "INSERT INTO public.logins VALUES (now(), session_user);"
SHUTS_OUT = LOGINS % "RAISE EXCEPTION 'closed on Sundays';"


def dumped(postgres: Postgres, script: str, folder: Path) -> Path:
    source = postgres.database()
    postgres.sql(source, f"ALTER DATABASE {source} SET trial.open = 'yes';")
    postgres.sql(source, script)
    return postgres.dump(source, folder / "logins.dump")


def logins(postgres: Postgres, dbname: str) -> str:
    past_it = postgres.psql(dbname).setting(frozenset({"event_triggers"}))
    sql = "SELECT count(*) FROM public.logins;"
    [[count]] = past_it.run(sql, doing="Counting", dbname=dbname)
    return count


def restored(
    postgres: Postgres, dump: Path, dbname: str, *words: str, user: str = "postgres"
) -> Ended:
    url = postgres.server.url(dbname).replace("//postgres@", f"//{user}@")
    project = Project.at(Path(mkdtemp(dir=dump.parent)) / "project", DATABASE_URL=url)
    return project.invoke("db.restore", f"--dump={dump}", *words)


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_that_writes_adds_no_row(
    postgres_18: Postgres, tmp_path: Path, jobs: int
) -> None:
    dump, target = dumped(postgres_18, WRITES, tmp_path), postgres_18.database()

    restored(postgres_18, dump, target, f"--jobs={jobs}").succeeds()
    assert logins(postgres_18, target) == "1"
    restored(postgres_18, dump, target, "--in-place").succeeds()
    assert logins(postgres_18, target) == "1"


def test_one_that_shuts_out_keeps_nobody_from_checking(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    dump, target = dumped(postgres_18, SHUTS_OUT, tmp_path), postgres_18.database()

    restored(postgres_18, dump, target).succeeds()

    assert logins(postgres_18, target) == "1"


def test_a_role_that_is_shut_out_is_told_by_what(
    postgres_18: Postgres, tmp_path: Path
) -> None:
    role = postgres_18.role("CREATEDB")
    target = postgres_18.database(options=f"OWNER {role}")
    dump = postgres_18.dump(postgres_18.database(), tmp_path / "shut.dump")
    postgres_18.sql(target, SHUTS_OUT)

    ended = restored(postgres_18, dump, target, "--in-place", user=role)

    ended.refuses("closed on Sundays", "event trigger.*superuser")
