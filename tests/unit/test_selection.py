"""What of an archive is restored, and what is left out and why."""

from __future__ import annotations

from datetime import datetime
from itertools import count

import pytest

from dbpull.archive import Archive, Entry, Header
from dbpull.heroku.dump import PLATFORM
from dbpull.restore.failures import with_dependents
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.selection import Selection, select

HEADER = Header((1, 14, 0), "gzip", datetime(2024, 5, 1), "d1", "15.1", "15.1")
_numbers = count(1)


def entry(
    desc: str,
    tag: str,
    namespace: str | None = None,
    section: str = "pre-data",
    definition: str = "",
    dependencies: tuple[int, ...] = (),
) -> Entry:
    return Entry(
        dump_id=next(_numbers),
        had_data=desc == "TABLE DATA",
        catalog=0,
        oid=0,
        tag=tag,
        desc=desc,
        section=section,
        definition=definition,
        namespace=namespace,
        owner="u15smncfh5gol7",
        dependencies=dependencies,
    )


def rows(table: str, namespace: str = "public") -> Entry:
    return entry("TABLE DATA", table, namespace, "data")


def comment(on: str, namespace: str | None = None) -> Entry:
    return entry("COMMENT", on, namespace, "none")


def chosen(
    *entries: Entry,
    skip: tuple[str, ...] = (),
    creatable: tuple[str, ...] = (),
    superuser: bool = True,
) -> Selection:
    archive = Archive(HEADER, entries, 0)
    return select(LeftOut(archive, ServerFacts(creatable, superuser), PLATFORM), skip)


def test_what_is_an_apps_own_is_kept_in_its_order() -> None:
    own = (
        entry("SCHEMA", "heroku_ext"),
        entry("EXTENSION", "citext"),
        entry("TABLE", "users", "public"),
        entry("FUNCTION", "f()", "public"),
        rows("users"),
        entry("SEQUENCE SET", "users_id_seq", "public", "data"),
        entry("INDEX", "i", "public", "post-data"),
    )

    selection = chosen(*own)

    assert selection.entries == own
    assert selection.left_out == selection.skipped == ()
    assert selection.unmatched == {}
    assert [table.tag for table in selection.tables] == ["users"]


FUNCTION = 'CREATE EVENT TRIGGER x EXECUTE FUNCTION "_heroku"."create_ext"();'
NO_USE = [
    (entry("SCHEMA", "_heroku"), "Heroku's own schema _heroku"),
    (entry("FUNCTION", "create_ext()", "_heroku"), "Heroku's own schema _heroku"),
    (comment("SCHEMA _heroku"), "Heroku's own schema _heroku"),
    (comment('SCHEMA "_heroku"'), "Heroku's own schema _heroku"),
    (comment("FUNCTION create_ext()", "_heroku"), "Heroku's own schema _heroku"),
    (entry("ACL", "SCHEMA _heroku", None, "none"), "Heroku's own schema _heroku"),
    (
        entry("EVENT TRIGGER", "log_create_ext", None, "post-data", FUNCTION),
        "Heroku's own event triggers",
    ),
    (
        entry("PUBLICATION TABLES IN SCHEMA", "p s", None, "post-data"),
        "publications: nothing is replicated from the copy",
    ),
    (comment("EXTENSION citext"), "comments on extensions"),
    (comment('EXTENSION "uuid-ossp"'), "comments on extensions"),
    (
        entry("USER MAPPING", "USER MAPPING u15smncfh5gol7 SERVER wh"),
        "logins at other servers, with their passwords",
    ),
    (
        entry("SUBSCRIPTION", "s", None, "post-data"),
        "subscriptions, which would replicate into the copy",
    ),
    (
        entry("SUBSCRIPTION TABLE", "s t", None, "post-data"),
        "subscriptions, which would replicate into the copy",
    ),
    (
        comment("SUBSCRIPTION s"),
        "subscriptions, which would replicate into the copy",
    ),
    (
        entry("EXTENSION", "pg_stat_statements"),
        "the extension pg_stat_statements, which only watches a server",
    ),
]


@pytest.mark.parametrize(
    ("left", "reason"), NO_USE, ids=[f"{e.desc} {e.tag}" for e, _ in NO_USE]
)
def test_what_can_not_serve_is_left_out_with_its_reason(
    left: Entry, reason: str
) -> None:
    kept = entry("TABLE", "users", "public")

    selection = chosen(left, kept)

    assert selection.entries == (kept,)
    assert selection.left_out == (f"{reason} (1)",)


ALIKE = [
    entry("TABLE", "_heroku", "public"),
    rows("_heroku"),
    entry("SCHEMA", "_heroku_app"),
    comment("TABLE _heroku", "public"),
    comment("SCHEMA _heroku2"),
    entry("TABLE", "SUBSCRIPTION", "public"),
    entry("TABLE", "EXTENSION x", "public"),
    entry("EXTENSION", "postgis"),
    comment("TABLE users", "public"),
    comment("EVENT TRIGGER mine"),
    entry("SCHEMA", "public", definition="-- *not* creating schema"),
    entry("EXTENSION", "amcheck_like"),
]


