"""Masked pulls on a host: no raw value in its database, no salt in its processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from canaries import CANARY, EMAILS, MASK, dumped, holding, offered, write
from databases import Postgres
from dbpull.masks.salt import Salt
from faulty_stand_in import StandIn, faults
from machines import Machine, Watch, fab, introduce, start_fab
from projects import Ended, Project
from targets import Target
from worlds import World


@pytest.fixture(scope="module")
def dumps(postgres_18: Postgres) -> dict[str, Path]:
    return dumped(postgres_18)


@pytest.fixture(scope="module")
def heroku(world: World, dumps: dict[str, Path]) -> Iterator[StandIn]:
    with offered(world, dumps) as heroku:
        yield heroku


@pytest.fixture
def devbox(make_machine: Callable[..., Machine], heroku: StandIn) -> Machine:
    """A machine whose curl trusts this Heroku."""
    return make_machine(name="devbox", environment={"CURL_CA_BUNDLE": str(heroku.ca)})


@pytest.fixture
def project(
    make_project: Callable[..., Project],
    target: Target,
    heroku: StandIn,
    devbox: Machine,
) -> Project:
    project = make_project(DATABASE_URL=target.url, **heroku.environment)
    introduce(Path(project.environment["HOME"]), devbox)
    write(project, mask=MASK)
    return project


def test_a_masked_pull_on_a_host_leaves_no_raw_value(
    world: World, project: Project, target: Target, heroku: StandIn, devbox: Machine
) -> None:
    """The dump arrives there while its rows are restored."""
    salt = {"INVOKE_DB_MASK_SALT": "hush"}

    with devbox.watch_processes([]) as watch:
        heroku.misbehave(faults.throttle(160_000))
        run = start_fab(project, "devbox", "db.pull", "--app=plain", **salt)
        run.says("restoring its rows")
        run.until(lambda: any("pg_restore" in command for command in watch.seen))
        heroku.behave()
        ended = run.end().succeeds()

    assert "its rows are in" in ended.err
    assert list((devbox.home / ".dbpull").rglob("*.dump*")) == []
    assert_no_raw_value(world, target, ended, watch, Salt(b"hush"))


def assert_no_raw_value(
    world: World, target: Target, ended: Ended, watch: Watch, salt: Salt
) -> None:
    """And that the salt is in no command line on the host."""
    assert target.sql(EMAILS) == "50"
    assert holding(world.modern) == []
    assert CANARY not in (ended.out + ended.err).lower()
    assert any("pg_restore" in command for command in watch.seen)
    secrets = salt.secret.decode(), salt.hashed
    assert not [c for c in watch.seen if any(secret in c for secret in secrets)]


def test_a_host_makes_the_fakes_that_this_machine_makes_and_no_sent_dump_is_left_here(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    """The dump is whole there before its rows are restored."""
    emails = "SELECT string_agg(email, ' ' ORDER BY id) FROM users"
    project.invoke("db.pull", "--app=dump").succeeds()
    here = target.sql(emails)
    project.invoke("db.fetch", "--app=dump").succeeds()
    salt = Salt((project.local / "mask.dump-salt").read_bytes().strip())

    with devbox.watch_processes([]) as watch, devbox.held("pg_restore") as seen:
        run = start_fab(project, "devbox", "db.pull", "--app=dump", "--upload")
        run.until(lambda: watch.saw(devbox.bin / "pg_restore"))
        seen.touch()
        ended = run.end().succeeds()

    assert "its rows are in" not in ended.err
    assert_no_raw_value(world, target, ended, watch, salt)
    assert target.sql(emails) == here
    for folder in (project.folder, devbox.home):
        names = {path.name for path in folder.rglob("*.dump*")}
        assert names <= {"mask.dump-salt"}


def test_a_mask_that_can_not_be_is_refused_on_a_host(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    write(project, mask={"users.emial": "email"})

    with target.untouched():
        fab(project, "devbox", "db.pull", "--app=dump").refuses(
            "no column fits users.emial", "Did you mean users.email"
        )
        write(project, mask={"users.email": "email"})
        kept = project.folder / "kept-columns.txt"
        kept.unlink()
        fab(project, "devbox", "db.pull", "--app=dump").refuses(
            "whether 39 columns are personal", "devbox db.mask --init"
        )
        ended = fab(project, "devbox", "db.mask", "--init", "--app=dump").succeeds()
        assert "By the names of columns alone" in ended.err
    assert "\n? public.users.couple  pair\n" in kept.read_text(encoding="utf-8")

    assert holding(world.modern) == []
