"""Which backup is pulled, what is refused and noted about it, where its dump lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from dbpull.dumps.local import LocalStore
from dbpull.dumps.store import dump_of
from dbpull.errors.heroku import HerokuError
from dbpull.heroku import AppChoice, DatabaseInfo, ServerAddress
from dbpull.settings import Settings
from dbpull.sources import choice
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.sources.kinds import name_of_dumps
from heard import Heard
from heroku_answers import TRANSFERS, api, shop_database, transfer

TAKEN_FROM = ServerAddress("ec2-1.example.com", 5432, "d1")


@pytest.fixture(autouse=True)
def web() -> Iterator[responses.RequestsMock]:
    """An app with a backup of each of its two databases."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        navy = transfer(105, from_name="HEROKU_POSTGRESQL_NAVY")
        web.get(TRANSFERS, json=[transfer(104), navy, transfer(103, from_name=None)])
        yield web


def shop(server: ServerAddress | None = TAKEN_FROM, **database: Any) -> HerokuDatabase:
    info = DatabaseInfo("16.4", None, server, continuous_protection=False)
    return HerokuDatabase(api(), AppChoice("shop"), shop_database(**database), info)


def chosen(of: HerokuDatabase, backup: str) -> str:
    found = choice.choose(of, backup=backup, capture=False, max_age=9e9).backup
    assert found
    assert choice.existing(of, backup, 1, Heard()) == found
    return found.id


def test_a_named_backup_of_another_database_is_refused() -> None:
    with pytest.raises(HerokuError, match="is a backup of NAVY") as refused:
        choice.choose(shop(), backup="b105", capture=False, max_age=1)
    with pytest.raises(HerokuError, match="is a backup of NAVY"):
        choice.existing(shop(), "b105", 1, Heard())

    assert refused.value.what == "b105 is a backup of NAVY, not of DATABASE."
    assert "--database=NAVY" in refused.value.remedy


def test_a_named_backup_of_the_database_is_taken() -> None:
    assert chosen(shop(), "b104") == "b104"
    assert chosen(shop(names=frozenset({"DATABASE", "NAVY"})), "b105") == "b105"


def test_a_named_backup_is_taken_where_nobody_tells_whose_it_is() -> None:
    assert chosen(shop(names=frozenset()), "b105") == "b105"
    assert chosen(shop(), "b103") == "b103"


@pytest.mark.parametrize(
    ("now", "notes"),
    [(TAKEN_FROM, 0), (None, 0), (ServerAddress("ec2-2.example.com", 5432, "d2"), 1)],
)
@pytest.mark.parametrize("named", ["b104", None])
def test_that_the_database_has_another_server_now_is_noted(
    now: ServerAddress | None, notes: int, named: str | None
) -> None:
    fetching, pulling, of = Heard(), Heard(), shop(now)

    choice.existing(of, named, 1, fetching)
    pulled = choice.choose(of, backup=named, capture=False, max_age=9e9)
    choice.obtain(of, pulled, 1, pulling)

    assert len(fetching.notes) == len(pulling.notes) == notes
    assert all("another server" in note for note in fetching.notes + pulling.notes)


def test_a_dump_lies_under_the_app_whose_database_it_is(tmp_path: Path) -> None:
    settings = Settings.of({}, app="mine", database="other::NAVY", path=str(tmp_path))
    of = shop(app="other")
    found = choice.choose(of, backup="b104", capture=False, max_age=1).backup
    assert found

    dump = dump_of(found, settings)
    dump.path.touch()

    assert dump.path.name.startswith("other-NAVY-b104-")
    app = name_of_dumps(settings)
    assert app == "other"
    assert LocalStore(settings).find(app, None) == dump


def test_dumps_lie_under_the_app_that_is_named(tmp_path: Path) -> None:
    assert name_of_dumps(Settings.of({}, app="mine", path=str(tmp_path))) == "mine"
