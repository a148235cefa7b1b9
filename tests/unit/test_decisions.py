"""Columns that nobody has decided about: found in definitions, told by their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dbpull.archive import Entry
from dbpull.errors.masks import MaskError, UndecidedColumns
from dbpull.masks import kept_columns, rules
from dbpull.masks.blanked import blank_rules
from dbpull.masks.column_types import Types, plain
from dbpull.masks.decisions import Deciding, Decisions
from dbpull.masks.definitions import split
from dbpull.masks.detection import kind_of
from dbpull.masks.rules import Rule
from dbpull.masks.tables import Column, MaskTable, Tables

FILLED = [("public", "users")]


def entry(desc: str, definition: str, tag: str = "users") -> Entry:
    return Entry(
        dump_id=1, had_data=False, catalog=0, oid=0, tag=tag, desc=desc,
        section="pre-data", definition=definition, namespace="public", owner="",
        dependencies=(),
    )  # fmt: skip


TYPES = (
    entry("TYPE", "CREATE TYPE public.mood AS ENUM (\n    'ok'\n);\n", "mood"),
    entry("DOMAIN", "CREATE DOMAIN public.cents AS bigint\n\tCHECK (true);\n", "cents"),
    entry("DOMAIN", "CREATE DOMAIN public.mail AS text NOT NULL;\n", "mail"),
    entry("DOMAIN", "CREATE DOMAIN public.sums AS public.cents[];\n", "sums"),
    entry("TYPE", "CREATE TYPE public.span AS (\n\ta date,\n\tb integer\n);\n", "span"),
    entry("TYPE", "CREATE TYPE public.pair AS (\n\ta date,\n\tb text\n);\n", "pair"),
    entry("TYPE", "CREATE TYPE public.own AS RANGE (\n    subtype = text\n);\n", "own"),
)


def created(*columns: str, table: str = "users", behind: str = "") -> Entry:
    lines = ",\n    ".join(columns)
    text = f"CREATE TABLE public.{table} (\n    {lines}\n){behind};\n"
    return entry("TABLE", text, table)


def decide(
    *entries: Entry, mask: Mapping[str, Any] | None = None, kept: str = ""
) -> Decisions:
    file = dict(kept_columns._read(kept))
    given = Deciding((*TYPES, *entries), rules.read(mask or {}), file)
    return given.decide(FILLED)


def told(found: Decisions) -> list[str]:
    return [column.told for column in found.undecided]


@pytest.mark.parametrize(
    "column",
    [
        "a boolean NOT NULL", "a integer DEFAULT 3", "a numeric(8,3)", "a money",
        "a double precision", "a date", "a timestamp(3) without time zone",
        "a time with time zone", "a interval day to second(2)", "a public.mood",
        'a "public"."mood"[] DEFAULT \'{}\'', "a public.cents", "a public.sums",
        "a public.span", "a tstzrange", "a int4range[]", "a_id uuid", '"aId" uuid',
        "a text GENERATED ALWAYS AS ((b)::text) STORED", "id bigint", "email_id bigint",
        "email_sent boolean", "phone_count integer", "born_on_mars boolean",
    ],
)  # fmt: skip
def test_what_tells_nothing_is_never_asked_about(column: str) -> None:
    assert told(decide(created(column))) == []


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("a text", "users.a (text)"),
        ("a character varying(20)[]", "users.a (character varying[])"),
        ("a public.mail", "users.a (mail)"),
        ("a heroku_ext.citext", "users.a (citext)"),
        ("a jsonb", "users.a (jsonb)"),
        ("a inet", "users.a (inet)"),
        ("a bytea", "users.a (bytea)"),
        ("a tsvector", "users.a (tsvector)"),
        ("a public.geometry(Point,4326)", "users.a (geometry)"),
        ("a point", "users.a (point)"),
        ("a public.pair", "users.a (pair)"),
        ("a public.own", "users.a (own)"),
        ("a public.unknown", "users.a (unknown)"),
        ("a uuid", "users.a (uuid)"),
        ('"a.b" text', "users.a.b (text)"),
        ("birth date", "users.birth (date, like a date of birth)"),
        ("gender public.mood", "users.gender (mood, like a personal trait)"),
        ("mobile bigint", "users.mobile (bigint, like a phone number)"),
        ("tax_id bigint", "users.tax_id (bigint, like an official number)"),
        ("name text", "users.name (text, like a name)"),
        ("\"eMail\" text DEFAULT 'x, ('", "users.eMail (text, like an e-mail address)"),
        (
            "email text GENERATED ALWAYS AS (lower(b)) STORED, b integer",
            "users.email (text, like an e-mail address)",
        ),
    ],
)
def test_anything_else_must_be_decided(column: str, words: str) -> None:
    assert told(decide(created(column))) == [words]


def test_a_uuid_that_is_a_key_tells_nothing() -> None:
    key = entry("CONSTRAINT", "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT u"
                " PRIMARY KEY (a);")  # fmt: skip

    assert told(decide(created("a uuid"), key)) == []


@pytest.mark.parametrize(
    ("mask", "kept", "undecided"),
    [
        ({"email": "email"}, "", []),
        ({"email": "keep"}, "", []),
        ({"users.*": "text"}, "", []),
        ({"other.email": "email"}, "", ["users.email (text, like an e-mail address)"]),
        ({}, "public.users.email  text", []),
        ({}, '# why\n\n"public".users."email"  text\n', []),
        ({}, "public.users.email  citext",
         ["users.email (text, which was citext, like an e-mail address)"]),
        ({}, "? public.users.email  text",
         ["users.email (text, like an e-mail address)"]),
        ({}, "other.users.email  text", ["users.email (text, like an e-mail address)"]),
    ],
)  # fmt: skip
def test_a_rule_or_the_file_decides(
    mask: Mapping[str, str], kept: str, undecided: list[str]
) -> None:
    assert told(decide(created("email text"), mask=mask, kept=kept)) == undecided


def test_a_generated_column_of_masked_ones_is_made_of_fakes() -> None:
    table = created("mail text", "email text GENERATED ALWAYS AS (lower(mail)) STORED")

    assert told(decide(table, mask={"mail": "email"})) == []
    assert len(told(decide(table, mask={"mail": "keep"}))) == 1


def test_a_rule_reaches_along_a_foreign_key() -> None:
    refers = entry(
        "FK CONSTRAINT",
        "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT f FOREIGN KEY (mail)"
        " REFERENCES public.people(email);",
    )
    tables = created("mail text"), created("email text", table="people")

    assert told(decide(*tables, refers, mask={"people.email": "email"})) == []


def test_a_partition_is_its_table() -> None:
    attached = entry(
        "TABLE ATTACH",
        "ALTER TABLE ONLY public.people ATTACH PARTITION public.users DEFAULT;",
    )
    tables = (
        created("note text", table="people", behind="\nPARTITION BY LIST (id)"),
        created("note text"),
    )

    assert told(decide(*tables, attached)) == ["people.note (text, like a free text)"]
    assert told(decide(*tables, attached, kept="public.people.note  text")) == []


def test_a_child_has_the_columns_of_its_parents() -> None:
    parent = created("note text", table="people")
    child = created("nick text", behind="\nINHERITS (public.people)")

    assert told(decide(parent, child)) == [
        "people.note (text, like a free text)",
        "users.nick (text, like a first name)",
    ]


def test_large_objects_and_unknown_tables_are_asked_about_as_a_whole() -> None:
    found = decide(entry("BLOBS", "", "BLOBS"))

    assert told(found) == ["the rows of users, an extension's table",
                           "the large objects"]  # fmt: skip
    kept = "pg_catalog.pg_largeobject.data  bytea\npublic.users.*  rows"
    assert told(decide(entry("BLOBS", "", "BLOBS"), kept=kept)) == []


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE TABLE public.users (\n    a text",
        "CREATE TABLE public.users (\n    a UNHEARD text\n);",
        "CREATE TABLE public.users (\n    a\n);",
        "CREATE TABLE public.others (\n    a text\n);",
        "CREATE TABLE public.users OF public.lost;",
        "CREATE TABLE public.users (\n    a text\n)\nINHERITS (public.lost);",
        "",
    ],
)
def test_a_definition_that_can_not_be_read_is_refused(definition: str) -> None:
    with pytest.raises(MaskError, match=r"defines public\.users in words that can't"):
        decide(entry("TABLE", definition))


def test_the_message_names_five_and_counts_the_rest() -> None:
    error = UndecidedColumns([f"a.c{number} (text)" for number in range(7)])

    assert "7 columns are personal: a.c0 (text), " in error.what
    assert error.what.endswith("a.c4 (text) and 2 more.")


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ('"public"."citext"', "citext"),
        ("heroku_ext.citext[]", "citext[]"),
        ("character varying(20)", "character varying"),
        ("timestamp(3) with time zone", "timestamp with time zone"),
        ('"Odd.Schema"."my (type)"', "my (type)"),
        ("numeric(8,3)[]", "numeric[]"),
    ],
)
def test_a_type_has_one_name(type_: str, name: str) -> None:
    assert plain(type_) == name


@pytest.mark.parametrize(
    ("type_", "holds"),
    [
        *(("money", "number"), ("app.money", "other"), ("app.date[]", "other")),
        *(("heroku_ext.citext", "text"), ("app.hstore[]", "document")),
    ],
)
def test_a_type_of_ones_own_is_not_known_by_its_name(type_: str, holds: str) -> None:
    assert Types([]).holds(type_) == {holds}


def test_a_list_is_split_at_its_own_commas() -> None:
    items, end = split("x (a 'it''s, (', \"b, \"\"\" c(1, 2), d[1, 2]) rest", 2)

    assert items == ["a 'it''s, ('", '"b, """ c(1, 2)', "d[1, 2]"]
    assert end == 42


