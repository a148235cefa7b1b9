"""Masked pulls, by each way of restoring: no database holds a raw value, nor a log."""

from __future__ import annotations

import gzip
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from canaries import (
    CANARY,
    EMAILS,
    KEPT,
    MASK,
    dumped,
    holding,
    looking,
    offered,
    write,
)
from databases import Postgres
from dbpull.target.provenance import Provenance
from faulty_stand_in import StandIn, faults
from killed import settled
from lacking import OLD_POSTGRES
from projects import Project
from silences import until
from targets import Target
from worlds import OTHERS, World

TIMES = int(os.environ.get("DBPULL_KILLS", "5"))
OLDEST = min(OTHERS, default=0)


@pytest.fixture(scope="module")
def dumps(postgres_18: Postgres) -> dict[str, Path]:
    return dumped(postgres_18)


@pytest.fixture(scope="module")
def heroku(world: World, dumps: dict[str, Path]) -> Iterator[StandIn]:
    with offered(world, dumps) as heroku:
        yield heroku


@pytest.fixture
def elsewhere(
    world: World, make_target: Callable[..., Target], project: Project
) -> Target:
    """A target on a server that may hold raw values; then it is the project's."""
    if not OLDEST:
        pytest.skip(OLD_POSTGRES)
    target = make_target(world.others[OLDEST])
    project.environment["DATABASE_URL"] = target.url
    return target


@pytest.fixture
def project(
    make_project: Callable[..., Project], target: Target, heroku: StandIn
) -> Project:
    project = make_project(DATABASE_URL=target.url, **heroku.environment)
    write(project, mask=MASK)
    return project


COMMENT = """SELECT shobj_description(oid, 'pg_database') FROM pg_database
WHERE datname = current_database()"""


def dumps_in(project: Project) -> list[str]:
    return [path.name for path in project.folder.rglob("*.dump*")
            if path.name != "mask.dump-salt"]  # fmt: skip


@pytest.mark.parametrize(
    ("app", "rate"),
    [
        ("dump", 0),
        ("statistics", 0),
        ("plain", 0),
        ("plain", 400_000),
        ("tar", 400_000),
    ],
)
def test_a_masked_pull_leaves_no_raw_value_anywhere(
    world: World, project: Project, target: Target, heroku: StandIn, app: str, rate: int
) -> None:
    heroku.misbehave(faults.throttle(rate))

    ended = project.invoke("db.pull", f"--app={app}", "--timings").succeeds()

    assert target.sql(EMAILS) == "50"
    assert holding(world.modern) == []
    assert CANARY not in (ended.out + ended.err).lower()
    assert "Masked " in ended.err
    for step in ("fetch", "restore", "check", "swap", "total"):
        assert f"\n  {step} " in ended.err
    assert dumps_in(project) == []
    ours = "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dbpull'"
    assert target.sql(ours) == "0"


def test_an_older_server_holds_no_raw_value(
    world: World, project: Project, elsewhere: Target, dumps: dict[str, Path]
) -> None:
    """And whoever looks for raw values would find them, after a pull without masks."""
    server = world.others[OLDEST]
    logged = server.server.log.stat().st_size
    for jobs in (1, 4):
        write(project, mask=MASK, jobs=jobs)

        project.invoke("db.pull", "--app=dump").succeeds()

        assert elsewhere.sql(EMAILS) == "50"
        assert holding(server, elsewhere.name, logged) == []

    write(project)
    project.invoke("db.restore", f"--dump={dumps['dump']}").succeeds()
    assert holding(server, elsewhere.name)


@pytest.fixture
def without_privileges(
    world: World, make_project: Callable[..., Project], heroku: StandIn
) -> Iterator[tuple[Project, str]]:
    """The project of a role that may set nothing, and its database."""
    role = world.modern.role("CREATEDB PASSWORD 'x'")
    name = world.modern.database(name=f"masked_{role}", options=f"OWNER {role}")
    url = world.modern.socket_url(name, role)
    yield make_project(DATABASE_URL=url, **heroku.environment), name
    world.modern.drop_like(name)


FAILING = [
    ("users.email", "left(email::text, 0) || id", "SQLSTATE 23514, mail_check, mail"),
    ("users.rank", "left(rank, 1)", "SQLSTATE 23514, users_rank_check"),
    ("users.rank", "nullif(rank, rank)", "SQLSTATE 23502, rank"),
    ("users.age", "username::int", "SQLSTATE 22P02"),
]


def test_a_role_that_may_not_say_what_is_logged_can_mask_and_no_row_that_fails_is_told(
    world: World, without_privileges: tuple[Project, str]
) -> None:
    project, name = without_privileges
    for column, sql, why in FAILING:
        rules = {key: rule for key, rule in MASK.items() if key not in {column, "age"}}
        write(project, mask={**rules, "orders.user_email": None, column: {"sql": sql}})

        ended = project.invoke("db.pull", "--app=dump")

        ended.refuses(f"the mask of a row of users fails: {why}", "")
        assert CANARY not in ended.err.lower()
        assert holding(world.modern) == [], why

    write(project, mask=MASK)
    project.invoke("db.pull", "--app=dump").succeeds()
    assert world.modern.sql(name, EMAILS) == "50"
    assert holding(world.modern) == []


