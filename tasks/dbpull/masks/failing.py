"""The SQL for rows whose mask fails, without their values in a server's log.

A server adds the raw row to each error within COPY: `CONTEXT: COPY users, line 1: …`.
So a trigger catches the error, leaves the row out, and notes what failed in a table
whose own trigger raises when the transaction ends, outside of COPY.
"""

from __future__ import annotations

from dbpull.errors.sql_names import quoted
from dbpull.masks.documents import QUOTE
from dbpull.masks.fakes import SCHEMA
from dbpull.masks.judged import Mask
from dbpull.masks.vocabulary import literal

_MAY_FAIL = frozenset({"sql", "birthday"})
HELPERS = f"""
CREATE TABLE {SCHEMA}.failed (what text);
CREATE FUNCTION {SCHEMA}.refuse() RETURNS trigger LANGUAGE plpgsql AS {QUOTE}
BEGIN RAISE EXCEPTION '%', NEW.what; END {QUOTE};
CREATE CONSTRAINT TRIGGER {SCHEMA} AFTER INSERT ON {SCHEMA}.failed
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.refuse();
ALTER TABLE {SCHEMA}.failed ENABLE ALWAYS TRIGGER {SCHEMA};
CREATE FUNCTION {SCHEMA}.fail(label text, VARIADIC why text[]) RETURNS void
LANGUAGE plpgsql AS {QUOTE}
BEGIN IF NOT EXISTS (SELECT FROM {SCHEMA}.failed) THEN
  INSERT INTO {SCHEMA}.failed SELECT format('the mask of a row of %s fails: %s', label,
    string_agg(w, ', ' ORDER BY n)) FROM unnest(why) WITH ORDINALITY u (w, n)
    WHERE w <> '';
END IF; END {QUOTE};
"""  # noqa: S608 - of constants
# Of the error nothing but names: its message may quote the row.
_CAUGHT = """DECLARE state text; named text; type_ text; column_ text;
BEGIN BEGIN
{block}EXCEPTION WHEN OTHERS THEN
GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, named = CONSTRAINT_NAME,
  type_ = PG_DATATYPE_NAME, column_ = COLUMN_NAME;
PERFORM {schema}.fail({label}, 'SQLSTATE ' || state, named, type_, column_);
RETURN NULL;
END; END"""
_IS_NULL = """IF NEW.{column} IS NULL THEN
RAISE not_null_violation USING COLUMN = {name}; END IF;"""


def may_fail(mask: Mask) -> bool:
    """Whether a row's value may have no fake that its column takes."""
    column = mask.column
    return (
        mask.rule.kind in _MAY_FAIL
        or column.is_domain
        or column.category == "A"
        or column.base == "json"
    )


def caught(block: str, label: str) -> str:
    """A block of PL/pgSQL whose errors leave a row out; `label` names its table."""
    return _CAUGHT.format(block=block, schema=SCHEMA, label=literal(label))


def refusing_null(mask: Mask) -> str:
    """The statement that refuses NULL like its column, where a rule may make it."""
    if mask.rule.kind != "sql" or not mask.column.required:
        return ""
    name = mask.column.name
    return _IS_NULL.format(column=quoted(name), name=literal(name))


def refusing_unchecked(call: str, name: str) -> str:
    """The statement that refuses what a CHECK refuses; `call` evaluates it."""
    raised = f"RAISE check_violation USING CONSTRAINT = {literal(name)}"
    return f"IF NOT {call} THEN {raised}; END IF;"
