"""Database URLs, taken apart and given to libpq."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbpull.errors.postgres import BadUrl
from dbpull.postgres.connection import Connection

SECRET = "s3cr@t/#?%:é"
ENCODED = "s3cr%40t%2F%23%3F%25%3A%C3%A9"


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own servers, if any, are not found."""
    monkeypatch.setattr("dbpull.postgres.connection._SOCKET_FOLDERS", ())
    monkeypatch.setattr("getpass.getuser", lambda: "login")


def read(url: str, **environ: str) -> Connection:
    return Connection.from_url(url, "--target", environ)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgres://u:p@db.example.com:5433/shop", ("db.example.com", 5433, "u", "p")),
        ("postgresql://u:p@h/shop", ("h", 5432, "u", "p")),
        ("postgis://u@h/shop", ("h", 5432, "u", "")),
        ("pgsql://h/shop", ("h", 5432, "login", "")),
        ("postgres://localhost/shop", ("localhost", 5432, "login", "")),
        ("postgres://:pw@h/shop", ("h", 5432, "login", "pw")),
        ("postgres:///shop", ("", 5432, "login", "")),
        ("postgres://u@/shop", ("", 5432, "u", "")),
        ("postgres://:6543/shop", ("", 6543, "login", "")),
        ("postgres://[::1]/shop", ("::1", 5432, "login", "")),
        ("postgres://u:p@[fe80::1]:99/shop", ("fe80::1", 99, "u", "p")),
        ("postgres://%2Fvar%2FRun%20x/shop", ("/var/Run x", 5432, "login", "")),
        ("postgres://%2Frun:99/shop", ("/run", 99, "login", "")),
        ("postgres:///shop?host=/tmp/a+b&port=99", ("/tmp/a+b", 99, "login", "")),
        ("postgres://h/shop?user=u&password=p%20w", ("h", 5432, "u", "p w")),
        ("postgres://a@h/shop?host=b&user=c", ("b", 5432, "c", "")),
        ("postgres://h/shop?hostaddr=127.0.0.1", ("127.0.0.1", 5432, "login", "")),
        ("postgres://h/x?dbname=shop", ("h", 5432, "login", "")),
        (f"postgres://{ENCODED}:{ENCODED}@h/shop", ("h", 5432, SECRET, SECRET)),
        ("postgres://u:p@ss@h/shop", ("h", 5432, "u", "p@ss")),
        ("POSTGRES://h/shop", ("h", 5432, "login", "")),
        ("psql://h/shop", ("h", 5432, "login", "")),
        ("timescaledb://u:p@h/shop", ("h", 5432, "u", "p")),
        ("timescalegis://h/shop", ("h", 5432, "login", "")),
        ("postgresql+psycopg://u:p@h:1/shop", ("h", 1, "u", "p")),
        ("postgresql+psycopg2://u:p%40@h/shop", ("h", 5432, "u", "p@")),
        ("postgresql+asyncpg:///shop?host=/run", ("/run", 5432, "login", "")),
        ("PostgreSQL+pg8000://h/shop", ("h", 5432, "login", "")),
        ("postgis+psycopg://h/shop", ("h", 5432, "login", "")),
        ("jdbc:postgresql://h/shop?user=u&password=p", ("h", 5432, "u", "p")),
        ("postgresql+asyncpg://h/shop?pool_size=5", ("h", 5432, "login", "")),
    ],
)
def test_every_form_of_a_url_is_read(url: str, parts: tuple[Any, ...]) -> None:
    found = read(url)
    assert read(found.url, PGHOST="elsewhere", PGPORT="1", PGUSER="x") == (
        found if found.host else replace(found, host="elsewhere")
    )

    assert (found.host, found.port, found.user, found.password) == parts
    assert found.dbname == "shop"


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"PGHOST": "h"}, ("h", 5432)),
        ({"PGHOST": "/run", "PGPORT": "99"}, ("/run", 99)),
        ({"PGHOST": "h", "PGHOSTADDR": "10.0.0.1"}, ("10.0.0.1", 5432)),
        ({"PGHOST": "", "PGPORT": ""}, ("", 5432)),
        ({"PGSERVICE": "other"}, ("", 5432)),
    ],
)
def test_what_a_url_leaves_out_comes_from_the_environment(
    environ: dict[str, str], place: tuple[str, int]
) -> None:
    found = read("postgres:///shop", **environ)

    assert (found.host, found.port) == place


