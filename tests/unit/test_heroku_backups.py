from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from dbpull.errors.heroku import BackupGone, HerokuError, UnknownApp
from dbpull.errors.heroku_http import BadToken
from dbpull.errors.http_api import ProviderDown, UnexpectedAnswer
from dbpull.errors.sources import NoBackup
from dbpull.heroku import (
    AppChoice,
    Backup,
    ServerAddress,
    backups,
    download_url,
    find,
    newest,
)
from heroku_answers import PASSWORD, TRANSFERS, api, transfer

URL = "https://xfrtu.s3.amazonaws.com/g/u?X-Amz-Signature=5ecre7"


def listed(*transfers: Any) -> list[Backup]:
    """What `backups` makes of these transfers."""
    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=transfers)
        return backups(api(), "shop")


# The list


def test_a_transfer_is_read_as_a_backup() -> None:
    (backup,) = listed(transfer(101, warnings=2, brand_new_field={"x": 1}))

    assert backup == Backup(
        id="b101",
        number=101,
        uuid="00000000-0000-4000-8000-000000000101",
        app="shop",
        database="DATABASE",
        created_at=datetime(2026, 1, 2, 2, 0, tzinfo=UTC),
        finished_at=datetime(2026, 1, 2, 2, 0, tzinfo=UTC),
        status="finished",
        warnings=2,
        source_size=8_000_000,
        processed=4_000_000,
        scheduled=False,
        server=ServerAddress("ec2-1.example.com", 5432, "d1"),
    )


def test_nothing_secret_is_kept() -> None:
    (backup,) = listed(transfer(to_url=URL))

    assert PASSWORD not in repr(backup)
    assert "Signature" not in repr(backup)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"num": 1}, "b001"),
        ({"num": 1234}, "b1234"),
        ({"num": 42, "schedule": {"uuid": "x"}}, "a042"),
        ({"num": 6, "options": {"pgbackups_name": "b001"}}, "ob001"),
        ({"num": 6, "options": None}, "b006"),
    ],
)
def test_a_backup_is_called_as_heroku_calls_it(
    changes: dict[str, Any], name: str
) -> None:
    (backup,) = listed(transfer(**changes))

    assert backup.id == name


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "finished"),
        ({"succeeded": False}, "failed"),
        ({"succeeded": None}, "failed"),
        ({"succeeded": False, "canceled_at": "2026-01-02 02:00:00 +0000"}, "canceled"),
        ({"succeeded": True, "canceled_at": "2026-01-02 02:00:00 +0000"}, "finished"),
        ({"succeeded": None, "finished_at": None}, "running"),
        ({"succeeded": True, "finished_at": None}, "running"),
        ({"succeeded": None, "finished_at": None, "started_at": None}, "pending"),
    ],
)
def test_a_status_is_one_word(changes: dict[str, Any], status: str) -> None:
    (backup,) = listed(transfer(**changes))

    assert backup.status == status


@pytest.mark.parametrize(
    "text",
    ["2020-12-13 16:22:40 +0000", "2020-12-13 18:22:40 +0200", "2020-12-13T16:22:40Z"],
)
def test_times_are_utc(text: str) -> None:
    (backup,) = listed(transfer(created_at=text))

    assert backup.created_at == datetime(2020, 12, 13, 16, 22, 40, tzinfo=UTC)
    assert backup.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    "changes",
    [
        {"from_type": "gof3r", "to_type": "pg_restore"},
        {"to_type": "pg_restore"},
        {"from_type": "htcat"},
        {"deleted_at": "2026-01-02 02:00:00 +0000"},
        {"purged_at": "2026-01-02 02:00:00 +0000"},
        {"num": None},
        {"num": "101"},
        {"num": True},
        {"uuid": "../../x"},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"finished_at": "soon"},
    ],
)
def test_what_is_no_backup_is_left_out(changes: dict[str, Any]) -> None:
    assert [b.number for b in listed(transfer(7, **changes), transfer(8))] == [8]


def test_odd_fields_are_no_crash() -> None:
    odd: dict[str, Any] = {
        "from_url": None,
        "source_bytes": "8 MB",
        "processed_bytes": -1,
        "warnings": None,
        "options": "x",
        "from_name": None,
    }

    (backup,) = listed(transfer(**odd), None, 7, "x", [])

    assert (backup.server, backup.source_size, backup.processed) == (None, None, None)
    assert (backup.warnings, backup.database) == (0, "")


def test_the_newest_comes_first() -> None:
    found = listed(transfer(2), transfer(9), transfer(5))

    assert [backup.number for backup in found] == [9, 5, 2]


@responses.activate
def test_an_unknown_app_is_named_with_where_it_came_from() -> None:
    responses.get(TRANSFERS, status=404, body="<h1>Not Found</h1>")

    with pytest.raises(UnknownApp, match=r"'shop' \(from git remote heroku\)"):
        backups(api(), AppChoice("shop", None, "git remote heroku"))


@responses.activate
def test_a_bad_token_ends_it() -> None:
    responses.get(TRANSFERS, status=401, json={"id": "unauthorized"})

    with pytest.raises(BadToken):
        backups(api(), "shop")
    assert len(responses.calls) == 1


