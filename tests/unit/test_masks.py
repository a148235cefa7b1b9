"""Rules of masks: how they are read, which fits a column, what dumps say of keys."""

from __future__ import annotations

from typing import Any

import pytest

from dbpull.archive import Entry
from dbpull.errors.masks import FitsNothing, MaskError, UnfitRule
from dbpull.masks import chosen, rules
from dbpull.masks.alike import digests, were_alike
from dbpull.masks.constraints import (
    NamedKey,
    Reference,
    Unique,
    keys,
    references,
    uniques,
)
from dbpull.masks.judged import MaskedTable, judge
from dbpull.masks.rules import JsonChange, Rule
from dbpull.masks.salt import Salt, django_password, salt_of
from dbpull.masks.tables import Column, MaskTable, Tables
from dbpull.masks.vocabulary import Vocabulary


def column(name: str, type_: str = "text", **more: Any) -> Column:
    array, base = type_.startswith("_"), type_.removeprefix("_")
    category = {"text": "S", "varchar": "S", "citext": "S", "date": "D"}.get(base, "N")
    given: dict[str, Any] = {
        "type": type_, "base": type_, "category": "A" if array else category,
        "element": category if array else "", "element_type": base if array else "",
        "limit": None, "required": False, "is_domain": False, "generated_from": None,
    } | more  # fmt: skip
    return Column(name, **given)


def table(
    name: str,
    *columns: Column,
    schema: str = "public",
    parents: tuple[str, ...] = (),
    partitioned_by: tuple[str, ...] = (),
) -> MaskTable:
    ancestors = [("public", parent) for parent in parents]
    by_name = {one.name: one for one in columns}
    return MaskTable(
        schema, name, not partitioned_by, ancestors, partitioned_by, by_name
    )


def tables(*them: MaskTable) -> Tables:
    return Tables({one.key: one for one in them}, "UTF8", ())


def entry(desc: str, definition: str, schema: str = "public") -> Entry:
    return Entry(
        dump_id=1, had_data=False, catalog=0, oid=0, tag="", desc=desc,
        section="post-data", definition=definition, namespace=schema, owner="",
        dependencies=(),
    )  # fmt: skip


USERS = table("users", column("id", "int4"), column("email"), column("name"))
ORDERS = table("orders", column("id", "int4"), column("email"), column("note"))
UNIQUE_NAME = entry(
    "INDEX", "CREATE UNIQUE INDEX u ON public.users USING btree (name);"
)
REFERS = entry(
    "FK CONSTRAINT",
    "ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT f FOREIGN KEY (email)"
    " REFERENCES public.users(email);",
)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("email", Rule("email")),
        (None, Rule("null")),
        ("null", Rule("null")),
        ({"value": 3}, Rule("value", 3)),
        ({"sql": "id || 'x'"}, Rule("sql", "id || 'x'")),
        ({"phone": {"from": "id"}}, Rule("phone", source="id")),
        ({"password": {"django": "dev"}}, Rule("password", "dev")),
        (
            {"json": {"drop": ["a", "b.c", ["d.e"]], "fake": {"f": "email"}}},
            Rule(
                "json",
                (
                    JsonChange("drop", ("a",)),
                    JsonChange("drop", ("b", "c")),
                    JsonChange("drop", ("d.e",)),
                    JsonChange("fake", ("f",), "email"),
                ),
            ),
        ),
    ],
)
def test_a_rule_is_read(given: object, read: Rule) -> None:
    assert rules.read({"users.email": given}) == {"users.email": read}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("emial", "'emial' at users.email, which is no rule"),
        ("value", "'value' at users.email, which is no rule"),
        (3, "neither a word nor a mapping"),
        ({"email": {"from": "id"}, "phone": {"from": "id"}}, "with one key"),
        ({"email": {"form": "id"}}, "has no {from: …} at email"),
        ({"password": {"rails": "x"}}, "has no {django: …} at password"),
        ({"keep": {"from": "id"}}, "'keep' at users.email, which is no rule"),
        ({"sql": ""}, "has no text"),
        ({"json": {}}, "has no mapping at json"),
        ({"json": {"drop": "a"}}, "has no list at drop"),
        ({"json": {"set": ["a"]}}, "has no mapping at set"),
        ({"json": {"dorp": ["a"]}}, "'dorp' at users.email, which is no rule"),
        ({"json": {"fake": {"a": "emial"}}}, "'emial' at users.email"),
        ({"json": {"drop": ["a..b"]}}, "has an empty key"),
    ],
)
def test_what_is_no_rule_is_refused(given: object, words: str) -> None:
    with pytest.raises(MaskError) as error:
        rules.read({"users.email": given})

    assert words in str(error.value)


