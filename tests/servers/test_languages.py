"""Servers that don't speak English: causes are told, values of rows are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from choices import in_turn
from databases import FOLDERS, NO_OLD, OLD, Postgres, served
from dbpull.embedded import account
from projects import Ended, Project

LANGUAGES = ["de", "ru"]
SECRET = "someone@example.com"
# A function that fails where it is restored, and did not where it was dumped.
SETTING = "IF current_setting('trial.lenient', true) = 'yes' THEN RETURN 1; END IF;"
PEOPLE = f"""
SET trial.lenient = 'yes';
CREATE TABLE people (id int PRIMARY KEY, mail text);
INSERT INTO people VALUES (1, '{SECRET}');
CREATE FUNCTION number_of(text) RETURNS int IMMUTABLE LANGUAGE plpgsql
  AS $$ BEGIN {SETTING} %s END $$;
"""
CASTS = PEOPLE % "RETURN $1::int;"
RAISES = PEOPLE % "RAISE EXCEPTION 'what is % ?', $1;"
EXECUTES = PEOPLE % "EXECUTE 'SELECT 1 FROM ' || quote_ident($1); RETURN 1;"
MATVIEW = "CREATE MATERIALIZED VIEW numbers AS SELECT number_of(mail) FROM people;"
CHECKED = f"""
SET trial.lenient = 'yes';
CREATE TABLE people (id int PRIMARY KEY, mail text,
  CONSTRAINT known CHECK (coalesce(current_setting('trial.lenient', true), '') > ''));
INSERT INTO people VALUES (1, '{SECRET}');
"""
STATISTICS = "CREATE STATISTICS both_of_them ON number_of(mail), id FROM people;"


@pytest.fixture(scope="module", params=LANGUAGES)
def foreign(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A server that speaks another language."""
    if not OLD:
        pytest.skip(NO_OLD)
    with pytest.MonkeyPatch.context() as patch:
        kept = (*account.KEPT_VARIABLES, "LANGUAGE")
        patch.setattr(account, "KEPT_VARIABLES", kept)
        patch.setenv("LANGUAGE", request.param)
        with served(FOLDERS[OLD]) as postgres:
            # gettext takes LANGUAGE with each locale but C; none need be generated.
            speak = "ALTER SYSTEM SET lc_messages = 'C.UTF-8';"
            postgres.sql("postgres", f"{speak} SELECT pg_reload_conf();")
            yield postgres


def restored(
    postgres: Postgres, script: str, folder: Path, user: str, jobs: int
) -> Ended:
    """A dump of that script's database, restored by that role."""
    dump = postgres.dump(postgres.database(script), folder / "foreign.dump")
    url = postgres.server.url(f"dev_{user}").replace("//postgres@", f"//{user}@")
    project = Project.at(folder / "project", DATABASE_URL=url)
    return project.invoke("db.restore", f"--dump={dump}", f"--jobs={jobs}")


def refused(ended: Ended, words: str, remedy: str = "invoke db.restore") -> str:
    """What is told, which holds no value."""
    assert SECRET not in ended.out + ended.err
    ended.refuses(words, remedy)
    return ended.cause


@pytest.mark.parametrize(
    ("jobs", "foreign"), in_turn([1, 2], LANGUAGES), indirect=["foreign"]
)
def test_a_superuser_is_told_in_english(
    foreign: Postgres, tmp_path: Path, jobs: int
) -> None:
    ended = restored(foreign, CASTS + MATVIEW, tmp_path, "postgres", jobs)

    cause = refused(ended, "MATERIALIZED VIEW DATA numbers: invalid input syntax")
    assert cause.endswith("for type integer: ….")


@pytest.mark.parametrize("foreign", ["ru"], indirect=True)
def test_a_value_that_was_made_a_name_is_not_told(
    foreign: Postgres, tmp_path: Path
) -> None:
    ended = restored(foreign, EXECUTES + MATVIEW, tmp_path, "postgres", 2)

    told = r"numbers: public.number_of\(text\) raised an exception"
    # A table that is not found is not found for want of a search_path, most often.
    refused(ended, told, r"ALTER FUNCTION public.number_of\(text\) SET search_path")


@pytest.mark.parametrize("foreign", ["de"], indirect=True)
def test_a_role_that_was_granted_it_is_told_in_english(
    foreign: Postgres, tmp_path: Path
) -> None:
    role = foreign.role("CREATEDB")
    foreign.sql("postgres", f"GRANT SET ON PARAMETER lc_messages TO {role};")

    ended = restored(foreign, CHECKED, tmp_path, role, 2)

    refused(ended, 'relation "people" violates check constraint "known"')


@pytest.mark.parametrize("script", [CASTS + MATVIEW, RAISES + MATVIEW])
def test_another_role_is_told_no_value_either(
    foreign: Postgres, tmp_path: Path, script: str
) -> None:
    ended = restored(foreign, script, tmp_path, foreign.role("CREATEDB"), 2)

    refused(ended, "MATERIALIZED VIEW DATA numbers: .+")


def test_another_role_is_told_where(foreign: Postgres, tmp_path: Path) -> None:
    ended = restored(foreign, CHECKED, tmp_path, foreign.role("CREATEDB"), 2)

    refused(ended, r"TABLE DATA people: .* \(COPY people, line 1\)")


@pytest.mark.parametrize(
    ("script", "user", "jobs", "foreign"),
    [
        (CASTS, "postgres", 2, "de"),
        (RAISES, "postgres", 1, "ru"),
        (CASTS, "", 1, "ru"),
        (RAISES, "", 2, "de"),
    ],
    indirect=["foreign"],
)
def test_what_fails_while_statistics_are_collected_shows_no_value(
    foreign: Postgres, tmp_path: Path, script: str, user: str, jobs: int
) -> None:
    user = user or foreign.role("CREATEDB")

    ended = restored(foreign, script + STATISTICS, tmp_path, user, jobs)

    assert "ANALYZE failed" in ended.succeeds().err
    assert SECRET not in ended.out + ended.err
