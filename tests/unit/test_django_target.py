"""An entry of Django's DATABASES, read as what libpq would connect to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbpull.django.target import NoService, url_of
from dbpull.errors.postgres import BadUrl
from dbpull.postgres.connection import Connection

PASSWORDS = ["p4ss/w@rd:of%django", "with space", "a+b&c=d?e#f", "Grüße", "'\"\\"]


def connection(environ: dict[str, str] | None = None, **entry: Any) -> Connection:
    """The connection that an entry leads to."""
    return Connection.from_url(url_of({"NAME": "shop", **entry}), "x", environ or {})


def test_each_place_is_taken_over() -> None:
    at = connection(HOST="db.example.com", PORT=5433, USER="ada", PASSWORD="secret")

    assert (at.host, at.port, at.user, at.dbname) == (
        *("db.example.com", 5433, "ada", "shop"),
    )
    assert at.password == "secret"


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_and_a_name_may_hold_anything(password: str) -> None:
    at = connection(NAME=f"shop {password}", PASSWORD=password, HOST="localhost")

    assert (at.password, at.dbname) == (password, f"shop {password}")


def test_an_empty_host_is_the_socket_and_a_folder_is_one() -> None:
    assert connection(HOST="", PORT="").is_socket
    at = connection(HOST="/var/run/postgresql", PORT="5434")
    assert (at.host, at.port, at.is_socket) == ("/var/run/postgresql", 5434, True)
    elsewhere = connection({"PGHOST": "db.example.com"}, HOST="")
    assert elsewhere.host == "db.example.com"  # as psycopg has it


def test_what_libpq_takes_of_options_is_kept_and_what_is_djangos_own_is_not() -> None:
    at = connection(
        HOST="localhost",
        OPTIONS={
            "sslmode": "verify-full",
            "sslrootcert": "/ca.pem",
            "passfile": "/home/ada/.pgpass",
            "connect_timeout": 3,
            "options": "-c search_path=app",
            "isolation_level": 2,
            "server_side_binding": True,
            "pool": {"min_size": 2},
            "assume_role": "app",
        },
    )

    environment = at.environment({})
    assert dict(at.options) == {
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "passfile": "/home/ada/.pgpass",
        "connect_timeout": "3",
    }
    assert environment["PGPASSFILE"] == "/home/ada/.pgpass"
    assert "PGOPTIONS" not in environment


def test_an_option_that_would_be_lost_is_refused() -> None:
    with pytest.raises(BadUrl, match="sslcrl is not supported"):
        connection(OPTIONS={"sslcrl": "/crl.pem"})


def test_a_service_is_looked_up_and_what_is_given_beside_it_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tmp_path / "services"
    services.write_text(
        "[other]\nhost=elsewhere\n\n[shop]\n# ours\nhost = db.example.com\nport=5433\n"
        "dbname=theirs\nuser=ada\n[last]\nhost=nowhere\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))

    at = connection(NAME="", USER="grace", OPTIONS={"service": "shop"})

    assert (at.host, at.port, at.user, at.dbname) == (
        *("db.example.com", 5433, "grace", "theirs"),
    )


def test_a_service_that_no_file_has_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSYSCONFDIR", str(tmp_path))

    with pytest.raises(NoService, match=r"no connection service shop in .*services"):
        connection(OPTIONS={"service": "shop"})


def test_a_database_without_a_name_is_refused() -> None:
    with pytest.raises(BadUrl, match="names no database"):
        connection(NAME=None)
