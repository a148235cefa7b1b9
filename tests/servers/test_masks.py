"""Masks on a real server: every kind of column, and nothing of it is left unmasked."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from canaries import CANARY, KEPT, MASK, SOURCE
from databases import Postgres
from dbpull import archive
from dbpull.errors.masks import MaskError, UnfitRule
from dbpull.errors.postgres import SqlFailed
from dbpull.masks import rules
from dbpull.masks.masking import Masking
from dbpull.masks.proof import prove
from dbpull.masks.salt import Salt

ORDER = "SELECT {} FROM users ORDER BY id"


def masking(
    mask: Mapping[str, Any] = MASK,
    kept: Mapping[str, str] | None = None,
    salt: bytes = b"salt",
) -> Masking:
    return Masking(rules.read(mask), kept or {}, "", Salt(salt))


def restore(on: Postgres, dump: Path, masks: Masking | None, options: str = "") -> str:
    """Restore a dump section by section, with masks between definitions and rows."""
    dbname = on.database()
    for section in ("pre-data", "data", "post-data"):
        if section == "data" and masks:
            with dump.open("rb") as file:
                masks.put_on(on.psql(dbname), dbname, archive.read(file).entries)
        argv = [on.program("pg_restore"), f"--section={section}", "--exit-on-error"]
        done = subprocess.run(
            [*argv, "--no-owner", "--no-acl", "-d", dbname, str(dump)],
            env=on.connection(dbname).environment(
                os.environ, " ".join([masks.options if masks else "", options])
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    if masks:
        masks.take_off(on.psql(dbname), dbname)
    return dbname


@pytest.fixture(scope="module")
def dump(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = postgres.database(SOURCE)
    return postgres.dump(source, tmp_path_factory.mktemp("masks") / "x.dump", "-Fc")


@pytest.fixture(scope="module")
def masked(postgres: Postgres, dump: Path) -> str:
    return restore(postgres, dump, masking())


@pytest.fixture(scope="module")
def plain(postgres: Postgres, dump: Path) -> str:
    return restore(postgres, dump, None)


def schema(on: Postgres, dbname: str) -> str:
    done = subprocess.run(
        [on.program("pg_dump"), "--schema-only"],
        env=on.connection(dbname).environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"^\\.*$", "", done.stdout, flags=re.M)


def values(on: Postgres, dbname: str, columns: str) -> list[str]:
    return on.sql(dbname, ORDER.format(columns)).split("\n")


def test_no_canary_is_in_a_masked_database(
    postgres: Postgres, masked: str, plain: str
) -> None:
    assert postgres.picture(plain).lower().count(CANARY) > 500
    assert [
        line[:300]
        for line in postgres.picture(masked).split("\n")
        if CANARY in line.lower()
    ] == []


def test_no_canary_is_in_the_files_of_a_masked_database(
    postgres: Postgres, masked: str, plain: str
) -> None:
    def holding(dbname: str) -> list[Path]:
        postgres.sql(dbname, "CHECKPOINT;")
        oid = postgres.sql(dbname, "SELECT oid FROM pg_database WHERE datname ="
                           f" '{dbname}'")  # fmt: skip
        folder = postgres.server.data / "base" / oid
        return [f for f in folder.iterdir() if b"zanary" in f.read_bytes().lower()]

    assert holding(plain)
    assert not holding(masked)


def test_the_schema_is_that_of_an_unmasked_restore(
    postgres: Postgres, masked: str, plain: str
) -> None:
    assert schema(postgres, masked) == schema(postgres, plain)


def test_null_stays_null_and_blank_stays_blank(
    postgres: Postgres, masked: str, plain: str
) -> None:
    counts = ", ".join(
        f"count(*) FILTER (WHERE {name} IS NULL), count(*) FILTER (WHERE {name} = '')"
        for name in ("name", "bio", "phone", "username", "tags[2]", "site", "password")
    )
    query = f"SELECT {counts} FROM users"

    assert postgres.sql(masked, query) == postgres.sql(plain, query)


def test_each_rule_makes_what_it_says(postgres: Postgres, masked: str) -> None:
    made = {
        "email": r"u[0-9a-f]{16}@example\.com", "username": r"user-[0-9a-f]{15}",
        "phone": r"\+15550000001", "password": "!", "bio": "Lorem ip",
        "token": r"[0-9a-f]{38} {2}", "born": r"1999-\d\d-\d\d", "seen": "",
        "ip": r"198\.51\.100\.\d+", "ip6": r"2001:db8::[0-9a-f]+",
        "key": r"[0-9a-f-]{36}", "tags": r"\{[0-9a-f]{6},\"\",[0-9a-f],NULL\}",
        "mails": r"\{u[0-9a-f]{16}@example\.com\}", "couple": r"\(,\)", "extra": "",
        "raw": r"\\x", "found": "", "site": r"https://example\.com/[0-9a-f]{16}",
        "reference": "zan1:x", "pin": r"\d{6}", "card": "4242424242424242",
        "iban": "DE89370400440532013000", "age": "7", "home": r".+ \d+",
        "name": r"\S+ \S+.*", "city": ".+", "first": ".+", "last": ".+", "job": ".+",
        "company": ".+", "postcode": ".{1,5}", "street": r".+ \d+",
    }  # fmt: skip
    for column, pattern in made.items():
        value = values(postgres, masked, column)[0]
        assert re.fullmatch(pattern, value), f"{column}: {value}"


def test_documents_are_masked_at_every_depth_and_in_arrays(
    postgres: Postgres, masked: str
) -> None:
    documents = values(postgres, masked, "doc")

    assert re.fullmatch(
        r'\{"n": 0, "ok": true, "people": \[\{"mail": "u[0-9a-f]{16}@example.com"\},'
        r' \{"mail": \["u[0-9a-f]{16}@example.com", "u[0-9a-f]{16}@example.com"\]\}\],'
        r' "company": \{"name": "ours"\}\}',
        documents[0],
    )
    assert documents[-3:] == ['[{}, "b"]', "null", '"plain"']


def test_equal_values_stay_equal_along_a_foreign_key(
    postgres: Postgres, masked: str
) -> None:
    joined = "SELECT count(*) FROM orders JOIN users ON email = user_email"

    assert postgres.sql(masked, joined) == "50"


def test_a_generated_column_and_views_follow(postgres: Postgres, masked: str) -> None:
    query = "SELECT count(*) FROM users WHERE lowered = lower(name)"

    assert postgres.sql(masked, query) == "51"
    assert postgres.sql(masked, "SELECT count(name) FROM kept_names") == "51"


def test_partitions_and_children_are_masked(postgres: Postgres, masked: str) -> None:
    query = "SELECT count(*) FROM events WHERE actor ~ '^user-[0-9a-f]{16}$'"

    assert postgres.sql(masked, query) == "20"
    assert postgres.sql(masked, "SELECT count(*) FROM animals") == "2"


def test_excepted_rows_stay_as_they_are(postgres: Postgres, dump: Path) -> None:
    kept = {"users": KEPT["users"], "orders": "user_email LIKE 'zanary3@%'"}

    dbname = restore(postgres, dump, masking(kept=kept))

    emails = values(postgres, dbname, "email")
    assert emails[2] == "Zanary3@Real.example"
    assert emails[3].endswith("@example.com")


def test_fakes_depend_on_the_salt_alone(
    postgres: Postgres, dump: Path, masked: str
) -> None:
    postgres.sql("postgres", "ALTER ROLE postgres SET DateStyle = 'German';")
    try:
        again = restore(postgres, dump, masking(), "-c TimeZone=Asia/Tokyo")
    finally:
        postgres.sql("postgres", "ALTER ROLE postgres RESET DateStyle;")
    other = restore(postgres, dump, masking(salt=b"other"))

    assert postgres.picture(again) == postgres.picture(masked)
    for column in ("email", "username", "token", "key"):
        ours, theirs = (set(values(postgres, one, column)) for one in (masked, other))
        assert ours & theirs <= {""}


def test_rows_that_a_trigger_has_missed_are_found(
    postgres: Postgres, dump: Path
) -> None:
    masks, dbname = masking(), postgres.database(SOURCE.split("INSERT", 1)[0])
    psql = postgres.psql(dbname)
    tables = masks.put_on(psql, dbname, ())
    add = "INSERT INTO users (email, name) VALUES ('zanary@real.example', 'x');"
    salt = f"SET dbpull.salt = '{masks.salt.hashed}';"
    postgres.sql(dbname, salt + add)
    prove(psql, dbname, tables)

    postgres.sql(dbname, f"ALTER TABLE users DISABLE TRIGGER USER; {add}")

    with pytest.raises(MaskError, match=r"^users\.email has values"):
        prove(psql, dbname, tables)


def test_masks_are_put_on_where_triggers_would_sleep(
    postgres: Postgres, dump: Path
) -> None:
    dbname = restore(postgres, dump, masking(), "-c session_replication_role=replica")

    assert CANARY not in "".join(values(postgres, dbname, "email")).lower()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("nam || 'x'", r"SQL of users\.name .*column .*nam.* does not exist"),
        ("name ||", r"SQL of users\.name .*syntax error"),
        ("(SELECT max(note) FROM public.orders)", "SQL that reads a table"),
        ("lowered", r"column .*lowered.* does not exist"),
    ],
)
def test_sql_that_can_not_be_is_refused_before_rows(
    postgres: Postgres, dump: Path, sql: str, words: str
) -> None:
    with pytest.raises((SqlFailed, UnfitRule), match=words):
        restore(postgres, dump, masking({"users.name": {"sql": sql}}))


def test_the_salt_is_in_no_statement_and_no_catalog(
    postgres: Postgres, dump: Path
) -> None:
    masks = masking()
    dbname = postgres.database(SOURCE.split("INSERT", maxsplit=1)[0])
    masks.put_on(postgres.psql(dbname), dbname, ())

    told = postgres.sql(dbname, "SELECT prosrc FROM pg_proc WHERE oid > 16383")

    assert "dbpull.salt" in told
    assert masks.salt.hashed not in told
