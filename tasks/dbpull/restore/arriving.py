"""A dump that can be restored while the rest of it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dbpull.restore.watch import Progress


class Arriving(Protocol):
    """A dump that can be restored while the rest of it arrives."""

    progress: Progress
    """Told of its bytes, by a thread of its own."""

    @property
    def began(self) -> float:
        """When it began to (of time.monotonic)."""

    @property
    def ended(self) -> float | None:
        """When the last byte was here; None before, or where that is not seen."""

    @property
    def where(self) -> str:
        """Where it will lie: ` in local/b101.dump`; "" where that need not be said."""

    def finish(self) -> None:
        """Wait until it is whole. Raises what ended the arrival."""


class Streaming(Arriving, Protocol):
    """One that arrives on a host, where one program can be fed with it."""

    @property
    def total(self) -> int:
        """The dump's bytes."""

    @property
    def listing(self) -> str:
        """The file in which a fed program finds what came on its stdin."""

    @property
    def left(self) -> int:
        """Bytes that are still to come."""

    @property
    def rate(self) -> float:
        """Bytes a second, up to now."""

    def fed(self, argv: Sequence[str]) -> list[str]:
        """The command that feeds it to a program as it arrives."""

    def check(self) -> None:
        """Raise what ended the arrival."""
