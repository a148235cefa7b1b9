"""The sizes of a former dump's blocks, which stay when the dump is removed.

They tell where each table about lies in the next dump of the same database. A hidden
file of JSON beside the dumps has the tables' names and sizes, nothing of their rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dbpull.archive import Archive, Block
from dbpull.dumps.names import Dump

LEAST = 16 * 1024 * 1024
"""The bytes of a dump from which the order of its arrival matters."""
SMALL_CHUNK = 2 * 1024 * 1024
"""Bytes that a connection asks for at a time where they come in another order."""
_SUFFIX = ".dump-sizes"  # git ignores it where it ignores dumps
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


def keep(dump: Dump, contents: Archive, blocks: Iterable[Block]) -> None:
    """Keep the sizes of a verified dump; without them, the next one is only slower."""
    sizes = {block.dump_id: block.end - block.start for block in blocks}
    if sum(sizes.values()) < LEAST or not dump.is_ours:
        return
    lines = [
        [entry.namespace, entry.tag, sizes[entry.dump_id]]
        for entry in contents.with_data
    ]
    with suppress(OSError):
        fd = os.open(_path(dump), _FLAGS, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump({"blocks": lines}, file)


def is_known(dump: Dump) -> bool:
    """Whether sizes of a former dump of the same database are kept."""
    return _path(dump).is_file()


def sizes_in(dump: Dump, contents: Archive) -> Mapping[int, int]:
    """The sizes that a new dump's blocks had in the former dump, by new dump id.

    Empty where none is known; new tables are left out.
    """
    try:
        kept = json.loads(_path(dump).read_bytes())["blocks"]
        former = {(namespace, tag): int(size) for namespace, tag, size in kept}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {
        entry.dump_id: former[entry.namespace, entry.tag]
        for entry in contents.with_data
        if (entry.namespace, entry.tag) in former
    }


def _path(dump: Dump) -> Path:
    database = f"-{dump.database}" if dump.database else ""
    return dump.path.with_name(f".{dump.app}{database}{_SUFFIX}")
