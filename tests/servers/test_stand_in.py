"""The stand-in for Heroku answers as recorded, traced and documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dbpull.demo.heroku import config
from dbpull.demo.heroku.account import shown_url
from faulty_stand_in import Config, StandIn, faults
from stand_ins import ADDON, Client, Starter, program, psql

INCLUSION = {"Accept-Inclusion": "addon:plan,config_vars"}
RESOLVE = "/actions/addon-attachments/resolve"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000")
FIELDS = {
    *("uuid", "num", "from_name", "from_type", "from_url", "to_name", "to_type"),
    *("to_url", "options", "source_bytes", "processed_bytes", "succeeded", "warnings"),
    *("created_at", "started_at", "canceled_at", "updated_at", "finished_at"),
    *("deleted_at", "purged_at", "num_keep"),
}
# Where pg_dump writes the current time into the header (archive version 1.16).
MOMENT = slice(12, 47)


def resolve(client: Client, name: str, app: str = "demo") -> Any:
    wanted = {"addon_attachment": name, "app": app}
    return client.ask("POST", RESOLVE, json=wanted, headers=INCLUSION)


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic Ondyb25n", "Basic %"])
def test_without_the_token_it_answers_401_in_json(
    client: Client, token: str | None
) -> None:
    headers = {"Authorization": token}
    answer = client.ask("GET", "/apps/demo", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["id"] == "unauthorized"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_the_token_is_taken_as_bearer_and_as_basic_without_user(client: Client) -> None:
    assert client.get("/apps/demo")["name"] == "demo"
    client.session.auth = ("", client.stand_in.token)
    answer = client.ask(
        "GET", "/client/v11/apps/demo/transfers", headers={"Authorization": None}
    )
    assert answer.status_code == 200
    assert client.stand_in.requests()[-1].authorization == "Basic"


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE", "database", ADDON])
def test_an_attachment_is_found_by_its_names(client: Client, name: str) -> None:
    [found] = resolve(client, name).json()
    assert found["config_vars"] == ["DATABASE_URL"]
    assert found["namespace"] is None
    assert found["addon"]["plan"]["name"] == "heroku-postgresql:standard-0"
    assert found["addon"]["app"]["name"] == found["app"]["name"] == "demo"
    assert resolve(client, found["addon"]["id"]).json() == [found]


def test_an_attachment_of_another_apps_database_names_the_billing_app(
    client: Client,
) -> None:
    [found] = resolve(client, "DATABASE_URL", "staging").json()
    assert found["app"]["name"] == "staging"
    assert found["addon"]["app"]["name"] == "demo"


def test_plan_and_config_vars_are_shown_only_where_included(client: Client) -> None:
    [told] = client.get("/apps/demo/addon-attachments")
    assert "config_vars" not in told
    assert "plan" not in told["addon"]
    [told] = client.get("/apps/demo/addon-attachments", headers=INCLUSION)
    assert told["config_vars"] == ["DATABASE_URL"]
    assert told["addon"]["plan"]


@pytest.mark.parametrize(
    ("app", "name", "resource"),
    [("demo", "RED", "addon_attachment"), ("nobody", "DATABASE_URL", "app")],
)
def test_what_is_not_found_is_a_404_that_says_so(
    client: Client, app: str, name: str, resource: str
) -> None:
    answer = resolve(client, name, app)
    assert answer.status_code == 404
    assert answer.json()["id"] == "not_found"
    assert answer.json()["resource"] == resource


def test_an_apps_addons_are_those_it_owns_or_has_attached(client: Client) -> None:
    [own] = client.get("/apps/demo/addons")
    [attached] = client.get("/apps/staging/addons")
    assert own["name"] == attached["name"] == ADDON
    assert attached["app"]["name"] == "demo"
    assert attached["config_vars"] == ["DATABASE_URL"]


def test_a_config_var_reaches_the_real_database(client: Client) -> None:
    url = client.get("/apps/staging/config-vars")["DATABASE_URL"]
    assert url.startswith("postgres://")
    assert psql(url, "select count(*) from orders").strip() == "100000"


def test_an_unknown_database_is_a_404_in_html(client: Client) -> None:
    answer = client.ask("GET", "/client/v11/databases/nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == "<h1>Not Found</h1>"


def test_a_database_tells_what_the_real_one_is(client: Client, source: str) -> None:
    told = client.get(f"/client/v11/databases/{ADDON}")
    info = {item["name"]: item["values"] for item in told["info"]}
    version = psql(source, "show server_version").split()[0]
    assert told["postgres_version"] == version
    assert info["PG Version"] == [version]
    assert info["Tables"] == [1]
    assert info["Continuous Protection"] == ["Off"]
    size = int(psql(source, "select pg_database_size('shop')"))
    assert abs(told["num_bytes"] - size) < 0.05 * size
    assert urlsplit(told["resource_url"]).password
    waiting = client.get(f"/client/v11/databases/{ADDON}/wait_status")
    assert waiting["waiting?"] is False


def test_transfers_have_every_field_and_heroku_times(client: Client) -> None:
    listed = client.get("/client/v11/apps/demo/transfers")
    by_number = {told["num"]: told for told in listed}
    assert sorted(by_number) == [7, 8, 9]
    for told in listed:
        assert set(told) - {"schedule"} == FIELDS
        assert told["from_type"] == "pg_dump"
        assert told["to_type"] == "gof3r"
        assert STAMP.fullmatch(told["created_at"])
        assert urlsplit(told["from_url"]).password
    assert "schedule" in by_number[7]
    assert by_number[7]["to_name"] == "SCHEDULED BACKUP"
    assert by_number[8]["succeeded"] is True
    assert by_number[9]["succeeded"] is False
    assert client.get("/client/v11/apps/staging/transfers") == []


def test_one_transfer_is_found_by_number_and_uuid_under_name_and_id(
    client: Client,
) -> None:
    app = client.get("/apps/demo")
    told = client.get("/client/v11/apps/demo/transfers/8")
    again = client.get(f"/client/v11/apps/{app['id']}/transfers/{told['uuid']}")
    assert told == again
    assert "logs" not in told
    assert client.transfer(8, "demo")["logs"]
    answer = client.ask("GET", "/client/v11/apps/demo/transfers/77")
    assert answer.status_code == 404
    assert answer.json()["id"] == "not_found"


def test_a_capture_begins_pending_and_ends_as_herokus_own_dump(
    client: Client, source: str, tmp_path: Path
) -> None:
    begun = client.capture()
    assert begun["started_at"] is None
    done = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert done["succeeded"] is True
    assert done["source_bytes"] > 0
    dump = client.download(client.url(begun["num"], "fresh")).content
    client.wait(begun["num"], lambda told: told["processed_bytes"] == len(dump))
    argv = [program("pg_dump"), "-Fc", "--no-acl", "--no-owner"]
    argv += ["--quote-all-identifiers", "--exclude-schema=heroku_ext", source]
    piped = bytearray(subprocess.run(argv, check=True, capture_output=True).stdout)
    piped[MOMENT] = dump[MOMENT]
    assert piped == dump
    subprocess.run([*argv, "-f", tmp_path / "seekable"], check=True)
    seekable = bytearray((tmp_path / "seekable").read_bytes())
    seekable[MOMENT] = dump[MOMENT]
    assert seekable != dump


def test_the_progress_lags_behind_the_end(start_stand_in: Starter) -> None:
    client = Client(start_stand_in(progress_every=3600.0))
    begun = client.capture()
    done = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert done["succeeded"] is True
    assert done["processed_bytes"] == 0


def test_a_backup_lives_under_the_app_that_pays(start_stand_in: Starter) -> None:
    client = Client(start_stand_in(dump_at_start=False))
    [attached] = resolve(client, "DATABASE_URL", "staging").json()
    begun = client.capture(attached["addon"]["id"])
    assert begun["num"] == 10
    assert client.transfer(begun["uuid"], "demo")["num"] == 10
    answer = client.ask("GET", f"/client/v11/apps/staging/transfers/{begun['uuid']}")
    assert answer.status_code == 404


def test_a_running_backup_can_be_cancelled_once(client: Client) -> None:
    client.stand_in.misbehave(faults.backup("stay", at=1))
    begun = client.capture()
    client.wait(begun["num"], lambda told: told["started_at"])
    path = f"/client/v11/apps/fresh/transfers/{begun['uuid']}/actions/cancel"
    answer = client.ask("POST", path)
    assert answer.status_code == 201
    told = client.transfer(begun["num"])
    assert told["canceled_at"] == told["finished_at"] == answer.json()["canceled_at"]
    assert told["succeeded"] is False
    assert client.ask("POST", path).status_code == 400


def test_a_deleted_backup_and_its_dump_are_gone(start_stand_in: Starter) -> None:
    client = Client(start_stand_in())
    url = client.url(8)
    path = "/client/v11/apps/demo/transfers/8"
    assert client.ask("DELETE", path).status_code == 200
    assert client.ask("GET", path).status_code == 410
    numbers = [t["num"] for t in client.get("/client/v11/apps/demo/transfers")]
    assert numbers == [9, 7]
    assert "NoSuchKey" in client.download(url).text


def test_the_log_tells_host_range_and_bytes_but_no_signature(client: Client) -> None:
    url = client.url()
    client.download(url, Range="bytes=10-19")
    [asked, got] = client.stand_in.requests()
    assert (asked.host, asked.method, asked.status) == ("data", "POST", 200)
    assert (got.host, got.range, got.status) == ("download", "bytes=10-19", 206)
    assert (got.sent, got.query) == (10, "")
    assert client.stand_in.total("download").sent == 10


def test_a_shown_url_is_postgres_with_an_encoded_password() -> None:
    shown = shown_url("postgresql:///shop?host=/tmp/sockets&user=me")
    parts = urlsplit(shown)
    assert (parts.scheme, parts.hostname, parts.path) == (
        "postgres",
        "localhost",
        "/shop",
    )
    assert "%2F" in str(parts.password)


def test_a_configuration_survives_json_and_hides_its_secrets(source: str) -> None:
    whole = Config(apps=(config.AppConfig("a", (config.DatabaseConfig("d", source),)),))
    assert config.from_json(config.to_json(whole)) == whole
    assert source not in repr(whole)
    assert whole.token not in repr(whole)


def test_the_real_clients_environment_is_complete(stand_in: StandIn) -> None:
    lines = stand_in.environment
    assert lines["HEROKU_HOST"] == stand_in.api
    assert lines["HEROKU_API_KEY"] == stand_in.token
    assert lines["REQUESTS_CA_BUNDLE"] == lines["NODE_EXTRA_CA_CERTS"]
    assert Path(lines["REQUESTS_CA_BUNDLE"]).is_file()
