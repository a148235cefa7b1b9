from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from itertools import accumulate, repeat
from typing import Any

import pytest
import requests
import responses

from clock import Clock
from dbpull.errors import Interrupted, PullError
from dbpull.errors.heroku import (
    BackupGone,
    CaptureInProgress,
    DatabaseNotReady,
    HerokuError,
)
from dbpull.errors.heroku_http import BadToken, NoAccess
from dbpull.errors.http_api import Unreachable
from dbpull.errors.sources import CaptureInterrupted, CaptureUnseen
from dbpull.heroku import Backup, Database, capture, follow
from dbpull.heroku.transfers import backup_of
from dbpull.naming import NAME, filled
from heroku_answers import (
    ADDON,
    DATA,
    PASSWORD,
    TRANSFERS,
    api,
    shop_database,
    transfer,
)
from json_faults import DROP, HANG, count, json_server
from range_server import Request

BACKUPS = f"{DATA}/client/v11/databases/{ADDON}/backups"
ONE = f"{TRANSFERS}/{transfer(102)['uuid']}"
PICK_UP = "invoke db.pull --backup=b102"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """Heroku with one old backup; what it answers must be asked for."""
    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=[transfer(101)])
        yield web


def accepts(web: responses.RequestsMock, *seen: Any) -> None:
    """Heroku takes b102, and shows it like this, look after look."""
    web.post(BACKUPS, status=201, json=transfer(102, "pending"))
    for one in seen:
        if isinstance(one, int):
            web.get(ONE, status=one, body="<h1>Sorry</h1>")
        elif isinstance(one, Exception):
            web.get(ONE, body=one)
        else:
            web.get(ONE, json=one)


def take(
    clock: Clock | None = None, database: Database | None = None, **options: Any
) -> Backup:
    return capture(api(clock), database or shop_database(), **options)


def posts(web: responses.RequestsMock) -> int:
    return sum(call.request.method == "POST" for call in web.calls)


# To the end


def test_a_backup_is_taken_and_waited_for(web: responses.RequestsMock) -> None:
    clock, seen = Clock(), list[tuple[int, int | None]]()
    accepts(
        web,
        transfer(102, "pending"),
        transfer(102, "running", processed_bytes=3_000_000),
        transfer(102),
    )

    backup = take(clock, progress=lambda done, total: seen.append((done, total)))

    assert (backup.id, backup.status, backup.app) == ("b102", "finished", "shop")
    assert seen == [(0, None), (3_000_000, 8_000_000), (4_000_000, 8_000_000)]
    assert clock.slept == [0.5, 0.5]
    assert posts(web) == 1


def test_it_is_looked_at_soon_and_then_ever_less_often(
    web: responses.RequestsMock,
) -> None:
    clock = Clock()
    accepts(web, *[transfer(102, "running")] * 20, transfer(102))

    take(clock)

    assert clock.slept[:5] == [0.5] * 5
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == 3.0
    in_the_first_minute = sum(looked <= 60 for looked in accumulate(clock.slept))
    assert in_the_first_minute <= 60 / 3.0 + 8


def test_a_backup_lives_under_the_billing_app() -> None:
    database = shop_database(app="reports", billing_app="shop", names=frozenset())
    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=[])
        accepts(web, transfer(102))

        assert take(database=database).app == "shop"


def test_troubles_that_pass_are_waited_out(web: responses.RequestsMock) -> None:
    clock = Clock()
    unknown = {"num": 102}
    accepts(web, 404, 500, 503, unknown, transfer(102, "running"), 502, transfer(102))

    assert take(clock).status == "finished"

    assert clock.slept == [6.0, 12.0, 24.0, 30.0, 3.0, 6.0]
    assert posts(web) == 1


def test_retry_after_is_heeded_while_waiting(web: responses.RequestsMock) -> None:
    clock = Clock()
    web.post(BACKUPS, status=201, json=transfer(102, "pending"))
    web.get(ONE, status=429, headers={"Retry-After": "90"})
    web.get(ONE, json=transfer(102))

    take(clock)

    assert clock.slept == [90.0]


def test_dropped_connections_while_waiting_are_survived() -> None:
    looks = iter([DROP, DROP, transfer(102, "running"), DROP, transfer(102)])
    with json_server(_heroku(lambda: transfer(102, "pending"), looks)) as wire:
        backup = capture(api(base=wire.url("")), shop_database())

    assert backup.status == "finished"
    assert count(wire, "POST") == 1


# Not to the end


