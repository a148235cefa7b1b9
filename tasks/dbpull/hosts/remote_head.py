"""The first bytes of a file on a host, as a stream: read block by block, on demand."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from itertools import count

from dbpull.errors.hosts import HostRefused
from dbpull.hosts.host import Host

BLOCK = 65536
ALL = 1 << 62  # bytes: more than any file has
LONGEST = 16
"""The most blocks in one answer: each further read asks for twice as many."""


class RemoteHead(io.BufferedIOBase):
    """Reads a file on a host from its start; `reach` waits for its bytes.

    The bytes travel compressed: tables of contents shrink to a tenth.
    """

    def __init__(
        self, shell: Host, path: str, reach: Callable[[int], int] = lambda _: ALL
    ) -> None:
        self._shell = shell
        self._path = path
        self._reach = reach
        self._at = 0  # in blocks
        self._ahead = b""
        self._tries = count()

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """That many bytes, or all; fewer at the end."""
        count = ALL if size is None or size < 0 else size
        while len(self._ahead) < count and (more := self._next()):
            self._ahead += more
        found, self._ahead = self._ahead[:count], self._ahead[count:]
        return found

    def read1(self, size: int = -1, /) -> bytes:
        """The next bytes, as many as come at once; b"" at the end."""
        found, self._ahead = self._ahead, b""
        return found or self._next()

    def _next(self) -> bytes:
        wanted = min(2 ** next(self._tries), LONGEST)
        available = self._reach((self._at + 1) * BLOCK)
        blocks = max(1, min(wanted, available // BLOCK - self._at))
        data = self._blocks(self._at, blocks)
        self._at += blocks
        return data

    def _blocks(self, first: int, count: int) -> bytes:
        argv = self._shell.script("remote_head", self._path, str(first), str(count))
        code, out, err = self._shell.exchange(argv)
        if code:
            raise HostRefused.by(self._shell.where, "Reading the dump", err.decode())
        packed, data = out[:1] == b"z", out[1:]
        return gzip.decompress(data) if packed else data
