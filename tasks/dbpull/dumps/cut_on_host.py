"""A dump on a host by its first bytes and its last: its contents, and its wholeness.

Only these bytes are read here; pg_restore on the host reads the rows.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO, cast

from dbpull import archive, layers
from dbpull.archive import Archive, ends_whole
from dbpull.errors.archive import TruncatedDump, UnsupportedDump
from dbpull.hosts.host import Host
from dbpull.postgres import programs
from dbpull.restore.sections import numbers

TAIL = 64 * 1024
"""The number of last bytes of a dump that are read from the host."""
SMALL = 16 * 1024 * 1024
"""The bytes of a dump that pg_restore reads in less time than a round trip takes."""
# pg_backup_custom.c, _ReadBuf, _readBlockHeader and _PrintTocData
_CUT = ("end of file", "could not find block ID")


def read_head(head: Callable[[], io.BufferedIOBase]) -> Archive:
    """The table of contents of a dump in any of pg_dump's formats.

    `head` opens the dump; of a dump in a folder its toc.dat. Raises BadDump.
    """
    try:
        return archive.read(cast("BinaryIO", head()))
    except UnsupportedDump:
        stream = head()
        # In a tar of pg_dump's, toc.dat comes first.
        tar = stream.read(layers.BLOCK).startswith(layers.OWN_TAR)
        stream = stream if tar else head()
        contents = archive.read(cast("BinaryIO", stream), toc=True)
        return replace(contents, header=replace(contents.header, tar=tar))


def refuse_cut(shell: Host, contents: Archive, path: str, size: int) -> None:
    """Raise TruncatedDump where a dump ends before the end of its last data block.

    `size`: the dump's bytes.
    """
    if not contents.with_data:
        return
    if size > SMALL and _shows_end(shell, path, contents):
        return
    if not _has_end(shell, path, contents):
        where = "before the end of its data"
        raise TruncatedDump(f"{shell.where}:{path}", size, where)


def _shows_end(shell: Host, path: str, contents: Archive) -> bool:
    """Whether a dump's last bytes show its last data block to the end.

    Not where the block is long, or more data comes after it.
    """
    _, tail, _ = shell.exchange(["tail", "-c", str(TAIL), path])
    return ends_whole(tail, contents)


def _has_end(shell: Host, path: str, contents: Archive) -> bool:
    """Whether pg_restore finds the last data block, and its end.

    It looks for the block: a file may end between two blocks.
    """
    program = programs.newest(shell, "pg_restore")
    if not program:
        return True  # the host can't restore without pg_restore; the dump may be whole
    argv = [program.path, "--data-only", "-L", "/dev/stdin", "-f", "/dev/null", path]
    last = numbers(contents.with_data[-1:])
    result = shell.run(argv, env={"LC_ALL": "C"}, stdin=last)
    return not any(message in result.err for message in _CUT)
