"""Our client of Heroku, over a real wire, against the stand-in and its faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from clock import Clock
from dbpull import heroku
from dbpull.errors import PullError
from dbpull.errors.heroku import (
    CaptureInProgress,
    HerokuError,
)
from dbpull.errors.heroku_http import BadToken, NoAccess, TwoFactor
from dbpull.errors.http_api import ProviderDown, RateLimited, Unreachable
from dbpull.errors.sources import CaptureInterrupted, SourceError
from faulty_stand_in import StandIn, faults
from stand_ins import ADDON, TAKEN_ONCE, Client

HASTY, UNHURRIED = (2.0, 1.0), (30.0, 30.0)
"""Seconds for a connection, and for an answer."""
CAPTURE = r"POST /client/v11/databases/[^/]+/backups"


def client_of(
    stand_in: StandIn, timeout: tuple[float, float] = UNHURRIED
) -> heroku.Api:
    """Our client, little patient: its pauses count, and pass at once."""
    clock = Clock()
    return heroku.Api.from_environment(
        stand_in.environment,
        patience=2.0,
        timeout=timeout,
        clock=clock,
        sleep=clock.sleep,
    )


@pytest.fixture
def api(stand_in: StandIn) -> heroku.Api:
    return client_of(stand_in)


def who_meets(fault: faults.Fault, stand_in: StandIn) -> heroku.Api:
    """A client that does not wait long for an answer, where none will come."""
    return client_of(stand_in, HASTY if fault.kind == "hang" else UNHURRIED)


UNUSED = iter(TAKEN_ONCE)


@pytest.fixture
def fresh(
    stand_in: StandIn, client: Client
) -> Iterator[tuple[StandIn, heroku.Api, heroku.Database]]:
    """The stand-in with an app of the test's own, which has no backup."""
    api = heroku.Api.from_environment(stand_in.environment)
    database = heroku.database(api, next(UNUSED))
    stand_in.forget_requests()
    yield stand_in, api, database
    stand_in.behave()
    for backup in heroku.backups(api, database.app):
        path = f"/client/v11/apps/{database.app}/transfers/{backup.number}"
        client.ask("DELETE", path)  # which ends it, too


def asked(stand_in: StandIn, pattern: str) -> int:
    requests = (f"{seen.method} {seen.path}" for seen in stand_in.requests())
    return sum(bool(re.fullmatch(pattern, request)) for request in requests)


def test_from_an_app_to_a_url(stand_in: StandIn, api: heroku.Api) -> None:
    database = heroku.database(api, "demo")
    backup = heroku.newest(heroku.backups(api, database.billing_app), database.names)
    url = heroku.download_url(api, backup)

    assert (database.addon, database.names) == (ADDON, frozenset({"DATABASE"}))
    assert (database.plan, database.billing_app) == ("standard-0", "demo")
    assert (backup.id, backup.status) == ("b008", "finished")
    assert urlsplit(url).scheme == "https"


def test_a_database_tells_where_it_is(api: heroku.Api) -> None:
    info = heroku.database_info(api, heroku.database(api, "demo"))

    assert info.version
    assert info.size
    assert info.size > 1_000_000
    assert info.server
    assert info.server.dbname == "shop"


def test_an_app_that_pays_for_nothing_has_the_billing_apps_backups(
    api: heroku.Api,
) -> None:
    database = heroku.database(api, "staging")
    found = heroku.backups(api, database.billing_app)

    assert (database.app, database.billing_app) == ("staging", "demo")
    assert heroku.newest(found, database.names).id == "b008"


def test_every_backup_is_listed_with_its_status(api: heroku.Api) -> None:
    found = heroku.backups(api, "demo")

    assert [backup.id for backup in found][-1] == "a007"
    assert {"b009", "b008"} < {backup.id for backup in found}
    with pytest.raises(HerokuError, match="b009 failed at Heroku"):
        heroku.find(found, "b009")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda api: heroku.database(api, "nosuch"), "knows no app called 'nosuch'"),
        (lambda api: heroku.backups(api, "nosuch"), "knows no app called 'nosuch'"),
        (lambda api: heroku.database(api, "demo", "BLUE"), "no database called 'BLUE'"),
        (lambda api: heroku.newest(heroku.backups(api, "bare"), None), "no finished"),
    ],
)
def test_what_is_not_there(
    ask: Callable[[heroku.Api], object], said: str, api: heroku.Api
) -> None:
    with pytest.raises(PullError, match=said):
        ask(api)


