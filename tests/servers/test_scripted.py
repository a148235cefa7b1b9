"""What scripts and cron get: silence with `--quiet`, a document with `--json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from documents import documents
from faulty_stand_in import StandIn
from projects import INVOKE, Ended, Project
from targets import Target


def read(ended: Ended) -> dict[str, Any]:
    """The one document on stdout."""
    [found] = documents(ended.out)
    return found


def test_a_pull_tells_a_script_what_it_did(project: Project, target: Target) -> None:
    words = ("--app=staging", "--skip-data=audit*", "--delete", "--json", "--quiet")
    pulled = project.invoke("db.pull", *words).succeeds()

    assert pulled.err == ""
    found = read(pulled)
    assert (found["result"], found["error"], found["host"]) == ("replaced", None, None)
    assert found["target"].startswith(f"{target.name} on 127.0.0.1")
    assert (found["backup"]["source"], found["backup"]["id"]) == ("shop-eu", "b101")
    steps = [step["name"] for step in found["steps"]]
    assert steps == ["fetch", "restore", "check", "swap"]
    assert found["seconds"] >= found["steps"][0]["seconds"] > 0
    assert found["dump"]["bytes"] > 100_000
    [orders] = [each for each in found["tables"] if each["name"] == "public.orders"]
    assert 0 < orders["bytes"] < found["dump"]["bytes"]
    assert found["skipped_rows"] == ["public.audit_events"]

    listed = project.invoke("db.backups", "--app=staging", "--json").succeeds()
    assert f"{target.name} on 127.0.0.1" in listed.err
    found = read(listed)
    assert [each["id"] for each in found["backups"]] == ["b103", "b102", "b101", "a099"]
    assert found["backups"][2]["database_bytes"] > 0
    assert found["holds"]["id"] == "b101"

    looked = read(project.invoke("db.status", "--app=staging", "--json").succeeds())
    roles = {each["role"]: each for each in looked["databases"]}
    assert roles.keys() == {"target", "original"}
    assert roles["target"]["holds"]["id"] == "b101"
    assert not roles["target"]["holds"]["masked"]
    assert looked["source"]["newest"]["id"] == "b101"
    assert looked["dumps"]["count"] == 0

    project.invoke("db.snapshot", "mine").succeeds()
    [kept, _] = read(project.invoke("db.snapshots", "--json").succeeds())["snapshots"]
    assert (kept["name"], kept["holds"]["id"]) == ("mine", "b101")

    planned = project.invoke("db.pull", "--app=staging", "--dry-run", "--json")
    assert read(planned.succeeds())["plan"]

    refused = project.invoke("db.restore", "--dump=none", "--json", "--quiet")
    refused.refuses("^There is no file none", "--dump=FILE")
    error = read(refused)["error"]
    assert error["what"] == "There is no file none."
    assert error["code"] == 1


def test_cron_gets_no_mail_of_a_pull_and_one_error_of_a_failure(
    make_project: Callable[..., Project], target: Target, heroku: StandIn
) -> None:
    project = make_project()
    known = {"DATABASE_URL": target.url, **heroku.environment}
    lines = "".join(f'{name}="{value}"\n' for name, value in known.items())
    (project.folder / ".env").write_text(lines)
    home = project.environment["HOME"]
    cron = ["env", "-i", f"HOME={home}", "LOGNAME=me", "PATH=/usr/bin:/bin", *INVOKE]

    def run(*words: str) -> Ended:
        return project.begin([*cron, *words], None, {}).end()

    pulled = run("db.pull", "--app=staging", "--quiet").succeeds()
    failed = run("db.pull", "--app=staging", "--backup=b777", "--quiet")

    assert (pulled.out, pulled.err) == ("", "")
    failed.refuses("^[^\n]*b777[^\n]*$", "There are b")
    assert failed.out == ""
