"""The dumps that lie here, told by their names."""

from __future__ import annotations

import fcntl
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from dbpull.dumps import names
from dbpull.dumps.names import Dump

TAKEN = datetime(2024, 5, 1, 12, 30, 15, tzinfo=UTC)


def lay(folder: Path, app: str, backup: str, age: int) -> Dump:
    """A dump of an app that is so many hours old."""
    dump = Dump.named(folder, app, backup, TAKEN - timedelta(hours=age))
    dump.path.write_bytes(b"x" * 10)
    return dump


@pytest.mark.parametrize("app", ["shop", "shop-eu", "shop-b7", "s-2024"])
@pytest.mark.parametrize("backup", ["b101", "a042", "o1"])
def test_a_name_tells_what_it_was_made_from(
    tmp_path: Path, app: str, backup: str
) -> None:
    made = Dump.named(tmp_path, app, backup, TAKEN)

    assert made.path.name == f"{app}-{backup}-20240501T123015Z.dump"
    assert Dump.of(made.path) == made
    assert made.label == f"{app} {backup}"


@pytest.mark.parametrize(
    ("database", "which"),
    [
        ("NAVY_URL", "NAVY"),
        ("5ba2ba8b-07a9-4a65-a808-585a50e37f98", None),
        ("postgresql-curved-12345", None),
        ("shop::DATABASE_URL", ""),
    ],
)
def test_a_name_tells_which_database_too(
    tmp_path: Path, database: str, which: str | None
) -> None:
    made = Dump.named(tmp_path, "shop-2024", "b101", TAKEN, database)
    made.path.touch()

    wanted = re.sub("-", "_", database).upper() if which is None else which
    assert Dump.of(made.path) == made
    assert made.database == wanted
    assert names.dumps_in(tmp_path, "shop-2024", database) == [made]


def test_names_tell_the_time_in_utc(tmp_path: Path) -> None:
    berlin = TAKEN.astimezone(timezone(timedelta(hours=2)))

    assert Dump.named(tmp_path, "shop", "b1", berlin).path.name.endswith(
        "T123015Z.dump"
    )


@pytest.mark.parametrize(
    "name",
    ["latest.dump", "shop-b1.dump", "shop-b1-20249999T999999Z.dump", "Shop-b1-x.dump"],
)
def test_a_file_with_another_name_is_its_own(tmp_path: Path, name: str) -> None:
    dump = Dump.of(tmp_path / name)

    assert (dump.app, dump.backup, dump.taken, dump.label) == ("", name, None, name)


def test_dumps_are_listed_newest_first_of_one_app_or_of_all(tmp_path: Path) -> None:
    old, new = lay(tmp_path, "shop", "b9", 5), lay(tmp_path, "shop", "b10", 1)
    other = lay(tmp_path, "shop-eu", "b3", 3)
    (tmp_path / "foreign.dump").touch()
    (tmp_path / (new.path.name + ".part")).touch()
    Dump.named(tmp_path, "shop", "b11", TAKEN).path.mkdir()

    assert names.dumps_in(tmp_path) == [new, other, old]
    assert names.dumps_in(tmp_path, "shop") == [new, old]
    assert names.dumps_in(tmp_path, "sho") == []
    assert names.dumps_in(tmp_path / "nowhere") == []
    assert new.size == 10


def test_each_app_keeps_its_newest(tmp_path: Path) -> None:
    shop = [lay(tmp_path, "shop", f"b{n}", n) for n in range(1, 6)]
    other = [lay(tmp_path, "other", f"b{n}", n) for n in range(1, 4)]
    (tmp_path / "foreign.dump").touch()

    assert names.beyond(names.dumps_in(tmp_path), 3) == shop[3:]
    assert names.beyond(names.dumps_in(tmp_path, "other"), 1) == other[1:]
    assert names.beyond(names.dumps_in(tmp_path), 9) == []
    assert names.beyond(names.dumps_in(tmp_path, "shop"), 3, shop[4]) == [shop[3]]


