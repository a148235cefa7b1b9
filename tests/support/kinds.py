"""Databases of every kind of object, their dumps, and what pg_restore makes of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import pytest

from databases import AS_HEROKU
from dbpull import archive
from once import once
from targets import Watched

_TEXT = Path(__file__).with_name("kinds.sql").read_text(encoding="utf-8")
_PARTS = dict(part.split("\n", 1) for part in _TEXT.split("\n-- # ")[1:])
UNSAID = {
    "rows": ("ordered", "judged", "examined"),
    "turns": ("races", "attached", "refreshed"),
    "behind": ("displaced", "typed", "calling"),
}
"""What must be restored in an order of which dumps say nothing, or the contrary.

Each a database of several schemas; those that would hide each other are apart.
"""


def _schemas(names: tuple[str, ...]) -> str:
    """One script of several parts, each in a schema of its own."""
    return "".join(
        f"CREATE SCHEMA {name}; SET search_path = {name};\n"
        + _PARTS[name].replace("public.", f"{name}.")
        for name in names
    )


SQL = _PARTS | {name: _schemas(parts) for name, parts in UNSAID.items()}
"""Of each database, by its name."""
UNPUBLISH = """
SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication \\gexec
"""
HEROKU_EXT = "CREATE SCHEMA heroku_ext;"
# What pg_dump does not tell: the rows of materialized views, and which are filled; the
# indexes that serve; who depends on whom.
UNTOLD = """
SET enable_indexscan = off; SET enable_bitmapscan = off; SET search_path = '';
SELECT format('SELECT %L, one::text FROM %s AS one ORDER BY 2', oid::regclass,
  oid::regclass) FROM pg_class WHERE relkind = 'm' AND relispopulated
  ORDER BY oid::regclass::text \\gexec
SELECT indexrelid::regclass, indisvalid, indisready, indisclustered, indisreplident
  FROM pg_index WHERE indexrelid >= 16384 AND indrelid::regclass::text !~ 'pg_toast'
  ORDER BY indexrelid::regclass::text;
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), conislocal, coninhcount,
  conindid::regclass FROM pg_constraint WHERE conrelid >= 16384
  ORDER BY conrelid::regclass::text, conname;
SELECT classid::regclass, refclassid::regclass, deptype, count(*) FROM pg_depend
  WHERE objid >= 16384 GROUP BY 1, 2, 3
  ORDER BY classid::regclass::text, refclassid::regclass::text, deptype;
"""
_FORMATS = {"dump": (), "plain": ("-Z0",), "tar": ("-Ft",)}
"""A dump's options, by its file's name: compressed, not compressed, as a tar file."""
_WANTED = {"kinds": ("dump", "plain"), "many": ("plain",), "keys": ("plain",)}
STATISTICS = "statistics"
"""A dump of `kinds` with what ANALYZE finds, by a pg_dump that can tell."""


@dataclass(frozen=True)
class Kinds:
    """One of them: dumps and texts, made once a run, of a database that is gone."""

    on: Watched
    name: str
    folder: Path

    @classmethod
    def of(cls, on: Watched, name: str, run_folder: Path) -> Kinds:
        """That database's, as that server's programs dump it."""
        folder = run_folder / f"{name}-{on.major}"
        return cls(on, name, once(folder, lambda half: cls(on, name, half)._make()))

    def _make(self) -> None:
        source = self.on.database(SQL[self.name])
        for file in _files(self.name):
            self.on.dump(source, self.folder / file, *AS_HEROKU, *_FORMATS[file])
        whole = everything(self.on, source)
        _write(self.folder / "source", whole)
        # Of the others all is restored, and in order: it equals the source (tried out).
        if self.name != "kinds":
            _write(self.folder / "serial", whole)
        else:
            self._restore()
            self._dump_statistics(source)
        self.on.drop_like(source)

    def _restore(self) -> None:
        """What a serial pg_restore makes of it; publications are left out later."""
        dbname = self._restored(self.dump, lambda _: True)
        _write(self.folder / "whole", everything(self.on, dbname))
        self.on.sql(dbname, UNPUBLISH)
        _write(self.folder / "serial", everything(self.on, dbname))
        self.on.drop_like(dbname)

    def _dump_statistics(self, source: str) -> None:
        if self.on.major >= 18:
            self.on.sql(source, "ANALYZE;")
            options = (*AS_HEROKU, "--statistics")
            self.on.dump(source, self.folder / STATISTICS, *options)

    @property
    def dump(self) -> Path:
        """A dump of it, made as Heroku makes them if it has one of those."""
        return self.folder / _files(self.name)[0]

    @property
    def source(self) -> list[str]:
        """Everything in the database itself."""
        return _read(self.folder / "source")

    @property
    def whole(self) -> list[str]:
        """Everything in what a serial pg_restore makes of its dump."""
        return _read(self.folder / "whole")

    @property
    def serial(self) -> list[str]:
        """The same without publications, which dbpull leaves out."""
        return _read(self.folder / "serial")

    def restored(self, dump: Path, without: Collection[str] = ()) -> list[str]:
        """The same of that dump; `without` names tables whose rows are left out."""
        dbname = self._restored(
            dump,
            lambda one: (
                not (one.desc == "TABLE DATA" and one.tag in without)
                and "PUBLICATION" not in f"{one.desc} {one.tag}"
            ),
        )
        found = everything(self.on, dbname)
        self.on.drop_like(dbname)
        return found

    def _restored(self, dump: Path, wanted: Callable[[archive.Entry], bool]) -> str:
        """A database that a serial pg_restore makes of these entries; its name."""
        listing = "".join(f"{one.dump_id};\n" for one in entries(dump) if wanted(one))
        needed = HEROKU_EXT in SQL.get(self.name, "")
        dbname = self.on.database(HEROKU_EXT if needed else "")
        _pg_restore(self.on, dbname, dump, listing)
        return dbname


def _files(name: str) -> tuple[str, ...]:
    return _WANTED.get(name, ("dump", "tar"))


def _pg_restore(on: Watched, dbname: str, dump: Path, listing: str) -> None:
    argv = [on.program("pg_restore"), "--no-owner", "--no-acl", "--exit-on-error"]
    argv += ["-L", "/dev/stdin", "-d", dbname, str(dump)]
    done = subprocess.run(
        argv,
        env=on.connection(dbname).environment(),
        input=listing,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def entries(dump: Path) -> tuple[archive.Entry, ...]:
    with dump.open("rb") as file:
        return archive.read(file).entries


def everything(on: Watched, dbname: str) -> list[str]:
    """What is in a database: as pg_dump has it, and what that does not tell."""
    return on.likeness(dbname).splitlines() + on.sql(dbname, UNTOLD).splitlines()


def refuse_differences(ours: list[str], theirs: list[str]) -> None:
    """Fail with the first of them, cut short: a row may have 1.5 MB."""
    if ours != theirs:
        lines = unified_diff(theirs, ours, "pg_restore's", "dbpull's", n=3, lineterm="")
        pytest.fail("\n".join(line[:200] for line in islice(lines, 60)))


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines), encoding="utf-8", newline="")


def _read(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read().split("\n")
