"""The rule of each column: by patterns, and along foreign keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from dbpull.errors.masks import FitsNothing, UnfitRule
from dbpull.masks.constraints import Reference
from dbpull.masks.rules import Rule
from dbpull.masks.tables import ColumnName, MaskTable, Tables
from dbpull.postgres.patterns import Table, fits

_WILD = frozenset("*?[")


def by_patterns(tables: Tables, rules: Mapping[str, Rule]) -> dict[ColumnName, Rule]:
    """The rule that fits each column best; a parent's hold for its children, too.

    Raises FitsNothing, and UnfitRule where two rules fit a column equally well.
    """
    found, unused = matched(tables, rules)
    for pattern in unused:
        raise FitsNothing("mask", pattern, "column", set(_known(tables, pattern)))
    return found


def matched(
    tables: Tables, rules: Mapping[str, Rule]
) -> tuple[dict[ColumnName, Rule], list[str]]:
    """The rule that fits each column best, and the patterns that fit none.

    Raises UnfitRule where two rules fit a column equally well.
    """
    found: dict[ColumnName, Rule] = {}
    unused = dict.fromkeys(rules)
    for table in tables.by_name.values():
        for column in table.columns:
            name = (*table.key, column)
            fitting = [
                pattern
                for pattern in rules
                if any(_fits(owner, column, pattern) for owner in _owners(tables, name))
            ]
            for pattern in fitting:
                unused.pop(pattern, None)
            if fitting:
                found[name] = _best(tables.label(name), fitting, rules)
    return found, list(unused)


def along_references(
    tables: Tables, chosen: Mapping[ColumnName, Rule], references: Iterable[Reference]
) -> tuple[dict[ColumnName, Rule], list[set[ColumnName]]]:
    """The rules, also those that foreign keys carry over; the columns that share one.

    A column that refers to another may have the rule `null` alone. Raises UnfitRule
    where the rules of both sides differ.
    """
    found, shared = dict(chosen), []
    for group in _groups(_pairs(tables, chosen, references)):
        given = {name: chosen[name] for name in sorted(group) if name in chosen}
        if not given:
            continue
        first, rule = next(iter(given.items()))
        for name, other in given.items():
            if other != rule:
                raise UnfitRule(
                    f"{tables.label(first)} and {tables.label(name)}",
                    "refer to each other, and have different rules",
                    "Give both the same rule.",
                )
        if not rule.by_value:
            raise UnfitRule(
                tables.label(first),
                f"is part of a foreign key, along which {rule.kind} makes no equal"
                " values",
                "Use a rule that makes fakes of values, without `from`.",
            )
        found |= dict.fromkeys(group, rule)
        shared.append(group)
    return found, shared


def excepted(
    tables: Tables, conditions: Mapping[str, str]
) -> dict[Table, Sequence[str]]:
    """The conditions of `mask_except` on each table. Raises FitsNothing."""
    found: dict[Table, list[str]] = {}
    for pattern, condition in conditions.items():
        fitting = [
            table.key
            for table in tables.by_name.values()
            if any(fits(one, [pattern]) for one in (table.key, *table.ancestors))
        ]
        for key in fitting:
            found.setdefault(key, []).append(condition)
        if not fitting:
            known = {table.label for table in tables.by_name.values()}
            raise FitsNothing("mask_except", pattern, "table", known)
    return dict(found)


def _owners(tables: Tables, column: ColumnName) -> Iterator[Table]:
    """The column's table, and the ancestors that have the column."""
    table = tables.by_name[column[:2]]
    yield table.key
    for name in table.ancestors:
        if column[2] in tables.by_name[name].columns:
            yield name


def _fits(table: Table, column: str, pattern: str) -> bool:
    return fnmatchcase(_name(table, column, pattern), pattern)


def _name(table: Table, column: str, pattern: str) -> str:
    """A column's name in as many parts as the pattern has."""
    parts = min(pattern.count("."), 2) + 1
    return ".".join((*table, column)[-parts:])


def _best(label: str, fitting: list[str], rules: Mapping[str, Rule]) -> Rule:
    def rank(pattern: str) -> tuple[int, bool]:
        return min(pattern.count("."), 2), _WILD.isdisjoint(pattern)

    highest = max(map(rank, fitting))
    best = [pattern for pattern in fitting if rank(pattern) == highest]
    if any(rules[pattern] != rules[best[0]] for pattern in best):
        raise UnfitRule(
            label,
            f"is fitted equally well by {' and '.join(best)}, whose rules differ",
            "Name the column itself, with its table.",
        )
    return rules[best[0]]


def _known(tables: Tables, pattern: str) -> Iterator[str]:
    for table in tables.by_name.values():
        for column in table.columns:
            yield _name(table.key, column, pattern)


def _pairs(
    tables: Tables, chosen: Mapping[ColumnName, Rule], references: Iterable[Reference]
) -> Iterator[tuple[ColumnName, ColumnName]]:
    """The pairs of columns, one of which refers to the other; also of partitions."""
    families: dict[Table, list[MaskTable]] = {}
    for table in tables.by_name.values():
        for key in {table.key, *table.ancestors}:
            families.setdefault(key, []).append(table)
    for reference in references:
        for own, theirs in zip(reference.columns, reference.to_columns, strict=True):
            to = [(*table.key, theirs) for table in families.get(reference.to, ())]
            for table in families.get(reference.table, ()):
                name = (*table.key, own)
                if chosen.get(name) != Rule("null"):
                    yield from ((name, other) for other in to)


def _groups(pairs: Iterable[tuple[ColumnName, ColumnName]]) -> list[set[ColumnName]]:
    """The columns that refer to each other, at any distance."""
    group_of: dict[ColumnName, set[ColumnName]] = {}
    for one, other in pairs:
        mine, theirs = (group_of.get(name, {name}) for name in (one, other))
        if mine is not theirs:
            mine |= theirs
            group_of |= dict.fromkeys(mine, mine)
    return list({id(group): group for group in group_of.values()}.values())
