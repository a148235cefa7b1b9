"""The SQL that puts masks on: a schema of functions, and a trigger for each table.

Facts, tried on 15 and 18: pg_restore empties the search_path, so names have their
schema; ENABLE ALWAYS, since a role may have session_replication_role = replica;
plpgsql is fast for expressions without sub-selects only; assignments happen one after
the other, so what reads other columns is evaluated before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dbpull.errors.sql_names import quoted
from dbpull.masks.constants import constant
from dbpull.masks.constraints import mentioned
from dbpull.masks.documents import QUOTE, Documents
from dbpull.masks.failing import (
    HELPERS,
    caught,
    may_fail,
    refusing_null,
    refusing_unchecked,
)
from dbpull.masks.fakes import SCHEMA, Given, fake
from dbpull.masks.judged import Mask, MaskedTable
from dbpull.masks.rules import FAKES, JsonChange
from dbpull.masks.salt import Salt
from dbpull.masks.tables import MaskTable, Tables
from dbpull.masks.vocabulary import Vocabulary, literal
from dbpull.postgres.patterns import Table

SETTING = "dbpull.salt"
"""The setting of a session that holds the salt, as our functions read it."""
_HELPERS = f"""
CREATE SCHEMA {SCHEMA};
CREATE FUNCTION {SCHEMA}.hex(v text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT encode(substr(sha256(convert_to(current_setting('{SETTING}') || v,
  '{{encoding}}')), 1, 8), 'hex') $$;
CREATE FUNCTION {SCHEMA}.long(v text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT encode(sha256(convert_to(current_setting('{SETTING}') || v,
  '{{encoding}}')), 'hex') $$;
CREATE FUNCTION {SCHEMA}.num(v text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtextextended(v COLLATE "C", {{seed}}) & 9223372036854775807 $$;
"""
_BLOCK = """DECLARE
{declared}BEGIN
{body}RETURN NEW;
END"""
_TRIGGER = """CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {quote}
{block} {quote};
CREATE TRIGGER {schema} BEFORE INSERT ON {table}
FOR EACH ROW EXECUTE FUNCTION {function}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {schema};"""
_OF_THE_USER = """CREATE FUNCTION {name}({parameters}) RETURNS {type}
LANGUAGE sql STABLE RETURN ({sql}
)::{type}"""


@dataclass(frozen=True)
class UserFunction:
    """A function of the user's SQL, which is parsed when it is created."""

    name: str
    label: str
    """The place of the SQL, as messages name it."""
    path: str
    """The search_path by which it is parsed."""
    statement: str


@dataclass
class _Trigger:
    """The parts of a table's trigger."""

    declared: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def variable(self, type_: str, value: str) -> str:
        """Declare a variable; its name."""
        name = f"v{len(self.declared) + 1}"
        self.declared.append(f"{name} {type_} := {value};")
        return name


@dataclass
class Script:
    """The statements that put masks on a database."""

    words: Vocabulary
    salt: Salt
    tables: Tables
    of_user: list[UserFunction] = field(default_factory=list, init=False)
    """To be created between the helpers and the triggers."""
    counters: dict[Table, str] = field(default_factory=dict, init=False)
    """The sequence that counts the rows of a table that stay as they are."""
    values: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    """The texts of constants with their types; for each a column that gets it."""
    _documents: Documents = field(default_factory=Documents, init=False)
    _functions: int = field(default=0, init=False)

    @property
    def helpers(self) -> str:
        """The statements that create our schema, and what triggers call."""
        encoding = self.tables.encoding
        known = "UTF8" if encoding != "SQL_ASCII" else encoding
        helpers = _HELPERS.format(encoding=known, seed=self.salt.seed)
        counters = (f"CREATE SEQUENCE {name};" for name in self.counters.values())
        return "\n".join([helpers, HELPERS, *self._documents.functions, *counters])

    def triggers(self, tables: Iterable[MaskedTable]) -> list[str]:
        """The statements that create each trigger; fills the other parts."""
        return [self._trigger(table) for table in tables]

    def _trigger(self, masked: MaskedTable) -> str:
        table, trigger = masked.table, _Trigger()
        trigger.body += self._excepting(masked)
        for mask in masked.masks:
            trigger.body += self._assigned(table, mask, trigger)
        refusing = [*filter(None, map(refusing_null, masked.masks))]
        refusing += self._checking(masked)
        block = _BLOCK.format(
            declared="".join(f"{line}\n" for line in trigger.declared),
            body="".join(f"{line}\n" for line in [*trigger.body, *refusing]),
        )
        if masked.conditions or refusing or any(map(may_fail, masked.masks)):
            block = caught(f"{block};\n", table.label)
        return _TRIGGER.format(
            function=self._name("masked"),
            schema=SCHEMA,
            table=f"{quoted(table.schema)}.{quoted(table.name)}",
            block=block,
            quote=QUOTE,
        )

    def _excepting(self, masked: MaskedTable) -> Iterator[str]:
        """The statements that leave a row as it is, and count it."""
        table = masked.table
        for condition in masked.conditions:
            kept = self._of_the_user(table, condition, "boolean", "mask_except")
            if table.key not in self.counters:
                self.counters[table.key] = self._name("kept")
            count = f"PERFORM nextval({literal(self.counters[table.key])})"
            yield f"IF {kept} THEN {count}; RETURN NEW; END IF;"

    def _checking(self, masked: MaskedTable) -> Iterator[str]:
        """The statements that refuse what a CHECK on masked columns would refuse."""
        table, ours = masked.table, {mask.column.name for mask in masked.masks}
        for check in table.checks:
            columns = [table.columns[name] for name in check.columns]
            stored = all(column.generated_from is None for column in columns)
            if stored and ours.intersection(check.columns):
                label = f"the CHECK {check.name}"
                call = self._of_the_user(table, check.sql, "boolean", label)
                yield refusing_unchecked(call, check.name)

    def _assigned(
        self, table: MaskTable, mask: Mask, trigger: _Trigger
    ) -> Iterator[str]:
        """The statements that give a column its new value."""
        column, rule = mask.column, mask.rule
        new = f"NEW.{quoted(column.name)}"
        if rule.kind == "null":
            yield f"{new} := NULL;"
        elif rule.kind == "sql":
            label = f"{table.label}.{column.name}"
            value = self._of_the_user(table, rule.argument, column.type, label)
            yield f"{new} := {trigger.variable(column.type, value)};"
        elif rule.kind == "json":
            document = trigger.variable("jsonb", f"{new}::jsonb")
            changes: Sequence[JsonChange] = rule.argument
            yield from self._documents.statements(changes, document, self._within)
            yield f"{new} := {document}::{column.type};"
        elif column.category == "A" and rule.kind in FAKES:
            made = self._made(table, mask, "e.v", column.element_type, trigger)
            each = f"SELECT {made} FROM unnest({new}) e(v)"  # noqa: S608 - of names
            all_of = f"ARRAY({each})::{column.type}"
            yield f"IF cardinality({new}) > 0 THEN {new} := {all_of}; END IF;"
        else:
            yield f"{new} := {self._made(table, mask, new, column.type, trigger)};"

    def _made(
        self, table: MaskTable, mask: Mask, raw: str, type_: str, trigger: _Trigger
    ) -> str:
        """SQL for the new value of `raw`; NULL stays NULL, and '' stays ''."""
        rule, column = mask.rule, mask.column
        unchanged = f"{raw} IS NULL"
        if column.is_text and rule.kind not in {"blank", "password"}:
            unchanged += f" OR {raw}::text = ''"
        value = constant(mask)
        made = None if value is None else literal(value)
        if rule.kind == "value" and value is not None:
            label = f"{table.label}.{column.name}"
            self.values.setdefault((value, column.type), label)
        if made is None:
            given = self._given(table, mask, raw, trigger)
            made = f"({fake(rule.kind, given)})"
        return f"CASE WHEN {unchanged} THEN {raw} ELSE {made}::{type_} END"

    def _given(
        self, table: MaskTable, mask: Mask, raw: str, trigger: _Trigger
    ) -> Given:
        text = f"lower({raw}::text)" if mask.folds else f"{raw}::text"
        number, is_number = f"{SCHEMA}.num({text})", False
        if mask.rule.source:
            source = table.columns[mask.rule.source]
            is_number = source.is_integer
            type_ = "bigint" if is_number else "text"
            value = f"NEW.{quoted(source.name)}::{type_}"
            name = trigger.variable(type_, value)
            text = f"{name}::text"
            number = f"({name} & 9223372036854775807)"
            if not is_number:
                number = f"{SCHEMA}.num({name})"
        return Given(raw, text, number, mask.limit, self.words, is_number)

    def _within(self, kind: str, text: str) -> str:
        """SQL for the fake of a text within a JSON document."""
        given = Given(text, text, f"{SCHEMA}.num({text})", None, self.words)
        return f"CASE WHEN {text} = '' THEN '' ELSE {fake(kind, given)} END"

    def _of_the_user(self, table: MaskTable, sql: str, type_: str, label: str) -> str:
        """Create a function of the user's SQL; the SQL of its call for a row."""
        names = set(mentioned(sql))
        columns = [
            column
            for column in table.columns.values()
            if column.name in names and column.generated_from is None
        ]
        name = self._name("sql")
        parameters = (f"{quoted(column.name)} {column.type}" for column in columns)
        statement = _OF_THE_USER.format(
            name=name, parameters=", ".join(parameters), type=type_, sql=sql
        )
        schemas = dict.fromkeys([table.schema, "public", *self.tables.extensions])
        path = ", ".join(map(quoted, schemas))
        self.of_user.append(UserFunction(name, label, path, statement))
        given = (f"NEW.{quoted(column.name)}" for column in columns)
        return f"{name}({', '.join(given)})"

    def _name(self, kind: str) -> str:
        self._functions += 1
        return f"{SCHEMA}.{kind}{self._functions}"