def test_a_misspelt_rule_is_answered_with_the_right_one() -> None:
    with pytest.raises(MaskError, match=r"Did you mean email\?"):
        rules.read({"users.email": "emial"})


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"email": "email"}, "email"),
        ({"*ail": "email"}, "email"),
        ({"*ail": "text", "email": "email"}, "email"),
        ({"email": "text", "users.*": "email"}, "email"),
        ({"users.*": "text", "users.email": "email"}, "email"),
        ({"users.email": "text", "public.*.*": "email"}, "email"),
        ({"users.email": "keep", "email": "email"}, "keep"),
    ],
)
def test_the_most_specific_pattern_wins(given: dict[str, str], rule: str) -> None:
    found = chosen.by_patterns(tables(USERS), rules.read(given))

    assert found["public", "users", "email"].kind == rule


def test_two_rules_of_the_same_rank_are_refused_where_they_differ() -> None:
    with pytest.raises(UnfitRule, match=r"users\.email is fitted equally well"):
        chosen.by_patterns(tables(USERS), rules.read({"em*": "text", "*il": "email"}))

    chosen.by_patterns(tables(USERS), rules.read({"em*": "email", "*il": "email"}))


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("users.emial", "Did you mean users.email?"),
        ("emial", "Did you mean email?"),
        ("public.user.email", "Did you mean public.users.email?"),
    ],
)
def test_a_pattern_that_fits_nothing_is_refused(pattern: str, near: str) -> None:
    with pytest.raises(FitsNothing) as error:
        chosen.by_patterns(tables(USERS), rules.read({pattern: "email"}))

    assert f"no column fits {pattern}" in str(error.value)
    assert near in str(error.value)


def test_the_rules_of_a_parent_hold_for_its_partitions_and_children() -> None:
    parent = table("events", column("actor"), column("at"), partitioned_by=("at",))
    part = table("events_1", column("actor"), column("at"), parents=("events",))

    found = chosen.by_patterns(tables(parent, part), {"events.actor": Rule("email")})

    assert found["public", "events_1", "actor"] == Rule("email")


@pytest.mark.parametrize("given", [{"users.email": "email"}, {"orders.email": "email"}])
def test_one_rule_holds_for_both_sides_of_a_foreign_key(given: dict[str, str]) -> None:
    found = judge(tables(USERS, ORDERS), [REFERS], rules.read(given), {})

    assert [(one.table.name, one.masks[0].column.name) for one in found] == [
        ("users", "email"),
        ("orders", "email"),
    ]


def test_a_foreign_key_may_be_cut_by_null() -> None:
    given = rules.read({"orders.email": None})

    found = judge(tables(USERS, ORDERS), [REFERS], given, {})

    assert [one.table.name for one in found] == ["orders"]


def test_the_shorter_side_of_a_foreign_key_decides_on_the_length() -> None:
    short = table("orders", column("email", "varchar", limit=25))

    found = judge(tables(USERS, short), [REFERS], {"email": Rule("email")}, {})

    assert {one.masks[0].limit for one in found} == {25}


PARTED = table("parted", column("mail"), column("n"), partitioned_by=("mail",))
PART = table("part", column("mail"), column("n"), parents=("parted",))
REFUSED: list[tuple[Tables, list[Entry], dict[str, Any], str]] = [
    (
        tables(USERS, ORDERS), [REFERS],
        {"users.email": "email", "orders.email": "keep"}, "have different rules",
    ),
    (
        tables(USERS, ORDERS), [REFERS],
        {"users.email": {"email": {"from": "id"}}}, "part of a foreign key",
    ),
    (tables(USERS), [UNIQUE_NAME], {"name": "first_name"}, "would make doubles"),
    (tables(USERS), [UNIQUE_NAME], {"name": "blank"}, "would make doubles"),
    (tables(USERS), [UNIQUE_NAME], {"name": {"value": "x"}}, "would make doubles"),
    (
        tables(USERS), [UNIQUE_NAME],
        {"name": {"phone": {"from": "id"}}}, "would make doubles",
    ),
    (
        tables(table("users", column("name", "varchar", limit=8))), [UNIQUE_NAME],
        {"name": "token"}, "would make doubles",
    ),
    (tables(PARTED, PART), [], {"mail": "email"}, "decides on the partition"),
    (tables(USERS), [], {"id": "email"}, "for which there is no email"),
    (tables(USERS), [], {"name": "birthday"}, "for which there is no birthday"),
    (tables(USERS), [], {"name": {"json": {"drop": ["a"]}}}, "there is no json"),
    (
        tables(table("t", column("a", "geometry", category="U"))), [],
        {"a": "blank"}, "there is no blank",
    ),
    (tables(table("t", column("a", required=True))), [], {"a": None}, "is NOT NULL"),
    (
        tables(table("t", column("a", "varchar", limit=20))), [],
        {"a": "email"}, "has room for 20 characters; email needs 23",
    ),
    (
        tables(table("t", column("a"), column("b", generated_from=["a"]))), [],
        {"b": "email"}, "is generated from a, which has no mask",
    ),
    (tables(USERS), [], {"name": {"phone": {"from": "idd"}}}, "does not store"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "entries", "given", "words"), REFUSED)
