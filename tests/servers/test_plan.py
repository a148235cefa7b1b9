"""`--dry-run` and Invoke's own `--dry`: the whole plan, and nothing of it done."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from dbpull.target.provenance import unfinished
from faulty_stand_in import StandIn
from projects import Project
from targets import Target

READS = ("GET", "/actions/addon-attachments/resolve")


@pytest.fixture
def target(standing: Target) -> Target:
    """One for all tests here: none of them may change it."""
    return standing


def _only_read(heroku: StandIn) -> bool:
    return all(seen.method in READS or seen.path in READS for seen in heroku.requests())


@pytest.mark.parametrize(
    "words", [("db.pull", "--dry-run"), ("--dry", "db.pull")], ids=str
)
def test_a_plan_names_everything_and_does_nothing(
    project: Project, heroku: StandIn, target: Target, words: tuple[str, ...]
) -> None:
    with target.unasked():
        ended = project.invoke(*words, "--app=staging").succeeds()

    assert _only_read(heroku)
    assert heroku.total("download").requests == 0
    assert not project.local.exists()
    for told in (
        "Plan (nothing is changed):",
        "shop-eu (staging)",
        "b101, 1 hour old",
        "local/shop-eu-b101-",
        f"{target.name} on 127.0.0.1",
        "[DATABASE_URL]",
        "/transfers/101/actions/public-url",
        f'CREATE DATABASE "{target.name}__dbpull_new"',
        "-L LIST",
        "--section=post-data",
        "kept: dbpull did not fill it",
        f'RENAME TO "{target.name}__dbpull_original"',
    ):
        assert told in ended.err


def test_a_plan_names_what_is_dropped(
    project: Project, make_target: Callable[..., Target]
) -> None:
    target = make_target()
    project.environment["DATABASE_URL"] = target.url
    plan = ("db.pull", "--app=small-eu", "--dry-run")

    for undo in ("true", "true", "true", "false"):
        told = project.invoke(*plan, INVOKE_DB_UNDO=undo).succeeds()
        before = target.postgres.logged
        project.invoke("db.pull", "--app=small-eu", INVOKE_DB_UNDO=undo).succeeds()
        done = target.postgres.changes(before)

        assert _renames_and_drops(told.err.replace('"', "")) == _renames_and_drops(
            "\n".join(done)
        )

    assert f'DROP DATABASE "{target.name}__dbpull_old"' in told.err


def test_a_plan_names_the_pg_restores_that_are_run(
    project: Project, make_target: Callable[..., Target]
) -> None:
    project.environment["DATABASE_URL"] = make_target().url
    project.invoke("db.fetch", "--app=staging").succeeds()

    for more in ((), ("--in-place",), ("--jobs=1",)):
        words = ("db.restore", *more)
        planned = project.invoke(*words, "--dry-run").succeeds()
        done = project.invoke("--echo", *words).succeeds()

        assert _pg_restores(planned.err) == _pg_restores(done.err) != set()


def _pg_restores(told: str) -> set[str]:
    """Every pg_restore that restores, whatever the file of its list."""
    lines = (line.strip() for line in told.splitlines() if "--verbose" in line)
    a_list = re.compile(r"-L (?:LIST|/dev/stdin|<\(.*?\))")
    return {a_list.sub("-L …", line).partition("  (")[0] for line in lines}


def _renames_and_drops(told: str) -> list[str]:
    return re.findall(r"ALTER DATABASE \S+ RENAME TO \w+|DROP DATABASE \w+", told)


def test_a_plan_says_that_a_backup_would_be_captured(
    project: Project, heroku: StandIn, target: Target
) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", "--app=barren", "--dry-run").succeeds()

    assert "a new backup (there is none yet)" in ended.err
    assert "/backups" in ended.err
    assert _only_read(heroku)


def test_a_plan_refuses_what_the_real_thing_would(
    project: Project, heroku: StandIn
) -> None:
    words = ("--app=staging", "--dry-run", "--target=postgres://db.example.com/x")

    ended = project.invoke("db.pull", *words)

    ended.refuses("on another machine", "allowed_hosts")
    assert heroku.total().requests == 0


def test_the_plan_of_a_restore(project: Project, target: Target) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()
    before = project.dumps()

    with target.unasked():
        ended = project.invoke("db.restore", "--dry-run").succeeds()

    assert f"{before[0]}: here already" in ended.err
    assert "-L LIST" in ended.err
    assert project.dumps() == before


def test_the_plan_of_a_dump_that_is_here_knows_what_is_left_out(
    project: Project, target: Target
) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()

    with target.unasked():
        ended = project.invoke(
            "db.pull", "--app=staging", "--dry-run", "--skip-data=audit_*"
        ).succeeds()

    assert "comments on extensions (1)" in ended.err
    assert "rows skipped  public.audit_events" in ended.err


def test_the_plan_of_a_dump_that_can_not_be_restored_refuses(
    project: Project, target: Target
) -> None:
    project.local.mkdir()
    (project.local / "some.dump").write_bytes(b"no dump")

    with target.unasked():
        ended = project.invoke("db.restore", "--dump=some.dump", "--dry-run")

    ended.refuses("is no dump that pg_restore reads", "is kept as it is")


def test_a_plan_in_place_says_that_the_target_itself_is_refilled(
    project: Project, target: Target
) -> None:
    words = ("--app=staging", "--dry-run", "--in-place")
    with target.unasked():
        ended = project.invoke("db.pull", *words).succeeds()

    assert "refilled itself" in ended.err
    assert "--clean --if-exists" in ended.err
    assert "RENAME" not in ended.err


def test_a_plan_for_the_embedded_server_does_not_start_it(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()

    ended = project.invoke("db.pull", "--app=staging", "--dry-run").succeeds()

    assert "the embedded server, which is started" in ended.err
    assert not (project.folder / ".dbpull" / "server").exists()


def test_a_plan_drops_what_a_crashed_run_left_and_refuses_a_taken_name(
    project: Project, make_target: Callable[..., Target]
) -> None:
    target = make_target()
    project.environment["DATABASE_URL"] = target.url
    postgres, name = target.postgres, target.name
    aside, old = f"{name}__dbpull_new", f"{name}__dbpull_old"
    for dbname in (aside, old):
        postgres.database(name=dbname)
        mark = unfinished(name)
        postgres.sql("postgres", f"comment on database {dbname} is '{mark}';")
    told = project.invoke("db.pull", "--app=small-eu", "--dry-run").succeeds()
    before = postgres.logged
    project.invoke("db.pull", "--app=small-eu").succeeds()
    done = postgres.changes(before)

    planned = _renames_and_drops(told.err.replace('"', ""))
    assert planned[:2] == [f"DROP DATABASE {aside}", f"DROP DATABASE {old}"]
    assert planned == _renames_and_drops("\n".join(done))

    postgres.database("create table theirs ();", name=aside)
    ended = project.invoke("db.pull", "--app=small-eu", "--dry-run")
    ended.refuses(f"a database {aside} that dbpull did not make", "Rename or drop it")
