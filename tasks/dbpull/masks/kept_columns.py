"""kept-columns.txt: the columns that come as they are, as somebody has decided.

It is committed beside invoke.yaml. A line has a column and its type; a line that
begins with `?` waits for a decision. Odd names are written as JSON does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dbpull.errors.masks import MaskError

if TYPE_CHECKING:
    from dbpull.masks.tables import ColumnName

FILE = "kept-columns.txt"
_HEAD = """\
# Columns that a masked pull takes as they are: schema.table.column  type
# A line that begins with ? waits for a decision: remove the ?, or give the column a
# rule in invoke.yaml and remove the line.
"""
_PART = r'("(?:[^"\\]|\\.)*"|[^\s".]+)'
_LINE = re.compile(rf"(\? )?{_PART}\.{_PART}\.{_PART}  (\S.*)")
_SIMPLE = re.compile(r'[^\s".?#][^\s".]*')

Kept: TypeAlias = "Mapping[ColumnName, tuple[str, bool]]"
"""Of each column in the file its type, and whether it is decided."""


def read(folder: Path) -> dict[ColumnName, tuple[str, bool]]:
    """The columns in a folder's file; none without a file. Raises MaskError."""
    path = folder / FILE
    if not path.exists():
        return {}
    return dict(_read(path.read_text(encoding="utf-8", errors="surrogateescape")))


def write(folder: Path, columns: Kept) -> None:
    """Write the file, sorted by column."""
    text = "".join(f"{line}\n" for line in _lines(columns))
    path = folder / FILE
    path.write_text(_HEAD + text, encoding="utf-8", errors="surrogateescape")


def written(name: Iterable[str]) -> str:
    """A column's name as the file has it: `public.users.email`."""
    return ".".join(
        part if _SIMPLE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
        for part in name
    )


def _lines(columns: Kept) -> Iterator[str]:
    for name, (type_, decided) in sorted(columns.items()):
        yield f"{'' if decided else '? '}{written(name)}  {type_}"


def _read(text: str) -> Iterator[tuple[ColumnName, tuple[str, bool]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.rstrip())
        if not found:
            raise MaskError(
                f"Line {number} of {FILE} can't be read.",
                "Write schema.table.column, two spaces, and the type.",
            )
        schema, table, column = map(_part, found.groups()[1:4])
        yield (schema, table, column), (found[5], not found[1])


def _part(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text
