"""The rule `blank`: values that tell nothing, and where NULL or a hash must do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dbpull.archive import Entry
from dbpull.masks.constraints import references, uniques
from dbpull.masks.rules import Rule
from dbpull.masks.tables import Column, ColumnName, Tables

_BLANKS = {
    "S": "", "N": "0", "B": "false", "A": "{}", "T": "0", "I": "127.0.0.1",
    "date": "epoch", "timestamp": "epoch", "timestamptz": "epoch", "time": "00:00",
    "timetz": "00:00", "json": "{}", "jsonb": "{}", "bytea": "", "tsvector": "",
    "hstore": "", "xml": "", "uuid": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip
"""The value of a type, or of a category of types, that tells nothing."""


def blank(column: Column) -> str | None:
    """The empty value of a column's type: '', 0, {}; None where a type has none."""
    return _BLANKS.get(column.base, _BLANKS.get(column.category))


def blank_rules(
    tables: Tables, entries: Sequence[Entry], names: Collection[ColumnName]
) -> dict[ColumnName, Rule]:
    """The rules by which these columns come blank, also of partitions and children.

    A column that must be unique, or is part of a foreign key, comes as NULL; where it
    is NOT NULL, as a hash.
    """
    keys = set(_keys(entries))
    return {
        name: _rule(tables.column(name), is_key=not keys.isdisjoint(owners))
        for table in tables.by_name.values()
        for column in table.columns
        for name in [(*table.key, column)]
        for owners in [{(*one, column) for one in (table.key, *table.ancestors)}]
        if not owners.isdisjoint(names)
    }


def _rule(column: Column, *, is_key: bool) -> Rule:
    if not column.required and (is_key or blank(column) is None):
        return Rule("null")
    if is_key and (column.base == "uuid" or column.is_text):
        return Rule("uuid" if column.base == "uuid" else "token")
    return Rule("blank")


def _keys(entries: Sequence[Entry]) -> Iterator[ColumnName]:
    """The columns that must be unique, or equal to those of another table."""
    for unique in uniques(entries):
        yield from ((*unique.table, column) for column in unique.columns)
    for reference in references(entries):
        yield from ((*reference.table, column) for column in reference.columns)
        yield from ((*reference.to, column) for column in reference.to_columns)
