"""Which backup of a source is pulled, whatever the source is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from dbpull.console import Reporter
from dbpull.errors.sources import NoBackup
from dbpull.sources import choice
from dbpull.sources.source import ByUrl, Progress, SourceBackup, SourceDatabase
from dbpull.target.guard import Address

DAY = 24 * 60 * 60


def backup(number: int, *, hours: int = 1, is_finished: bool = True) -> SourceBackup:
    made = SourceBackup(
        id=f"n{number}",
        uuid=f"elsewhere-{number}",
        source="elsewhere",
        database="main",
        taken=datetime.now(UTC) - timedelta(hours=hours),
        status="finished" if is_finished else "running",
        is_finished=is_finished,
        size=None,
        server=None,
        way=ByUrl(lambda: "https://example.com/dump"),
        ended=lambda _wait, _progress: replace(made, is_finished=True),
    )
    return made


@dataclass(eq=False)
class Elsewhere:
    """A database of a source that nobody has heard of."""

    kept: list[SourceBackup]
    waits: list[float] = field(default_factory=list)
    label: str = "elsewhere"
    about: str = "elsewhere [--app], main"
    name_of_dumps: str = "elsewhere"
    version: str | None = None
    size: int | None = None
    server: Address | None = None
    identity: None = None
    keeps_backups: bool = True
    takes_backups: bool = True
    capture_requests: Sequence[str] = ()

    def newest(self) -> SourceBackup:
        if not self.kept:
            raise NoBackup(["main"])
        return self.kept[0]

    def named(self, backup: str) -> SourceBackup:
        return next(each for each in self.kept if each.id == backup)

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        progress(1, 2)
        self.waits.append(wait)
        return backup(99, hours=0)


def obtained(
    database: SourceDatabase, named: str | None = None, *, capture: bool = False
) -> SourceBackup:
    chosen = choice.choose(database, backup=named, capture=capture, max_age=DAY)
    return choice.obtain(database, chosen, 7, Reporter())


def test_the_newest_backup_is_pulled_while_it_is_young() -> None:
    database = Elsewhere([backup(2, hours=23), backup(1, hours=30)])

    assert obtained(database).id == "n2"
    assert not database.waits


@pytest.mark.parametrize("kept", [[], [backup(2, hours=25)]])
def test_a_backup_is_captured_where_none_is_young(kept: list[SourceBackup]) -> None:
    database = Elsewhere(kept)

    assert obtained(database).id == "n99"
    assert database.waits == [7]


def test_a_backup_is_captured_where_that_is_asked_for() -> None:
    database = Elsewhere([backup(2)])

    assert obtained(database, capture=True).id == "n99"
    assert choice.capture(database, 8, Reporter()).id == "n99"
    assert database.waits == [7, 8]


def test_the_named_backup_is_waited_for_however_old() -> None:
    database = Elsewhere([backup(2), backup(1, hours=90, is_finished=False)])

    pulled, fetched = (
        obtained(database, "n1"),
        choice.existing(database, "n1", 7, Reporter()),
    )

    assert (pulled.id, pulled.is_finished) == ("n1", True)
    assert (fetched.id, fetched.is_finished) == ("n1", True)
    assert not database.waits


def test_without_a_backup_a_fetch_is_refused() -> None:
    with pytest.raises(NoBackup):
        choice.existing(Elsewhere([]), None, 7, Reporter())
