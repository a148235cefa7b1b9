"""The proof before a swap: rows hold what their masks make, and the keys are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from dbpull.archive import Entry
from dbpull.errors.masks import MaskError
from dbpull.errors.sql_names import quoted
from dbpull.masks.constraints import keys
from dbpull.masks.invariants import invariant
from dbpull.masks.judged import MaskedTable
from dbpull.masks.masking import Applied
from dbpull.masks.vocabulary import Vocabulary, literal
from dbpull.postgres.patterns import Table
from dbpull.postgres.psql import Psql

ROWS = 1000
"""The rows of each table that are looked at."""
# As the fakes were made: TimeZone decides on the day of a time.
_FIRST = "SET search_path = ''; SET TimeZone = 'UTC'; SET jit = off;\n"
_COLUMN = """SELECT {label} FROM (SELECT {column} AS v FROM ONLY {table} LIMIT {rows}) r
WHERE NOT ({invariant}) HAVING count(*) > {kept};\n"""
_KEYS = """
SELECT json_agg(json_build_array(nspname, relname, name, valid))
FROM (SELECT oid, name, bool_and(valid) AS valid FROM (
  SELECT conrelid AS oid, conname AS name, convalidated AS valid FROM pg_constraint
  UNION ALL
  SELECT indrelid, relname, indisvalid OR relkind = 'I'
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indisunique) every
  GROUP BY 1, 2) keys
JOIN pg_class t USING (oid) JOIN pg_namespace n ON n.oid = relnamespace;
"""


def prove(psql: Psql, dbname: str, on: Applied, kept: Mapping[Table, int]) -> None:
    """Raise MaskError where rows hold what their masks do not make.

    `kept`: how many rows of each table stayed as they were. The message names a
    column, no value.
    """
    if found := unmasked(psql, dbname, on, kept):
        raise MaskError(
            f"{found[0]} has values that its mask does not make.", "Please report this."
        )


def unmasked(
    psql: Psql, dbname: str, on: Applied, kept: Mapping[Table, int]
) -> list[str]:
    """The columns of which rows hold what their masks do not make.

    Tables of other servers are left out, and rules that may make any value.
    """
    queries = [
        query
        for one in on.tables
        for query in _queries(one, on.words, kept.get(one.table.key, 0))
    ]
    sql = _FIRST + "".join(queries)
    answer = psql.run(sql, doing="Looking at masked rows", dbname=dbname)
    # Between the answers of two statements there is no record's end.
    return answer[0][0].split("\n") if answer else []


def _queries(masked: MaskedTable, words: Vocabulary, kept: int) -> Iterator[str]:
    table = masked.table
    for mask in masked.masks:
        condition = "" if table.foreign else invariant(mask, words)
        if condition:
            yield _COLUMN.format(
                label=literal(f"{table.label}.{mask.column.name}"),
                column=quoted(mask.column.name),
                table=f"{quoted(table.schema)}.{quoted(table.name)}",
                rows=ROWS,
                invariant=condition,
                kept=kept,
            )


def prove_keys(psql: Psql, dbname: str, entries: Sequence[Entry]) -> None:
    """Raise MaskError where a unique or foreign key of the dump is absent or invalid.

    `entries`: those that were restored.
    """
    found = psql.run(_KEYS, doing="Looking at the keys", dbname=dbname)[0][0]
    there = {(*where, name): ok for *where, name, ok in json.loads(found or "[]")}
    for key in keys(entries):
        valid = there.get((*key.table, key.name))
        if valid is None or not (valid or key.unproven):
            raise MaskError(
                f"The key {key.name} of {'.'.join(key.table)} is not in the new"
                " database as it is in the dump.",
                "Please report this.",
            )
