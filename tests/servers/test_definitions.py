"""Tables read from dumps' definitions: the same as in the catalog, on each server."""

from __future__ import annotations

from pathlib import Path

import pytest

from databases import Postgres
from dbpull import archive
from dbpull.masks import tables
from dbpull.masks.definitions import Definitions
from kinds import SQL

WIDE = r"""
CREATE SCHEMA "Odd, Schema (1)"; CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE public."Größe, (x)" AS ENUM ('a', 'b, c');
CREATE TYPE pair AS (a text COLLATE "C", "b, (c" numeric(8, 3)[]);
CREATE DOMAIN mail AS citext CHECK (VALUE LIKE '%@, "%(');
CREATE TABLE wide (
  "a" "char", b varchar(20)[], c numeric(10, 2) DEFAULT round(1.5, 1),
  d timestamp(3) with time zone DEFAULT now() NOT NULL, e interval day to second(2),
  f bit varying(5)[][], g double precision, h time without time zone, i char(7),
  "j, (k) ""l" text DEFAULT 'x, (y'', "z' COLLATE "C" NOT NULL,
  "CONSTRAINT " text DEFAULT E'a\\'', b ) NOT NULL', "not" int CONSTRAINT zero NOT NULL,
  m mail[], n "Größe, (x)" DEFAULT 'b, c', o pair, p hstore,
  q jsonb DEFAULT '{"a": [1]}',
  r text GENERATED ALWAYS AS (lower("j, (k) ""l") || ', )') STORED, "Ünï" xml,
  s int4range, t text[] DEFAULT ARRAY['a,', '(b'], u name, v "Größe, (x)"[],
  w tstzrange,
  x bigint GENERATED ALWAYS AS IDENTITY, y serial, z uuid DEFAULT gen_random_uuid(),
  "from DEFAULT " int DEFAULT (1 + (2 * 3)), "E'" text, "two
lines" text DEFAULT 'one
CREATE TABLE public.fake (id int);', gone int, tail text[][],
  CHECK (b[1] <> 'x, )' AND c > 0), CONSTRAINT "one, (" UNIQUE (y, "a"));
ALTER TABLE wide DROP gone;
ALTER TABLE wide ALTER b SET STATISTICS 100, ALTER b SET STORAGE external;
CREATE TABLE "Odd, Schema (1)"."T"".(, " (id int, "X.Y" text);
CREATE TABLE nothing (); CREATE UNLOGGED TABLE brief (id int);
CREATE TABLE typed OF pair ("b, (c" WITH OPTIONS DEFAULT '{1,2}' NOT NULL);
CREATE TABLE typed_too OF pair;
CREATE TABLE parent (id int NOT NULL, name text); CREATE TABLE other (note text);
CREATE TABLE child (age int, CHECK (age > 0)) INHERITS (parent, other);
CREATE TABLE grandchild () INHERITS (child);
ALTER TABLE grandchild ALTER name SET NOT NULL;
CREATE TABLE part (at int, "who, " text) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (9) PARTITION BY LIST (at);
CREATE TABLE part_1_1 PARTITION OF part_1 DEFAULT;
CREATE TABLE part_2 (extra text, "who, " text, at int);
ALTER TABLE part_2 DROP extra; ALTER TABLE part ATTACH PARTITION part_2 DEFAULT;
CREATE FOREIGN DATA WRAPPER none; CREATE SERVER away FOREIGN DATA WRAPPER none;
CREATE FOREIGN TABLE far (id int OPTIONS (column_name 'i, ('), name text COLLATE "C")
  SERVER away OPTIONS (table_name 'x');
CREATE VIEW seen AS SELECT id FROM parent;
CREATE RULE "_RETURN2" AS ON INSERT TO parent DO ALSO NOTHING;
"""
SINCE_18 = """
CREATE TABLE fresh (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL,
  c text CONSTRAINT here NOT NULL NO INHERIT);
ALTER TABLE child ADD CONSTRAINT here_too NOT NULL name;
"""


@pytest.mark.parametrize("options", [(), ("--quote-all-identifiers",)], ids=str)
def test_tables_are_read_from_a_dump_as_the_catalog_has_them(
    postgres: Postgres, tmp_path: Path, options: tuple[str, ...]
) -> None:
    dbname = postgres.database(WIDE + (SINCE_18 if postgres.major >= 18 else ""))

    assert_alike(postgres, dbname, tmp_path / "wide.dump", *options)


def test_tables_of_every_kind_of_database_are_read(
    postgres: Postgres, tmp_path: Path
) -> None:
    for name in ("kinds", "rows", "behind"):
        dbname = postgres.database(SQL[name])

        assert_alike(postgres, dbname, tmp_path / f"{name}.dump")


def assert_alike(postgres: Postgres, dbname: str, dump: Path, *options: str) -> None:
    postgres.dump(dbname, dump, "-Fc", "--schema-only", *options)
    with dump.open("rb") as file:
        definitions = Definitions(archive.read(file).entries)
    catalog = tables.look(postgres.psql(dbname), dbname).by_name
    read = definitions.tables.by_name

    assert definitions.defined == set(read)
    assert set(read) == set(catalog)
    for key, table in catalog.items():
        ours = read[key]
        assert set(ours.ancestors) == set(table.ancestors), key
        assert {
            name: (unquoted(one.type), one.generated_from is not None)
            for name, one in ours.columns.items()
        } == {
            name: (unquoted(one.type), one.generated_from is not None)
            for name, one in table.columns.items()
        }, key


def unquoted(type_: str) -> str:
    """A type without quotes, which --quote-all-identifiers adds."""
    return type_.replace('"', "")
