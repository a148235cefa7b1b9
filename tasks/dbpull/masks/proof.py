"""The proof before a swap: rows of the new database hold what their masks make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbpull.errors.masks import MaskError
from dbpull.errors.sql_names import quoted
from dbpull.masks.judged import Mask, MaskedTable
from dbpull.masks.vocabulary import literal
from dbpull.postgres.psql import Psql

ROWS = 1000
"""The rows of each table that are looked at."""
# What a column's limit may cut off is not looked for.
_MADE = {
    "email": r"^u[0-9a-f]+@example\.com$",
    "username": r"^user-[0-9a-f]+$",
    "token": r"^[0-9a-f]+$",
    "url": r"^https://example\.com/[0-9a-f]+$",
    "phone": r"^\+1555[0-9]*$",
    "digits": r"^[0-9]+$",
    "ip": r"^(198\.51\.100\.|2001:db8::)",
    "text": r"^L(o|$)(r|$)(e|$)(m|$)( |$)",
}
_SHORTEST = 5
_COLUMN = """SELECT {label} WHERE EXISTS (SELECT FROM (SELECT {column} AS v
FROM ONLY {table} LIMIT {rows}) rows WHERE NOT ({holds}))"""


def prove(psql: Psql, dbname: str, tables: Sequence[MaskedTable]) -> None:
    """Raise MaskError where a row holds what its mask does not make.

    Tables with exceptions, and those of other servers, are left out. The message
    names the column, no value.
    """
    queries = [query for masked in tables for query in _queries(masked)]
    if not queries:
        return
    sql = "SET search_path = '';\n" + "\nUNION ALL ".join(queries) + " LIMIT 1;"
    for [column] in psql.run(sql, doing="Looking at masked rows", dbname=dbname):
        raise MaskError(
            f"{column} has values that its mask does not make.", "Please report this."
        )


def _queries(masked: MaskedTable) -> Iterator[str]:
    table = masked.table
    if masked.conditions or table.foreign:
        return
    for mask in masked.masks:
        if holds := _holds(mask):
            yield _COLUMN.format(
                label=literal(f"{table.label}.{mask.column.name}"),
                column=quoted(mask.column.name),
                table=f"{quoted(table.schema)}.{quoted(table.name)}",
                rows=ROWS,
                holds=holds,
            )


def _holds(mask: Mask) -> str:
    """The SQL condition that a masked value `v` fulfils; "" where none is known."""
    if mask.rule.kind == "null":
        return "v IS NULL"
    short = mask.limit is not None and mask.limit < _SHORTEST
    if mask.rule.kind not in _MADE or mask.column.category == "A" or short:
        return ""
    made = literal(_MADE[mask.rule.kind])
    return f"v IS NULL OR v::text = '' OR v::text ~ {made}"
