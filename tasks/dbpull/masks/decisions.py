"""The decision about each column of a dump: masked, kept, harmless, or none yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dbpull.archive import Entry
from dbpull.errors.masks import MaskError
from dbpull.masks import chosen
from dbpull.masks.column_types import HARMLESS, Types, plain
from dbpull.masks.constraints import references, uniques
from dbpull.masks.definitions import Definitions
from dbpull.masks.detection import kind_of, words
from dbpull.masks.kept_columns import Kept
from dbpull.masks.rules import Rule
from dbpull.masks.tables import Column, ColumnName
from dbpull.postgres.patterns import Table

LARGE_OBJECTS = ("pg_catalog", "pg_largeobject", "data")
"""The column that holds all large objects, which can only be kept as a whole."""
BLOBS = "BLOBS"
"""The kind of entries with the data of large objects."""
WHOLE = "*"
"""The column of a table that a dump fills and does not define: an extension's."""


@dataclass(frozen=True)
class Undecided:
    """A column that nobody has decided about."""

    name: ColumnName
    type: str
    kind: str = ""
    """The kind of personal values of which its name tells, if any."""
    earlier: str = ""
    """The type that it had when it was decided to be kept, if another."""

    @property
    def told(self) -> str:
        """The column in messages: `users.nick (text, like a first name)`."""
        schema, table, column = self.name
        label = ".".join(self.name if schema != "public" else (table, column))
        if self.name == LARGE_OBJECTS:
            return "the large objects"
        if column == WHOLE:
            return f"the rows of {label.removesuffix('.*')}, an extension's table"
        article = "an" if self.kind[:1] in set("aeio") else "a"
        like = f", like {article} {self.kind}" if self.kind else ""
        was = f", which was {self.earlier}" if self.earlier else ""
        return f"{label} ({self.type}{was}{like})"


@dataclass
class Decisions:
    """The columns of a dump's rows by what is decided about them."""

    masked: dict[ColumnName, Rule] = field(default_factory=dict)
    kept: list[ColumnName] = field(default_factory=list)
    harmless: list[ColumnName] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    types: dict[ColumnName, str] = field(default_factory=dict)
    """The type of each."""


@dataclass(frozen=True)
class Deciding:
    """What decides about the columns of a dump."""

    entries: Sequence[Entry]
    """The dump's entries that are restored."""
    rules: Mapping[str, Rule]
    kept: Kept

    def decide(self, filled: Iterable[Table]) -> Decisions:
        """Decide about the columns of the tables that get rows.

        Columns of partitions and children are those of the table at the top. Raises
        MaskError where a definition can't be read, and UnfitRule.
        """
        filled = sorted(filled)
        refuse_unread(self.definitions, filled)
        found, seen = Decisions(), set[ColumnName]()
        for table in filled:
            for name, column in _columns(self.definitions, table):
                top = _top(self.definitions, name)
                if top not in seen:
                    seen.add(top)
                    self._sort(found, top, column, self.masked.get(name))
        if any(entry.desc == BLOBS for entry in self.entries):
            self._sort(found, LARGE_OBJECTS, Column("data", "bytea"), None)
        return found

    def refuse_unused(self, found: Decisions) -> None:
        """Raise FitsNothing for a rule that fits no column.

        An extension's table, which a dump does not define, may have that column.
        """
        names = [*found.kept, *(column.name for column in found.undecided)]
        if not any(name[2] == WHOLE for name in names):
            chosen.by_patterns(self.definitions.tables, self.rules)

    @cached_property
    def definitions(self) -> Definitions:
        """The definitions in the dump."""
        return Definitions(tuple(self.entries))

    @cached_property
    def masked(self) -> Mapping[ColumnName, Rule]:
        """The columns with a rule, also by a foreign key. Raises UnfitRule."""
        tables = self.definitions.tables
        # Extensions' tables have columns, too: unused patterns are judged later.
        found, _ = chosen.matched(tables, self.rules)
        return chosen.along_references(tables, found, references(self.entries))[0]

    @cached_property
    def types(self) -> Types:
        """The types that the dump defines."""
        return Types(self.entries)

    @cached_property
    def keys(self) -> frozenset[ColumnName]:
        """The columns of primary, unique and foreign keys."""
        return frozenset(_keys(self.entries))

    @cached_property
    def referring(self) -> frozenset[ColumnName]:
        """The columns that refer to others, whose rules they get."""
        found = references(self.entries)
        return frozenset((*one.table, name) for one in found for name in one.columns)

    def kind(self, name: ColumnName, column: Column) -> str:
        """The kind of personal values of which a column's name tells; "" for none.

        A generated column whose columns are all masked is made of fakes.
        """
        table = self.definitions.tables.by_name.get(name[:2])
        columns = table.columns if table else ()
        made_of = [one for one in column.generated_from or () if one in columns]
        if made_of and all(self._is_faked((*name[:2], one)) for one in made_of):
            return ""
        holds = self.types.holds(column.type)
        return kind_of(name[1], name[2], holds, is_key=name in self.keys)

    def _is_faked(self, name: ColumnName) -> bool:
        return name in self.masked and self.masked[name].kind != "keep"

    def _sort(
        self, into: Decisions, name: ColumnName, column: Column, rule: Rule | None
    ) -> None:
        type_, kind = plain(column.type), self.kind(name, column)
        into.types[name] = type_
        earlier, decided = self.kept.get(name, ("", False))
        if rule and rule.kind != "keep":
            into.masked[name] = rule
        elif rule or (decided and earlier == type_):
            into.kept.append(name)
        elif self._is_harmless(name, column) and not kind:
            into.harmless.append(name)
        else:
            earlier = earlier if decided else ""
            into.undecided.append(Undecided(name, type_, kind, earlier))

    def _is_harmless(self, name: ColumnName, column: Column) -> bool:
        """Whether values of such a column tell nothing by themselves."""
        if column.generated_from is not None:
            return True
        holds = self.types.holds(column.type)
        if holds == {"uuid"}:
            return name in self.keys or words(name[2])[-1:] == ("id",)
        return holds <= HARMLESS


def refuse_unread(definitions: Definitions, filled: Iterable[Table]) -> None:
    """Raise MaskError for tables whose definitions can't be read."""
    known = definitions.tables.by_name
    unread = definitions.defined - set(known)
    for schema, name in sorted(unread.intersection(filled)):
        raise MaskError(
            f"The dump defines {schema}.{name} in words that can't be read, so nothing"
            " tells which columns it has. Nothing was restored.",
            "Leave its rows out by skip_data, and report this, please.",
        )


def _columns(
    definitions: Definitions, table: Table
) -> Iterator[tuple[ColumnName, Column]]:
    found = definitions.tables.by_name.get(table)
    if not found:
        yield (*table, WHOLE), Column(WHOLE, "rows")
        return
    for name, column in found.columns.items():
        yield (*table, name), column


def _top(definitions: Definitions, name: ColumnName) -> ColumnName:
    """The column of the table from which a column is inherited, at the top."""
    by_name, (schema, table, column) = definitions.tables.by_name, name
    found = by_name.get((schema, table))
    for ancestor in reversed(found.ancestors if found else ()):
        if column in by_name[ancestor].columns:
            return (*ancestor, column)
    return name


def _keys(entries: Sequence[Entry]) -> Iterator[ColumnName]:
    """The columns of primary, unique and foreign keys."""
    for unique in uniques(entries):
        yield from ((*unique.table, column) for column in unique.columns)
    for reference in references(entries):
        yield from ((*reference.table, column) for column in reference.columns)
