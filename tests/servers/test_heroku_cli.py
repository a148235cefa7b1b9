"""The real Heroku CLI is the judge of the stand-in: what it prints, what it downloads.

It is the executable that `DBPULL_HEROKU_CLI` names, else `heroku` on PATH. Written
against its version 11.10.0 (npm package `heroku`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from faulty_stand_in import StandIn, faults
from stand_ins import ADDON, Client, psql

HEROKU = os.environ.get("DBPULL_HEROKU_CLI") or shutil.which("heroku")
ROOM = "--max-semi-space-size=64"
"""For node, which collects garbage for a fifth of its time where it has less."""
Heroku = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(
    HEROKU is None, reason="the Heroku CLI is not installed (or DBPULL_HEROKU_CLI)"
)


@pytest.fixture
def heroku(stand_in: StandIn, tmp_path: Path) -> Heroku:
    """Runs the CLI against the stand-in, in an empty folder, with an empty HOME."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(home), "TERM": "dumb", "NODE_OPTIONS": ROOM}

    def run(*arguments: str, app: str = "demo") -> subprocess.CompletedProcess[str]:
        assert HEROKU
        return subprocess.run(
            [HEROKU, *arguments, "--app", app],
            env=kept | stand_in.environment | own,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def asked(stand_in: StandIn) -> list[tuple[str, str, str, int | None]]:
    """Every request, ids left out."""
    return [
        (
            seen.host,
            seen.method,
            re.sub(r"[0-9a-f]{8}-[-0-9a-f]{27}", "ID", seen.path),
            seen.status,
        )
        for seen in stand_in.requests()
    ]


def test_backups_lists_ids_statuses_and_databases(
    heroku: Heroku, stand_in: StandIn
) -> None:
    done = heroku("pg:backups")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    by_id = {row[0]: row for row in rows if row and re.fullmatch(r"[ab]\d{3}", row[0])}
    assert sorted(by_id) == ["a007", "b008", "b009"]
    assert "Completed" in by_id["a007"]
    assert "Completed" in by_id["b008"]
    assert "Failed" in by_id["b009"]
    assert by_id["b008"][-1] == "DATABASE"
    assert "No restores found" in done.stdout
    path = "/client/v11/apps/demo/transfers"
    assert asked(stand_in) == [("data", "GET", path, 200)]


def test_capture_waits_for_the_end_and_info_tells_of_it(
    heroku: Heroku, stand_in: StandIn
) -> None:
    done = heroku("pg:backups:capture", app="fresh")
    assert done.returncode == 0, done.stderr
    assert "Starting backup of postgresql-fresh-20202... done" in done.stderr
    number = re.search(r"Backing up DATABASE to b(\d+)\.\.\. done", done.stderr)
    assert number, done.stderr
    path = f"/client/v11/apps/fresh/transfers/{int(number[1])}"
    told = Client(stand_in).get(path)
    assert told["succeeded"] is True
    info = heroku("pg:backups:info", f"b{number[1]}", app="fresh")
    assert info.returncode == 0, info.stderr
    assert re.search(r"Status: +Completed", info.stdout)
    assert re.search(r"Type: +Manual", info.stdout)
    assert re.search(r"Database: +.*DATABASE", info.stdout)
    assert "dumping contents of table" in info.stdout
    calls = asked(stand_in)
    assert calls[:3] == [
        ("platform", "POST", "/actions/addon-attachments/resolve", 200),
        ("data", "GET", "/client/v11/databases/ID", 200),
        ("data", "POST", "/client/v11/databases/ID/backups", 201),
    ]
    assert calls[3] == ("data", "GET", "/client/v11/apps/fresh/transfers/ID", 200)


def test_capture_from_an_app_that_does_not_pay_ends_with_a_hint(
    heroku: Heroku, stand_in: StandIn
) -> None:
    stand_in.misbehave(faults.backup("fail", message="the server ran out of disk"))
    done = heroku("pg:backups:capture", app="staging")
    assert done.returncode == 2
    assert "non-billing application" in done.stdout
    assert "heroku pg:backups -a demo" in done.stdout
    assert "An error occurred and the backup did not finish." in done.stderr
    assert "the server ran out of disk" in done.stderr
    number = Client(stand_in).get("/client/v11/apps/demo/transfers")[0]["num"]
    assert f"b{number:03}" in done.stderr
    Client(stand_in).ask("DELETE", f"/client/v11/apps/demo/transfers/{number}")


def test_download_writes_the_very_bytes_of_the_newest_finished_backup(
    heroku: Heroku, stand_in: StandIn, tmp_path: Path
) -> None:
    done = heroku("pg:backups:download")
    assert done.returncode == 0, done.stderr
    assert "done, #8" in done.stderr
    client = Client(stand_in)
    expected = client.download(client.url(8)).content
    assert (tmp_path / "work" / "latest.dump").read_bytes() == expected
    [got, _] = stand_in.requests("download")
    assert (got.method, got.range, got.authorization) == ("GET", "", "")
    assert got.sent == len(expected)


def test_info_shows_what_the_real_database_is_and_the_app_that_pays(
    heroku: Heroku, stand_in: StandIn, source: str
) -> None:
    done = heroku("pg:info", app="staging")
    assert done.returncode == 0, done.stderr
    assert "=== DATABASE_URL" in done.stdout
    told = dict(re.findall(r"^([A-Z][\w /-]+): +(.*?) *$", done.stdout, re.M))
    assert told["Plan"] == "Standard 0"
    assert told["Status"] == "Available"
    assert told["PG Version"] == psql(source, "show server_version").split()[0]
    assert told["Tables"] == "1"
    assert told["Add-on"].endswith(ADDON)
    assert told["Billing App"].endswith("demo")
    assert sorted(asked(stand_in)) == [
        ("data", "GET", "/client/v11/databases/ID", 200),
        ("platform", "GET", "/apps/staging/addon-attachments", 200),
        ("platform", "GET", "/apps/staging/config-vars", 200),
    ]


def test_a_refusal_is_told_as_herokus_own(heroku: Heroku, stand_in: StandIn) -> None:
    stand_in.misbehave(faults.answer(401, host="data"))
    done = heroku("pg:backups")
    assert done.returncode == 1
    assert "HEROKU_API_KEY is invalid" in done.stderr


def test_an_unknown_app_is_told_as_such(heroku: Heroku) -> None:
    done = heroku("pg:info", app="nobody")
    assert done.returncode == 2
    assert "Couldn't find that app." in done.stderr
    assert "Error ID: not_found" in done.stderr


def test_what_a_restore_puts_back_is_what_a_reset_took_away(
    heroku: Heroku, stand_in: StandIn, source: str
) -> None:
    at = f"{source}_changed"
    psql(at, "create extension citext", "create table kept as select 7 as id")
    client = Client(stand_in)
    number = client.capture("postgresql-changed-40404")["num"]
    client.wait(number, lambda told: told["finished_at"], "changed")
    stand_in.forget_requests()

    emptied = heroku("pg:reset", "--confirm", "changed", app="changed")

    assert emptied.returncode == 0, emptied.stderr
    assert psql(at, "select count(*) from pg_stat_user_tables") == "0\n"
    assert asked(stand_in) == [
        ("platform", "POST", "/actions/addon-attachments/resolve", 200),
        ("data", "PUT", "/client/v11/databases/ID/reset", 200),
    ]
    stand_in.forget_requests()
    restored = heroku("pg:backups:restore", "b001", "--confirm=changed", app="changed")
    assert restored.returncode == 0, restored.stderr
    assert psql(at, "select id from kept") == "7\n"
    calls = asked(stand_in)
    assert ("data", "POST", "/client/v11/databases/ID/restores", 201) in calls
    assert calls[-1] == ("data", "GET", "/client/v11/apps/ID/transfers/ID", 200)
    listed = heroku("pg:backups", app="changed").stdout
    assert re.search(r"r002 .*Completed", listed)


def test_maintenance_is_switched(heroku: Heroku, stand_in: StandIn) -> None:
    client = Client(stand_in)
    client.ask("PATCH", "/apps/changed", json={"maintenance": True})
    stand_in.forget_requests()

    done = heroku("maintenance:off", app="changed")

    assert done.returncode == 0, done.stderr
    assert asked(stand_in)[0] == ("platform", "PATCH", "/apps/changed", 200)
    assert client.get("/apps/changed")["maintenance"] is False