def test_what_is_masked_and_what_is_not_is_said(
    project: Project, elsewhere: Target
) -> None:
    write(project)
    project.invoke("db.pull", "--app=dump").succeeds()
    write(project, mask=MASK, mask_except=KEPT)
    project.invoke("db.pull", "--app=dump").refuses("fkey", "")  # orders are masked
    kept = {**KEPT, "orders": "user_email LIKE 'zanary3@%'"}
    write(project, mask=MASK, mask_except=kept, keep_rows={"users": "id = 5"})

    ended = project.invoke("db.pull", "--app=dump").succeeds()

    assert "Without the old rows of users: they are masked now" in ended.err
    assert elsewhere.sql("SELECT bio FROM users WHERE id = 5").startswith("Lorem")
    assert "dbpull_previous is not masked: `invoke db.undo` brings it back" in ended.err
    assert "Rows kept as they are: 1 of orders, 1 of users." in ended.err
    assert elsewhere.sql("SELECT id FROM users WHERE email LIKE 'Zanary%'") == "3"
    known = Provenance.from_comment(elsewhere.sql(COMMENT))
    assert known
    assert known.masked
    assert known.masked["except"] == {"orders": 1, "users": 1}
    assert known.masked["columns"] > 40
    back = project.invoke("db.undo").succeeds()
    assert "It is not masked" in back.err
    forward = project.invoke("db.undo").succeeds()
    assert "not masked" not in forward.err
    elsewhere.sql("UPDATE users SET bio = 'mine' WHERE id = 5")
    again = project.invoke("db.pull", "--app=dump").succeeds()
    assert "Kept 1 row: 1 of users" in again.err
    assert elsewhere.sql("SELECT bio FROM users WHERE id = 5") == "mine"


def test_the_salt_decides_on_the_fakes_and_keep_on_which_dumps_stay(
    project: Project, target: Target
) -> None:
    def emails(**environment: str) -> str:
        ended = project.invoke("db.pull", "--app=dump", **environment).succeeds()
        said.append(ended.err)
        return target.sql("SELECT string_agg(email, ' ' ORDER BY id) FROM users")

    said: list[str] = []
    write(project, mask=MASK, keep=2)
    first = emails()
    assert "not masked, is kept: db.keep in invoke.yaml says so" in said[0]
    [name] = dumps_in(project)
    newest = next(project.folder.rglob(name))
    newest.with_name(name.replace("b001-20", "b000-19")).write_bytes(b"an older one")
    write(project, mask=MASK)

    assert emails() == first
    assert dumps_in(project) == []
    others = {emails(INVOKE_DB_MASK_SALT=salt) for salt in ("another", "new")}
    assert len({first, *others}) == 3


def test_a_restore_masks_as_well_and_leaves_a_file_of_the_users_but_no_copy(
    world: World, project: Project, target: Target, dumps: dict[str, Path]
) -> None:
    packed = project.folder / "mine.gz"
    packed.write_bytes(gzip.compress(dumps["plain"].read_bytes(), 1))
    for file in (dumps["tar"], packed):
        project.invoke("db.restore", f"--dump={file}").succeeds()

        assert target.sql(EMAILS) == "50"
        assert holding(world.modern) == []
        assert dumps_in(project) == []
        assert file.exists()


REFUSED: list[tuple[dict[str, Any], list[str], str, str]] = [
    ({"users.emial": "email"}, [], "no column fits users.emial", "users.email?"),
    ({"users.email": "emial"}, [], "'emial' at users.email", "Did you mean email?"),
    ({"users.id": "email"}, [], "users.id is of type integer", "Use null"),
    ({"events.at": {"value": 1}}, [], "decides on the partition", "keep"),
    ({"users.username": "city"}, [], "is unique, and city would make doubles", "Use"),
    ({"users.name": {"sql": "nam"}}, [], "nam.* does not exist", ""),
    ({"users.age": {"value": "x"}}, [], "invalid input syntax", ""),
    ({"users.email": "email"}, ["--in-place"], "--in-place refills", "Leave"),
    ({"locale": "city"}, [], "db.mask.locale, which Invoke takes for one", "Rename"),
]  # fmt: skip


def test_a_mask_that_can_not_be_is_refused_and_the_target_stays(
    world: World, project: Project, target: Target
) -> None:
    with target.untouched():
        for mask, flags, cause, remedy in REFUSED:
            write(project, mask=mask, mask_locale="en_US")
            ended = project.invoke("db.pull", "--app=dump", *flags)
            ended.refuses(cause, remedy)

    assert holding(world.modern) == []


def test_a_pull_that_is_killed_leaves_no_raw_value(
    world: World, project: Project, target: Target, heroku: StandIn
) -> None:
    """A superuser looks all along; DBPULL_KILLS says how many runs."""
    heroku.misbehave(faults.throttle(600_000))
    began = time.monotonic()
    project.invoke("db.pull", "--app=plain").succeeds()
    duration = time.monotonic() - began

    with looking(world.modern, target.name) as looks:
        for number in range(TIMES):
            moment = duration * (number + random.random()) / TIMES
            run = project.start("db.pull", "--app=plain")
            time.sleep(moment)
            run.signal(signal.SIGKILL)
            run.end()
            settled(run, world.modern)

            assert holding(world.modern) == [], moment

    assert any("dbpull_new" in look for look in looks)
    assert [look for look in looks if not look.endswith(": ")] == []


def test_who_looks_would_see_a_raw_value(world: World, elsewhere: Target) -> None:
    elsewhere.sql("CREATE TABLE t AS SELECT 'ZANARY' AS a")
    with looking(world.others[OLDEST], elsewhere.name) as looks:
        until(lambda: looks)

    assert looks[0] == f"{elsewhere.name}: t"