def test_parts_that_nobody_is_at_work_on_are_removed(tmp_path: Path) -> None:
    name = Dump.named(tmp_path, "shop", "b1", TAKEN).path.name
    busy = Dump.named(tmp_path, "shop", "b2", TAKEN).path.name
    for laid in (f"{name}.part", f"{name}.part.journal", f"{busy}.part", "x.part"):
        (tmp_path / laid).touch()

    part, held = tmp_path / f"{name}.part", tmp_path / f"{busy}.part"
    assert sorted(names.parts(tmp_path)) == [part, held]
    assert names.parts(tmp_path, "other") == []
    with held.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        assert not names.remove_part(held)
    assert names.remove_part(part)
    assert not names.remove_part(part)

    assert {path.name for path in tmp_path.iterdir()} == {f"{busy}.part", "x.part"}


def test_a_part_that_was_replaced_while_it_was_opened_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Dump.named(tmp_path, "shop", "b1", TAKEN).path.with_suffix(".dump.part")
    part.write_bytes(b"old")
    lock = fcntl.flock

    def replaced(fd: int, how: int) -> None:
        lock(fd, how)
        part.rename(part.with_suffix(""))
        part.write_bytes(b"new")

    monkeypatch.setattr(fcntl, "flock", replaced)

    assert not names.remove_part(part)
    assert part.read_bytes() == b"new"


def test_a_journal_without_its_part_is_removed(tmp_path: Path) -> None:
    dump = Dump.named(tmp_path, "shop", "b1", TAKEN).path
    journal = dump.with_name(f"{dump.name}.part.journal")
    journal.touch()

    assert names.parts(tmp_path, "shop") == [journal]
    assert names.remove_part(journal)
    assert not names.remove_part(journal)

    assert list(tmp_path.iterdir()) == []


def test_a_journal_whose_part_has_come_since_stays(tmp_path: Path) -> None:
    dump = Dump.named(tmp_path, "shop", "b1", TAKEN).path
    journal = dump.with_name(f"{dump.name}.part.journal")
    journal.touch()
    [found] = names.parts(tmp_path)
    part = dump.with_name(f"{dump.name}.part")
    part.write_bytes(b"PGDMP")

    assert not names.remove_part(found)

    assert journal.exists()
    assert part.exists()


def test_a_path_is_shown_as_one_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert names.shown(tmp_path / "local" / "x.dump") == "local/x.dump"
    assert names.shown(Path("/srv/x.dump")) == "/srv/x.dump"


def test_a_dump_in_a_folder_is_a_dump(tmp_path: Path) -> None:
    dump = Dump.named(tmp_path, "shop", "d1", TAKEN)
    dump.path.mkdir()
    (dump.path / "12.dat.gz").write_bytes(b"x" * 7)
    assert names.dumps_in(tmp_path) == []

    (dump.path / "toc.dat").write_bytes(b"x" * 3)
    assert names.dumps_in(tmp_path) == [Dump.of(dump.path)]
    assert dump.size == 10

    dump.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("alone", [False, True])
def test_what_was_unpacked_goes_with_its_part(
    tmp_path: Path, folder: bool, alone: bool
) -> None:
    dump = Dump.named(tmp_path, "shop", "d1", TAKEN)
    part = dump.path.with_name(f"{dump.path.name}.part")
    unpacked = dump.path.with_name(f"{dump.path.name}.unpacked")
    if folder:
        unpacked.mkdir()
    (unpacked / "toc.dat" if folder else unpacked).write_bytes(b"x")
    if not alone:
        part.write_bytes(b"x")

    [found] = names.parts(tmp_path, "shop")
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not names.remove_part(found)
        assert unpacked.exists()
    assert names.remove_part(found)

    assert list(tmp_path.iterdir()) == []


def test_only_what_dbpull_has_named_is_its_own(tmp_path: Path) -> None:
    """Also with fractions of a second, which a name does not hold."""
    ours = Dump.named(tmp_path, "shop", "b1", TAKEN.replace(microsecond=7))

    assert ours.is_ours
    assert not Dump(ours.path, "theirs", "d1", TAKEN).is_ours
    assert not Dump(tmp_path / "latest", "latest", "d1", TAKEN).is_ours
    assert not Dump.of(tmp_path / "latest").is_ours
