"""The commands of a restore for a plan, from the code that runs them."""

from __future__ import annotations

import shlex

from dbpull.archive import Archive
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.order import Part
from dbpull.restore.sections import SECTIONS, Restore
from dbpull.restore.streamed import stream_argv
from dbpull.shell import LISTING

LIST = "LIST"
"""Stands for the file that lists a pg_restore's entries."""


def of_engine(restore: Restore, contents: Archive | None = None) -> list[str]:
    """The engine's commands; without contents, those of any dump.

    The keys of post-data that the engine may have made before are among them.
    """
    remaining: list[Part] = []
    if contents:
        remaining = Dependencies(contents, restore.selection).remaining(set())
    argv = [LIST if word == LISTING else word for word in restore.piped_argv()]
    many = f"for definitions, rows and keys, at most {restore.jobs} at once"
    return [
        f"{_reading(argv, restore)}  ({many}; then)",
        *_section(restore, "post-data", remaining),
    ]


def of_sections(restore: Restore) -> list[str]:
    """The commands that restore one section after the other."""
    return [
        line
        for section in SECTIONS
        for line in _section(restore, section, restore.parts(section))
    ]


def of_arriving(restore: Restore) -> list[str]:
    """The commands that restore a dump that arrives on a host."""
    streamed = _reading(stream_argv(restore, LIST), restore)
    return [
        f"{streamed}  (while it arrives slowly; else section by section)",
        *of_sections(restore),
    ]


def _section(restore: Restore, section: str, parts: list[Part]) -> list[str]:
    """The commands of a section's parts; of the whole section where none is known."""
    return [shlex.join(restore.argv(section, part)) for part in parts or [Part(())]]


def _reading(argv: list[str], restore: Restore) -> str:
    return f"{shlex.join(argv)} <{shlex.quote(str(restore.dump))}"
