"""The journal, `<name>.part.journal`: the valid bytes of a part, even after kill -9.

Lines of JSON. The first line names the object (size, etag) and the chunk size. Further
lines name complete chunks with their crc32, first bytes of incomplete chunks with
their crc32, and the pid of each run. A line is written after its bytes, and bytes count
only after they were read again and fit the crc, so nothing needs an fsync.
Older versions know complete chunks alone, and skip other lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbpull.errors.download import CannotStore


@dataclass(frozen=True)
class Identity:
    """The identity of an object: its size in bytes and its ETag.

    `size` is None where the server told no size. Without an etag, another run can't be
    sure that the object is the same.
    """

    size: int | None
    etag: str | None

    @property
    def strong(self) -> bool:
        """Whether the etag may stand in If-Range (RFC 9110, 13.1.5)."""
        return self.etag is not None and not self.etag.startswith("W/")


@dataclass(frozen=True)
class Record:
    """The content of an earlier run's journal.

    `checksums` has, by a chunk's index and by n, the crc32 of the first n bytes.
    """

    identity: Identity
    chunk: int
    checksums: dict[int, dict[int, int]] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """Add the checksum of a chunk's line; ignore lines of other kinds."""
        if "crc32" not in line and "crc32_so_far" not in line:
            return
        index = int(line["index"])
        whole = min(self.chunk, (self.identity.size or 0) - index * self.chunk)
        if "crc32" in line:
            count, crc = whole, int(line["crc32"])
        else:
            count, crc = int(line["arrived"]), int(line["crc32_so_far"])
        if index >= 0 and 0 < count <= whole:
            self.checksums.setdefault(index, {})[count] = crc


class Journal:
    """The journal beside a part file. Raises CannotStore where it can't be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Record | None:
        """Return the content of the whole lines; a full disk may leave torn lines."""
        lines = self._lines()
        try:
            first = next(iter(lines), {})
            size, etag = first["size"], first["etag"]
            record = Record(Identity(int(size), str(etag)), int(first["chunk"]))
        except (KeyError, TypeError, ValueError):
            return None
        for line in lines[1:]:
            with suppress(KeyError, TypeError, ValueError):
                record.add(line)
        return record if record.chunk > 0 and etag else None

    def holder(self) -> int | None:
        """Return the pid of the last run that wrote to the journal, if any."""
        pids = [line["pid"] for line in self._lines() if "pid" in line]
        return pids[-1] if pids and isinstance(pids[-1], int) else None

    def begin(self, identity: Identity, chunk: int) -> None:
        """Start a new journal for an object."""
        self.remove()
        first = {"size": identity.size, "etag": identity.etag, "chunk": chunk}
        self._append(first, os.O_CREAT)
        self._append({"pid": os.getpid()})

    def resume(self) -> None:
        """Go on writing after the last whole line."""
        with self.path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
        self._append({"pid": os.getpid()})

    def add(self, index: int, crc32: int) -> None:
        """Note a complete chunk."""
        self._append({"index": index, "crc32": crc32})

    def add_start(self, index: int, arrived: int, crc32: int) -> None:
        """Note the first `arrived` bytes of a chunk."""
        line = {"index": index, "arrived": arrived, "crc32_so_far": crc32}
        self._append(line)

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _lines(self) -> list[dict[str, Any]]:
        try:
            *whole, _torn = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CannotStore.failed(self.path, error) from error
        found: list[dict[str, Any]] = []
        for line in whole:
            with suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    found.append(value)
        return found

    def _append(self, line: Mapping[str, object], create: int = 0) -> None:
        """Write a line by one system call, so that threads and kill -9 can't mix lines.

        A removed journal stays removed: its part is of no use.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | create
        try:
            fd = os.open(self.path, flags, 0o600)
            try:
                os.write(fd, json.dumps(line).encode() + b"\n")
            finally:
                os.close(fd)
        except FileNotFoundError:
            return
        except OSError as error:
            raise CannotStore.failed(self.path, error) from error