def test_a_mask_that_would_fail_is_refused(
    there: Tables, entries: list[Entry], given: dict[str, Any], words: str
) -> None:
    with pytest.raises(UnfitRule) as error:
        judge(there, entries, rules.read(given), {})

    assert words in str(error.value)


@pytest.mark.parametrize("rule", ["username", "email", "token", "uuid", "url", None])
def test_rules_that_keep_values_different_may_mask_unique_columns(
    rule: str | None,
) -> None:
    assert judge(tables(USERS), [UNIQUE_NAME], rules.read({"name": rule}), {})


def test_a_unique_number_makes_unique_phones() -> None:
    key = entry("CONSTRAINT", "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT p"
                " PRIMARY KEY (id);")  # fmt: skip
    given = rules.read({"name": {"phone": {"from": "id"}}})

    assert judge(tables(USERS), [UNIQUE_NAME, key], given, {})


def test_a_key_with_another_unique_column_makes_no_doubles() -> None:
    definition = "CREATE UNIQUE INDEX u ON public.users USING btree (email, name);"
    both = entry("INDEX", definition)
    email = entry("INDEX", definition.replace(", name", ""))
    given = rules.read({"name": "first_name"})

    assert judge(tables(USERS), [both, email], given, {})
    with pytest.raises(UnfitRule, match="would make doubles"):
        judge(tables(USERS), [both], given, {})


def test_a_generated_column_of_masked_ones_needs_no_mask() -> None:
    there = tables(table("t", column("a"), column("b", generated_from=["a"])))

    [found] = judge(there, [], {"?": Rule("email")}, {})

    assert [mask.column.name for mask in found.masks] == ["a"]


def test_an_exception_of_no_table_is_refused() -> None:
    with pytest.raises(
        FitsNothing, match=r"no table fits usres\.\nDid you mean users\?"
    ):
        judge(tables(USERS), [], {"email": Rule("email")}, {"usres": "true"})


@pytest.mark.parametrize(
    ("desc", "definition", "found"),
    [
        (
            "CONSTRAINT",
            'ALTER TABLE ONLY public."Gift Cards"\n    ADD CONSTRAINT "a, b" UNIQUE'
            ' NULLS NOT DISTINCT ("cardNo", id);',
            Unique(("public", "Gift Cards"), frozenset({"cardNo", "id"})),
        ),
        (
            "INDEX",
            "CREATE UNIQUE INDEX i ON ONLY shop.users USING btree"
            " (lower((email)::text), ((a -> 'name'::text))) WHERE (deleted IS NULL);",
            Unique(("shop", "users"), frozenset({"lower", "email", "text", "a"})),
        ),
        (
            "CONSTRAINT",
            "ALTER TABLE ONLY public.rooms\n    ADD CONSTRAINT k PRIMARY KEY (id,"
            " valid_at WITHOUT OVERLAPS);",
            Unique(("public", "rooms"), frozenset({"id", "valid_at"})),
        ),
        (
            "CONSTRAINT",
            "ALTER TABLE ONLY public.rooms\n    ADD CONSTRAINT e EXCLUDE USING gist"
            " (name WITH =, during WITH &&) WHERE ((NOT gone));",
            Unique(("public", "rooms"), frozenset({"name", "during", "with"})),
        ),
        ("INDEX", "CREATE INDEX i ON public.users USING btree (name);", None),
        (
            "CONSTRAINT",
            "ALTER TABLE ONLY users\n    ADD CONSTRAINT p PRIMARY KEY (id);",
            Unique(("public", "users"), frozenset({"id"})),
        ),
    ],
)
def test_unique_keys_are_read(desc: str, definition: str, found: Unique | None) -> None:
    assert list(uniques([entry(desc, definition)])) == ([found] if found else [])


def test_foreign_keys_are_read() -> None:
    definition = (
        'ALTER TABLE public."odd ""one"""\n    ADD CONSTRAINT f FOREIGN KEY (a, "B")'
        " REFERENCES other.users(c, d) ON DELETE CASCADE;"
    )

    assert list(references([entry("FK CONSTRAINT", definition)])) == [
        Reference(("public", 'odd "one"'), ("a", "B"), ("other", "users"), ("c", "d"))
    ]


def test_foreign_keys_with_periods_are_read() -> None:
    definition = (
        "ALTER TABLE ONLY public.stays\n    ADD CONSTRAINT f FOREIGN KEY (room, PERIOD"
        " at) REFERENCES public.rooms(id, PERIOD valid_at);"
    )

    assert list(references([entry("FK CONSTRAINT", definition)])) == [
        Reference(
            ("public", "stays"), ("room", "at"), ("public", "rooms"), ("id", "valid_at")
        )
    ]


