"""A unit test starts no program: one that does fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

STARTS = {
    "subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
    "os.spawn", "os.startfile", "os.system",
}  # fmt: skip
_watched: list[str] = []
"""The unit test that is being run: the workers run other tests, too."""


def _refuse_start(event: str, _: object) -> None:
    if event in STARTS and _watched:
        pytest.fail(f"{event}: what starts a program belongs to tests/processes")


sys.addaudithook(_refuse_start)  # there is no taking it away


@pytest.fixture(autouse=True)
def no_program(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail what starts a program."""
    _watched.append(request.node.nodeid)
    yield
    _watched.clear()
