"""Which databases may be replaced, judged by what was named."""

from __future__ import annotations

import pytest

from dbpull.errors.target import TargetError, TargetIsSource, TargetReserved
from dbpull.heroku import ServerAddress
from dbpull.postgres.connection import Connection
from dbpull.target.guard import refuse_foreign, refuse_source

HERE = [
    "", "localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "/tmp",
    "/var/run/postgresql", "/home/me/sockets", "@abstract",
]  # fmt: skip
ELSEWHERE = [
    "localhost.evil.com", "127.0.0.1.evil.com", "evil.com", "10.0.0.1", "192.168.1.1",
    "0.0.0.0", "::", "::ffff:10.0.0.1", "127.0.0.1:5432", "127.1", "2130706433",
    "0x7f000001", "localhost ", " localhost", "localhost.", "localhost\n",
    "\N{FULLWIDTH LATIN SMALL LETTER L}ocalhost",
    "local", "tmp", "./tmp", "ec2-1-2-3-4.compute-1.amazonaws.com", "*",
]  # fmt: skip


def target(host: str = "", dbname: str = "shop", port: int = 5432) -> Connection:
    return Connection(host, port, "me", dbname)


@pytest.mark.parametrize("host", HERE)
def test_a_database_of_this_machine_may_be_replaced(host: str) -> None:
    refuse_foreign(target(host), ())


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_database_elsewhere_is_refused_and_the_list_is_named(host: str) -> None:
    with pytest.raises(TargetError, match="is on another machine") as caught:
        refuse_foreign(target(host), ())

    assert f"add {host} to db.allowed_hosts" in str(caught.value)


@pytest.mark.parametrize("host", [h for h in ELSEWHERE if h != "*"])
def test_a_host_on_the_list_is_allowed_and_no_other(host: str) -> None:
    refuse_foreign(target(host), ["other.example.com", host])

    for almost in (host + "x", "x" + host, "*"):
        with pytest.raises(TargetError, match="is on another machine"):
            refuse_foreign(target(host), [almost])


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
def test_the_servers_own_databases_are_reserved(name: str) -> None:
    with pytest.raises(TargetReserved, match="server's own"):
        refuse_foreign(target(dbname=name), ())


@pytest.mark.parametrize(
    "kind", ["new", "previous", "swap", "old", "old_2", "original", "original_12"]
)
def test_what_dbpull_keeps_is_no_target(kind: str) -> None:
    with pytest.raises(TargetReserved, match="dbpull itself"):
        refuse_foreign(target(dbname=f"shop__dbpull_{kind}"), ())


@pytest.mark.parametrize("name", ["Postgres", "template2", "postgres_dev", "heroku"])
def test_other_names_are_free(name: str) -> None:
    refuse_foreign(target(dbname=name), ())


EC2 = "ec2-1-2-3-4.compute-1.amazonaws.com"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (target(EC2), ServerAddress(EC2, 5432, "shop")),
        (target(EC2.upper()), ServerAddress(EC2, 5432, "shop")),
        (target("localhost"), ServerAddress("127.0.0.1", 5432, "shop")),
        (target(""), ServerAddress("localhost", 5432, "shop")),
        (target("/tmp"), ServerAddress("::1", 5432, "shop")),
        (target("/var/run/postgresql/"), ServerAddress("", 5432, "shop")),
        (target("/srv/sockets"), ServerAddress("/srv/sockets/", 5432, "shop")),
        (target("127.0.0.1", port=99), ServerAddress("localhost", 99, "shop")),
    ],
)
def test_one_database_named_in_two_ways_is_still_the_source(
    ours: Connection, theirs: ServerAddress
) -> None:
    with pytest.raises(TargetIsSource, match="is the database of myapp itself"):
        refuse_source(ours, theirs, "myapp")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (target("localhost"), ServerAddress(EC2, 5432, "shop")),
        (target(EC2, "other"), ServerAddress(EC2, 5432, "shop")),
        (target(EC2, "Shop"), ServerAddress(EC2, 5432, "shop")),
        (target("localhost", port=99), ServerAddress("localhost", 5432, "shop")),
        (target("/srv/a"), ServerAddress("/srv/A", 5432, "shop")),
        (target("/srv/a"), ServerAddress("localhost", 5432, "shop")),
        (target("localhost"), None),
    ],
)
def test_another_database_is_not_the_source(
    ours: Connection, theirs: ServerAddress | None
) -> None:
    refuse_source(ours, theirs, "myapp")
