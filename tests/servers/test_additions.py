"""Rows that come along, and commands around the swap, in whole pulls."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from projects import Project
from targets import Target

OLD = """
CREATE TABLE customers (id int PRIMARY KEY, email text, name text);
INSERT INTO customers VALUES (100001, 'me@shop', 'me'), (100002, 'you@shop', 'you');
"""
KEPT = "SELECT string_agg(email, ' ') FROM customers WHERE id > 100000"
MINE = {"customers": "email = 'me@shop'"}


def write(project: Project, **settings: Any) -> None:
    project.configure(json.dumps({"db": {"app": "shop-eu", **settings}}))


@pytest.fixture
def project(project: Project, target: Target) -> Project:
    """A project whose old database has rows to keep."""
    target.sql(OLD)
    (project.folder / "dev.sql").write_text(
        "DROP TABLE audit_events; CREATE TABLE made AS SELECT current_database() AS it;"
        " SELECT 7 AS seven;"
    )
    return project


def test_rows_and_commands_come_before_the_swap_and_commands_after_it(
    project: Project, target: Target
) -> None:
    write(
        project,
        keep_rows={**MINE, "notes": True},
        before_swap=[
            "dev.sql",
            "psql -Xqc \"INSERT INTO made VALUES ('$PGDATABASE')\"; echo é",
            'psql "$DATABASE_URL" -Xc "BEGIN; LOCK made; SELECT pg_sleep(600)"'
            " & until psql -XAtc \"SELECT 'made'::regclass, mode FROM"
            " pg_locks WHERE relation = 'made'::regclass\" | grep Access;"
            " do sleep 0.1; done",
            "cd local && echo from $(basename $PWD), $DATABASE_URL; echo $PGPASSWORD",
        ],
        after_swap=["psql -XAtc 'SELECT max(it) FROM made'", "cat; exit 4", "echo no"],
    )

    ended = project.invoke("db.pull")

    ended.refuses(
        "after_swap: `cat; exit 4` ended with exit code 4: it said", "is in place"
    )
    new = f"{target.name}__dbpull_new"
    assert target.sql(KEPT) == "me@shop"
    assert target.sql("SELECT DISTINCT it FROM made") == new
    assert target.sql("SELECT count(*) FROM made") == "2"
    assert target.family == {"target", "original"}
    told = [
        "Kept 1 row: 1 of customers", "Without rows of notes", "Ran dev.sql",
        "      7\n", "  é\n", "from local, [URL left out]", "  [left out]\n",
        f"  {new}\n",
    ]  # fmt: skip
    assert [text for text in told if text not in ended.err] == []
    assert ended.err.index("Running dev.sql") < ended.err.index("Swapping")
    assert "me@shop" not in ended.err
    assert "Running echo no" not in ended.err
    logged = target.postgres.server.log.read_text()
    assert "email = 'me@shop'" not in logged


FAILING: list[tuple[dict[str, Any], str]] = [
    (
        {"app": "small-eu", "before_swap": ["kill -9 $$"]},
        r"`kill -9 \$\$` got signal 9",
    ),
    ({"before_swap": ["dev.sql", "bad.sql"]}, "`bad.sql` ended .* 3: .*by zero"),
    ({"keep_rows": {"customers": "true; SELECT"}}, "customers in keep_rows"),
    ({"keep_rows": {"customers": "id = 100003"}}, "they break customers_email\\."),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "cause"), FAILING)
def test_what_fails_before_the_swap_leaves_the_target(
    project: Project, target: Target, settings: dict[str, Any], cause: str
) -> None:
    write(project, **settings)
    (project.folder / "bad.sql").write_text("CREATE TABLE a (); SELECT 1 / 0;")
    taken = target.postgres.sql("shop", "SELECT min(email::text) FROM customers")
    target.sql(f"INSERT INTO customers VALUES (100003, '{taken}', 'x')")

    with target.untouched():
        ended = project.invoke("db.pull")

    ended.refuses(cause, "The target is as it was")
    assert taken not in ended.err


def test_ctrl_c_ends_a_command_and_leaves_the_target(
    project: Project, target: Target
) -> None:
    write(project, app="small-eu", before_swap="echo began; sleep 600")

    with target.untouched():
        run = project.start("db.pull")
        run.says("  began")
        run.signal(signal.SIGINT)
        ended = run.end()

    ended.refuses(
        "Ctrl-C while running echo began", "The target is as it was", code=130
    )
