"""`invoke db.status`: what is where, on stdout; and `db.shell`, a look inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from dbpull import embedded
from faulty_stand_in import StandIn, faults
from projects import Project
from targets import Target


def _lines(out: str) -> dict[str, str]:
    """Each label's text; that of its first line."""
    lines = [line.partition(" ") for line in reversed(out.splitlines())]
    return {label: text.strip() for label, _, text in lines}


def test_the_target_what_is_kept_the_dumps_and_the_newest_backup(
    project: Project, target: Target
) -> None:
    port = urlsplit(target.url).port
    place = f"{target.name} on 127.0.0.1:{port} (DATABASE_URL): "
    with target.unasked():
        before = _lines(project.invoke("db.status", "--app=small-eu").succeeds().out)

    assert before["target"].startswith(f"{place}rows that dbpull did not pull, ")
    assert before["dumps"] == "0 dumps in local, 0 B"
    assert before["source"] == "small-eu: b101 is the newest, 1 hour old"
    assert before.keys() == {"target", "dumps", "source"}

    project.invoke("db.pull", "--app=small-eu").succeeds()
    project.invoke("db.pull", "--app=small-eu").succeeds()
    project.invoke("db.snapshot", "monday").succeeds()
    after = _lines(project.invoke("db.status", "--app=small-eu").succeeds().out)

    held = "small-eu b101, 1 hour old, pulled just now"
    assert after["target"].startswith(f"{place}{held}, ")
    assert after["previous"].startswith(f"{target.name}__dbpull_previous: {held}, ")
    assert after["snapshot"].startswith(f"monday: {held}, ")
    assert after["snapshot"].endswith("B, copied just now")
    assert after["original"].startswith(f"{target.name}__dbpull_original: rows that")
    assert after["original"].endswith("B, replaced just now")
    assert after["dumps"].startswith("1 dump in local, ")
    assert after["dumps"].endswith("B; small-eu b101 is 1 hour old")

    gone = project.invoke("db.cleanup", "--previous").succeeds()
    assert f"Dropped {target.name}__dbpull_previous (small-eu b101, " in gone.err
    assert target.family >= {"target", "original"}
    assert "previous" not in target.family
    _own_previous(target)
    kept = project.invoke("db.cleanup", "--previous", "--original").succeeds()
    assert "__dbpull_previous holds rows that dbpull did not pull: it stays" in kept.err
    assert "previous" in target.family
    assert "original" not in target.family


def _own_previous(target: Target) -> None:
    """Make a previous database such as an older dbpull kept: of the user's own."""
    previous, mark = f"{target.name}__dbpull_previous", '{"dbpull": {"previous_of": 1}}'
    mark = mark.replace("1", f'"{target.name}"')
    target.postgres.sql("postgres", f'create database "{previous}";')
    target.postgres.sql("postgres", f"comment on database {previous} is '{mark}';")


def test_what_can_not_be_asked_is_a_line_and_no_failure(
    make_project: Callable[..., Project], heroku: StandIn
) -> None:
    heroku.misbehave(faults.answer(403, path="/client/*", times=None))
    project = make_project(DATABASE_URL="postgres://127.0.0.1:1/shop")

    told = _lines(project.invoke("db.status", "--app=staging").succeeds().out)

    assert "shop on 127.0.0.1:1 can't be reached" in told["target"]
    assert "Heroku refuses" in told["source"]


def test_the_embedded_server_is_not_started(
    make_project: Callable[..., Project],
) -> None:
    project = make_project()
    with embedded.Server(project.folder / ".dbpull" / "server", throwaway=True) as own:
        project.invoke("db.status").succeeds()
        own.stop()

        told = _lines(project.invoke("db.status").succeeds().out)

        assert not own.running
    start = "`invoke db.start` starts it"
    assert told["target"].endswith(
        f"(the embedded server): its server does not run; {start}"
    )
    assert told["server"].startswith("the embedded PostgreSQL does not run, ")
    assert told["server"].endswith(f"MB; {start}")
    assert "No Heroku app given" in told["source"]


def test_psql_is_opened_on_the_target_with_the_users_own_settings(
    project: Project, target: Target
) -> None:
    rc = project.folder / "psqlrc"
    rc.write_text(
        "\\pset format unaligned\n\\t\n"
        "select current_database(), current_setting('application_name'), count(*)"
        " from notes;\n"
        "\\! tr '\\0' ' ' </proc/$PPID/cmdline\n"
    )

    ended = project.invoke("db.shell", PSQLRC=str(rc), PGAPPNAME="mine").succeeds()

    assert f"\n{target.name}|mine|1\n" in ended.out
    assert re.search(r"^\S+/psql\s*$", ended.out.splitlines()[-1])
