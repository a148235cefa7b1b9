"""Masks on a real server: every kind of column, and nothing of it is left unmasked."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from canaries import CANARY, KEPT, MASK, SOURCE
from databases import Postgres
from dbpull import archive
from dbpull.errors.masks import MaskError, UnfitRule
from dbpull.errors.postgres import SqlFailed
from dbpull.masks import rules
from dbpull.masks.fakes import SCHEMA
from dbpull.masks.masking import Masking
from dbpull.masks.proof import prove, prove_keys, unmasked
from dbpull.masks.salt import Salt
from dbpull.masks.vocabulary import literal
from once import once

ORDER = "SELECT {} FROM users ORDER BY id"
STATEMENTS = "SELECT prosrc FROM pg_proc WHERE oid > 16383"


def masking(
    mask: Mapping[str, Any] = MASK,
    kept: Mapping[str, str] | None = None,
    salt: bytes = b"salt",
) -> Masking:
    return Masking(rules.read(mask), kept or {}, "", Salt(salt))


def restore(
    on: Postgres,
    dump: Path,
    masks: Masking | None,
    options: str = "",
    counts: dict[tuple[str, str], int] | None = None,
) -> str:
    """Restore a dump section by section, with masks between definitions and rows.

    The salt is in no statement and no catalog.
    `counts` gets the numbers of rows that stayed as they were.
    """
    dbname = on.database()
    for section in ("pre-data", "data", "post-data"):
        if section == "data" and masks:
            with dump.open("rb") as file:
                entries = archive.read(file).entries
                applied = masks.put_on(on.psql(dbname), dbname, entries)
            told = on.sql(dbname, STATEMENTS)
            assert "dbpull.salt" in told
            assert masks.salt.hashed not in told
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
        kept = masks.take_off(on.psql(dbname), dbname, applied)
        prove(on.psql(dbname), dbname, applied, kept)
        (counts if counts is not None else {}).update(kept)
        prove_keys(on.psql(dbname), dbname, entries)
    return dbname


@pytest.fixture(scope="module")
def dump(postgres: Postgres, run_folder: Path) -> Path:
    def make(folder: Path) -> None:
        postgres.dump(postgres.database(SOURCE), folder / "x.dump", "-Fc")

    return once(run_folder / f"masks-{postgres.major}", make) / "x.dump"


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
        "rank": "[0-9a-f]{6}",
        "company": ".+", "postcode": ".{1,5}", "street": r".+ \d+",
    }  # fmt: skip
    # Blanks at the end of char(40) are lost in ::text, not in concat.
    texts = ", ".join(f"concat({column})" for column in made)
    first = json.loads(values(postgres, masked, f"json_build_array({texts})")[0])
    for (column, pattern), value in zip(made.items(), first, strict=True):
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


def test_fakes_depend_on_the_salt_alone(
    postgres: Postgres, dump: Path, masked: str
) -> None:
    """Masks are put on where triggers would sleep, too, and times are written oddly."""
    postgres.sql("postgres", "ALTER ROLE postgres SET DateStyle = 'German';")
    try:
        options = "-c TimeZone=Asia/Tokyo -c session_replication_role=replica"
        again = restore(postgres, dump, masking(), options)
    finally:
        postgres.sql("postgres", "ALTER ROLE postgres RESET DateStyle;")

    assert postgres.picture(again) == postgres.picture(masked)


def test_excepted_rows_stay_as_they_are_and_another_salt_makes_other_fakes(
    postgres: Postgres, dump: Path, masked: str
) -> None:
    kept = {"users": KEPT["users"], "orders": "user_email LIKE 'zanary3@%'"}
    counts: dict[tuple[str, str], int] = {}

    other = restore(postgres, dump, masking(kept=kept, salt=b"other"), counts=counts)

    assert counts == {("public", "users"): 1, ("public", "orders"): 1}
    emails = values(postgres, other, "email")
    assert emails[2] == "Zanary3@Real.example"
    assert emails[3].endswith("@example.com")
    for column in ("email", "username", "token", "key"):
        ours, theirs = (set(values(postgres, one, column)) for one in (masked, other))
        assert ours & theirs <= {""}


# Types that cut fakes off, or write them in their own way.
ODD: dict[str, tuple[str, Any, str]] = {
    "a": ("varchar(8)", "name", "raw"), "b": ("char(9)", "name", "raw"),
    "c": ("name", "name", "raw"), "d": ("varchar(6)", "street", "raw"),
    "e": ("char(12)", "street", "raw"), "f": ("char(4)", "first_name", "raw"),
    "g": ("varchar(3)", "city", "raw"), "h": ("char(12)", "digits", "raw"),
    "i": ("citext", "token", "raw"), "j": ("char(7)", "text", "raw"),
    "k": ("varchar(40)[]", "email", '{raw,NULL,""}'),
    "l": ("char(4)[]", "last_name", "{raw}"), "m": ("text[]", "name", "{raw}"),
    "n": ("cidr", "ip", "10.1.2.0/24"), "o": ("text", "uuid", "raw"),
    "p": ("timestamptz", "birthday", "2000-12-31 23:30:01+00"),
    "q": ("date", "birthday", "2000-12-31"), "r": ("bytea", "blank", "raw"),
    "s": ("json", {"json": {"drop": ["a.b"]}}, '[{"a": [{"b": 1}]}]'),
    "t": ("jsonb", {"json": {"fake": {"a": "name", "b": "ip", "d": "birthday"}}},
          '{"a": ["raw", ["raw", ""], 1], "b": "raw", "d": "2000-12-31"}'),
    "u": ("jsonb", {"json": {"set": {"a": None}, "empty": ["b"]}}, '{"a": 1, "b": 2}'),
    "v": ("jsonb", {"json": {"set": {"a": {"b": 1}}, "drop": ["a.b"]}},
          '{"a": {"b": 2}}'),
    "w": ("varchar(11)", "ip", "raw"), "x": ("numeric(5,2)", {"value": 7}, "3"),
    "y": ("text", {"password": {"django": "dev"}}, "raw"), "z": ("text", None, "raw"),
}  # fmt: skip


@pytest.mark.parametrize("locale", ["", "fr_FR"])
def test_rows_that_a_trigger_has_missed_are_found(
    postgres: Postgres, locale: str
) -> None:
    if locale:
        pytest.importorskip("faker")
    columns = ", ".join(f"{name} {type_}" for name, (type_, _, _) in ODD.items())
    dbname = postgres.database(f"CREATE EXTENSION citext; CREATE TABLE odd ({columns})")
    psql = postgres.psql(dbname)
    mask = {f"odd.{name}": rule for name, (_, rule, _) in ODD.items()}
    masks = replace(masking(mask), locale=locale)
    on = masks.put_on(psql, dbname, ())
    raw = ", ".join(literal(given) for _, _, given in ODD.values())
    rows = ";".join(
        f"INSERT INTO odd VALUES ({raw.replace('raw', f'z{number}')})"
        for number in range(40)
    )
    env = postgres.connection(dbname).environment(os.environ, masks.options)
    argv = [postgres.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(argv, env=env, input=rows, text=True, check=True)
    assert unmasked(psql, dbname, on, {}) == []

    postgres.sql(dbname, f"ALTER TABLE odd DISABLE TRIGGER USER; {rows}")

    assert unmasked(psql, dbname, on, {}) == [f"odd.{name}" for name in ODD]
    assert unmasked(psql, dbname, on, {("public", "odd"): 40}) == []
    with pytest.raises(MaskError, match=r"^odd\.a has values"):
        prove(psql, dbname, on, {})


def test_texts_of_a_document_get_the_same_fakes_together_and_singly(
    postgres: Postgres,
) -> None:
    dbname = postgres.database("CREATE TABLE t (doc jsonb)")
    psql = postgres.psql(dbname)
    masks = masking({"t.doc": {"json": {"fake": {"a": "name", "b": "token"}}}})
    masks.put_on(psql, dbname, ())
    documents = [
        '{"a": "ann", "b": "key", "x": 1}', '{"a": "ann"}', '{"a": "ann", "b": 5}',
        '[{"a": "ann", "b": "key"}]', '{"a": "", "b": null}', '"ann"', "null",
    ]  # fmt: skip
    rows = ", ".join(f"({literal(document)})" for document in documents)
    env = postgres.connection(dbname).environment(os.environ, masks.options)
    argv = [postgres.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"]
    sql = f"INSERT INTO t VALUES {rows}, (NULL);"
    subprocess.run(argv, env=env, input=sql, text=True, check=True)

    found = json.loads(postgres.sql(dbname, "SELECT json_agg(doc) FROM t"))
    name, token = found[0]["a"], found[0]["b"]
    assert {name, token}.isdisjoint({"ann", "key"})
    assert re.fullmatch("[0-9a-f]", number := found[2]["b"])
    assert found == [
        {"a": name, "b": token, "x": 1}, {"a": name}, {"a": name, "b": number},
        [{"a": name, "b": token}], {"a": "", "b": None}, "ann", None, None,
    ]  # fmt: skip


def test_a_key_that_is_not_there_is_missed(postgres: Postgres) -> None:
    sql = "CREATE TABLE t (a int); ALTER TABLE t ADD CHECK (a > 0) NOT VALID"
    dbname = postgres.database(sql)
    psql = postgres.psql(dbname)

    prove_keys(psql, dbname, [])
    with pytest.raises(MaskError, match=r"^The key k of public\.t is not"):
        prove_keys(psql, dbname, [unique("k")])
    postgres.sql(dbname, "CREATE UNIQUE INDEX k ON t (a)")
    prove_keys(psql, dbname, [unique("k")])
    postgres.sql(dbname, "UPDATE pg_index SET indisvalid = false"
                 " WHERE indexrelid = 'k'::regclass")  # fmt: skip
    with pytest.raises(MaskError, match=r"^The key k of public\.t is not"):
        prove_keys(psql, dbname, [unique("k")])


def unique(name: str) -> archive.Entry:
    return archive.Entry(
        dump_id=1, had_data=False, catalog=0, oid=0, tag=name, desc="INDEX",
        section="post-data", namespace="public", owner="", dependencies=(),
        definition=f"CREATE UNIQUE INDEX {name} ON public.t USING btree (a);",
    )  # fmt: skip


WRONG = {
    "nam || 'x'": r"SQL of users\.name .*column .*nam.* does not exist",
    "name ||": r"SQL of users\.name .*syntax error",
    "(SELECT max(note) FROM public.orders)": "SQL that reads a table",
    "lowered": r"column .*lowered.* does not exist",
}


def test_sql_that_can_not_be_is_refused_before_rows(postgres: Postgres) -> None:
    dbname = postgres.database(SOURCE.split("INSERT", maxsplit=1)[0])
    psql = postgres.psql(dbname)
    for sql, words in WRONG.items():
        with pytest.raises((SqlFailed, UnfitRule), match=words):
            masking({"users.name": {"sql": sql}}).put_on(psql, dbname, ())
        postgres.sql(dbname, f"DROP SCHEMA {SCHEMA} CASCADE;")
