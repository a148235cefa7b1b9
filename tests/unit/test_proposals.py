"""What values look like, and the rules that are proposed for columns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dbpull.archive import Entry
from dbpull.masks.contents import found_in, paths_in
from dbpull.masks.decisions import Deciding
from dbpull.masks.proposals import Proposing
from dbpull.masks.rules import read


def entry(desc: str, definition: str, tag: str = "users") -> Entry:
    return Entry(
        dump_id=1, had_data=False, catalog=0, oid=0, tag=tag, desc=desc,
        section="pre-data", definition=definition, namespace="public", owner="",
        dependencies=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Ann Ex <ann.ex+1@real.example>", "e-mail address"),
        ("postgres://me:x@db.example/shop", ""),
        ("+49 151 234-567-89", "phone number"),
        ("+1", ""),
        ("version 1.2.3.4.5", ""),
        ("from 192.0.2.17, port 80", "network address"),
        ("2001:db8::17", "network address"),
        ("12:30:45", ""),
        ("DE89 3704 0044 0532 0130 00", "bank account"),
        ("DE88 3704 0044 0532 0130 00", ""),
        ("4242-4242-4242-4242", "bank account"),
        ("4242424242424241", ""),
        ("0000000000000000", ""),
        ("$2b$12$abcdefghijklmnopqrstuv", "password"),
        ("pbkdf2_sha256$600000$salt$hash", "password"),
        ("sk_live_0123456789", "secret"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOi.x", "secret"),
        ("a harmless remark, 12345", ""),
        ("2024-02-29T12:00:00+01:00", ""),
    ],
)
def test_a_value_is_told_by_its_looks(value: str, kind: str) -> None:
    found = found_in([value], frozenset())

    assert (found.kind if found else "") == kind


def test_names_are_told_by_many_different_ones() -> None:
    names = frozenset(f"name{chr(97 + n)}" for n in range(20))
    for_many = [f"for {name}" for name in names]

    assert found_in(for_many, names)
    assert not found_in(["for namea"] * 50, names)
    assert not found_in([*for_many, *["nobody"] * 500], names)


def test_documents_are_looked_at_by_keys_and_values() -> None:
    documents = [
        json.dumps({"a": {"eMail": "x"}, "list": [{"to": "ann@real.example"}], "n": 5,
                    "colour": "red", "a.b": {"phone": "x"}}),
        "no json",
    ]  # fmt: skip

    assert paths_in(documents) == {
        ("a", "eMail"): "e-mail address",
        ("list", "to"): "e-mail address",
        ("a.b", "phone"): "phone number",
    }


def proposed(column: str, *values: str, unique: bool = False) -> Any:
    """The rule proposed for the last of these columns."""
    name = column.split(",")[-1].split()[0]
    entries = [entry("TABLE", f"CREATE TABLE public.users (\n    {column}\n);")]
    if unique:
        sql = f"CREATE UNIQUE INDEX u ON public.users USING btree ({name});"
        entries.append(entry("INDEX", sql, "u"))
    deciding = Deciding(entries, {}, {})
    [undecided] = deciding.decide([("public", "users")]).undecided
    samples = {("public", "users", name): list(values)}
    found = Proposing(deciding, samples).propose(undecided)
    return found.rule if found else None


@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("email text", [], "email"),
        ("email character varying(20)", [], "blank"),
        ("email character varying(5)[]", [], "blank"),
        ("reference text", ["ann@real.example"] * 3, "email"),
        ("reference text", ["ann@real.example", "x", "y"], "text"),
        ("reference text", ["x"], None),
        ("last_name text", [], "last_name"),
        ("birth_date date", [], "birthday"),
        ("birth_year integer", [], "blank"),
        ("born text", [], "blank"),
        ("iban text", [], "iban"),
        ("account_number text", [], "digits"),
        ("last_ip inet", [], "ip"),
        ("mac_address macaddr", [], None),
        ("api_key uuid", [], "uuid"),
        ("photo bytea", [], "blank"),
        ("search_vector tsvector", [], "blank"),
        ("geom public.geometry", [], "null"),
        ("geom public.geometry NOT NULL", [], None),
        ("payload jsonb", ['{"email": "x"}'], "blank"),
        ("settings jsonb", ['{"colour": "x"}'], None),
        ("facts jsonb", ['{"born": "x", "to": {"email": "y"}}'],
         {"json": {"fake": {"to.email": "email"}, "drop": ["born"]}}),
    ],
)  # fmt: skip
def test_a_rule_is_proposed_that_fits(
    column: str, values: list[str], rule: object
) -> None:
    found = proposed(column, *values)

    assert found == rule
    read({"users.x": found})


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("email text", "email"),
        ("phone text", "token"),
        ("pin character(4)", None),
        ("tax_id bigint NOT NULL", None),
        ("tax_id bigint", "null"),
    ],
)
def test_what_must_be_unique_stays_unique(column: str, rule: str | None) -> None:
    assert proposed(column, unique=True) == rule
