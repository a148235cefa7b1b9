"""What `invoke db.push` refuses: nothing was done then."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbpull.masks.vocabulary import literal
from dbpull.target.provenance import Provenance
from faulty_stand_in import faults
from projects import INVOKE
from stagings import BORROWER, LENT, MAJOR, PRODUCTION, Make, Staging, local_database
from targets import Watched
from worlds import World


def test_what_nobody_confirmed_is_not_done(staging: Staging) -> None:
    for words in ([], ["--confirm=staging"], ["--confirm=SHOP"]):
        ended = staging.project.invoke("db.push", "--app=staging", *words)

        ended.refuses("so nothing was done", f"--confirm={staging.app}")
    assert staging.only_read
    assert staging.now == staging.before


@pytest.mark.parametrize(
    ("app", "alias"),
    [(PRODUCTION, "staging"), ("", "prod"), (LENT, "staging")],
    ids=["its name", "its alias", "who has it too"],
)
def test_a_protected_app_is_refused_by_whatever_name(
    make_staging: Make, app: str, alias: str
) -> None:
    staging = make_staging(app=app)
    staging.project.configure(f"db:\n  apps: {{{alias}: {staging.app}}}\n")
    push = ("db.push", f"--app={alias}", f"--confirm={staging.app}")

    for words in ((), ("--undo", "--backup=b001")):
        ended = staging.project.invoke(*push, *words)

        ended.refuses("is protected: it fits", "db.protected")
        assert (BORROWER in ended.err) == (app == LENT)
    assert staging.only_read
    assert staging.now == staging.before


def test_an_alias_protects_an_app_by_its_real_name_too(staging: Staging) -> None:
    staging.project.configure(f"db:\n  apps: {{prod: {staging.app}}}\n")
    words = ["db.push", f"--app={staging.app}", f"--confirm={staging.app}"]

    for more in ({}, {"INVOKE_DB_APPS": f"staging={staging.app}"}):
        ended = staging.project.invoke(*words, **more)
        ended.refuses("prod is protected", "db.protected")
    assert staging.only_read


def test_made_up_people_are_refused(world: World, make_staging: Make) -> None:
    taken = datetime(2024, 5, 1, tzinfo=UTC)
    known = Provenance("shop", "b101", taken, taken, masked={"columns": 3})
    comment = f"COMMENT ON DATABASE masked_shop IS {literal(known.to_comment())};"
    sql = f"CREATE TABLE t AS SELECT 1 AS a; {comment}"
    staging = make_staging(local_database(world, "masked_shop", sql))

    ended = staging.project.invoke(*staging.push())

    ended.refuses("masked_shop .* is masked: its people are made up", "--masked")
    assert staging.asked() == []
    planned = staging.project.invoke(*staging.push("--masked", "--dry-run")).succeeds()
    assert "pulled from shop b101" in planned.err
    assert staging.only_read


def test_no_other_file_takes_protection_away(staging: Staging) -> None:
    staging.project.configure(
        f"db:\n  apps: {{staging: {staging.app}}}\n  protected: ['shop-*']\n"
    )
    other = staging.project.folder / "other.yaml"
    other.write_text("db: {protected: []}\n")
    argv = [*INVOKE, "-f", str(other), *staging.push()]

    ended = staging.project.begin(argv, None, {}).end()

    ended.refuses("is protected: it fits 'shop-", "invoke.yaml")
    assert staging.asked() == []


def test_only_the_file_says_what_is_protected(staging: Staging) -> None:
    staging.project.configure(
        f"db:\n  apps: {{staging: {staging.app}}}\n  protected: [shop-*]\n"
    )

    staging.project.invoke(*staging.push()).refuses("fits 'shop-", "invoke.yaml")
    ended = staging.project.invoke(*staging.push(), INVOKE_DB_PROTECTED="nothing")
    ended.refuses("INVOKE_DB_PROTECTED is set in", "Set it there")
    assert staging.asked() == []


def test_an_empty_local_database_is_not_pushed(world: World, staging: Staging) -> None:
    without_rows = "create table notes (id int);"
    for url, why in (
        (local_database(world, "local_without_tables", ""), "has no tables"),
        (local_database(world, "local_without_rows", without_rows), "has no rows"),
        (world.others[MAJOR].url("nothing_there"), "does not exist"),
    ):
        ended = staging.project.invoke(*staging.push(), DATABASE_URL=url)

        ended.refuses(why, "--target")
    assert staging.only_read
    assert staging.now == staging.before


def test_a_database_is_not_pushed_to_itself(
    staging: Staging, encrypted: Watched
) -> None:
    for name in ("127.0.0.1", "localhost"):
        url = encrypted.url(staging.dbname).replace("127.0.0.1", name)

        ended = staging.project.invoke(*staging.push(), DATABASE_URL=url)

        ended.refuses("are the same one", "DATABASE_URL")
    assert staging.only_read
    assert staging.now == staging.before


def test_an_older_server_is_not_pushed_to(world: World, make_staging: Make) -> None:
    staging = make_staging(world.modern.url("shop"))

    ended = staging.project.invoke(*staging.push())

    ended.refuses(
        f"{staging.app} runs PostgreSQL {MAJOR}", f"a local PostgreSQL {MAJOR}"
    )
    assert staging.only_read


def test_without_a_capture_there_is_no_push(staging: Staging) -> None:
    staging.heroku.misbehave(faults.backup("fail", message="out of disk"))

    ended = staging.project.invoke(*staging.push("--maintenance"))

    ended.refuses("out of disk", "as it was. Run it again")
    assert staging.asked("PUT") == []
    assert staging.now == staging.before
    assert staging.asked("PATCH") == [("PATCH", f"/apps/{staging.app}")] * 2