def test_the_environment_does_not_change_what_a_url_says() -> None:
    environ = {"PGHOST": "a", "PGHOSTADDR": "10.0.0.1", "PGPORT": "1", "PGUSER": "b"}
    environ |= {"PGDATABASE": "c", "PGSERVICE": "d"}

    found = read("postgres://u@h:2/shop", **environ)

    assert (found.host, found.port, found.user, found.dbname) == ("h", 2, "u", "shop")


def test_user_and_database_may_come_from_the_environment() -> None:
    found = read("postgres://h", PGUSER="u", PGDATABASE="shop")

    assert (found.user, found.dbname) == ("u", "shop")


def test_a_server_is_found_where_its_socket_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    monkeypatch.setattr(
        "dbpull.postgres.connection._SOCKET_FOLDERS", (str(one), str(other))
    )
    other.mkdir()
    (other / ".s.PGSQL.5432").touch()

    assert read("postgres:///shop").host == str(other)
    assert read("postgres://:99/shop").host == ""
    assert read("postgres://h/shop").host == "h"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", "it does not start with postgres://"),
        ("shop", "it does not start with postgres://"),
        (
            "mysql://u:s3cret@h/shop",
            "it does not start with postgres:// (or postgresql,",
        ),
        (
            "mysql://u:s3cret@h/shop",
            "postgresql+psycopg://); mysql:// is not PostgreSQL",
        ),
        ("mysql+pymysql://u:s3cret@h/shop", "mysql:// is not PostgreSQL"),
        ("SQLITE:///s3cret.db", "sqlite:// is not PostgreSQL"),
        ("prisma+postgres://h/?api_key=s3cret", "prisma:// is not PostgreSQL"),
        ("s3cret://h/shop", "it does not start with postgres://"),
        ("u:s3cret@h/shop", "it does not start with postgres://"),
        ("postgress://u:s3cret@h/shop", "it does not start with postgres://"),
        ("postgres:/u:s3cret@h/shop", "it does not start with postgres://"),
        ('"postgres://u:s3cret@h/shop"', "the quotation mark before it"),
        ("host=h password=s3cret", "name=value pairs are not taken"),
        ("postgres://h/shop\nPASSWORD=s3cret", "it holds a line break"),
        ("postgres://h/shop/", "its database's name ends in a /"),
        ("postgres://h/shop/?sslmode=require", "its database's name ends in a /"),
        ("postgres://h/shop?currentSchema=x", "currentSchema is not supported in it"),
        ("postgres://h", "it names no database"),
        ("postgres://h/", "it names no database"),
        ("postgres://h/shop?dbname=", "it names no database"),
        ("postgres://u:s3cret@a,b/shop", "it names several hosts"),
        ("postgres://a:1,b:2/shop", "it names several hosts"),
        ("postgres:///shop?host=a,b", "it names several hosts"),
        ("postgres:///shop?port=1,2", "it names several hosts"),
        ("postgres://h:s3cret/shop", "its port is not a number from 1 to 65535"),
        ("postgres://h:65536/shop", "its port is not a number from 1 to 65535"),
        ("postgres://h:0/shop", "its port is not a number from 1 to 65535"),
        ("postgres://h/shop?port=²", "its port is not a number from 1 to 65535"),
        ("postgres://u:s3cret@[::1/shop", "its host is malformed"),
        ("postgres://u:s3cret@[x]/shop", "its host is malformed"),
        ("postgres://u:s3cret\u2100@h/shop", "its host is malformed"),
        ("postgres://u:s3cret#x@h/shop", "is not percent-encoded"),
        ("postgres://u:12#s3cret@h/shop", "is not percent-encoded"),
        ("postgres://u:s3cret/x@h/shop", "is not percent-encoded"),
        ("postgres://u:12/s3cret@h/shop", "is not percent-encoded"),
        ("postgres://u:12?s3cret@h/shop", "is not percent-encoded"),
        ("postgres://u:1@2/s3cret@h/shop", "is not percent-encoded"),
        ("postgres://u:1@2?S3cret=1@h/shop", "an option is not supported in it"),
        ("postgres://h/shop?service=x", "service is not supported in it"),
        ("postgres://h/shop?options=-csearch_path=x", "options is not supported in it"),
        ("postgres://h/a%00s3cret", "it holds a zero byte"),
        ("postgres://u:s3cret%00@h/a", "it holds a zero byte"),
        ("postgres://u:s3cret%ff@h/a", "its percent-encoded bytes are not UTF-8"),
        (f"postgres://h/{'x' * 64}", "its database's name is longer than 63 bytes"),
        (
            f"postgres://h/{'%C3%BC' * 32}",
            "its database's name is longer than 63 bytes",
        ),
    ],
)
def test_a_url_that_is_refused_is_not_repeated(url: str, cause: str) -> None:
    with pytest.raises(BadUrl) as caught:
        read(url)

    told = str(caught.value)
    assert cause in told
    assert told.startswith("--target is not a usable database URL: ")
    assert "s3cret" not in told.lower()


