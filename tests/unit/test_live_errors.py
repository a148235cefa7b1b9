"""Remedies for what a source's server says, and the addresses behind poolers."""

from __future__ import annotations

import pytest

from dbpull.errors.live import dump_failed, remedy_at_source
from dbpull.errors.sources import SourceInterrupted
from dbpull.live import poolers, url


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("aborting because of server version mismatch", "of the server's major"),
        (
            'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no'
            " encryption",
            "asks for TLS",
        ),
        (
            'sslmode value "require" invalid when SSL support is not compiled in',
            "asks for TLS",
        ),
        ("connection is insecure (try using `sslmode=require`)", "TLS"),
        (
            'connection to server at "db.abc.supabase.co" (2a05::1), port 5432 failed:'
            " Network is unreachable",
            "IPv6 address only",
        ),
        (
            'could not translate host name "db.abc.supabase.co" to address',
            "IPv6 address",
        ),
        ("server does not support SSL, but SSL was required", "leave sslmode out"),
        ("SSL error: certificate verify failed", "sslrootcert=FILE"),
        ('root certificate file "/x/root.crt" does not exist', "sslrootcert=FILE"),
        ('password authentication failed for user "u"', "15 minutes"),
        ("fe_sendauth: no password supplied", "~/.pgpass"),
        ("permission denied for table orders", "pg_read_all_data"),
        ("permission denied for large object 16400", "ON LARGE OBJECT"),
        ("permission denied for schema audit", "USAGE ON"),
        ("permission denied for sequence orders_id_seq", "pg_read_all_data"),
        (
            'query would be affected by row-level security policy for table "t"',
            "BYPASSRLS",
        ),
        ("canceling statement due to statement timeout", "a migration"),
        ("canceling statement due to lock timeout", "a migration"),
        ('could not obtain lock on relation "public.a"', "a migration"),
        ("canceling statement due to conflict with recovery", "hot_standby_feedback"),
        ("terminating connection due to conflict with recovery", "max_standby"),
        ("remaining connection slots are reserved for roles", "no session left"),
        ('too many connections for role "u"', "no session left"),
        ("out of shared memory", "max_locks_per_transaction"),
        ("unsupported startup parameter: options", "direct address"),
        ("server closed the connection unexpectedly", "starts over"),
        ("SSL connection has been closed unexpectedly", "starts over"),
        ("could not translate host name to address", "host, port, user"),
    ],
)
def test_what_a_server_says_has_its_remedy(cause: str, remedy: str) -> None:
    error = dump_failed("shop on db", cause)

    assert error.what == f"Dumping shop on db failed: {cause}."
    assert remedy in error.remedy
    assert remedy in remedy_at_source(cause)
    assert isinstance(error, SourceInterrupted) == ("recovery" in cause)


@pytest.mark.parametrize(
    ("pooled", "direct"),
    [
        (
            "ep-cool-1-pooler.eu-central-1.aws.neon.tech",
            "ep-cool-1.eu-central-1.aws.neon.tech:5432",
        ),
        (
            "aws-0-eu-west-1.pooler.supabase.com:6543",
            "aws-0-eu-west-1.pooler.supabase.com:5432",
        ),
        ("aws-0-eu-west-1.pooler.supabase.com", ""),
        ("pgbouncer.abc.flympg.net", "direct.abc.flympg.net:5432"),
        ("x.db.ondigitalocean.com:25061", "x.db.ondigitalocean.com:25060"),
        ("p.abc.db.postgresbridge.com:5431", "p.abc.db.postgresbridge.com:5432"),
        ("pg.example.com:6432", "pg.example.com:5432"),
        (
            "app.proxy-abc.eu-west-1.rds.amazonaws.com",
            "the endpoint of the instance or cluster, instead of RDS Proxy's",
        ),
        (
            "shuttle.proxy.rlwy.net:1234",
            "the URL in Railway's DATABASE_PUBLIC_UNPOOLED_URL",
        ),
        ("db.example.com", ""),
    ],
)
def test_the_direct_address_behind_a_pooler(pooled: str, direct: str) -> None:
    found = url.read(f"postgres://u@{pooled}/shop", "the test").connection

    assert poolers.direct(found) == direct
