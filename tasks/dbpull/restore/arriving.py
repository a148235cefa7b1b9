"""The protocol of a dump that is restored while its bytes still arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dbpull.restore.watch import Progress


class Arriving(Protocol):
    """A dump that can be restored while the rest of it arrives."""

    progress: Progress
    """Called with the bytes so far and their total, by the arrival's own thread."""

    @property
    def began(self) -> float:
        """When the arrival began (time.monotonic)."""

    @property
    def ended(self) -> float | None:
        """When the last byte arrived; None before, or where the arrival is not seen."""

    @property
    def where(self) -> str:
        """Where the dump is kept: ` in local/b101.dump`; "" where messages omit it."""

    def finish(self) -> None:
        """Wait until the dump is whole. Raises the error that ended the arrival."""


class Streaming(Arriving, Protocol):
    """A dump that arrives on a host, where one program can read it as it comes."""

    @property
    def total(self) -> int:
        """The dump's bytes."""

    @property
    def listing(self) -> str:
        """The file in which the program finds the list of entries for `-L`."""

    @property
    def left(self) -> int:
        """Bytes of the dump that have not arrived yet."""

    @property
    def rate(self) -> float:
        """Bytes a second, since the arrival began."""

    def fed(self, argv: Sequence[str]) -> list[str]:
        """The command that pipes the arriving dump into the program `argv`."""

    def check(self) -> None:
        """Raise the error that ended the arrival, if any."""