def test_63_bytes_are_enough_for_a_name() -> None:
    assert read(f"postgres://h/{'%C3%BC' * 31}x").dbname == "ü" * 31 + "x"


def test_options_are_handed_on_and_foreign_ones_ignored() -> None:
    url = "postgres://h/shop?sslmode=verify-full&sslrootcert=/a%20b&pool=5"

    given = read(url).environment({})

    assert (given["PGSSLMODE"], given["PGSSLROOTCERT"]) == ("verify-full", "/a b")
    assert not any("POOL" in name for name in given)


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("ssl=true", "require"),
        ("ssl=require", "require"),
        ("ssl=false", "disable"),
        ("ssl=true&sslmode=verify-full", "verify-full"),
    ],
)
def test_ssl_is_another_name_of_sslmode(written: str, mode: str) -> None:
    given = read(f"postgresql+asyncpg://h/shop?{written}").environment({})

    assert given["PGSSLMODE"] == mode


def test_a_program_gets_the_url_and_nothing_of_the_users_own_variables() -> None:
    environ = {
        "PATH": "/bin", "PGHOST": "a", "PGHOSTADDR": "b", "PGSERVICE": "c",
        "PGOPTIONS": "d", "PGSERVICEFILE": "e", "PGDATABASE": "f", "PGUSER": "g",
        "PGPORT": "1", "PGAPPNAME": "h", "LC_ALL": "de_DE.UTF-8",
        "PGSSLMODE": "require", "PGPASSFILE": "/pass",
    }  # fmt: skip

    given = read("postgres://u:pw@h:2/shop").environment(environ)

    assert given == {
        "PATH": "/bin", "PGHOST": "h", "PGPORT": "2", "PGUSER": "u", "PGPASSWORD": "pw",
        "PGDATABASE": "shop", "PGAPPNAME": "dbpull", "PGCONNECT_TIMEOUT": "30",
        "PGCLIENTENCODING": "UTF8", "LC_ALL": "C", "PGSSLMODE": "require",
        "PGPASSFILE": "/pass",
    }  # fmt: skip


def test_a_default_socket_names_no_host_so_that_libpq_chooses() -> None:
    assert "PGHOST" not in read("postgres:///shop").environment({"PGHOST": "a"})


def test_a_password_is_in_no_representation() -> None:
    found = read("postgres://u:s3cret@h/shop")

    assert "s3cret" not in repr(found) + str(found) + found.label + found.argument
    assert found.to("other").password == "s3cret"
    assert found.to("other").dbname == "other"


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("postgres://u:p@h/shop", "shop on h"),
        ("postgres://u:p@h:99/shop", "shop on h:99"),
        ("postgres:///shop", "shop on this machine"),
        ("postgres://%2Ftmp:99/shop", "shop on this machine:99"),
        ("postgres:///shop?host=%40abstract", "shop on this machine"),
    ],
)
def test_a_label_names_database_and_place(url: str, label: str) -> None:
    assert read(url).label == label


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("shop", "shop"),
        ("host=evil", "dbname='host=evil'"),
        ("postgres://evil/x", "dbname='postgres://evil/x'"),
        ("it's = \\", r"dbname='it\'s = \\'"),
    ],
)
def test_a_name_is_never_taken_for_a_connection_string(
    name: str, argument: str
) -> None:
    assert Connection("h", 5432, "u", name).argument == argument


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    for url in (text, f"postgres://{text}", f"postgres://h/{text}"):
        try:
            found = read(url)
        except BadUrl:
            continue
        assert found.dbname
