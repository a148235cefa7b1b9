"""Whether two databases have the same masks on a table, as a comment can tell."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from dbpull.masks.judged import MaskedTable
from dbpull.postgres.patterns import Table as TableName

Digests = Mapping[str, Mapping[str, str]]
"""For each table, with its schema, a digest of what is done to each masked column."""


def digests(masked: Sequence[MaskedTable], names: Collection[str]) -> Digests:
    """The digests of the tables with these names, and of their children."""
    named = {
        key
        for one in masked
        for key in (one.table.key, *one.table.ancestors)
        if {key[1], ".".join(key)}.intersection(names)
    }
    return {
        ".".join(one.table.key): _digests(one)
        for key in named
        for one in _below(masked, key)
    }


def were_alike(known: Digests, masked: Sequence[MaskedTable], key: TableName) -> bool:
    """Whether a database with these digests has no raw value of a table's columns.

    True of a table without masked columns.
    """
    return all(
        _digests(one).items() <= known.get(".".join(one.table.key), {}).items()
        for one in _below(masked, key)
    )


def _below(masked: Sequence[MaskedTable], key: TableName) -> list[MaskedTable]:
    """A masked table, and those that are its partitions or children."""
    return [one for one in masked if key in {one.table.key, *one.table.ancestors}]


def _digests(one: MaskedTable) -> dict[str, str]:
    done = {mask.column.name: (mask.rule, [*one.conditions]) for mask in one.masks}
    return {
        name: hashlib.sha256(repr(how).encode()).hexdigest()[:8]
        for name, how in done.items()
    }
