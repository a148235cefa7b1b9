"""The files of a host's folder of dumps, as `list` of host.sh tells them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dbpull.dumps.names import Dump


def listed(lines: Iterable[str], folder: Path) -> list[tuple[Path, int]]:
    """The files of these lines, each with its bytes."""
    pairs = (line.partition("\t")[::2] for line in lines)
    return [(folder / name, int(count)) for count, name in pairs]


def named(files: Iterable[tuple[Path, int]], suffix: str) -> list[Path]:
    """The files with this suffix."""
    return [path for path, _ in files if path.suffix == suffix]


def whole_dumps(files: Iterable[tuple[Path, int]]) -> list[Dump]:
    """The dumps among the files."""
    return [Dump.of(path) for path in named(files, ".dump")]
