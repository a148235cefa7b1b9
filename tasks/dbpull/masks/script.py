"""The SQL that puts masks on: a schema of functions, and a trigger for each table.

Facts, tried on 15 and 18: pg_restore empties the search_path, so names have their
schema; ENABLE ALWAYS, since a role may have session_replication_role = replica;
plpgsql is fast for expressions without sub-selects only; assignments happen one after
the other, so what reads other columns is evaluated before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dbpull.errors.sql_names import quoted
from dbpull.masks.blanked import blank
from dbpull.masks.constraints import mentioned
from dbpull.masks.documents import QUOTE, Documents
from dbpull.masks.fakes import SCHEMA, Given, fake
from dbpull.masks.judged import Mask, MaskedTable
from dbpull.masks.rules import FAKES, JsonChange
from dbpull.masks.salt import Salt, django_password
from dbpull.masks.tables import Column, MaskTable, Tables
from dbpull.masks.vocabulary import Vocabulary, literal

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
_TRIGGER = """CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {quote}
DECLARE
{declared}BEGIN
{body}RETURN NEW;
END {quote};
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
        return "\n".join([helpers, *self._documents.functions])

    def triggers(self, tables: Iterable[MaskedTable]) -> list[str]:
        """The statements that create each trigger; fills the other parts."""
        return [self._trigger(table) for table in tables]

    def _trigger(self, masked: MaskedTable) -> str:
        table, trigger = masked.table, _Trigger()
        for condition in masked.conditions:
            kept = self._of_the_user(table, condition, "boolean", "mask_except")
            trigger.body.append(f"IF {kept} THEN RETURN NEW; END IF;")
        for mask in masked.masks:
            trigger.body += self._assigned(table, mask, trigger)
        return _TRIGGER.format(
            function=self._name("masked"),
            schema=SCHEMA,
            table=f"{quoted(table.schema)}.{quoted(table.name)}",
            declared="".join(f"{line}\n" for line in trigger.declared),
            body="".join(f"{line}\n" for line in trigger.body),
            quote=QUOTE,
        )

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
        made = self._constant(table, mask)
        if made is None:
            given = self._given(table, mask, raw, trigger)
            made = f"({fake(rule.kind, given)})"
        return f"CASE WHEN {unchanged} THEN {raw} ELSE {made}::{type_} END"

    def _constant(self, table: MaskTable, mask: Mask) -> str | None:
        rule, column = mask.rule, mask.column
        if rule.kind == "blank":
            return literal(blank(column) or "")
        if rule.kind == "password":
            return literal(django_password(rule.argument) if rule.argument else "!")
        if rule.kind == "value":
            value = _written(rule.argument, column)
            label = f"{table.label}.{column.name}"
            self.values.setdefault((value, column.type), label)
            return literal(value)
        return None

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


def _written(value: object, column: Column) -> str:
    """A value of YAML as the text of a literal."""
    if column.category == "A" and isinstance(value, list):
        return "{" + ",".join(json.dumps(str(one)) for one in value) + "}"
    if column.base in {"json", "jsonb"} or isinstance(value, list | dict | bool):
        return json.dumps(value)
    return str(value)
