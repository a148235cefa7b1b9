"""The URLs of live sources, as people have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbpull.errors.postgres import BadUrl
from dbpull.live import pgpass, url
from dbpull.live.url import LiveUrl


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own servers, if any, are not found."""
    monkeypatch.setattr("dbpull.postgres.connection._SOCKET_FOLDERS", ())
    monkeypatch.setattr("getpass.getuser", lambda: "login")


def read(text: str) -> LiveUrl:
    return url.read(text, "--source")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("postgres://u:p@db.example.com:5433/shop", ("db.example.com", 5433, "u", "p")),
        ("postgresql+psycopg://u:p@h/shop", ("h", 5432, "u", "p")),
        ("postgis://u@h/shop", ("h", 5432, "u", "")),
        ("postgres://h/shop", ("h", 5432, "login", "")),
        ("postgres:///shop", ("", 5432, "login", "")),
        ("postgres://:pw@h/shop", ("h", 5432, "login", "pw")),
        ("postgres://u:p@[::1]:99/shop", ("::1", 99, "u", "p")),
        ("postgres://[fe80::1]/shop", ("fe80::1", 5432, "login", "")),
        ("postgres://%2Fvar%2FRun%20x/shop", ("/var/Run x", 5432, "login", "")),
        ("postgres:///shop?host=/tmp/a+b&port=99", ("/tmp/a+b", 99, "login", "")),
        ("postgres://h/shop?user=u@x&password=p@w", ("h", 5432, "u@x", "p@w")),
        ("postgres://h/x?dbname=shop&user=u", ("h", 5432, "u", "")),
        ("postgres://u:p@h/shop?host=other", ("other", 5432, "u", "p")),
        ("postgres://u:p@h/shop?", ("h", 5432, "u", "p")),
        # What is not percent-encoded, and should be.
        ("postgres://u:p@ss@h/shop", ("h", 5432, "u", "p@ss")),
        ("postgres://u:p#ss@h/shop", ("h", 5432, "u", "p#ss")),
        ("postgres://u:p?ss@h/shop", ("h", 5432, "u", "p?ss")),
        ("postgres://u:p/ss@h/shop", ("h", 5432, "u", "p/ss")),
        ("postgres://u:12?a=b@h/shop", ("h", 5432, "u", "12?a=b")),
        ("postgres://u:12?a=b@h/shop?sslmode=require", ("h", 5432, "u", "12?a=b")),
        ("postgres://u:1@2/3?a=b@h/shop", ("h", 5432, "u", "1@2/3?a=b")),
        ("postgres://u:1@2?a=b@h/shop?user=v@w", ("h", 5432, "v@w", "1@2?a=b")),
        ("postgres://u:a:b@h/shop", ("h", 5432, "u", "a:b")),
        ("postgres://u:100%@h/shop", ("h", 5432, "u", "100%")),
        ("postgres://u:%zz%41@h/shop", ("h", 5432, "u", "%zzA")),
        ("postgres://u:50%ff@h/shop", ("h", 5432, "u", "50%ff")),
        ("postgres://u@server:pw@h/shop", ("h", 5432, "u@server", "pw")),
        ("postgres://u:a+b@h/shop", ("h", 5432, "u", "a+b")),
        ("postgres://u:p%40%2F%23@h/shop", ("h", 5432, "u", "p@/#")),
        # Several hosts, and the way to a replica.
        ("postgres://u@a,b/shop", ("a,b", 5432, "u", "")),
        ("postgres://u@a:99,b:99/shop", ("a,b", 99, "u", "")),
    ],
)
def test_every_form_of_a_url_is_read(text: str, parts: tuple[Any, ...]) -> None:
    found = read(text).connection

    assert (found.host, found.port, found.user, found.password) == parts
    assert found.dbname == "shop"
    assert not read(text).dropped


@given(st.text(st.sampled_from("a1@/?=&#:%.,[]+"), min_size=1))
def test_a_raw_password_is_read_as_it_is_written(password: str) -> None:
    written = password.replace("%", "%25")

    found = read(f"postgres://u:{written}@db.example.com/shop").connection

    assert (found.password, found.host) == (password, "db.example.com")


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("sslmode=verify-full&sslrootcert=/a%20b", {"PGSSLROOTCERT": "/a b"}),
        ("ssl=require", {"PGSSLMODE": "require"}),
        ("ssl=true", {"PGSSLMODE": "require"}),
        ("hostaddr=10.0.0.1", {"PGHOST": "h", "PGHOSTADDR": "10.0.0.1"}),
        ("options=endpoint%3Dep-x", {"PGOPTIONS": "endpoint=ep-x -c a=b"}),
        ("target_session_attrs=read-only", {"PGTARGETSESSIONATTRS": "read-only"}),
        ("sslnegotiation=direct", {"PGSSLNEGOTIATION": "direct"}),
        ("application_name=app", {"PGAPPNAME": "dbpull"}),
    ],
)
def test_what_libpq_knows_is_handed_on(query: str, variables: dict[str, str]) -> None:
    found = read(f"postgres://h/shop?{query}")

    environment = found.connection.environment({}, "-c a=b")
    assert environment.items() >= variables.items()
    assert not found.dropped


def test_different_ports_of_several_hosts_are_handed_on() -> None:
    environment = read("postgres://a:1,b,[::1]:3/shop").connection.environment({})

    assert (environment["PGHOST"], environment["PGPORT"]) == ("a,b,::1", "1,5432,3")