@pytest.mark.parametrize("own", ALIKE, ids=[f"{e.desc} {e.tag}" for e in ALIKE])
def test_what_only_looks_like_it_is_kept(own: Entry) -> None:
    assert chosen(own).entries == (own,)


HEROKUS = """CREATE EVENT TRIGGER "log_create_ext" ON "ddl_command_end"
   WHEN TAG IN ('CREATE EXTENSION')
   EXECUTE FUNCTION "_heroku"."create_ext"();

ALTER EVENT TRIGGER "log_create_ext" DISABLE;
"""
OWN = [
    HEROKUS.replace('"_heroku"', '"public"'),
    HEROKUS.replace('"_heroku"', '"my_heroku"'),
    HEROKUS.replace('"_heroku"."create_ext"', '"public"."before_heroku_ext"'),
    HEROKUS.replace("log_create_ext", "audit_heroku").replace('"_heroku"', "hooks"),
]


@pytest.mark.parametrize("kind", ["COMMENT", "SECURITY LABEL", "ACL"])
@pytest.mark.parametrize(
    ("definition", "kept"),
    [
        (HEROKUS, False),
        (HEROKUS.replace('"', ""), False),
        *((own, True) for own in OWN),
    ],
)
def test_what_is_said_of_an_event_trigger_goes_where_the_trigger_goes(
    definition: str, kept: bool, kind: str
) -> None:
    trigger = entry("EVENT TRIGGER", "t", None, "post-data", definition)
    of_it = (trigger.dump_id,)
    said = entry(kind, 'EVENT TRIGGER "t"', None, "none", dependencies=of_it)

    selection = chosen(trigger, said)

    assert selection.entries == ((trigger, said) if kept else ())
    assert selection.left_out == (() if kept else ("Heroku's own event triggers (1)",))
    assert chosen(trigger, said, superuser=False).entries == ()


CRON = [
    entry("EXTENSION", "pg_cron"),
    rows("job", "cron"),
    rows("job_run_details", "cron"),
    entry("SEQUENCE SET", "jobid_seq", "cron", "data"),
]


@pytest.mark.parametrize("creatable", [(), ("pg_cron",)])
def test_pg_cron_is_left_out_with_its_jobs(creatable: tuple[str, ...]) -> None:
    said = comment("EXTENSION pg_cron")
    kept = entry("TABLE", "users", "public")

    selection = chosen(*CRON, said, kept, creatable=creatable)

    assert selection.entries == (kept,)
    why = "which can exist in one database of a server only"
    assert f"the extension pg_cron, {why} (1)" in selection.left_out


def test_an_extension_that_something_of_the_apps_is_built_upon_stays() -> None:
    stats = entry("EXTENSION", "pg_stat_statements")
    view = entry("VIEW", "slow", "public", dependencies=(stats.dump_id,))
    assert chosen(stats, view).entries == (stats, view)


def test_what_is_built_upon_pg_cron_goes_with_it_and_what_is_beside_it_stays() -> None:
    jobs = entry("VIEW", "jobs", "public", dependencies=(CRON[0].dump_id,))
    above = entry("VIEW", "above", "public", dependencies=(jobs.dump_id,))
    said = entry(
        "COMMENT", "VIEW above", "public", "none", dependencies=(above.dump_id,)
    )
    # As pg_dump has it: whatever is in its schema depends on the extension.
    notes = entry("TABLE", "notes", "cron", dependencies=(CRON[0].dump_id,))
    beside = (notes, rows("notes", "cron"))

    selection = chosen(*CRON, jobs, above, said, *beside)

    assert selection.entries == beside
    assert "objects that need pg_cron (2)" in selection.left_out


def test_an_extension_for_monitoring_is_kept_where_the_server_has_it() -> None:
    extension = entry("EXTENSION", "pg_stat_statements")

    selection = chosen(extension, creatable=("pg_stat_statements",))

    assert selection.entries == (extension,)


def test_an_apps_own_event_trigger_needs_a_superuser() -> None:
    own = entry("EVENT TRIGGER", "mine", None, "post-data", "... FUNCTION public.f();")

    assert chosen(own).entries == (own,)
    refused = chosen(own, superuser=False)
    assert refused.entries == ()
    assert refused.left_out == (
        "event triggers, which only a superuser can create (1)",
    )


def test_things_of_a_kind_are_counted_together() -> None:
    selection = chosen(*(entry("FUNCTION", f"f{n}()", "_heroku") for n in range(7)))

    assert selection.left_out == ("Heroku's own schema _heroku (7)",)


TABLES = [
    rows("users"),
    rows("Users"),
    rows("django_session"),
    rows("log", "audit"),
    rows("users", "audit"),
    rows("log_2024", "public"),
]