@pytest.mark.parametrize(
    ("desc", "definition", "found"),
    [
        ("INDEX", "CREATE UNIQUE INDEX i ON public.t USING btree (a);", ("i", False)),
        ("INDEX", "CREATE INDEX i ON public.t USING btree (a);", None),
        (
            "CONSTRAINT",
            'ALTER TABLE ONLY public.t\n    ADD CONSTRAINT "A b" UNIQUE (a);',
            ("A b", False),
        ),
        (
            "FK CONSTRAINT",
            "ALTER TABLE public.t\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES"
            " public.u(id) NOT VALID;",
            ("f", True),
        ),
    ],
)
def test_the_keys_that_must_be_there_are_read(
    desc: str, definition: str, found: tuple[str, bool] | None
) -> None:
    made = [NamedKey(("public", "t"), *found)] if found else []

    assert list(keys([entry(desc, definition)])) == made


def test_the_salt_is_made_once_and_for_its_owner_alone(tmp_path: Any) -> None:
    folder = tmp_path / "dumps"

    first = salt_of(None, folder)

    assert salt_of(None, folder) == first
    assert (folder / "mask.dump-salt").stat().st_mode & 0o777 == 0o600
    assert len([*folder.iterdir()]) == 2  # and .gitignore
    assert salt_of("given", folder) == Salt(b"given")
    assert salt_of("new", folder) != salt_of("new", folder)


def test_what_is_derived_of_a_salt_differs_and_says_nothing() -> None:
    one, other = Salt(b"one"), Salt(b"other")

    assert one.hashed != other.hashed
    assert one.seed != other.seed
    assert 0 <= one.seed < 2**63
    assert "one" not in one.hashed


def test_a_django_password_can_be_used_to_log_in() -> None:
    hashers = pytest.importorskip("django.contrib.auth.hashers")
    settings = pytest.importorskip("django.conf").settings
    if not settings.configured:
        settings.configure()

    assert hashers.check_password("dev", django_password("dev"))


def test_words_are_the_same_each_time_and_many() -> None:
    words = Vocabulary().words("first_name")

    assert words == Vocabulary().words("first_name")
    assert 100 <= len(words) == len(set(words)) <= 1000


def test_without_faker_words_are_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbpull.masks.vocabulary.find_spec", lambda _: None)

    assert Vocabulary().words("city")[:2] == ["City 1", "City 2"]
    with pytest.raises(MaskError, match="mask_locale needs Faker"):
        Vocabulary("de_DE").words("city")


def test_an_unknown_locale_is_refused() -> None:
    pytest.importorskip("faker")
    with pytest.raises(MaskError, match="xx_XX, which Faker does not know"):
        Vocabulary("xx_XX").words("city")


def test_words_for_a_database_of_another_encoding_are_ascii() -> None:
    pytest.importorskip("faker")

    assert all(map(str.isascii, Vocabulary("de_DE", ascii_only=True).words("city")))


ALIKE: list[tuple[dict[str, Any], dict[str, str], bool]] = [
    ({"users.email": "email", "orders.note": "text"}, {}, True),
    ({"users.email": "email", "orders.note": "blank"}, {}, True),
    ({"orders.note": "text"}, {}, False),
    ({"users.email": "username"}, {}, False),
    ({"users.email": "email", "users.name": "name"}, {}, True),
    ({"users.email": "email"}, {"users": "email = 'a'"}, False),
]


@pytest.mark.parametrize(("rules_before", "excepted", "alike"), ALIKE)
def test_old_rows_are_masked_alike_where_all_columns_masked_now_were(
    rules_before: dict[str, Any], excepted: dict[str, str], *, alike: bool
) -> None:
    def masked(given: dict[str, Any], excepted: dict[str, str]) -> list[MaskedTable]:
        return judge(tables(USERS, ORDERS), [], rules.read(given), excepted)

    known = digests(masked(rules_before, excepted), ["public.users"])
    now = masked({"users.email": "email"}, {})

    assert were_alike(known, now, ("public", "users")) is alike
    assert were_alike({}, now, ("public", "orders"))
    assert "public.orders" not in known


def test_old_rows_of_a_partition_count_for_the_whole_table() -> None:
    part = table("users_1", column("email"), parents=("users",))
    whole = table("users", column("email"), partitioned_by=("id",))
    masked = judge(tables(whole, part), [], rules.read({"users.email": "email"}), {})

    assert [*digests(masked, ["users"])] == ["public.users_1"]
    assert not were_alike({}, masked, ("public", "users"))
    assert were_alike(digests(masked, ["users"]), masked, ("public", "users"))