@pytest.mark.parametrize(
    ("query", "dropped"),
    [
        ("pgbouncer=true&connection_limit=1", ("pgbouncer", "connection_limit")),
        ("schema=public&sslmode=require", ("schema",)),
        ("sslaccept=strict&x%00=1", ("sslaccept", "an option")),
        ("pool_timeout=0&user=u@h", ("an option",)),
    ],
)
def test_what_libpq_does_not_know_is_dropped_and_named(
    query: str, dropped: tuple[str, ...]
) -> None:
    assert read(f"postgres://h/shop?{query}").dropped == dropped


def test_the_users_own_variables_are_not_the_sources() -> None:
    environ = {
        "PATH": "/bin", "HOME": "/home/ada", "PGHOST": "a", "PGHOSTADDR": "b",
        "PGSERVICE": "c", "PGOPTIONS": "d", "PGDATABASE": "f", "PGUSER": "g",
        "PGPORT": "1", "PGPASSWORD": "theirs", "PGSSLMODE": "disable",
        "PGSSLROOTCERT": "x", "PGPASSFILE": "/pass", "PGTARGETSESSIONATTRS": "any",
    }  # fmt: skip

    given = read("postgres://u@h/shop").connection.environment(environ)

    assert given == {
        "PATH": "/bin", "HOME": "/home/ada", "PGPASSFILE": "/pass", "PGHOST": "h",
        "PGPORT": "5432", "PGUSER": "u", "PGDATABASE": "shop", "PGAPPNAME": "dbpull",
        "PGCONNECT_TIMEOUT": "30", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C",
    }  # fmt: skip


def test_a_server_that_takes_no_options_gets_those_of_the_url_only() -> None:
    found = read("postgres://h/shop?options=endpoint%3Dx").connection
    plain = replace(found, takes_options=False)

    assert plain.environment({}, "-c a=b")["PGOPTIONS"] == "endpoint=x"


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own service file, and the system's."""
    (tmp_path / ".pg_service.conf").write_text(
        "# mine\n[shop]\nhost=db.example.com\nport=99\nuser=reader\ndbname=shop\n"
        "sslmode=require\npassword=a=b \n[other]\nhost=elsewhere\n"
    )
    system = tmp_path / "system"
    system.mkdir()
    (system / "pg_service.conf").write_text("[shop]\nhost=x\n[all]\ndbname=all\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGSYSCONFDIR", str(system))


@pytest.mark.usefixtures("services")
def test_a_service_fills_what_a_url_leaves_out() -> None:
    found = read("postgres://?service=shop").connection
    assert (found.host, found.port, found.user) == ("db.example.com", 99, "reader")
    assert (found.dbname, found.password) == ("shop", "a=b")
    assert found.environment({})["PGSSLMODE"] == "require"

    changed = read("postgres://ada@/copy?service=shop&sslmode=disable").connection
    assert (changed.host, changed.user, changed.dbname) == (
        "db.example.com", "ada", "copy",
    )  # fmt: skip
    assert changed.environment({})["PGSSLMODE"] == "disable"

    assert read("postgres://?service=all").connection.dbname == "all"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("mysql://u:s3cret@h/shop", "mysql:// is not PostgreSQL"),
        ("postgres://u:s3cret@h", "it names no database"),
        ("postgres://u:s3cret@h:port/shop", "its host, port or database's name is"),
        ("postgres://u:s3cret@h:70000/shop", "its port is not a number from 1"),
        ("postgres://u:s3cret@[::1/shop", "its host, port or database's name is"),
        ("postgres://u:s3cret@h/a/b", "its host, port or database's name is"),
        ("postgres://u:s3cret%00@h/shop", "it holds a zero byte"),
        ("postgres://u:s3cret@h/shop\n", "it holds a line break"),
        ("postgres://u:s3cret@h/shop?service=s3cret", "its service is in no"),
        (f"postgres://u:s3cret@h/{'x' * 64}", "is longer than 63 bytes"),
    ],
)
def test_a_url_that_is_refused_is_not_repeated(
    text: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(BadUrl) as caught:
        read(text)

    assert cause in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_password_is_in_no_representation() -> None:
    found = read("postgres://u:s3cret@h/shop?password=s3cret")

    assert "s3cret" not in repr(found) + found.connection.label


def test_a_tunnel_keeps_the_hosts_name() -> None:
    found = read("postgres://u@a:1,b:2/shop?sslmode=verify-full").connection

    through = url.through_tunnel(found, 9999)
    given = through.environment({})

    assert through.label == "shop on a:1"

    assert (given["PGHOST"], given["PGHOSTADDR"], given["PGPORT"]) == (
        "a", "127.0.0.1", "9999",
    )  # fmt: skip
    assert given["PGSSLMODE"] == "verify-full"


@pytest.mark.parametrize(
    ("lines", "mode", "found"),
    [
        ("a:1:shop:u:s3cret", 0o600, "s3cret"),
        ("# a:1:shop:u:no\n\nb:1:shop:u:no\na:*:*:u:s3cret", 0o600, "s3cret"),
        (r"a:1:shop:u:a\:b\\c:d", 0o600, r"a:b\c"),
        ("a:2:shop:u:no\na:1:other:u:no\na:1:shop:v:no", 0o600, ""),
        ("a:1:shop:u:no", 0o644, ""),
        ("a:1:shop", 0o600, ""),
    ],
)
def test_a_password_is_found_for_the_servers_own_port(
    lines: str, mode: int, found: str, tmp_path: Path
) -> None:
    path = tmp_path / ".pgpass"
    path.write_text(f"{lines}\n")
    path.chmod(mode)
    connection = read("postgres://u@a:1,b/shop").connection

    assert pgpass.password(connection, {"HOME": str(tmp_path)}) == found
    assert pgpass.password(connection, {"PGPASSFILE": str(path)}) == found
    assert pgpass.password(connection, {"HOME": "/nowhere"}) == ""