def test_a_failed_backup_shows_the_servers_last_lines(
    web: responses.RequestsMock,
) -> None:
    said = [f"line {number}" for number in range(9)]
    said[-1] = f"pg_dump: error: postgres://u:{PASSWORD}@h/d is full"
    logs = [{"created_at": "x", "level": "info", "message": line} for line in said]
    accepts(web, transfer(102, "failed"))
    verbose = responses.matchers.query_param_matcher({"verbose": "true"})
    odd = [None, {"message": None}]
    web.get(ONE, json=transfer(102, "failed", logs=[*logs, *odd]), match=[verbose])

    with pytest.raises(HerokuError, match="b102 failed") as failed:
        take()

    _, *log = failed.value.what.splitlines()
    assert log[0].strip() == "line 4"
    assert len(log) == 5
    assert "pg_dump: error" in str(failed.value)
    assert PASSWORD not in str(failed.value)


def test_a_failed_backup_without_a_log_is_still_a_failed_backup(
    web: responses.RequestsMock,
) -> None:
    accepts(web, transfer(102, "failed"), 403)

    with pytest.raises(HerokuError, match=r"b102 failed at Heroku\."):
        take()


def test_a_canceled_backup_is_not_called_failed(web: responses.RequestsMock) -> None:
    accepts(web, transfer(102, "canceled"))

    with pytest.raises(HerokuError, match="b102 was canceled"):
        take()


@pytest.mark.parametrize(
    "gone", [410, transfer(102, deleted_at="2026-01-02 02:00:00 +0000")]
)
def test_a_backup_deleted_while_it_is_taken(
    gone: Any, web: responses.RequestsMock
) -> None:
    accepts(web, gone)

    with pytest.raises(BackupGone, match="b102"):
        take()


def test_the_deadline_ends_the_wait(web: responses.RequestsMock) -> None:
    clock = Clock()
    accepts(web, transfer(102, "running"))

    with pytest.raises(CaptureUnseen, match=r"b102 .* within 2 min") as unseen:
        take(clock, wait=120)

    assert clock.now == 120
    assert PICK_UP in str(unseen.value)
    assert unseen.value.code == 1


def test_the_deadline_names_the_trouble_there_was(web: responses.RequestsMock) -> None:
    clock = Clock()
    accepts(web, 503)

    with pytest.raises(CaptureUnseen, match=r"within 2 h .*status 503"):
        take(clock, wait=7200)
    assert clock.now == 7200


@pytest.mark.parametrize(("status", "error"), [(401, BadToken), (403, NoAccess)])
def test_what_waiting_does_not_help_against_ends_it(
    status: int, error: type[PullError], web: responses.RequestsMock
) -> None:
    clock, heard = Clock(), list[str]()
    accepts(web, status)

    with pytest.raises(error):
        capture(api(clock, notice=heard.append), shop_database())

    assert clock.slept == []
    assert PICK_UP in filled(heard[-1], NAME.invoke)


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), 130), (Interrupted("kill", code=143), 143)]
)
def test_ctrl_c_while_waiting_says_how_to_pick_it_up(
    stop: BaseException, code: int, web: responses.RequestsMock
) -> None:
    accepts(web, transfer(102, "running"))

    def interrupt(_done: int, _total: int | None) -> None:
        raise stop

    with pytest.raises(CaptureInterrupted, match="goes on at Heroku") as interrupted:
        take(progress=interrupt)

    assert PICK_UP in str(interrupted.value)
    assert interrupted.value.code == code


def test_ctrl_c_while_asking_says_that_heroku_may_have_started() -> None:
    def interrupt(_: Any) -> Any:
        raise KeyboardInterrupt

    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=[])
        web.add_callback("POST", BACKUPS, interrupt)

        with pytest.raises(CaptureInterrupted, match="may have started"):
            take()


# A lost answer


def _heroku(accept: Callable[[], object], looks: Iterator[object]) -> Any:
    """Heroku on a wire: lists b101, and b102 once it was asked for."""
    taken: list[Any] = [transfer(101)]

    def reply(asked: Request) -> object:
        if asked.web.method == "POST":
            taken.append(transfer(102, "pending"))
            return accept()
        if asked.path.endswith("/transfers"):
            return taken
        return next(looks)

    return reply


@pytest.mark.parametrize("answer", [DROP, HANG, 502, [], {"num": None}])
def test_a_lost_answer_is_looked_up_in_the_list(answer: object) -> None:
    # Again and again: what comes late is asked for once more.
    looks = repeat(transfer(102))
    with json_server(_heroku(lambda: answer, looks)) as wire:
        client = api(base=wire.url(""), timeout=(20, 0.3))
        backup = capture(client, shop_database())

    assert backup.id == "b102"
    assert count(wire, "POST") == 1


