"""Targets that can't or must not be replaced: refused before anything is done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from faulty_stand_in import StandIn
from projects import Project
from targets import Target
from worlds import World


@pytest.fixture
def target(standing: Target) -> Target:
    """One for all tests here: none of them may change it."""
    return standing


# Other URLs and names: tests/unit/test_connection.py and test_guard.py.
@pytest.mark.parametrize(
    ("url", "cause", "remedy"),
    [
        (
            "postgres://me@127.0.0.1:1/dev",
            "dev on 127.0.0.1:1 can't be.*refused",
            "psql",
        ),
        ("postgres:///dev?host=/nowhere", "can't be reached", "server runs"),
        (
            "postgres://db.example.com/dev",
            "dev on db.example.com is on another machine",
            "db.example.com to db.allowed_hosts",
        ),
        ("postgres://localhost/postgres", "postgres can't be replaced", "another"),
        ("postgres://localhost/", "names no database", "Write it as"),
    ],
    ids=str,
)
def test_a_place_that_is_no_target(
    project: Project, heroku: StandIn, url: str, cause: str, remedy: str
) -> None:
    ended = project.invoke("db.pull", "--app=staging", f"--target={url}")

    ended.refuses(cause, remedy)
    assert heroku.total().requests == 0
    assert project.dumps() == []


def test_a_wrong_password(project: Project, heroku: StandIn, target: Target) -> None:
    url = target.url.replace(target.postgres.password, "s3cret")
    project.secrets = (*project.secrets, "s3cret")

    with target.unasked():
        ended = project.invoke("db.pull", "--app=staging", f"--target={url}")

    ended.refuses("password authentication failed", "user and password")
    assert heroku.total().requests == 0


def test_the_source_itself(world: World, project: Project, heroku: StandIn) -> None:
    before, logged = world.modern.oids(), world.modern.logged

    ended = project.invoke(
        "db.pull", "--app=staging", f"--target={world.modern.url('shop')}"
    )

    ended.refuses("is the database of shop-eu .staging. itself", "development")
    assert world.modern.oids() == before
    assert world.modern.changes(logged) == []
    assert heroku.total("download").requests == 0


def test_somebody_elses_database(
    world: World, project: Project, target: Target
) -> None:
    stranger = world.modern.role("CREATEDB")
    url = world.modern.socket_url(target.name, stranger)

    with target.unasked():
        ended = project.invoke("db.pull", "--app=staging", f"--target={url}")

    ended.refuses("belongs to postgres", f'GRANT "postgres" TO "{stranger}"')


def test_a_name_that_is_needed_and_somebody_elses(
    world: World, project: Project, make_target: Callable[..., Target]
) -> None:
    target = make_target()
    project.environment["DATABASE_URL"] = target.url
    other = f"{target.name}__dbpull_new"
    world.modern.database("create table precious (id int);", name=other)

    with target.unasked():
        ended = project.invoke("db.pull", "--app=staging")

    ended.refuses(f"a database {other} that dbpull did not make", "Rename or drop")


@pytest.fixture
def at_work(project: Project, target: Target) -> Iterator[int]:
    """A pull that builds the target's aside database, and is at it for long."""
    run = project.start("db.pull", "--app=slow-index")
    run.until(lambda: "aside" in target.family)
    run.says("restoring")
    yield run.process.pid
    run.signal(signal.SIGINT)
    run.end().refuses("Stopped by Ctrl-C", "as it was", code=130)
    assert target.family == {"target"}


def test_a_second_pull_of_the_same_target_is_told_who_holds_it(
    project: Project, target: Target, at_work: int
) -> None:
    with target.untouched():
        ended = project.invoke("db.pull", "--app=staging")

    ended.refuses(f"being replaced already, by dbpull of .*{at_work}", "Wait")


def test_a_pull_of_another_target_leaves_one_at_work_alone(
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    target: Target,
    at_work: int,
) -> None:
    other = make_target()
    project = make_project(DATABASE_URL=other.url)

    project.invoke("db.pull", "--app=small-eu").succeeds()

    assert at_work
    assert other.family == {"target", "original"}
    assert target.family == {"target", "aside"}


def test_sessions_that_may_not_be_ended_keep_the_old_database(
    world: World,
    make_target: Callable[..., Target],
    project: Project,
) -> None:
    role = world.modern.role("CREATEDB")
    target = make_target(options=f"owner {role}")
    url = world.modern.socket_url(target.name, role)

    with world.modern.session(target.name, "set application_name = 'a console'"):
        before = target.oid
        ended = project.invoke("db.pull", "--app=small-eu", f"--target={url}")

    ended.refuses("is in use, .* a console of postgres", "db.restore.*dump is here")
    assert target.oid == before
    assert target.family == {"target"}
    assert len(project.dumps()) == 1


def test_a_server_that_ends_our_sessions_keeps_the_old_database(
    project: Project, target: Target
) -> None:
    with target.untouched():
        run = project.start("db.pull", "--app=slow-index")
        run.until(lambda: "sleepers_slow" in _building(target))
        target.postgres.sql("postgres", END.format(aside=f"{target.name}__dbpull_new"))
        ended = run.end()

    ended.refuses("Restoring failed at .*terminating connection", "as it was")


END = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = '{aside}';
"""


def _building(target: Target) -> str:
    sql = "select string_agg(query, ';') from pg_stat_activity where state = 'active';"
    return target.sql(sql)