def test_a_wrong_token(stand_in: StandIn) -> None:
    environ = {**stand_in.environment, "HEROKU_API_KEY": "wrong"}

    with pytest.raises(BadToken, match="HEROKU_API_KEY"):
        heroku.backups(heroku.Api.from_environment(environ), "demo")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.answer(403, code="two_factor", times=None), TwoFactor),
        (faults.answer(403, times=None), NoAccess),
        (faults.answer(429, retry_after=60, times=None), RateLimited),
        (faults.answer(500, times=None), ProviderDown),
        (faults.answer(503, times=None), ProviderDown),
        (faults.drop(times=None), Unreachable),
        (faults.hang(times=None), Unreachable),
    ],
)
def test_a_trouble_that_stays_is_worded(
    fault: faults.Fault, error: type[PullError], stand_in: StandIn
) -> None:
    api = who_meets(fault, stand_in)
    stand_in.misbehave(fault)

    with pytest.raises(error) as raised:
        heroku.backups(api, "demo")
    assert raised.value.remedy


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(429, retry_after=1),
        faults.answer(503),
        faults.drop(),
        faults.hang(),
    ],
)
def test_a_trouble_that_passes_is_not_noticed(
    fault: faults.Fault, stand_in: StandIn
) -> None:
    api = who_meets(fault, stand_in)
    stand_in.misbehave(fault)

    assert heroku.backups(api, "demo")


def test_a_backup_is_captured_through_storms(
    fresh: tuple[StandIn, heroku.Api, heroku.Database],
) -> None:
    stand_in, api, database = fresh
    one = f"/client/v11/apps/{database.app}/transfers/*"
    stand_in.misbehave(
        faults.lose_answer(),
        faults.answer(503, path=one),
        faults.drop(path=one, skip=1),
        faults.answer(429, path=one, skip=2, retry_after=0.1),
    )
    [staying] = stand_in.misbehave(faults.backup("stay", at=1))
    seen: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None) -> None:
        seen.append((done, total))
        stand_in.behave(staying)

    backup = heroku.capture(
        api,
        database,
        wait=60,
        interval=0.05,
        progress=progress,
    )

    assert backup.status == "finished"
    newest = heroku.newest(heroku.backups(api, database.app), database.names)
    assert replace(newest, processed=backup.processed) == backup  # told late
    assert seen
    assert asked(stand_in, CAPTURE) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.backup("fail"), "failed at Heroku"),
        (faults.backup("cancel"), "was canceled at Heroku"),
        (faults.backup("stay"), "was not seen within"),
        (faults.backup("pend"), "was not seen within"),
        (
            faults.answer(422, method="POST", path="*/backups", message="No."),
            "refuses to take a backup of .*: No",
        ),
        (faults.drop(method="POST", path="*/backups"), "the answer got lost"),
    ],
)
def test_a_capture_that_comes_to_nothing_is_worded(
    fault: faults.Fault,
    said: str,
    fresh: tuple[StandIn, heroku.Api, heroku.Database],
) -> None:
    stand_in, api, database = fresh
    stand_in.misbehave(fault)

    wait = 0.3 if said.startswith("was not seen") else 30
    with pytest.raises(SourceError, match=said) as raised:
        heroku.capture(api, database, wait=wait, interval=0.05)

    assert raised.value.code == 1
    assert asked(stand_in, CAPTURE) == 1


def test_what_ctrl_c_left_is_not_begun_again_but_followed(
    fresh: tuple[StandIn, heroku.Api, heroku.Database],
) -> None:
    stand_in, api, database = fresh
    stand_in.misbehave(faults.backup("stay"))

    def interrupt(_done: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(CaptureInterrupted, match="goes on") as interrupted:
        heroku.capture(api, database, progress=interrupt)
    [running] = heroku.backups(api, database.app)
    assert f"--backup={running.id}" in interrupted.value.remedy
    with pytest.raises(CaptureInProgress, match=running.id):
        heroku.capture(api, database)
    with pytest.raises(SourceError, match="was not seen within"):
        heroku.follow(api, running, wait=0.2, interval=0.05)
    assert asked(stand_in, CAPTURE) == 1
