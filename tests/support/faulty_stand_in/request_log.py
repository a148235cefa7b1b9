"""Which requests a stand-in has seen, and how many bytes it really sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

KEPT = 100_000


@dataclass
class Seen:
    """One request. Holds no secret: no header's value but `Range`, no signature."""

    number: int
    host: str
    """`platform`, `data` or `download`."""
    method: str
    path: str
    query: str = ""
    """Empty for the download host: it is the signature there."""
    range: str = ""
    if_range: str = ""
    authorization: str = ""
    """The scheme: `Bearer`, `Basic`; empty without such a header."""
    connection: int = 0
    """The client's port: requests over one connection have the same."""
    status: int | None = None
    """None: not answered (yet)."""
    sent: int = 0
    """Bytes of the answer's body."""
    faults: list[str] = field(default_factory=list)
    """The kinds of those that struck."""


@dataclass(frozen=True)
class Total:
    """How many requests one host has seen, and how many bytes of bodies it sent."""

    requests: int = 0
    sent: int = 0


def total(seen: Iterable[Seen]) -> Total:
    """The sum over some requests."""
    listed = list(seen)
    return Total(len(listed), sum(one.sent for one in listed))


class RequestLog:
    """The newest requests, oldest of them first."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._count = 0

    def add(self, host: str, method: str, path: str) -> Seen:
        """Note a request that has just come; the caller fills in the rest."""
        self._count += 1
        seen = Seen(self._count, host, method, path)
        self._seen.append(seen)
        del self._seen[:-KEPT]
        return seen

    def forget(self) -> None:
        """Begin anew. Requests under way are no longer counted."""
        self._seen = []

    def all(self) -> list[Seen]:
        """Every request that is kept."""
        return list(self._seen)
