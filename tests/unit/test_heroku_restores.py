"""A backup is put back, and its end is seen soon."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from clock import Clock
from dbpull.errors.push import PutBackFailed
from dbpull.heroku.restores import put_back
from heroku_answers import ADDON, DATA, TRANSFERS, api, shop_database, transfer

RESTORES = f"{DATA}/client/v11/databases/{ADDON}/restores"
STORED = transfer(101)
BACKUP = "b101", STORED["uuid"]
RESTORE: dict[str, Any] = transfer(102, "running", to_type="pg_restore")


def heroku(web: responses.RequestsMock, *looks: Any) -> None:
    """Heroku with b101, which it puts back; seen like this, look after look."""
    web.get(TRANSFERS, json=[STORED])
    web.get(f"{TRANSFERS}/{STORED['uuid']}", json=STORED)
    web.post(RESTORES, status=201, json=RESTORE)
    for look in looks:
        if isinstance(look, int):
            web.get(f"{TRANSFERS}/{RESTORE['uuid']}", status=look)
        else:
            web.get(f"{TRANSFERS}/{RESTORE['uuid']}", json=RESTORE | look)


ENDED = {"finished_at": STORED["finished_at"], "succeeded": True}


def test_the_end_of_a_short_restore_is_seen_soon() -> None:
    clock = Clock()
    with responses.RequestsMock() as web:
        heroku(web, *[{}] * 6, ENDED)
        put_back(api(clock), shop_database(), *BACKUP, wait=60)

    assert clock.slept == [0.5, 0.5, 0.5, 0.5, 0.5, 0.625]


def test_trouble_while_it_is_put_back_is_waited_out_without_hurry() -> None:
    clock = Clock()
    with responses.RequestsMock() as web:
        heroku(web, {}, 503, ENDED)
        put_back(api(clock), shop_database(), *BACKUP, wait=60)

    assert clock.slept == [0.5, 3.0]


def test_trouble_that_does_not_pass_ends_it() -> None:
    clock = Clock()
    with responses.RequestsMock() as web:
        heroku(web, 503)
        with pytest.raises(PutBackFailed, match="503"):
            put_back(api(clock), shop_database(), *BACKUP, wait=60)

    assert 60 <= clock.now <= 63
