"""Which part on a host a transfer goes on with: one of the same object alone."""

from __future__ import annotations

from typing import Any

import pytest

from dbpull.hosts.transfer import HostTransfer
from dbpull.shell import Result

TOTAL = 100


class Begun:
    """A host that has a part of `size` bytes, with that journal."""

    where = "devbox"

    def __init__(self, size: int, journal: str) -> None:
        self._answer = f"{10**12}\n{size}\n{journal}\n"
        self.anew = False

    def verb(self, *words: str) -> Result:
        return Result(words, 0, self._answer, "")

    def script(self, verb: str, *_: str) -> list[str]:
        self.anew = self.anew or verb == "anew"
        return []

    def check(self, *_: object) -> None:
        """Do what was asked for."""

    def run(self, _: list[str]) -> None:
        """Unlock the part."""


class Transport:
    """Brings nothing."""

    total = TOTAL

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def bring(self, _: HostTransfer) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("size", "journal", "identity", "already"),
    [
        (40, "100 one", "one", 40),
        (100, "100 one", "one", 100),
        (101, "100 one", "one", 0),
        (0, "100 one", "one", 0),
        (40, "100 one", "two", 0),
        (40, "99 one", "one", 0),
        (40, "100 one", "", 0),
        (40, "100", "one", 0),
        (40, "100", "", 0),
        (40, "", "one", 0),
    ],
)
def test_a_part_of_the_same_object_alone_is_gone_on_with(
    size: int, journal: str, identity: str, already: int
) -> None:
    shell: Any = Begun(size, journal)

    with HostTransfer(shell, "/b1.dump", Transport(identity)) as transfer:
        assert (transfer.already, transfer.have) == (already, already)

    # Of one that is empty and this object's, the host has begun anew just now.
    begun = (size, journal) == (0, f"{TOTAL} {identity}")
    assert shell.anew == (already == 0 and not begun)
