"""Dumps in pg_dump's custom format, written byte by byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Made:
    """Writes dumps as pg_dump of any version would (WriteHead, WriteToc)."""

    minor: int = 14
    width: int = 4
    offset_width: int = 8

    def integer(self, value: int) -> bytes:
        return bytes([value < 0]) + abs(value).to_bytes(self.width, "little")

    def text(self, value: str | None) -> bytes:
        if value is None:
            return self.integer(-1)
        return self.integer(len(value.encode())) + value.encode()

    def header(self, compression: int = 1) -> bytes:
        start = b"PGDMP" + bytes([1, self.minor, 0, self.width, self.offset_width, 1])
        level = self.integer(-1 if compression else 0)
        packed = bytes([compression]) if self.minor > 14 else level
        date = b"".join(map(self.integer, (60, 59, 23, 31, 11, 124, 0)))
        return (
            start + packed + date + b"".join(map(self.text, ("shop", "15.1", "15.2")))
        )

    def entry(
        self,
        dump_id: int,
        tag: str,
        desc: str = "TABLE DATA",
        definition: str = "",
        needs: int = 7,
        copy: str | None = None,
    ) -> bytes:
        has_data = desc in {"TABLE DATA", "BLOBS"}
        parts = [self.integer(dump_id), self.integer(has_data)]
        parts += map(self.text, ("1259", "16385", tag, desc))
        parts += [self.integer(3 if has_data else 4 if desc == "INDEX" else 2)]
        parts += map(self.text, (definition, "", copy, "public", "", "heap"))
        parts += [self.integer(ord("r"))] if self.minor > 15 else []
        parts += map(self.text, ("me", "false", str(needs), None))
        return b"".join(parts) + b"\x01" + bytes(self.offset_width)

    def toc(self, *entries: bytes) -> bytes:
        return self.header() + self.integer(len(entries)) + b"".join(entries)

    def chunks(self, chunks: Iterable[bytes]) -> bytes:
        return b"".join(self.integer(len(c)) + c for c in chunks) + self.integer(0)

    def block(self, dump_id: int, *chunks: bytes) -> bytes:
        return b"\x01" + self.integer(dump_id) + self.chunks(chunks)

    def large_objects(self, dump_id: int, **objects: bytes) -> bytes:
        held = (
            self.integer(int(oid.strip("o"))) + self.chunks([body])
            for oid, body in objects.items()
        )
        return b"\x03" + self.integer(dump_id) + b"".join(held) + self.integer(0)
