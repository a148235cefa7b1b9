"""The masks of a run: put on a database before its rows, taken off before the swap."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dbpull.archive import Entry
from dbpull.errors.masks import MaskError, UnfitRule
from dbpull.masks import tables
from dbpull.masks.fakes import SCHEMA
from dbpull.masks.judged import MaskedTable, judge
from dbpull.masks.rules import Rule
from dbpull.masks.salt import Salt
from dbpull.masks.script import SETTING, Script, UserFunction
from dbpull.masks.tables import ColumnName
from dbpull.masks.vocabulary import Vocabulary
from dbpull.postgres.patterns import Table
from dbpull.postgres.psql import Psql

# A fake of a date or a number is made of its text, which these settings decide on.
_AS_TEXT = (
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres"
    " -c extra_float_digits=1 -c bytea_output=hex -c jit=off"
)
# A row that fails is in the message's context, and in the log: not every role may say
# that it is not wanted there. Statements hold rows where a dump has INSERTs.
_QUIET = (
    " -c log_error_verbosity=terse -c log_min_error_statement=panic"
    " -c log_statement=none -c log_min_duration_statement=-1"
)
_FIRST = "SET client_min_messages = error; SET search_path = '';\n"
_CREATE = """
SELECT set_config('search_path', :'path', false) \\g /dev/null
SELECT :'statement' \\gexec
SELECT count(*) FROM pg_depend WHERE classid = 'pg_proc'::regclass
  AND objid = :'name'::regproc AND refclassid = 'pg_class'::regclass;
"""
_AT_ONCE = 500
"""The tables that a transaction locks: a server has room for some thousand locks."""
_TAKE_OFF = f"""
SET client_min_messages = error; SET search_path = '';
SELECT string_agg(format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass), '; ')
FROM (SELECT *, row_number() OVER () / {_AT_ONCE} AS part FROM pg_trigger
  WHERE tgname = '{SCHEMA}') ours GROUP BY part \\gexec
SELECT string_agg(format('DROP FUNCTION %s', oid::regprocedure), '; ')
FROM (SELECT oid, row_number() OVER () / {_AT_ONCE} AS part FROM pg_proc
  WHERE pronamespace = '{SCHEMA}'::regnamespace) ours GROUP BY part \\gexec
SELECT coalesce(json_object_agg(
  format('{SCHEMA}.%s', relname), coalesce(pg_sequence_last_value(oid), 0)), '{{}}')
  AS counted
FROM pg_class WHERE relkind = 'S' AND relnamespace = '{SCHEMA}'::regnamespace \\gset
DROP SCHEMA {SCHEMA} CASCADE;
SELECT :'counted', count(*) FROM (
  SELECT FROM pg_namespace WHERE nspname = '{SCHEMA}'
  UNION ALL
  SELECT FROM pg_trigger WHERE tgname = '{SCHEMA}') ours;
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Applied:
    """The masks that are on a database."""

    tables: Sequence[MaskedTable]
    words: Vocabulary
    counters: Mapping[Table, str]
    """The sequence that counts the rows of a table that stay as they are."""


@dataclass(frozen=True)
class Masking:
    """The masks of a run, from its settings."""

    rules: Mapping[str, Rule]
    exceptions: Mapping[str, str]
    locale: str
    salt: Salt
    quiet: bool = False
    """Whether our role may say what a server logs."""
    blanked: Collection[ColumnName] = ()
    """Columns without a rule that come blank."""

    @property
    def options(self) -> str:
        """The settings of the sessions that restore rows, in the form of PGOPTIONS."""
        quiet = _QUIET if self.quiet else ""
        return f"-c {SETTING}={self.salt.hashed} {_AS_TEXT}{quiet}"

    @property
    def fingerprint(self) -> str:
        """Text by which two sets of rules are told apart."""
        exceptions = sorted(self.exceptions.items())
        all_of = sorted(self.rules.items()), exceptions, self.locale
        return hashlib.sha256(repr(all_of).encode()).hexdigest()[:16]

    def put_on(self, psql: Psql, dbname: str, entries: Sequence[Entry]) -> Applied:
        """Put triggers on a database whose definitions are restored.

        `entries`: those of the dump that are restored. Raises MaskError, SqlFailed.
        """
        found = tables.look(psql, dbname)
        masked = judge(found, entries, self.rules, self.exceptions, self.blanked)
        words = Vocabulary(self.locale, ascii_only=found.encoding != "UTF8")
        script = Script(words, self.salt, found)
        triggers = script.triggers(masked)
        doing = "Putting the masks on"
        psql.run(_FIRST + script.helpers, doing=doing, dbname=dbname)
        for (value, type_), label in script.values.items():
            doing = f"Reading the value for {label}"
            psql.run(
                f"SELECT :'value'::{type_};", doing=doing, dbname=dbname, value=value
            )
        for function in script.of_user:
            _create(psql, dbname, function)
        parts = (triggers[n : n + _AT_ONCE] for n in range(0, len(triggers), _AT_ONCE))
        sql = "".join(f"BEGIN;\n{chr(10).join(part)}\nCOMMIT;\n" for part in parts)
        psql.run(_FIRST + sql, doing=doing, dbname=dbname)
        return Applied(masked, words, script.counters)

    def take_off(self, psql: Psql, dbname: str, on: Applied) -> dict[Table, int]:
        """Remove all that `put_on` made, and prove it gone. Raises MaskError.

        Returns how many rows of each table stayed as they were.
        """
        doing = "Taking the masks off"
        [[counted, left]] = psql.run(_TAKE_OFF, doing=doing, dbname=dbname)
        if left != "0":
            raise MaskError(
                "Triggers of masks are left in the new database.", "Please report this."
            )
        counts = json.loads(counted)
        return {table: counts[name] for table, name in on.counters.items()}


def _create(psql: Psql, dbname: str, function: UserFunction) -> None:
    doing = f"Reading the SQL of {function.label}"
    [[count]] = psql.run(
        _CREATE,
        doing=doing,
        dbname=dbname,
        path=function.path,
        statement=function.statement,
        name=function.name,
    )
    if count != "0":
        raise UnfitRule(
            function.label,
            "has SQL that reads a table, whose rows may not be there yet",
            "Use columns of the row alone.",
        )
