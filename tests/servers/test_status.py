"""`invoke db.status`: what is where, on stdout; it starts and changes nothing."""

from __future__ import annotations

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
        before = _lines(project.invoke("db.status", "--app=staging").succeeds().out)

    assert before["target"].startswith(f"{place}rows that dbpull did not pull, ")
    assert before["dumps"] == "0 dumps in local, 0 B"
    assert before["source"] == "shop-eu: b101 is the newest, 1 hour old"
    assert before.keys() == {"target", "dumps", "source"}

    project.invoke("db.pull", "--app=staging").succeeds()
    project.invoke("db.pull", "--app=staging").succeeds()
    after = _lines(project.invoke("db.status", "--app=staging").succeeds().out)

    held = "shop-eu b101, 1 hour old, pulled just now"
    assert after["target"].startswith(f"{place}{held}, ")
    assert after["previous"].startswith(f"{target.name}__dbpull_previous: {held}, ")
    assert after["original"].startswith(f"{target.name}__dbpull_original: rows that")
    assert after["original"].endswith("B, replaced just now")
    assert after["dumps"].startswith("1 dump in local, ")
    assert after["dumps"].endswith("B; shop-eu b101 is 1 hour old")


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
