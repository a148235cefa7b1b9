"""What flags and settings change about a pull."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faulty_stand_in import StandIn
from projects import Project
from targets import Session, Target
from worlds import World


def _captures(heroku: StandIn) -> int:
    return len(heroku.requests(method="POST", path="/backups"))


@pytest.mark.parametrize(
    ("app", "words", "env", "captures"),
    [
        ("stale-0", (), {}, 1),
        ("stale-1", (), {"INVOKE_DB_MAX_AGE": "7d"}, 0),
        ("stale-2", ("--max-age=7d", "--capture"), {}, 1),
    ],
    ids=["too old", "young enough", "asked for"],
)
def test_a_backup_is_captured_where_none_is_young_enough_or_on_request(
    project: Project,
    heroku: StandIn,
    app: str,
    words: tuple[str, ...],
    env: dict[str, str],
    captures: int,
) -> None:
    ended = project.invoke("db.pull", f"--app={app}", *words, **env).succeeds()

    assert _captures(heroku) == captures
    told = "b002, just made" if captures else "b001, 2 days old"
    assert f"is now {app} {told}." in ended.err


def test_as_many_dumps_of_an_app_stay_as_keep_says(project: Project) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()
    (project.local / "somebody-s.dump").write_bytes(b"not ours")
    two = ("--app=two-backups", "--keep=1")
    project.invoke("db.fetch", "--app=two-backups", "--backup=b001").succeeds()

    ended = project.invoke("db.pull", *two).succeeds()

    [shop, mine, kept] = project.dumps()
    assert shop.startswith("shop-eu-b101-")
    assert (mine, kept[:17]) == ("somebody-s.dump", "two-backups-b002-")
    assert "Removed two-backups-b001-" in ended.err


def test_cleanup_keeps_the_newest_dumps_of_every_app(project: Project) -> None:
    project.local.mkdir()
    names = [f"{app}-b00{n}-2026010{n}T000000Z.dump" for app in "ab" for n in (1, 2, 3)]
    for name in (*names, "a-b004-20260104T000000Z.dump.part"):
        (project.local / name).write_bytes(b"x")

    project.invoke("db.cleanup", "--keep=2").succeeds()

    assert project.dumps() == [name for name in names if "-b001-" not in name]


def test_rows_that_are_not_wanted_are_left_out_and_that_is_told(
    world: World, project: Project, target: Target
) -> None:
    env = {"INVOKE_DB_SKIP_DATA": "django_session, audit*, nonsense"}

    ended = project.invoke("db.pull", "--app=staging", **env).succeeds()

    assert target.sql("select count(*) from audit_events;") == "0"
    orders = "select count(*) from orders;"
    assert target.sql(orders) == world.modern.sql("shop", orders)
    told = next(line for line in ended.err.splitlines() if "Without the rows" in line)
    assert told.count("public.") == 2
    assert "public.django_session" in told
    assert "public.audit_events" in told
    assert "skip_data: no table fits nonsense." in ended.err
    listed = project.invoke("db.backups", "--app=staging").succeeds()
    assert "without the rows of public." in listed.err


def test_without_undo_a_database_of_ones_own_stays_and_no_previous_one(
    project: Project, target: Target
) -> None:
    project.configure("db: {undo: false}\n")

    first, ended = (
        project.invoke("db.pull", "--app=small-eu").succeeds() for _ in range(2)
    )

    assert target.family == {"target", "original"}
    assert "which dbpull had not filled" in first.err
    assert "which dbpull had not filled" not in ended.err
    assert "`invoke db.undo` brings" not in ended.err
    assert f"Dropped the old {target.name} (small-eu b101, 1 hour old, " in ended.err
    project.invoke("db.undo").refuses("no previous database", "`invoke db.undo --orig")
    project.invoke("db.undo", "--original").succeeds()
    assert target.notes == "(1,mine)"


@pytest.fixture
def limited(world: World, make_target: Callable[..., Target]) -> Target:
    """A database that belongs to a role without CREATEDB."""
    role = world.modern.role("PASSWORD 'p'")
    target = make_target(options=f"owner {role}")
    target.sql(f"alter table notes owner to {role};")
    return target


@pytest.fixture
def limited_url(world: World, limited: Target) -> str:
    """Its URL, as that role."""
    owner = limited.sql("select tableowner from pg_tables where tablename = 'notes';")
    return world.modern.socket_url(limited.name, owner)


def test_a_role_that_may_not_create_databases_is_told_of_in_place(
    project: Project, heroku: StandIn, limited: Target, limited_url: str
) -> None:
    with limited.unasked():
        ended = project.invoke("db.pull", "--app=staging", f"--target={limited_url}")

    ended.refuses("may not create databases", "CREATEDB.*--in-place")
    assert heroku.total().requests == 0


def test_in_place_refills_the_database_and_ends_the_sessions_that_use_a_table(
    world: World, project: Project, limited: Target, limited_url: str
) -> None:
    old = limited.oid
    words = ("--app=small-eu", f"--target={limited_url}", "--in-place")

    ended = project.invoke("db.pull", *words).succeeds()

    assert limited.oid == old
    assert limited.family == {"target"}
    count = "select count(*) from orders;"
    assert limited.sql(count) == world.modern.sql("small", count)
    assert limited.notes == "(1,mine)"
    assert "db.undo" not in ended.err
    warned, done = ended.err.index("no way back"), ended.err.index("Restored into")
    assert warned < done
    with Session([world.modern.program("psql"), "-XAtqw", limited_url]) as session:
        session.ask("begin")
        session.ask("select count(*) from orders")
        project.invoke("db.pull", *words).succeeds()
    assert limited.sql(count) == world.modern.sql("small", count)


def test_what_was_refilled_in_place_still_is_ones_own_database(
    project: Project, target: Target
) -> None:
    project.invoke("db.pull", "--app=small-eu", "--in-place").succeeds()
    told = project.invoke("db.pull", "--app=small-eu").succeeds()
    project.invoke("db.pull", "--app=small-eu").succeeds()

    rows = "small-eu b101, 1 hour old, pulled just now beside your own tables"
    assert f"holds {rows}" in told.err
    assert target.family == {"target", "previous", "original"}
    project.invoke("db.undo", "--original").succeeds()
    assert target.notes == "(1,mine)"


def test_in_place_touches_nothing_where_a_session_is_not_ours_to_end(
    world: World, project: Project, limited: Target, limited_url: str
) -> None:
    words = ("--app=small-eu", f"--target={limited_url}", "--in-place")

    with (
        limited.untouched(),
        world.modern.session(limited.name, "set application_name = 'a console'"),
    ):
        ended = project.invoke("db.pull", *words)

    ended.refuses("is in use.*a console of postgres", "Stop those programs")
    assert limited.sql("select to_regclass('orders');") == ""


def test_in_place_is_one_transaction(
    project: Project, limited: Target, limited_url: str
) -> None:
    with limited.untouched():
        ended = project.invoke(
            "db.pull", "--app=bad-key", f"--target={limited_url}", "--in-place"
        )

    ended.refuses("FK CONSTRAINT pets", "skip")
    assert limited.sql("select to_regclass('pets');") == ""


def test_variables_of_env_count_below_the_project_too_and_those_of_the_shell_win(
    project: Project, target: Target
) -> None:
    del project.environment["DATABASE_URL"]
    project.environment["INVOKE_DB_APP"] = "small-eu"
    lines = [f"DATABASE_URL={target.url}", "INVOKE_DB_APP=nonsense"]
    (project.folder / ".env").write_text("\n".join(lines))
    below = project.folder / "app" / "models"
    below.mkdir(parents=True)

    ended = project.invoke_in(below, "db.pull").succeeds()

    assert "is now small-eu b101" in ended.err
    assert target.family == {"target", "original"}
    assert len(project.dumps()) == 1
    assert list(below.iterdir()) == []
