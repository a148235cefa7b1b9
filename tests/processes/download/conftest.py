"""Each test has a host to download from and a place for the dump."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbpull import download
from dbpull.download import backoff
from downloads import CONTENT
from range_server import RangeServer

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine; pauses of milliseconds, and patience under any load."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(backoff, "OPENING", 60.0)
    monkeypatch.setattr(backoff, "SPEAK_AFTER", 0.0)
    monkeypatch.setattr(download, "STOPPING", 30.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download gives up soon where no first byte comes."""
    monkeypatch.setattr(backoff, "OPENING", 0.4)


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer(CONTENT) as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dumps" / "b101.dump"
