"""Which rows are stored as frozen, and by which statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dbpull.archive import Entry
from dbpull.restore.frozen import frozen_copy

TABLE = Entry(
    1, False, 1259, 16385, "users", "TABLE", "pre-data",
    "CREATE TABLE public.users (\n    id integer\n);\n", "public", "me", (),
    access_method="heap",
)  # fmt: skip
ROWS = Entry(
    2, True, 0, 16385, "users", "TABLE DATA", "data", "", "public", "me", (1,),
    copy="COPY public.users (id, name) FROM stdin;\n",
)  # fmt: skip


def test_a_table_is_truncated_and_filled_at_once() -> None:
    assert frozen_copy(ROWS, TABLE) == (
        "TRUNCATE TABLE ONLY public.users;\n"
        "COPY public.users (id, name) FROM stdin WITH (FREEZE);\n"
    )


@pytest.mark.parametrize(
    ("named", "tag", "columns"),
    [
        ('"public"."Die ""A""-Kunden"', 'Die "A"-Kunden', '("a.b", "from stdin;")'),
        ("public.users", "users", ""),
        ('public."new\nline"', "new\nline", "(id)"),
    ],
)
def test_any_name_is_kept_as_the_dump_has_it(
    named: str, tag: str, columns: str
) -> None:
    rows = replace(ROWS, tag=tag, copy=f"COPY {named} {columns} FROM stdin;\n")

    assert frozen_copy(rows, TABLE) == (
        f"TRUNCATE TABLE ONLY {named};\n"
        f"COPY {named} {columns} FROM stdin WITH (FREEZE);\n"
    )


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        pytest.param(ROWS, None, id="an extension's table may have rows"),
        pytest.param(
            replace(ROWS, copy="COPY public.people (id) FROM stdin;\n"),
            TABLE,
            id="by way of the partitioned table",
        ),
        pytest.param(
            ROWS,
            replace(TABLE, definition="CREATE TABLE x (\n)\nPARTITION BY RANGE (id);"),
            id="a partitioned table",
        ),
        pytest.param(ROWS, replace(TABLE, access_method="columnar"), id="no heap"),
        pytest.param(replace(ROWS, copy=""), TABLE, id="inserted, not copied"),
        pytest.param(
            replace(ROWS, copy="COPY users (id) FROM stdin;\n"), TABLE, id="no schema"
        ),
        pytest.param(
            replace(ROWS, copy="COPY public.users (id) FROM stdin CSV;\n"),
            TABLE,
            id="worded otherwise",
        ),
    ],
)
def test_what_is_not_certain_is_left_as_it_is(rows: Entry, table: Entry | None) -> None:
    assert frozen_copy(rows, table) is None


def test_a_dump_that_tells_no_access_method_has_heaps() -> None:
    assert frozen_copy(ROWS, replace(TABLE, access_method=""))