def test_a_backup_that_appears_late_is_found(web: responses.RequestsMock) -> None:
    clock = Clock()
    web.post(BACKUPS, status=500)
    for listed in ([101], [101], [101, 102]):
        web.get(TRANSFERS, json=[transfer(number) for number in listed])
    web.get(ONE, json=transfer(102))

    assert take(clock).id == "b102"
    assert clock.slept == [3.0, 3.0]
    assert posts(web) == 1


@pytest.mark.parametrize(
    "other",
    [
        transfer(100, from_name="DATABASE"),
        transfer(102, "running", from_name="NAVY"),
        transfer(102, "running", schedule={"uuid": "x"}),
        transfer(102, from_type="gof3r", to_type="pg_restore"),
    ],
)
def test_somebody_elses_transfer_is_not_taken_for_it(
    other: Any, web: responses.RequestsMock
) -> None:
    clock = Clock()
    web.post(BACKUPS, status=503)
    web.get(TRANSFERS, json=[transfer(101), other])

    with pytest.raises(HerokuError, match="503") as lost:
        take(clock)

    assert 0 < clock.now <= 30
    assert posts(web) == 1
    assert "invoke db.backups" in str(lost.value)


def test_a_tls_connection_that_breaks_off_is_a_lost_answer(
    web: responses.RequestsMock,
) -> None:
    broken = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    web.post(BACKUPS, body=requests.exceptions.SSLError(broken))
    web.get(TRANSFERS, json=[transfer(101), transfer(102)])
    web.get(ONE, json=transfer(102))

    assert take().id == "b102"
    assert posts(web) == 1


def test_a_request_that_never_left_is_no_lost_answer(
    web: responses.RequestsMock,
) -> None:
    refused = requests.ConnectionError(ConnectionRefusedError(111, "refused"))
    web.post(BACKUPS, body=refused)

    with pytest.raises(Unreachable, match="refused the connection"):
        take()


# Refused


@pytest.mark.parametrize("status", ["running", "pending"])
@pytest.mark.parametrize("scheduled", [None, {"uuid": "x"}])
def test_a_second_backup_at_the_same_time_is_not_asked_for(
    status: str, scheduled: Any
) -> None:
    busy = transfer(102, status, schedule=scheduled, from_name="NAVY")
    names = frozenset({"DATABASE", "NAVY"})
    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=[transfer(101), busy])

        with pytest.raises(CaptureInProgress, match=r"(b|a)102") as refused:
            take(database=shop_database(names=names))

        assert posts(web) == 0
    assert "invoke db.pull --backup=" in str(refused.value)


@pytest.mark.parametrize(
    "other",
    [
        {"from_name": "NAVY"},
        {"created_at": "2020-01-01 00:00:00 +0000"},  # stuck since then
    ],
)
def test_a_backup_that_is_none_of_ours_does_not_keep_us(other: Any) -> None:
    with responses.RequestsMock() as web:
        web.get(TRANSFERS, json=[transfer(90, "pending", **other)])
        accepts(web, transfer(102))

        assert take().id == "b102"


@pytest.mark.parametrize(
    "message",
    ["a transfer is currently in progress", "A backup is already running for DATABASE"],
)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_heroku_itself_says_that_one_is_being_taken(
    status: int, message: str, web: responses.RequestsMock
) -> None:
    web.post(BACKUPS, status=status, json={"message": message})

    with pytest.raises(CaptureInProgress, match="DATABASE of shop") as refused:
        take()
    assert "invoke db.backups" in str(refused.value)


def test_herokus_reason_is_passed_on(web: responses.RequestsMock) -> None:
    message = f"too many active backups for postgres://u:{PASSWORD}@h/d; delete one"
    web.post(BACKUPS, status=422, json={"message": message})

    with pytest.raises(HerokuError, match="too many active backups") as refused:
        take()
    assert PASSWORD not in str(refused.value)
    assert posts(web) == 1


def test_a_database_that_is_not_there_yet(web: responses.RequestsMock) -> None:
    web.post(BACKUPS, status=404, body="<h1>Not Found</h1>")

    with pytest.raises(DatabaseNotReady):
        take()


def test_a_shield_database_is_not_even_asked_for() -> None:
    with (
        responses.RequestsMock(),
        pytest.raises(HerokuError, match="shield-0"),
    ):
        take(database=shop_database(plan="shield-0"))


# Picked up


def test_a_running_backup_can_be_followed_later() -> None:
    running = backup_of(transfer(102, "running"), "shop")
    assert running
    with responses.RequestsMock() as web:
        web.get(ONE, json=transfer(102, "running"))
        web.get(ONE, json=transfer(102))

        assert follow(api(), running).status == "finished"
