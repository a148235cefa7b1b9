"""What the engine may start when: made-up tables of contents, no server."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import pytest

from dbpull.archive import Archive, Block, Entry, Header
from dbpull.heroku.dump import PLATFORM
from dbpull.restore.cost import cost
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.job import Job, LockLevel
from dbpull.restore.keys import WORTH
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.order import Part, parts
from dbpull.restore.queue import LARGE, Queue
from dbpull.restore.selection import Selection, select
from dbpull.restore.two_step_keys import two_steps

HEADER = Header((1, 16, 0), "gzip", datetime(2026, 1, 1), "shop", "17", "17")
BIG = LARGE * 10


def entry(
    dump_id: int, desc: str, tag: str, *needs: int, definition: str = ""
) -> Entry:
    sections = {"TABLE": "pre-data", "FUNCTION": "pre-data", "TABLE DATA": "data"}
    sections |= {"SEQUENCE SET": "data", "DOMAIN": "pre-data", "OPERATOR": "pre-data"}
    section = sections.get(desc, "post-data")
    return Entry(
        dump_id, desc == "TABLE DATA", 0, 0, tag, desc, section,
        definition, "public", "", needs,
    )  # fmt: skip


USERS = entry(1, "TABLE", "users")
ORDERS = entry(2, "TABLE", "orders")
ROWS = entry(11, "TABLE DATA", "users", 1), entry(12, "TABLE DATA", "orders", 2)
KEY = entry(21, "CONSTRAINT", "users users_pkey", 1)
INDEX = entry(22, "INDEX", "orders_total", 2, definition="CREATE INDEX")
REFERENCE = entry(23, "FK CONSTRAINT", "orders orders_user_fkey", 2, 1, 21)
TRIGGER = entry(24, "TRIGGER", "orders spoil", 2, definition="CREATE TRIGGER")
SHOP = (USERS, ORDERS, *ROWS, KEY, INDEX, REFERENCE, TRIGGER)


def queue(
    *entries: Entry,
    jobs: int = 2,
    skip: tuple[str, ...] = (),
    analyze: bool = False,
) -> Queue:
    archive = Archive(HEADER, entries, 100)
    left_out = LeftOut(archive, ServerFacts((), superuser=True), PLATFORM)
    chosen: Selection = select(left_out, skip)
    return Queue(Dependencies(archive, chosen), jobs, analyze)


def arrive(to: Queue, sizes: dict[int, int]) -> None:
    start = 100
    for dump_id, size in sizes.items():
        to.arrived(Block(dump_id, start, start + size, "data"))
        start += size


def taken(of: Queue, *running: Job) -> Job:
    job = of.take(list(running))
    assert job
    return job


def defined(of: Queue) -> Queue:
    of.finished(taken(of))
    return of


def test_nothing_starts_before_the_definitions_are_there() -> None:
    to = queue(*SHOP)
    arrive(to, {11: BIG})

    first = taken(to)

    assert (first.kind, first.entries) == ("definitions", (USERS, ORDERS))
    assert to.take([first]) is None
    to.finished(first)
    assert taken(to).entries == (ROWS[0],)


def test_a_large_table_is_fed_while_it_arrives() -> None:
    to = queue(*SHOP)
    to.large(11, 100)
    assert to.take_arriving() is None

    edge = defined(to).take_arriving()

    assert edge
    assert edge.arriving
    assert edge.starts == ((100, 0),)
    assert to.take_arriving() is None
    to.arrived(Block(11, 100, 100 + BIG, "data"))
    assert to.take([edge]) is None


def test_rows_of_large_tables_that_the_dump_creates_are_frozen() -> None:
    copies = [
        replace(rows, copy=f"COPY public.{rows.tag} (id) FROM stdin;\n")
        for rows in (*ROWS, entry(13, "TABLE DATA", "extensions"))
    ]
    small = (
        entry(3, "TABLE", "small"),
        replace(
            entry(14, "TABLE DATA", "small", 3),
            copy="COPY public.small (id) FROM stdin;\n",
        ),
    )
    to = defined(queue(USERS, ORDERS, small[0], *copies, small[1]))
    arrive(to, {11: BIG, 13: BIG, 14: 100})
    to.large(12, 100 + BIG * 2 + 100)

    edge = to.take_arriving()
    assert edge
    started = [edge, *(taken(to, edge) for _ in range(3))]

    assert {job.entries[0].tag: job.statement is not None for job in started} == {
        "orders": True, "users": True, "extensions": False, "small": False,
    }  # fmt: skip


def test_keys_follow_their_own_rows_and_references_all_rows() -> None:
    to = defined(queue(*SHOP))
    arrive(to, {11: BIG})
    to.finished(taken(to))

    key = taken(to)

    assert key.entries == (KEY,)
    to.finished(key)
    assert to.take([]) is None
    arrive(to, {12: BIG})
    to.whole = True
    to.finished(taken(to))
    index = taken(to)
    assert index.entries == (INDEX,)
    # They would lock the same table.
    assert to.take([index]) is None
    to.finished(index)
    assert taken(to).entries == (REFERENCE,)
    assert to.dependencies.remaining(to.done | {23}) == [Part((TRIGGER,))]


def test_a_complete_table_is_analyzed_where_a_core_would_idle() -> None:
    to = defined(queue(*SHOP, analyze=True))
    arrive(to, {11: BIG})
    rows = taken(to)
    assert to.take([rows]) is None
    to.finished(rows)

    key = taken(to)

    assert to.take([key]) is None
    to.finished(key)
    analysis = taken(to)
    assert (analysis.kind, analysis.entries) == ("analyze", (ROWS[0],))
    arrive(to, {12: BIG})
    to.whole = True
    others = taken(to, analysis)
    to.finished(others)
    index = taken(to, analysis)
    assert index.entries == (INDEX,)
    to.finished(index)
    # Its reference would wait for the analysis, and is worth more than another one.
    assert taken(to, analysis).entries == (ROWS[1],)
    assert taken(to).entries == (REFERENCE,)
    assert to.empty


def test_nobody_waits_for_an_analysis_and_none_is_made_unasked() -> None:
    for analyze in (True, False):
        to = defined(queue(USERS, ROWS[0], analyze=analyze))
        arrive(to, {11: BIG})
        to.whole = True
        to.finished(taken(to))

        assert to.empty
        assert (to.take([]) is not None) is analyze


LATE_INDEX = entry(25, "INDEX", "users_short", 1, 31, definition="CREATE INDEX")
SHORT = entry(31, "FUNCTION", "short")


@pytest.mark.parametrize(
    ("more", "analyzed"),
    [
        ((), {11, 12}),
        ((INDEX, KEY, REFERENCE, TRIGGER), {11, 12}),
        ((SHORT, LATE_INDEX), {12}),
        ((entry(26, "STATISTICS", "pair", 1),), {12}),
        ((entry(3, "TABLE", "child", 1), entry(13, "TABLE DATA", "child", 3)), {12}),
        ((entry(27, "TABLE ATTACH", "users", 1, 2),), set()),
        ((entry(28, "STATISTICS DATA", "users", 1),), set()),
        ((entry(4, "TABLE", "\udce9"), entry(14, "TABLE DATA", "\udce9", 4)), {11, 12}),
    ],
)
def test_tables_whose_statistics_need_more_are_analyzed_at_the_end(
    more: tuple[Entry, ...], analyzed: set[int]
) -> None:
    to = queue(USERS, ORDERS, *ROWS, *more)

    assert to.dependencies.analyzable == analyzed


def test_an_index_on_a_function_of_the_apps_waits_for_all_rows() -> None:
    function = entry(3, "FUNCTION", "folded(text)")
    to = queue(USERS, function, ROWS[0], entry(25, "INDEX", "folded", 1, 3))

    assert to.dependencies.keys_of_table == {}


@pytest.mark.parametrize(
    ("excluded", "waits"),
    [
        ("USING gist (room WITH =, during WITH &&)", False),
        ("USING btree (public.town_of(id) WITH =)", True),
        ("USING gist (during WITH &&) WHERE (public.known(id))", True),
    ],
)
def test_an_exclusion_that_may_call_functions_waits_for_all_rows(
    excluded: str, waits: bool
) -> None:
    added = "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT one"
    definition = f"{added} EXCLUDE {excluded};\n"
    key = entry(21, "CONSTRAINT", "users one", 1, definition=definition)
    to = queue(USERS, ROWS[0], key)

    assert to.dependencies.keys_of_table == ({} if waits else {1: [key]})


def test_rows_that_a_check_of_the_apps_judges_wait_for_those_before() -> None:
    function = entry(3, "FUNCTION", "known(text)")
    judged = entry(2, "TABLE", "orders", 3, definition="CHECK (public.known(a))")
    to = defined(queue(USERS, function, judged, *ROWS))
    arrive(to, {11: BIG, 12: BIG * 2})

    first = taken(to)

    assert first.entries == (ROWS[0],)
    assert to.take([first]) is None
    to.finished(first)
    assert taken(to).entries == (ROWS[1],)


def test_small_tables_whose_rows_wait_for_others_share_a_pg_restore() -> None:
    function = entry(3, "FUNCTION", "known(text)")
    checks = (
        "CREATE TABLE t (\n    a text,\n    CONSTRAINT c CHECK (public.known(a))\n);"
    )
    tables = [entry(n, "TABLE", f"t{n}", 3, definition=checks) for n in range(100, 400)]
    rows = [entry(1000 + n, "TABLE DATA", f"t{n}", n) for n in range(100, 400)]
    last = entry(9, "TABLE", "z"), entry(5000, "TABLE DATA", "z", 9)
    to = defined(queue(function, USERS, *tables, last[0], ROWS[0], *rows, last[1]))
    arrive(to, {11: BIG, **{1000 + n: 10_000 for n in range(100, 400)}, 5000: 100})
    to.whole = True

    first, second = taken(to), taken(to)

    assert (first.entries, second.entries) == ((ROWS[0],), (last[1],))
    assert to.take([first, second]) is None
    restored(to, first)
    assert taken(to, second).entries == tuple(rows)


def test_a_large_table_that_waits_for_others_is_fed_as_it_arrives_in_its_turn() -> None:
    function = entry(3, "FUNCTION", "known(text)")
    judged = entry(2, "TABLE", "orders", 3, definition="CHECK (public.known(a))")
    to = defined(queue(USERS, function, judged, *ROWS))
    arrive(to, {11: BIG})
    to.large(12, 100 + BIG)
    assert to.take_arriving() is None

    restored(to, taken(to))

    edge = to.take_arriving()
    assert edge
    assert edge.entries == (ROWS[1],)


def test_rows_that_waited_are_restored_while_others_arrive() -> None:
    function = entry(3, "FUNCTION", "known(text)")
    judged = entry(2, "TABLE", "orders", 3, definition="CHECK (public.known(a))")
    small = entry(4, "TABLE", "small"), entry(14, "TABLE DATA", "small", 4)
    last = entry(5, "TABLE", "last"), entry(15, "TABLE DATA", "last", 5)
    tables = USERS, function, judged, small[0], last[0]
    to = defined(queue(*tables, ROWS[0], ROWS[1], small[1], last[1]))
    arrive(to, {11: BIG})
    first = taken(to)
    arrive(to, {12: BIG // 4, 14: 1000})
    to.large(15, 100 + BIG * 2)
    edge = to.take_arriving()
    assert edge
    assert to.take([first, edge]) is None

    restored(to, first)

    late = taken(to, edge)
    assert late.entries == (ROWS[1],)
    assert to.take([edge, late]) is None
    restored(to, late)
    assert taken(to, edge).entries == (small[1],)


@pytest.mark.parametrize(
    ("definition", "waits"),
    [
        ("    id text DEFAULT public.new_id() NOT NULL,\n    n int\n", False),
        (
            '    id text DEFAULT "public"."new_id"(),\n    CHECK ((n > 0))',
            False,
        ),
        ("    id text,\n    CONSTRAINT c CHECK ((id <> public.new_id()))", True),
        ("    id text,\n    n text GENERATED ALWAYS AS (public.new_id()) STORED", True),
    ],
)
def test_a_default_by_a_function_makes_no_rows_wait(
    definition: str, waits: bool
) -> None:
    function = entry(3, "FUNCTION", "new_id()")
    table = entry(2, "TABLE", "orders", 3, definition=definition)
    domain = entry(4, "DOMAIN", "d", 3, definition="DEFAULT public.new_id()")
    of_it = entry(1, "TABLE", "users", 4, definition="CHECK ((n > 0))")

    to = queue(function, domain, of_it, table, *ROWS)

    assert to.dependencies.late == ({12} if waits else set())


def test_rows_wait_where_a_function_is_called_through_anything_however_deep() -> None:
    function = entry(3, "FUNCTION", "known(text)")
    first = entry(100, "DOMAIN", "d0", 3, definition="CHECK (public.known(VALUE))")
    deep = [entry(100 + n, "DOMAIN", f"d{n}", 99 + n) for n in range(1, 3000)]
    table = entry(2, "TABLE", "orders", 3099)
    operator = entry(4, "OPERATOR", "?>", 3)
    other = entry(
        1, "TABLE", "users", 4, definition="CHECK ((a OPERATOR(public.?>) 1))"
    )

    to = queue(function, first, *deep, table, operator, other, *ROWS)

    assert to.dependencies.late == {11, 12}


def test_thousands_of_large_tables_and_keys_cost_little_each() -> None:
    count = 3000
    tables = [entry(n, "TABLE", f"t{n}") for n in range(1, count)]
    rows = [entry(count + n, "TABLE DATA", f"t{n}", n) for n in range(1, count)]
    keys = [
        entry(10 * count + n, "CONSTRAINT", f"t{n} k{n}", n,
              definition=added(f"t{n}", f"k{n}", "UNIQUE (id)"))
        for n in range(1, count)
    ]  # fmt: skip
    key = "FOREIGN KEY (id) REFERENCES public.t(id)"
    references = [
        entry(20 * count + n, "FK CONSTRAINT", f"t{n} f{n}", n, n + 1,
              10 * count + n + 1, definition=added(f"t{n}", f"f{n}", key))
        for n in range(1, count - 1)
    ]  # fmt: skip
    to = defined(queue(*tables, *rows, *keys, *references))
    began = time.process_time()
    arrive(to, {one.dump_id: 6_000_000 for one in rows})
    to.whole = True

    made = []
    while job := to.take([]):
        made.append(job)
        to.finished(job)

    assert to.empty
    assert {one.dump_id for job in made for one in job.entries} >= {
        one.dump_id for one in (*rows, *keys, *references)
    }
    assert time.process_time() - began < 20


def test_small_tables_share_a_pg_restore() -> None:
    tables = [entry(n, "TABLE", f"t{n}") for n in range(1, 101)]
    rows = [entry(1000 + n, "TABLE DATA", f"t{n}", n) for n in range(1, 101)]
    to = defined(queue(*tables, *rows))
    arrive(to, {1000 + n: 10_000 for n in range(1, 101)})
    to.whole = True

    batches: list[Job] = []
    while batch := to.take(batches):
        batches.append(batch)

    # The last ones are smaller, so that no worker is left alone with much.
    sizes = [sum(end - start for start, end in batch.starts) for batch in batches]
    assert sizes == [500_000, 250_000, 250_000]
    assert [one for batch in batches for one in batch.entries] == rows


def test_skipped_rows_are_never_fed() -> None:
    to = defined(queue(*SHOP, skip=("orders",)))
    to.large(12, 100)
    arrive(to, {12: BIG})

    assert to.take_arriving() is None
    assert to.take([]) is None


def test_the_longest_work_comes_first() -> None:
    to = defined(queue(*SHOP))
    arrive(to, {11: BIG, 12: BIG * 2})

    assert taken(to).entries == (ROWS[1],)


def test_what_stands_behind_a_later_section_is_restored_in_the_dumps_order() -> None:
    view = entry(40, "MATERIALIZED VIEW", "sales", 1, 21)
    function = replace(entry(41, "FUNCTION", "best()", 40), section="pre-data")
    comment = replace(entry(42, "COMMENT", "FUNCTION best()", 41), section="none")
    refresh = entry(43, "MATERIALIZED VIEW DATA", "sales", 40)
    to = queue(*SHOP[:4], KEY, view, refresh, function, comment, INDEX, TRIGGER)

    assert function not in to.dependencies.selection.of("pre-data")
    assert to.dependencies.remaining(set()) == [
        Part((KEY, view)),
        Part((function, comment), alone=True, mixed=True),
        Part((refresh, INDEX, TRIGGER)),
    ]


def test_materialized_views_that_call_functions_are_refreshed_in_order_and_last() -> (
    None
):
    function = entry(3, "FUNCTION", "all_sold()")
    plain, calling = (
        entry(40, "MATERIALIZED VIEW", "figures", 1),
        entry(41, "MATERIALIZED VIEW", "overview", 3),
    )
    above = entry(42, "MATERIALIZED VIEW", "above", 41)
    data = [entry(50 + n, "MATERIALIZED VIEW DATA", "m", n) for n in (42, 40, 41)]
    event = entry(60, "EVENT TRIGGER", "e", definition="CREATE EVENT TRIGGER")
    to = queue(function, *SHOP, plain, calling, above, *data, event)

    assert to.dependencies.remaining(set())[1:] == [
        Part((data[0], data[2]), alone=True),
        Part((event,)),
    ]


def test_foreign_keys_are_kept_apart_from_attached_indexes() -> None:
    attach = entry(30, "INDEX ATTACH", "users_pkey_1", 21)
    comment = entry(31, "COMMENT", "CONSTRAINT orders_user_fkey ON orders", 23)
    to = queue(*SHOP, attach, comment)

    assert to.dependencies.remaining(set()) == [
        Part((KEY, INDEX, TRIGGER)),
        Part((attach,), alone=True),
        Part((REFERENCE, comment)),
    ]


def test_rows_whose_check_may_read_others_come_last_and_one_by_one() -> None:
    function = entry(3, "FUNCTION", "none_yet()")
    checked = entry(4, "TABLE", "checked", 3, definition="CHECK (public.none_yet())")
    rows = entry(13, "TABLE DATA", "checked", 4)
    stands = entry(14, "SEQUENCE SET", "users_id_seq")
    by_id = {one.dump_id: one for one in (*SHOP, function, checked, rows, stands)}

    found = parts(by_id, "data", [rows, *ROWS, stands])

    assert found == [Part((*ROWS, stands)), Part((rows,), alone=True)]


def test_keys_of_a_table_are_made_one_by_one_and_before_its_indexes() -> None:
    unique = entry(25, "CONSTRAINT", "orders orders_number", 2)
    key = entry(26, "CONSTRAINT", "orders orders_pkey", 2)
    other = entry(27, "INDEX", "orders_user", 2, definition="CREATE INDEX")
    to = defined(queue(*SHOP, unique, key, other))
    arrive(to, {12: BIG})
    to.finished(taken(to))

    first = taken(to)
    assert to.take([first]) is None
    to.finished(first)
    second = taken(to)
    assert to.take([second]) is None
    to.finished(second)
    one, two = taken(to), taken(to)

    assert {*first.entries, *second.entries} == {unique, key}
    assert {*one.entries, *two.entries} == {INDEX, other}
    assert not one.keeps_out(two)


@pytest.mark.parametrize("rows", [(), ROWS])
def test_what_has_no_rows_is_not_left_out(rows: tuple[Entry, ...]) -> None:
    stands = entry(14, "SEQUENCE SET", "users_id_seq")
    to = queue(USERS, ORDERS, *rows, stands, skip=("*",))
    to.whole = True

    assert not to.empty
    defined(to)
    assert not to.empty
    sequences = taken(to)

    assert sequences.entries == (stands,)
    to.finished(sequences)
    assert to.empty


# Keys in two statements


def added(table: str, name: str, key: str) -> str:
    return f"ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {name} {key};\n"


UNIQUE = entry(
    31, "CONSTRAINT", "users users_email", 1,
    definition=added("users", "users_email", "UNIQUE (email)"),
)  # fmt: skip
BY_NAME = entry(32, "INDEX", "users_name", 1, definition="CREATE INDEX")
REFERRING = entry(
    23, "FK CONSTRAINT", "orders orders_user_fkey", 2, 1, 21,
    definition=added(
        "orders", "orders_user_fkey", "FOREIGN KEY (u) REFERENCES public.users(id)"
    ),
)  # fmt: skip


def restored(to: Queue, *jobs: Job) -> None:
    for job in jobs:
        to.finished(job)


def test_a_unique_key_is_built_beside_other_indexes_and_made_a_key_afterwards() -> None:
    to = defined(queue(USERS, ROWS[0], UNIQUE, BY_NAME))
    arrive(to, {11: BIG})
    restored(to, taken(to))

    index = taken(to)
    unique = taken(to, index)

    assert index.entries == (BY_NAME,)
    assert unique.statement == (
        "CREATE UNIQUE INDEX users_email ON public.users USING btree (email);\n"
    )
    restored(to, unique)
    assert UNIQUE.dump_id not in to.done
    assert to.take([index]) is None
    restored(to, index)
    key = taken(to)
    assert key.statement == added(
        "users", "users_email", "UNIQUE USING INDEX users_email"
    )
    restored(to, key)
    assert to.done >= {UNIQUE.dump_id, BY_NAME.dump_id}


def test_a_foreign_key_is_validated_while_indexes_are_built() -> None:
    to = defined(queue(USERS, ORDERS, *ROWS, KEY, INDEX, BY_NAME, REFERRING))
    arrive(to, {12: BIG, 11: BIG})
    rows = taken(to), taken(to)
    restored(to, rows[0], rows[1])
    first = taken(to)
    second = taken(to, first)
    assert {first.entries, second.entries} == {(KEY,), (INDEX,)}
    restored(to, first, second)

    declared = taken(to)
    assert declared.statement == added(
        "orders",
        "orders_user_fkey",
        "FOREIGN KEY (u) REFERENCES public.users(id) NOT VALID",
    )
    assert to.take([declared]) is None
    restored(to, declared)
    one = taken(to)
    two = taken(to, one)

    assert {one.name, two.name} == {"users_name", "orders_user_fkey"}
    assert {one.statement, two.statement} == {
        None,
        "ALTER TABLE ONLY public.orders\n    VALIDATE CONSTRAINT orders_user_fkey;\n",
    }


def test_a_primary_key_comes_before_what_would_have_to_wait_for_it() -> None:
    key = entry(21, "CONSTRAINT", "users users_pkey", 1)
    to = defined(queue(USERS, ROWS[0], UNIQUE, BY_NAME, key))
    arrive(to, {11: BIG})
    restored(to, taken(to))

    first = taken(to)

    assert first.entries == (key,)
    assert to.take([first]) is None


def test_indexes_that_foreign_keys_wait_for_come_before_as_heavy_ones() -> None:
    to = defined(queue(USERS, ORDERS, *ROWS, INDEX, BY_NAME, KEY, REFERENCE))
    arrive(to, {12: BIG, 11: BIG})
    order = []

    while job := to.take([]):
        order.append(job.entries[0])
        restored(to, job)

    assert order.index(INDEX) < order.index(BY_NAME)


def test_one_pg_restore_after_another_makes_keys_in_one_piece() -> None:
    to = defined(queue(USERS, ROWS[0], UNIQUE, BY_NAME, jobs=1))
    arrive(to, {11: BIG * 10})
    restored(to, taken(to))

    assert {taken(to).statement, taken(to).statement} == {None}


def test_a_key_that_is_soon_made_is_made_in_one_piece() -> None:
    to = defined(queue(USERS, ROWS[0], UNIQUE, BY_NAME))
    arrive(to, {11: WORTH * 3})
    restored(to, taken(to))

    unique = taken(to)

    assert (unique.entries, unique.statement) == ((UNIQUE,), None)
    assert to.take([unique]) is None


def test_indexes_of_slow_methods_and_keys_of_slow_types_are_heavier() -> None:
    table = entry(
        1, "TABLE", "users",
        definition="CREATE TABLE public.users (\n    id bigint NOT NULL,\n"
        '    email public.citext,\n    "a text" character varying(9)\n);\n',
    )  # fmt: skip
    archive = Archive(HEADER, (table,), 100)

    def of(key: str) -> float:
        how = added("users", "one", key)
        return cost(archive, entry(31, "CONSTRAINT", "u", 1, definition=how), 1000)

    gin = entry(32, "INDEX", "i", 1, definition='CREATE INDEX i ON t USING "gin" (id)')
    assert cost(archive, gin, 1000) == 2000
    assert of("UNIQUE (id)") < of('UNIQUE (id, "a text")') < of("UNIQUE (id, email)")


def test_keys_are_made_in_one_piece_where_nobody_waits_for_their_tables() -> None:
    to = defined(queue(USERS, ORDERS, *ROWS, KEY, UNIQUE, REFERRING))
    arrive(to, {11: BIG})
    restored(to, taken(to))
    restored(to, taken(to))

    unique = taken(to)
    assert (unique.entries, unique.statement) == ((UNIQUE,), None)
    restored(to, unique)
    arrive(to, {12: BIG})
    to.whole = True
    restored(to, taken(to))
    reference = taken(to)
    assert (reference.entries, reference.statement) == ((REFERRING,), None)
    restored(to, reference)
    assert to.empty


@pytest.mark.parametrize(
    "definition",
    [
        added("users", "one", "UNIQUE NULLS NOT DISTINCT (email)"),
        added("users", "one", "UNIQUE (id, span WITHOUT OVERLAPS)"),
        added("users", "one", "UNIQUE (email)") + "\nALTER TABLE public.users CLUSTER",
        added("users", "one", "EXCLUDE USING gist (span WITH &&)"),
        added("users", "one", "PRIMARY KEY (id)"),
        added("users", "one", "FOREIGN KEY (u) REFERENCES public.users(id) NOT VALID"),
        added("users", "one", "FOREIGN KEY (u) REFERENCES public.u(i) NOT ENFORCED"),
        added("users", "one", "CHECK ((id > 0))"),
    ],
)
def test_what_is_worded_otherwise_stays_in_one_piece(definition: str) -> None:
    archive = Archive(HEADER, SHOP, 100)
    odd = entry(40, "CONSTRAINT", "users one", 1, definition=definition)

    assert two_steps(archive, odd) is None


def test_keys_of_a_partitioned_table_stay_in_one_piece() -> None:
    parted = "CREATE TABLE public.users (\n    id integer\n)\nPARTITION BY LIST (id);\n"
    table = entry(1, "TABLE", "users", definition=parted)

    assert two_steps(Archive(HEADER, (table, *ROWS), 100), UNIQUE) is None


@pytest.mark.parametrize(
    ("key", "index", "made"),
    [
        (
            'UNIQUE ("a;""b", c) INCLUDE (d, "E")',
            '("a;""b", c) INCLUDE (d, "E")',
            "UNIQUE USING INDEX one",
        ),
        (
            "UNIQUE (c) WITH (fillfactor='70', deduplicate_items='off')",
            "(c) WITH (fillfactor='70', deduplicate_items='off')",
            "UNIQUE USING INDEX one",
        ),
        (
            "UNIQUE (c) DEFERRABLE INITIALLY DEFERRED",
            "(c)",
            "UNIQUE USING INDEX one DEFERRABLE INITIALLY DEFERRED",
        ),
    ],
)
def test_both_steps_of_a_unique_key_keep_what_it_says(
    key: str, index: str, made: str
) -> None:
    unique = entry(
        40, "CONSTRAINT", "users one", 1, definition=added('"U"', "one", key)
    )

    assert two_steps(Archive(HEADER, SHOP, 100), unique) == (
        f'CREATE UNIQUE INDEX one ON public."U" USING btree {index};\n',
        added('"U"', "one", made),
    )


def test_locks_keep_out_what_the_servers_own_table_says() -> None:
    # Table 13.2 of the documentation, for the levels that are in use here.
    expected = {
        ("ROW SHARE", "ACCESS EXCLUSIVE"),
        ("SHARE UPDATE EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"),
        ("SHARE UPDATE EXCLUSIVE", "SHARE"),
        ("SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE"),
        ("SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"),
        ("SHARE", "SHARE ROW EXCLUSIVE"),
        ("SHARE", "ACCESS EXCLUSIVE"),
        ("SHARE ROW EXCLUSIVE", "SHARE ROW EXCLUSIVE"),
        ("SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"),
        ("ACCESS EXCLUSIVE", "ACCESS EXCLUSIVE"),
    }
    found = {
        (one.value, two.value)
        for one in LockLevel
        for two in LockLevel
        if one.conflicts(two)
    }

    assert found == expected | {(two, one) for one, two in expected}
