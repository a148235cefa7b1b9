"""The masks of a database's columns, judged: a rule that would fail is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbpull.archive import Entry
from dbpull.errors.masks import UnfitRule
from dbpull.errors.spelling import did_you_mean
from dbpull.masks import chosen
from dbpull.masks.blanked import blank, blank_rules
from dbpull.masks.constraints import Unique, references, uniques
from dbpull.masks.fakes import FEWEST_DIGITS, LEAST, UNIQUE, UNIQUE_WITH_SOURCE
from dbpull.masks.rules import FAKES, Rule
from dbpull.masks.tables import Column, ColumnName, MaskTable, Tables

_TYPES = {
    "json": {"json", "jsonb"},
    "uuid": {"uuid"},
    "ip": {"inet", "cidr"},
    "birthday": {"date", "timestamp", "timestamptz"},
}
"""The types that a rule is for, beside text or instead of it."""
_NOT_FOR_TEXT = {"json", "birthday"}


@dataclass(frozen=True)
class Mask:
    """A column and its rule."""

    column: Column
    rule: Rule
    limit: int | None
    """The characters that fit into the column, and into those that refer to it."""
    folds: bool
    """Whether the column's type, or that of one that refers to it, ignores case."""


@dataclass(frozen=True)
class MaskedTable:
    """A table with its masks, and the conditions of rows that stay as they are."""

    table: MaskTable
    masks: Sequence[Mask]
    conditions: Sequence[str]


def judge(
    tables: Tables,
    entries: Sequence[Entry],
    rules: Mapping[str, Rule],
    exceptions: Mapping[str, str],
    blanked: Collection[ColumnName] = (),
) -> list[MaskedTable]:
    """The tables that store masked columns; `entries` are those to be restored.

    `blanked`: columns without a rule that come blank.

    Raises FitsNothing, UnfitRule.
    """
    by_pattern = chosen.by_patterns(tables, rules)
    by_pattern = {**blank_rules(tables, entries, blanked), **by_pattern}
    found, shared = chosen.along_references(tables, by_pattern, references(entries))
    conditions = chosen.excepted(tables, exceptions)
    group_of = {name: group for group in shared for name in group}
    masked: dict[tuple[str, str], list[Mask]] = {}
    for name, rule in sorted(found.items(), key=lambda item: item[0]):
        if rule.kind == "keep" or not _refuse_unfit(tables, name, found):
            continue
        group = [tables.column(one) for one in group_of.get(name, {name})]
        limits = [column.limit for column in group if column.limit is not None]
        folds = any(column.folds for column in group)
        mask = Mask(tables.column(name), rule, min(limits, default=None), folds)
        _refuse_short(tables.label(name), mask)
        masked.setdefault(name[:2], []).append(mask)
    _refuse_doubles(tables, found, list(uniques(entries)))
    return [
        MaskedTable(table, masked[key], conditions.get(key, ()))
        for key, table in tables.by_name.items()
        if key in masked and table.stores
    ]


def _refuse_unfit(
    tables: Tables, name: ColumnName, found: Mapping[ColumnName, Rule]
) -> bool:
    """Raise UnfitRule where a column can't be masked; False where it needs no mask."""
    table, column, rule = tables.by_name[name[:2]], tables.column(name), found[name]
    label = tables.label(name)
    if column.generated_from is not None:
        _refuse_generated(tables, name, found)
        return False
    family = [tables.by_name[one] for one in (table.key, *table.ancestors)]
    if any(column.name in one.partitioned_by for one in family):
        why = "decides on the partition of a row, which a mask must not change"
        raise UnfitRule(label, why, "Give it the rule keep.")
    if rule.kind == "null" and column.required:
        why = "is NOT NULL, and its rule is null"
        raise UnfitRule(label, why, "Use blank, or a fake.")
    if not _fits(rule.kind, column):
        why = f"is of type {column.type}, for which there is no {rule.kind}"
        raise UnfitRule(label, why, "Use null, {value: …} or {sql: …}.")
    if rule.source:
        _refuse_source(label, table, rule.source)
    return True


def _refuse_generated(
    tables: Tables, name: ColumnName, found: Mapping[ColumnName, Rule]
) -> None:
    """Raise UnfitRule where a generated column shows a column without a mask."""
    column = tables.column(name)
    for base in column.generated_from or ():
        rule = found.get((*name[:2], base))
        if not rule or rule.kind == "keep":
            raise UnfitRule(
                tables.label(name),
                f"is generated from {base}, which has no mask",
                f"Give {base} a rule, or give {name[2]} the rule keep.",
            )


def _refuse_source(label: str, table: MaskTable, source: str) -> None:
    column = table.columns.get(source)
    if not column or column.generated_from is not None:
        known = [n for n, c in table.columns.items() if c.generated_from is None]
        why = f"is to be masked from {source}, which {table.label} does not store"
        near = did_you_mean(source, known)
        raise UnfitRule(label, why, f"{near}Name a column of the table.")


def _refuse_short(label: str, mask: Mask) -> None:
    least = LEAST.get(mask.rule.kind, 0)
    if mask.limit is not None and mask.limit < least:
        why = f"has room for {mask.limit} characters; {mask.rule.kind} needs {least}"
        raise UnfitRule(label, why, "Use token or blank.")


def _refuse_doubles(
    tables: Tables, found: Mapping[ColumnName, Rule], keys: Iterable[Unique]
) -> None:
    """Raise UnfitRule where a rule would make doubles in unique columns.

    A key may have such a column beside others that are unique by themselves.
    """
    by_table: dict[tuple[str, str], list[frozenset[str]]] = {}
    for key in keys:
        by_table.setdefault(key.table, []).append(key.columns)
    for table, own in by_table.items():
        ours = [name for name in found if name[:2] == table]
        lossy = {name[2] for name in ours if _makes_doubles(tables, name, found, own)}
        for columns in own:
            if columns & lossy and not any(one <= columns - lossy for one in own):
                name = (*table, min(columns & lossy))
                raise UnfitRule(
                    tables.label(name),
                    f"is unique, and {found[name].kind} would make doubles",
                    "Use username, email, token, uuid or url.",
                )


def _makes_doubles(
    tables: Tables,
    name: ColumnName,
    found: Mapping[ColumnName, Rule],
    keys: Sequence[frozenset[str]],
) -> bool:
    rule, column = found[name], tables.column(name)
    if rule.source:
        source = tables.by_name[name[:2]].columns[rule.source]
        unique = frozenset({rule.source}) in keys
        kinds = UNIQUE_WITH_SOURCE if source.is_integer else UNIQUE
        return rule.kind not in kinds or not unique
    if rule.kind == "token" and column.limit is not None:
        return column.limit < FEWEST_DIGITS
    return rule.kind not in {*UNIQUE, "null", "sql"}


def _fits(kind: str, column: Column) -> bool:
    """Whether there is such a fake for the column's type."""
    if kind in {"null", "value", "sql"}:
        return True
    if kind == "blank":
        return blank(column) is not None
    if column.base in _TYPES.get(kind, ()):
        return True
    if kind == "password":
        return column.category == "S"
    return column.is_text and kind in FAKES and kind not in _NOT_FOR_TEXT
