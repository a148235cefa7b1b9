"""This machine's own programs of PostgreSQL."""

from __future__ import annotations

from databases import FOLDERS
from dbpull.postgres import programs
from dbpull.shell.local import Local


def test_this_machines_are_found() -> None:
    found = programs.find(Local(), "pg_restore")

    majors = {int(name) for name in FOLDERS if name.isdigit()}
    assert majors <= {program.major for program in found}
    assert ("wheel" in FOLDERS) == any(program.embedded for program in found)
