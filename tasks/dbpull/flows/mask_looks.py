"""What `db.mask` looks at: a dump that is here, else the target's definitions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dbpull import archive
from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors.masks import MaskError
from dbpull.errors.postgres import MissingProgram
from dbpull.errors.restore import NoSuchDump
from dbpull.errors.sql_names import quoted
from dbpull.masks.contents import ROWS
from dbpull.masks.proposals import Samples
from dbpull.masks.tables import ColumnName
from dbpull.naming import command
from dbpull.postgres import programs
from dbpull.postgres.patterns import Table
from dbpull.postgres.psql import reason
from dbpull.restore.left_out import LeftOut, ServerFacts
from dbpull.restore.selection import Selection, select
from dbpull.restore.skipping import Skipping
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources.kinds import PLATFORM, name_of_dumps
from dbpull.target import opened
from dbpull.target.opened import Target
from dbpull.words import source_label

_DEFINITIONS = "definitions.dump"
"""The file that has the target's definitions for a moment."""
_VALUES = "SELECT json_agg(v) FROM (SELECT * FROM ONLY {table} LIMIT {rows}) v;"


@dataclass(frozen=True)
class Looked:
    """A dump, or the target: its entries, its tables with rows, some values."""

    label: str
    selection: Selection
    filled: frozenset[Table]
    sample: Callable[[], Samples]
    """Gives values of each table's first rows; none where they can't be read."""


def look(
    settings: Settings, shell: Shell, dump: str | None, reporter: Reporter
) -> Looked:
    """Look at the dump named, at the newest that is here, else at the target.

    Raises NoSuchDump, BadDump, MaskError, and the errors of asking the target.
    """
    store = stores.store_for(settings, shell)
    source = name_of_dumps(settings)
    found = store.find(source, dump)
    if not found and dump:
        raise NoSuchDump(f"There is no file {dump}.")
    if not found:
        target = opened.take(settings, shell, reporter)
        of = f" of {source_label(source)}" if source else ""
        reporter.say(
            f"No dump{of} is here, so this is"
            f" about {target.connection.label}. `{command('fetch')}` gets a dump."
        )
        return _of_target(target, settings, store)
    contents = store.look(found).contents
    selection = _selected(contents, settings)
    filled = {(entry.namespace or "", entry.tag) for entry in selection.tables}
    sample = partial(_of_dump, found, contents, shell)
    return Looked(found.label, selection, frozenset(filled), sample)


def _selected(contents: Archive, settings: Settings) -> Selection:
    """What a server that has all extensions would get of a dump."""
    creatable = {extension.name for extension in contents.extensions}
    server = ServerFacts(creatable, superuser=True)
    return select(LeftOut(contents, server, PLATFORM), settings.skip_data)


def _of_dump(dump: Dump, contents: Archive, shell: Shell) -> Samples:
    is_read = contents.data_start and not contents.header.tar
    if shell.host or not dump.path.is_file() or not is_read:
        return {}
    found: dict[ColumnName, list[str]] = {}
    with dump.path.open("rb") as file:
        for block in archive.verify(file, contents):
            entry = contents.by_id[block.dump_id]
            for column, values in archive.first_rows(
                file, contents, block, ROWS
            ).items():
                name = entry.namespace or "", entry.tag, column
                found[name] = [value for value in values if value]
    return found


def _of_target(target: Target, settings: Settings, store: DumpStore) -> Looked:
    contents = _defined(target, store)
    skipping = Skipping(contents, settings.skip_data)
    tables = [entry for entry in contents.entries if entry.desc == "TABLE"]
    filled = frozenset(
        (entry.namespace or "", entry.tag)
        for entry in tables
        if not skipping.means(entry)
    )
    label, selection = target.connection.label, _selected(contents, settings)
    return Looked(label, selection, filled, partial(_of_rows, target, filled))


def _defined(target: Target, store: DumpStore) -> Archive:
    """The target's definitions. Raises MissingProgram, MaskError."""
    pg_dump = programs.newest(target.shell, "pg_dump")
    if not pg_dump:
        raise MissingProgram("pg_dump", target.shell.where)
    dump = store.private(_DEFINITIONS)
    argv = [
        *(pg_dump.path, "--format=custom", "--schema-only", "--no-owner", "--no-acl"),
        *("--no-password", "--file", str(dump.path)),
        *("--dbname", target.connection.argument),
    ]
    try:
        env = target.connection.environment(target.shell.environ)
        result = target.shell.run(argv, env=env)
        if not result.ok:
            label = target.connection.label
            raise MaskError(
                f"The definitions of {label} can't be read: {reason(result.err)}.",
                "Put that right, or look at a dump: --dump=FILE.",
            )
        return store.look(dump).contents
    finally:
        store.remove(dump)


def _of_rows(target: Target, tables: frozenset[Table]) -> Samples:
    """Values of the target's tables."""
    found: dict[ColumnName, list[str]] = {}
    for schema, name in sorted(tables):
        table = f"{quoted(schema)}.{quoted(name)}"
        sql = _VALUES.format(table=table, rows=ROWS)
        doing = f"Looking at the rows of {name}"
        dbname = target.names.target
        [[rows]] = target.psql.run(sql, doing=doing, dbname=dbname)
        for row in json.loads(rows or "[]"):
            for column, value in row.items():
                if value not in (None, ""):
                    found.setdefault((schema, name, column), []).append(_text(value))
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
