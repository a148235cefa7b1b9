"""The rows of large tables are stored as frozen, by the pg_restore of each server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from projects import Project
from targets import Target
from worlds import World

# 2 MB each, so large enough for a pg_restore of its own; but `few`.
ROWS = "SELECT g, repeat(md5(g::text), 100) FROM generate_series(1, 700) g"
SHOP = f"""
CREATE SCHEMA "Über";
CREATE TABLE "Über"."Die ""A""-Kunden" ("Nr." int, "GRÖSSE" text);
INSERT INTO "Über"."Die ""A""-Kunden" {ROWS};
CREATE TABLE plain (id int PRIMARY KEY, body text);
INSERT INTO plain {ROWS};
CREATE TABLE above (id int, body text);
CREATE TABLE beneath () INHERITS (above);
INSERT INTO above {ROWS};
INSERT INTO beneath {ROWS};
CREATE TABLE parts (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (600);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (600) TO (9999);
INSERT INTO parts {ROWS};
CREATE TABLE few (id int, refers int REFERENCES plain);
INSERT INTO few SELECT 1, 1;
"""
FROZEN = """SELECT string_agg(relname, ' ' ORDER BY relname COLLATE "C") FROM pg_class
  WHERE relkind = 'r' AND oid >= 16384 AND relallvisible > 0;"""
LARGE = 'Die "A"-Kunden above beneath parts_1 plain'


@pytest.mark.parametrize(
    ("words", "frozen"),
    [((), LARGE), (("--load-via-partition-root",), LARGE.replace("parts_1 ", ""))],
)
def test_nothing_is_left_to_mark_in_large_tables(
    make_project: Callable[..., Project],
    world: World,
    target: Target,
    tmp_path: Path,
    words: tuple[str, ...],
    frozen: str,
) -> None:
    source = world.modern.database(SHOP)
    dump = world.modern.dump(source, tmp_path / "shop.dump", "-Fc", "-Z0", *words)
    project = make_project(DATABASE_URL=target.url)

    project.invoke("db.restore", f"--dump={dump}").succeeds()

    server = target.postgres
    assert server.sql(target.name, FROZEN) == frozen
    assert server.picture(target.name) == world.modern.picture(source)
    world.modern.drop_like(source)
