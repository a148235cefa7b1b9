"""Transfers to a host: which part they go on with, and what is restored meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dbpull.console import Reporter
from dbpull.dumps import host_stream
from dbpull.dumps.host_stream import HostStream
from dbpull.hosts.transfer import HostTransfer
from dbpull.restore import streamed
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


class Restored:
    """What is done with a dump of which bytes are still to come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        monkeypatch.setattr(streamed, "stream", self._noting("rows as they come"))
        monkeypatch.setattr(streamed, "stream_argv", lambda *_: [])
        monkeypatch.setattr(host_stream, "by_sections", self._noting("by sections"))

    def _noting(self, what: str) -> Any:
        return lambda *_: self.done.append(what)

    @property
    def transfer(self) -> Any:
        return SimpleNamespace(
            left=90, total=TOTAL, rate=1, is_folder=False, listing="", check=list,
            fed=list, finish=self._noting("whole"), progress=None,
        )  # fmt: skip


@pytest.mark.parametrize("in_order", [True, False])
def test_one_pg_restore_reads_blocks_as_they_come_only_in_their_order(
    in_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored = Restored(monkeypatch)
    dump: Any = SimpleNamespace(label="b1")
    contents: Any = SimpleNamespace(header=SimpleNamespace(tar=False))
    into: Any = SimpleNamespace(jobs=1, on_defined=None)
    stream = HostStream(dump, contents, restored.transfer, in_order=in_order)

    stream.restore(into, Reporter())

    first = ["rows as they come"] if in_order else []
    assert restored.done == [*first, "whole", "by sections"]
