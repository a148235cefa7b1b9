"""`<name>.part.journal`: which chunks of a part file have arrived, across kill -9.

Lines of JSON. The first names the object (size, etag) and the chunk size; then one line
per complete chunk with its crc32, and one with the pid of each run. A chunk is trusted
only after its bytes were read again and fit the crc, so nothing needs an fsync.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbpull.errors.download import CannotStore


@dataclass(frozen=True)
class Identity:
    """What tells one object from another: its size in bytes and its ETag.

    Without a size the server told none; without an etag another run can't be sure that
    the object is still the same.
    """

    size: int | None
    etag: str | None

    @property
    def strong(self) -> bool:
        """Whether the etag may stand in If-Range (RFC 9110, 13.1.5)."""
        return self.etag is not None and not self.etag.startswith("W/")


@dataclass(frozen=True)
class Record:
    """What an earlier run has left: `checksums` are crc32s by the chunk's index."""

    identity: Identity
    chunk: int
    checksums: dict[int, int] = field(default_factory=dict)


class Journal:
    """The journal beside a part file. Raises CannotStore where it can't be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Record | None:
        """Return what the journal says, up to its first line that is not whole."""
        lines = self._lines()
        try:
            first = next(iter(lines), {})
            size, etag = first["size"], first["etag"]
            record = Record(Identity(int(size), str(etag)), int(first["chunk"]))
            for line in lines[1:]:
                if "crc32" in line:
                    record.checksums[int(line["index"])] = int(line["crc32"])
        except (KeyError, TypeError, ValueError):
            return None
        return record if record.chunk > 0 and etag else None

    def holder(self) -> int | None:
        """Return the pid of the last run that wrote here, if any."""
        pids = [line["pid"] for line in self._lines() if "pid" in line]
        return pids[-1] if pids and isinstance(pids[-1], int) else None

    def begin(self, identity: Identity, chunk: int) -> None:
        """Start anew for this object."""
        self.remove()
        self._append({"size": identity.size, "etag": identity.etag, "chunk": chunk})
        self._append({"pid": os.getpid()})

    def resume(self) -> None:
        """Go on writing after the last whole line."""
        with self.path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
        self._append({"pid": os.getpid()})

    def add(self, index: int, crc32: int) -> None:
        """Note a complete chunk."""
        self._append({"index": index, "crc32": crc32})

    def remove(self) -> None:
        """Forget everything."""
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
            try:
                value = json.loads(line)
            except ValueError:
                break
            if not isinstance(value, dict):
                break
            found.append(value)
        return found

    def _append(self, line: dict[str, object]) -> None:
        """Write one line by one call, so that threads and kill -9 can't mix lines."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self.path, flags, 0o600)
            try:
                os.write(fd, json.dumps(line).encode() + b"\n")
            finally:
                os.close(fd)
        except OSError as error:
            raise CannotStore.failed(self.path, error) from error