@pytest.mark.parametrize(
    ("patterns", "skipped"),
    [
        (("users",), ["public.users", "audit.users"]),
        (("public.users",), ["public.users"]),
        (("audit.*",), ["audit.log", "audit.users"]),
        (("log*",), ["audit.log", "public.log_2024"]),
        (("public.log_????",), ["public.log_2024"]),
        (("*.users",), ["public.users", "audit.users"]),
        (("django_session", "Users"), ["public.Users", "public.django_session"]),
        (("*",), [f"{table.namespace}.{table.tag}" for table in TABLES]),
        ((), []),
    ],
)
def test_patterns_tell_whose_rows_are_not_wanted(
    patterns: tuple[str, ...], skipped: list[str]
) -> None:
    table = entry("TABLE", "users", "public")
    sequence = entry("SEQUENCE SET", "users", "public", "data")

    selection = chosen(table, *TABLES, sequence, skip=patterns)

    assert list(selection.skipped) == skipped
    assert {table, sequence} <= set(selection.entries)
    kept = {f"{one.namespace}.{one.tag}" for one in selection.tables}
    assert not kept & set(skipped)
    assert len(kept) + len(skipped) == len(TABLES)
    assert selection.unmatched == {}


def test_patterns_that_fit_no_table_are_told() -> None:
    selection = chosen(*TABLES, skip=("user", "audit.log", "public.lo", "USERS"))

    assert list(selection.unmatched) == ["user", "public.lo", "USERS"]


def test_a_table_without_rows_in_the_dump_is_told() -> None:
    """pg_dump was told to omit them: also a dump that is taken up later is partial."""
    partitioned = "CREATE TABLE public.parted (i int)\nPARTITION BY LIST (i);\n"
    selection = chosen(
        entry("TABLE", "users", "public", definition="CREATE TABLE …"),
        entry("TABLE", "visits", "public"),
        entry("TABLE", "parted", "public", definition=partitioned),
        entry("VIEW", "seen", "public"),
        rows("users"),
    )

    assert selection.skipped == ("public.visits",)


def test_of_a_partitioned_table_the_partitions_are_meant() -> None:
    attach = "ALTER TABLE ONLY {} ATTACH PARTITION {} FOR VALUES IN (1);"
    one, other = rows("lines_1"), rows('"of" two', "old")
    below, heir = rows("lines_1_1"), rows("lines_heir")
    partitioned = "CREATE TABLE public.lines (i int)\nPARTITION BY LIST (i);\n"
    tables = [
        entry("TABLE", "lines", "public", definition=partitioned),
        # Until pg_dump 13 it was said with the partition itself.
        entry(
            "TABLE",
            "lines_1",
            "public",
            definition="CREATE TABLE public.lines_1 (i int);\n"
            + attach.format("public.lines", "public.lines_1"),
        ),
        entry(
            "TABLE ATTACH",
            "",
            "old",
            definition=attach.format('"public"."lines"', '"old"."""of"" two"'),
        ),
        entry(
            "TABLE ATTACH",
            "lines_1_1",
            "public",
            definition=attach.format('"public"."lines_1"', '"public"."lines_1_1"'),
        ),
        entry(
            "TABLE", "lines_heir", "public", definition="... INHERITS (public.lines)"
        ),
    ]

    selection = chosen(*tables, one, other, below, heir, skip=("public.lines",))

    assert selection.tables == (heir,)
    assert selection.unmatched == {}
    assert set(selection.skipped) == {
        "public.lines_1",
        'old."of" two',
        "public.lines_1_1",
    }


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("user", "users"),
        ("audit.logs", "audit.log"),
        ("audti.log", "audit.log"),
        ("adit.*", "audit.*"),
        ("elsewhere.django_sesion", "public.django_session"),
        ('public."users"', "public.users"),
        ("public.xyz", ""),
        ("xyz", ""),
        ("USERS", "users"),
    ],
)
def test_of_a_pattern_without_effect_the_nearest_table_is_known(
    pattern: str, near: str
) -> None:
    assert chosen(*TABLES, skip=(pattern,)).unmatched == {pattern: near}


def test_where_a_security_label_can_not_be_made_the_others_are_not_tried() -> None:
    labels = [entry("SECURITY LABEL", f"COLUMN t.c{n}", "public") for n in range(9)]
    other = comment("TABLE t", "public")

    gone = with_dependents([*labels, other], {labels[4].dump_id})

    assert gone == {one.dump_id for one in labels}
    assert with_dependents([*labels, other], {other.dump_id}) == {other.dump_id}


def test_a_comment_belongs_to_the_section_of_what_stands_before_it() -> None:
    entries = [
        entry("ENCODING", "ENCODING"),
        entry("TABLE", "users", "public"),
        comment("TABLE users", "public"),
        rows("users"),
        entry("BLOB METADATA", "4711", None, "data"),
        comment("LARGE OBJECT 4711"),
        entry("INDEX", "i", "public", "post-data"),
        comment("INDEX i", "public"),
    ]

    selection = chosen(*entries)

    assert selection.of("pre-data") == tuple(entries[:3])
    assert selection.of("data") == tuple(entries[3:6])
    assert selection.of("post-data") == tuple(entries[6:])