# The newest


def test_the_newest_is_of_the_database_asked_for() -> None:
    found = listed(transfer(5), transfer(6, from_name="NAVY"), transfer(4))

    assert newest(found, "DATABASE").number == 5
    assert newest(found, "HEROKU_POSTGRESQL_NAVY").number == 6
    assert newest(found, None).number == 6


def test_all_names_of_a_database_count() -> None:
    found = listed(
        transfer(5), transfer(6, from_name="NAVY"), transfer(7, from_name="RED")
    )

    assert newest(found, frozenset({"DATABASE", "NAVY"})).number == 6


def test_only_a_finished_one_counts() -> None:
    found = listed(
        transfer(5),
        transfer(6, "failed"),
        transfer(7, "canceled"),
        transfer(8, "running"),
        transfer(9, "pending"),
    )

    assert newest(found, "DATABASE").number == 5


def test_the_newest_does_not_depend_on_the_lists_order() -> None:
    found = listed(transfer(5), transfer(6))

    assert newest(found[::-1], "DATABASE").number == 6


def test_without_a_backup_the_remedy_is_to_take_one() -> None:
    with pytest.raises(
        NoBackup, match="no finished backup of the database DATABASE"
    ) as e:
        newest([], "DATABASE")
    assert "--capture" in e.value.remedy


def test_without_a_backup_of_this_database_the_others_are_named() -> None:
    found = listed(transfer(6, from_name="NAVY"), transfer(7, "failed"))

    with pytest.raises(NoBackup, match=r"b007, failed") as nothing:
        newest(found, "DATABASE")
    assert "NAVY" in nothing.value.remedy


def test_a_database_without_known_names_has_no_backup() -> None:
    with pytest.raises(NoBackup):
        newest(listed(transfer(5)), frozenset())


# One by its id


@pytest.mark.parametrize("name", ["b101", "B101", "101", "a101", "r101", " b0101 "])
def test_the_number_decides(name: str) -> None:
    assert find(listed(transfer(100), transfer(101)), name).number == 101


def test_a_backup_of_the_old_service_is_found_by_its_name() -> None:
    found = listed(transfer(6, options={"pgbackups_name": "b001"}), transfer(1))

    assert find(found, "ob001").number == 6
    assert find(found, "b001").number == 1


@pytest.mark.parametrize(
    "name", ["b999", "", "b", "x101", "b101x", "latest", "-1", "\u0661", "9" * 5000]
)
def test_an_unknown_id_is_answered_with_some_that_exist(name: str) -> None:
    found = listed(*(transfer(number) for number in range(100, 110)))

    with pytest.raises(HerokuError, match="There are b109, b108") as unknown:
        find(found, name)
    assert "b100" not in str(unknown.value)
    assert len(str(unknown.value)) < 300


def test_an_id_where_there_are_no_backups() -> None:
    with pytest.raises(HerokuError, match="no backups at all"):
        find([], "b101")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("failed", "b101 failed"),
        ("canceled", "b101 was canceled"),
        ("running", "b101 is still being taken"),
        ("pending", "b101 is still being taken"),
    ],
)
def test_a_backup_that_is_not_finished_is_refused(status: str, said: str) -> None:
    with pytest.raises(HerokuError, match=said) as refused:
        find(listed(transfer(101, status)), "b101")
    assert refused.value.remedy


# Its URL

PUBLIC_URL = f"{TRANSFERS}/101/actions/public-url"


@responses.activate
@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:5000/x", "http://localhost/x"])
def test_the_download_url_is_asked_for_by_number(url: str) -> None:
    (backup,) = listed(transfer(101))
    responses.post(PUBLIC_URL, json={"url": url, "expires_at": "2026-01-02"})

    assert download_url(api(), backup) == url


@responses.activate
def test_the_download_url_is_asked_for_again_after_a_passing_trouble() -> None:
    (backup,) = listed(transfer(101))
    responses.post(PUBLIC_URL, status=503)
    responses.post(PUBLIC_URL, json={"url": URL})

    assert download_url(api(), backup) == URL


@responses.activate
@pytest.mark.parametrize(
    "answer",
    [{}, {"url": None}, {"url": URL.replace("https", "http")}, {"url": "https://["}],
)
def test_a_download_url_that_would_travel_unencrypted_is_refused(
    answer: dict[str, Any],
) -> None:
    (backup,) = listed(transfer(101))
    responses.post(PUBLIC_URL, json=answer)

    with pytest.raises(UnexpectedAnswer, match="download of b101") as refused:
        download_url(api(), backup)
    assert "5ecre7" not in str(refused.value)


@responses.activate
@pytest.mark.parametrize("status", [404, 410])
def test_a_backup_that_was_deleted_meanwhile(status: int) -> None:
    (backup,) = listed(transfer(101))
    responses.post(PUBLIC_URL, status=status)

    with pytest.raises(BackupGone, match="b101"):
        download_url(api(), backup)


@responses.activate
def test_a_storm_of_5xx_ends() -> None:
    (backup,) = listed(transfer(101))
    responses.post(PUBLIC_URL, status=502)

    with pytest.raises(ProviderDown, match="502"):
        download_url(api(), replace(backup, app="shop"))
