"""The bucket where dumps lie, as an S3 bucket: keys, objects, strong ETags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

EDGE = 1 << 20


@dataclass(frozen=True)
class Object:
    """A file under a key; never written again: a change makes another object."""

    path: Path
    size: int
    etag: str
    """The ETag with its quotes, as in headers."""
    modified: datetime


class Bucket:
    """Objects by key."""

    def __init__(self) -> None:
        self._objects: dict[str, Object] = {}

    def put(self, key: str, path: Path) -> Object:
        """Store a whole file, in place of an object with the same key."""
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        stored = Object(path, path.stat().st_size, _etag(path), modified)
        self._objects[key] = stored
        return stored

    def get(self, key: str) -> Object | None:
        """The object with this key, or None."""
        return self._objects.get(key)

    def delete(self, key: str) -> None:
        """Forget the object; the file stays, since other objects may share it."""
        self._objects.pop(key, None)


def _etag(path: Path) -> str:
    """From a file's ends, size and time: enough, since no file is written twice."""
    status = path.stat()
    digest = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(EDGE))
        file.seek(max(0, status.st_size - EDGE))
        digest.update(file.read(EDGE))
    parts = 1 + status.st_size // (20 << 20)
    return f'"{digest.hexdigest()[:32]}-{parts}"'