NAMES = {
    "e-mail address": ["email", "eMail", "user-emails", "contact_email", "sähköposti"],
    "phone number": ["phone", "telephoneNumber", "mobile_no", "tlf", "handy"],
    "first name": ["first_name", "firstname", "Vorname", "prénom", "imię", "förnamn"],
    "last name": ["lastName", "surname", "nachname", "apellidos", "nazwisko"],
    "date of birth": ["dob", "birth_date", "geburtsdatum", "date_naissance"],
    "street": ["street", "shipping_address", "Straße", "osoite", "ulica"],
    "postcode": ["zip", "postal_code", "plz", "codePostal"],
    "password": ["password_hash", "encrypted_password", "kennwort"],
    "secret": ["api_key", "otp_secret", "session_key", "resetToken"],
    "bank account": ["iban", "account_number", "card_number"],
    "official number": ["ssn", "vat_id", "PESEL", "codice_fiscale"],
    "network address": ["ip", "last_sign_in_ip", "remote_addr"],
    "": [
        "filename", "status", "passed", "description", "id", "created_at", "title",
        "email_verified", "phone_type", "shipping", "zipped", "tokenizer", "price",
        "recipe", "slug", "country", "currency", "sku", "name", "ip_count",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
def test_names_tell_of_kinds(kind: str) -> None:
    assert {name: kind_of("things", name, {"text"}) for name in NAMES[kind]} == (
        dict.fromkeys(NAMES[kind], kind)
    )


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    columns = {
        ("public", "users", "email"): ("text", True),
        ("Odd Schema", 'a"b.c', "# x\ny"): ("text[]", False),
        ("public", "?", "größe\u2028"): ("my type", True),
        ("public", "spatial", "*"): ("rows", True),
    }

    kept_columns.write(tmp_path, columns)

    assert kept_columns.read(tmp_path) == columns
    (tmp_path / "kept-columns.txt").write_text("public.users.email text\n")
    with pytest.raises(MaskError, match=r"Line 1 of kept-columns\.txt"):
        kept_columns.read(tmp_path)


@pytest.mark.parametrize(
    ("column", "is_key", "rule"),
    [
        (Column("a", "text", "text", "S", required=True), False, Rule("blank")),
        (Column("a", "text", "text", "S", required=True), True, Rule("token")),
        (Column("a", "text", "text", "S"), True, Rule("null")),
        (Column("a", "uuid", "uuid", "U", required=True), True, Rule("uuid")),
        (Column("a", "mood", "mood", "E"), False, Rule("null")),
        (Column("a", "jsonb", "jsonb", "U"), False, Rule("blank")),
    ],
)
def test_a_column_comes_blank_in_the_way_that_its_keys_allow(
    column: Column, is_key: bool, rule: Rule
) -> None:
    table = MaskTable("public", "users", True, (), (), {"a": column})
    keys = [entry("INDEX", "CREATE UNIQUE INDEX u ON public.users USING btree (a);")]
    name = ("public", "users", "a")

    found = blank_rules(
        Tables({table.key: table}, "UTF8", ()), keys if is_key else [], [name]
    )

    assert found == {name: rule}
