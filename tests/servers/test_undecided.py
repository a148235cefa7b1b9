"""Columns that nobody has decided about stop a masked pull, before its rows arrive."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from canaries import offered
from databases import Postgres
from faulty_stand_in import StandIn, faults
from projects import Project
from targets import Target
from worlds import World

DECIDED = "public.users.city  text\n? public.users.nick  text\n"
ALL = """\
public.users.city  text
public.users.nick  text
public.users.code  text
public.users.alias  text
public.users.gender  mood
public.users.seen_from  inet
public.users.doc  jsonb
public.users.raw  bytea
pg_catalog.pg_largeobject.data  bytea
"""
HARMLESS = """id serial PRIMARY KEY, happy boolean, mood mood, moods mood[], price
  numeric(9, 2), ratio double precision, made timestamptz, day date, took interval,
  of_id uuid, sums int[], span tstzrange, city text, mail_known boolean,
  twice int GENERATED ALWAYS AS (ratio) STORED"""
SOURCE = f"""
CREATE TYPE mood AS ENUM ('fine');
CREATE TABLE users ({HARMLESS}, email text UNIQUE, nick text NOT NULL, code text UNIQUE
  NOT NULL, alias text UNIQUE, gender mood, seen_from inet, doc jsonb, raw bytea);
CREATE TABLE filler (id int, body text);
INSERT INTO users (city, email, nick, code, alias, gender, seen_from, doc, raw)
  SELECT 'Graz', 'a' || i || '@real.example', 'zoe', 'zcode' || i, 'zalias' || i,
  'fine', '10.0.0.9', '{{"a": "zdoc"}}', 'zraw' FROM generate_series(1, 50) i;
INSERT INTO filler SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 2500) i;
SELECT lo_from_bytea(4711, 'zlarge');
"""
MASK = {"users.email": "email", "filler.body": "keep"}


@pytest.fixture(scope="module")
def dump(postgres_18: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dump") / "x.dump"
    return postgres_18.dump(postgres_18.database(SOURCE), path, "-Fc", "-Z0")


@pytest.fixture(scope="module")
def heroku(world: World, dump: Path) -> Iterator[StandIn]:
    with offered(world, {"shop": dump}) as heroku:
        yield heroku


@pytest.fixture
def project(
    make_project: Callable[..., Project], target: Target, heroku: StandIn
) -> Project:
    project = make_project(DATABASE_URL=target.url, **heroku.environment)
    configure(project)
    (project.folder / "kept-columns.txt").write_text(DECIDED)
    return project


def configure(project: Project, **settings: object) -> None:
    project.configure(json.dumps({"db": {"mask": MASK, **settings}}))


def test_columns_that_are_undecided_stop_a_pull_before_its_rows_arrive(
    project: Project, target: Target, heroku: StandIn
) -> None:
    """Of the dump the first bytes come, and then nothing: a pull would never end."""
    heroku.misbehave(faults.hang(at=200_000, host="download"))

    with target.unasked():
        ended = project.invoke("db.pull", "--app=shop")

    ended.refuses(
        r"whether 8 columns are personal: users\.nick \(text, like a first name\)",
        "--blank-new this once. Nothing was restored",
    )
    assert "and 3 more" in ended.err


def test_the_plan_of_a_dump_that_is_here_is_refused_alike(
    project: Project, target: Target, dump: Path
) -> None:
    with target.unasked():
        ended = project.invoke("db.restore", f"--dump={dump}", "--dry-run")

    ended.refuses("whether 8 columns are personal", "--init. proposes them")
    only = ("--skip-data=users", "--dry-run")
    ended = project.invoke("db.restore", f"--dump={dump}", *only)
    ended.refuses("whether 1 column is personal: the large objects", "this once")
    configure(project, mask={**MASK, "users.nikc": "username"})
    ended = project.invoke("db.restore", f"--dump={dump}", "--dry-run")
    ended.refuses(r"no column fits users\.nikc", r"you mean users\.nick\?")


def test_what_is_undecided_can_come_blank_once(
    project: Project, target: Target, dump: Path
) -> None:
    ended = project.invoke("db.pull", "--app=shop", "--blank-new").succeeds()

    told = "Came blank, since nobody has decided about them: users.nick (text"
    assert told in ended.err
    assert target.sql("SELECT count(DISTINCT code) FROM users") == "50"
    held = target.sql("SELECT users::text FROM users") + target.sql(
        "SELECT encode(lo_get(oid), 'escape') FROM pg_largeobject_metadata"
    )
    assert "Graz" in held
    assert "fine" not in held
    for value in (
        "real",
        "zoe",
        "zcode",
        "zalias",
        "10.0.0.9",
        "zdoc",
        "zraw",
        "zlarge",
    ):
        assert value not in held, value
    again = project.invoke("db.restore", f"--dump={dump}")
    again.refuses("whether 8 columns are personal", "this once")


def test_blank_new_is_refused_without_masks(project: Project, target: Target) -> None:
    project.configure("db: {}")

    with target.unasked():
        project.invoke("db.pull", "--app=shop", "--blank-new").refuses(
            "--blank-new is for masked pulls", "add rules"
        )


def test_masks_are_left_out_only_where_the_project_says_so(
    project: Project, target: Target
) -> None:
    """And what is there without masks, a dump or rows, is removed or told.

    What is kept of a pull is not used once its columns are undecided.
    """
    pull = ("db.pull", "--app=shop")
    flags = (*pull, "--unmasked=shop")
    project.invoke(*flags).refuses("--unmasked is not allowed", "db.unmasked: true")
    project.invoke(*flags, INVOKE_DB_UNMASKED="true").refuses(
        "INVOKE_DB_UNMASKED .* only be set in invoke.yaml", "Set it there"
    )
    configure(project, keep_pulled=True, unmasked=True)
    project.invoke(*pull, "--unmasked=other").refuses(
        "--unmasked=other is not shop", "Add --unmasked=shop"
    )
    ended = project.invoke(*flags).succeeds()
    assert "--unmasked: the rows of shop come as they are" in ended.err
    assert "It is kept as the snapshot pulled" in ended.err, ended.err
    assert target.sql("SELECT min(email) FROM users") == "a10@real.example"
    back = project.invoke("db.reset").succeeds()
    assert "It is not masked: it was pulled without masks." in back.err
    file = project.folder / "kept-columns.txt"
    file.write_text(ALL)
    configure(
        project, keep_pulled=True, after_swap=f"{sys.executable} -m invoke db.undo"
    )
    undone = project.invoke(*pull).succeeds()
    assert "not kept as the snapshot pulled: Another run has replaced" in undone.err
    configure(project, keep_pulled=True)
    project.invoke(*pull).succeeds()
    project.invoke("db.fetch", "--app=shop").succeeds()
    assert len(project.dumps()) == 2

    again = project.invoke(*pull).succeeds()

    assert "here as the snapshot pulled" in again.err
    assert project.dumps() == ["mask.dump-salt"]
    file.write_text(DECIDED)
    project.invoke(*pull).refuses("whether 8 columns are personal", "this once")
