"""Render's API: key, address, databases, exports; against a stand-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from clock import Clock
from dbpull import render
from dbpull.errors import PullError
from dbpull.errors.http_api import HttpError, ProviderDown, RateLimited
from dbpull.errors.sources import (
    CaptureInterrupted,
    CaptureUnseen,
    NoBackup,
    SourceError,
)
from dbpull.render import RenderApi
from dbpull.sources import choice
from dbpull.sources.named import NamedSource
from dbpull.sources.render_database import RenderLive, RenderSource
from dbpull.sources.source import ByUrl, SourceBackup
from heard import Heard
from render_stand_in import (
    AUTH,
    KEY,
    RenderPostgresMade,
    RenderStandIn,
    failing,
)

POSTGRES = "GET /postgres"
EXPORTS = "GET /postgres/dpg-0001-a/export"
EXPORT = "POST /postgres/dpg-0001-a/export"
DAY = timedelta(days=1)


@pytest.fixture
def stand_in() -> Iterator[RenderStandIn]:
    """Render, without a database."""
    with RenderStandIn(b"x" * 1000) as made:
        yield made


@pytest.fixture
def shop(stand_in: RenderStandIn) -> RenderPostgresMade:
    """The database dpg-0001-a, without an export."""
    return stand_in.database()


def api(stand_in: RenderStandIn, clock: Clock | None = None, **options: Any) -> Any:
    """The client, with a clock of its own."""
    clock = clock or Clock()
    options = {"sleep": clock.sleep, "clock": clock, **options}
    return RenderApi.from_environment(stand_in.environment, **options)


def found(stand_in: RenderStandIn, **options: Any) -> tuple[Any, Any]:
    """The client, and the database that it knows as `shop`."""
    client = api(stand_in, **options)
    return client, render.find(client, "shop")


def capture(client: RenderApi, database: Any, wait: float = 600) -> render.Export:
    return render.capture(client, database, wait=wait)


# The key and the address


def test_a_missing_key_is_refused_with_the_place_that_makes_one() -> None:
    with pytest.raises(SourceError, match="RENDER_API_KEY is not set") as refused:
        RenderApi.from_environment({"RENDER_API_KEY": " "})

    assert "dashboard.render.com" in refused.value.remedy
    assert ".env" in refused.value.remedy


def test_a_key_that_no_header_can_hold_is_refused_unseen() -> None:
    with pytest.raises(SourceError, match="is not one") as refused:
        RenderApi.from_environment({"RENDER_API_KEY": "rnd_s3cret\nrnd_other"})

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "https://api.render.com.evil.com/v1",
        "https://evil.com",
        "http://api.render.com/v1",
        "https://api.render.com@evil.com/v1",
        "https://me@api.render.com/v1",
        "https://evil.com\\@api.render.com/v1",
        "https://[api.render.com/v1",
        "api.render.com",
    ],
)
def test_only_render_gets_the_key(host: str) -> None:
    with pytest.raises(SourceError, match="RENDER_HOST") as refused:
        RenderApi.from_environment({"RENDER_API_KEY": KEY, "RENDER_HOST": host})

    assert "https://api.render.com/v1" in refused.value.remedy


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("", "https://api.render.com/v1"),
        ("https://api.render.com/v1/", "https://api.render.com/v1"),
        ("http://127.0.0.1:5000/v1", "http://127.0.0.1:5000/v1"),
    ],
)
def test_the_address_of_the_api(host: str, base: str) -> None:
    environ = {"RENDER_API_KEY": KEY, "RENDER_HOST": host}

    assert RenderApi.from_environment(environ).base == base


def test_an_unknown_key_is_refused_at_once(stand_in: RenderStandIn) -> None:
    wrong = stand_in.environment | {"RENDER_API_KEY": "rnd_wr0ng"}

    with pytest.raises(HttpError, match="does not accept the key") as refused:
        render.find(RenderApi.from_environment(wrong), "shop")

    assert "rnd_wr0ng" not in str(refused.value)
    assert stand_in.asked == [POSTGRES]


def test_a_key_without_access_is_told_so(stand_in: RenderStandIn) -> None:
    stand_in.answers.append(failing(POSTGRES, 403))

    with pytest.raises(HttpError, match=r"refuses the list .* Sorry\.") as refused:
        render.find(api(stand_in), "shop")

    assert "workspace" in refused.value.remedy


# Patience


def test_a_rate_limit_is_waited_out(stand_in: RenderStandIn) -> None:
    clock, heard = Clock(), list[str]()
    stand_in.database()
    stand_in.answers.append(failing(POSTGRES, 429, Retry_After="7"))

    render.find(api(stand_in, clock, notice=heard.append), "shop")

    assert clock.slept == [7.0]
    assert "Render refuses more requests" in heard[0]


def test_a_rate_limit_beyond_the_patience_ends(stand_in: RenderStandIn) -> None:
    stand_in.answers.append(failing(POSTGRES, 429, Retry_After="600"))

    with pytest.raises(RateLimited, match="Wait about 600 s"):
        render.find(api(stand_in), "shop")


def test_trouble_at_render_is_waited_out_and_named(stand_in: RenderStandIn) -> None:
    stand_in.answers.append(failing(POSTGRES, 503, times=99))

    with pytest.raises(ProviderDown, match="503") as down:
        render.find(api(stand_in), "shop")

    assert stand_in.count(POSTGRES) > 3
    assert "https://status.render.com" in down.value.remedy


# Databases


def test_a_database_is_found_by_its_id_or_its_name(stand_in: RenderStandIn) -> None:
    stand_in.database("blog")
    stand_in.database()

    for asked in ("dpg-0002-a", "shop"):
        database = render.find(api(stand_in), asked)
        assert (database.id, database.name) == ("dpg-0002-a", "shop")
        assert (database.dbname, database.version) == ("shop_x1y2", "16")


def test_a_database_on_a_later_page_is_found(stand_in: RenderStandIn) -> None:
    for number in range(250):
        stand_in.database(f"shop-{number}")

    assert render.find(api(stand_in), "shop-249").id == "dpg-0250-a"
    assert stand_in.count(POSTGRES) == 3


def test_full_pages_end(stand_in: RenderStandIn) -> None:
    for number in range(100):
        stand_in.database(f"shop-{number}")

    with pytest.raises(SourceError, match="no database called 'elsewhere'"):
        render.find(api(stand_in), "elsewhere")


def test_an_unknown_name_is_refused_with_the_nearest(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    stand_in.database("blog")

    with pytest.raises(SourceError, match="no database called 'shpo'") as refused:
        render.find(api(stand_in), "shpo")

    assert refused.value.remedy == "Did you mean shop? Known: blog, shop."


def test_an_account_without_databases_is_told_so(stand_in: RenderStandIn) -> None:
    with pytest.raises(SourceError, match="knows no database") as refused:
        render.find(api(stand_in), "shop")

    assert "no databases at all" in refused.value.remedy


def test_several_databases_of_one_name_are_refused_with_their_ids(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    stand_in.database(region="frankfurt")

    with pytest.raises(SourceError, match="2 databases called 'shop'") as refused:
        render.find(api(stand_in), "shop")

    assert "dpg-0001-a (oregon), dpg-0002-a (frankfurt)" in refused.value.what
    assert "render:dpg-0001-a" in refused.value.remedy


# Exports


def test_the_newest_finished_export(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    old, young = shop.export(3 * DAY), shop.export(DAY)
    shop.export(looks=9)
    client, database = found(stand_in)

    known = render.exports(client, database)
    assert render.newest(known, database).key == young.id
    assert [export.key for export in known] == ["exp-3", young.id, old.id]
    assert re.fullmatch(r"e\d{14}", known[0].id)


def test_none_is_finished(stand_in: RenderStandIn, shop: RenderPostgresMade) -> None:
    client, database = found(stand_in)

    with pytest.raises(NoBackup, match=r"of the database shop\."):
        render.newest(render.exports(client, database), database)
    shop.export(looks=9)
    with pytest.raises(NoBackup, match=r"the newest one, e\d+, unfinished"):
        render.newest(render.exports(client, database), database)


def test_an_export_by_an_id(stand_in: RenderStandIn, shop: RenderPostgresMade) -> None:
    shop.export(DAY)
    client, database = found(stand_in)
    known = render.exports(client, database)

    assert render.named(known, "exp-1") == render.named(known, known[0].id)
    with pytest.raises(SourceError, match="no backup 'b101' at Render") as refused:
        render.named(known, "b101")
    assert known[0].id in refused.value.remedy


def test_each_url_is_a_fresh_one_and_no_text_shows_it(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    shop.export(DAY)
    client, database = found(stand_in)
    (export,) = render.exports(client, database)

    first = render.download_url(client, database, export)
    assert first != render.download_url(client, database, export)
    assert requests.get(first, timeout=10).content == b"x" * 1000
    assert AUTH in first
    assert AUTH not in repr(export)


def test_an_export_that_has_been_removed(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    shop.export(DAY)
    client, database = found(stand_in)
    (export,) = render.exports(client, database)
    shop.exports.clear()

    with pytest.raises(SourceError, match="keeps them for 7 days"):
        render.download_url(client, database, export)


def test_a_url_without_tls_is_refused(
    stand_in: RenderStandIn, shop: RenderPostgresMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.export(DAY)
    client, database = found(stand_in)
    (export,) = render.exports(client, database)
    monkeypatch.setattr(stand_in, "_url", lambda *_: f"http://evil.com/?auth={AUTH}")

    with pytest.raises(HttpError, match="no https URL") as refused:
        render.download_url(client, database, export)
    assert AUTH not in str(refused.value)


# A new export


def test_a_new_export_is_asked_for_once_and_waited_for(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    clock = Clock()
    shop.export(DAY)
    stand_in.looks = 4
    client, database = found(stand_in, clock=clock)

    export = capture(client, database)

    assert export.key == "exp-2"
    assert export.url
    assert stand_in.count(EXPORT) == 1
    assert len(clock.slept) == 4


def test_trouble_while_waiting_is_waited_out_and_told_once(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    heard = list[str]()
    client, database = found(stand_in, notice=heard.append)
    before = {POSTGRES, EXPORTS}

    async def down(request: Any) -> Any:
        if stand_in.count(EXPORT) and stand_in.count(EXPORTS) < 6:
            return await failing(EXPORTS, 502)(request)
        return None

    stand_in.answers.append(down)
    export = capture(client, database)

    assert export.url
    assert before <= set(stand_in.asked)
    assert len(heard) == 1
    assert "502" in heard[0]


def test_the_wait_has_an_end(stand_in: RenderStandIn, shop: RenderPostgresMade) -> None:
    stand_in.looks = 9999
    client, database = found(stand_in)

    with pytest.raises(CaptureUnseen, match="not seen within 10 min") as unseen:
        capture(client, database)

    assert re.search(r"--backup=e\d{14}", unseen.value.remedy)
    assert "--wait" in unseen.value.remedy


def test_a_lost_answer_is_not_asked_again_where_the_export_appears(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    async def lose(request: Any) -> Any:
        if request.method == "POST":
            shop.export(looks=1)
            return await failing(EXPORT, 502)(request)
        return None

    stand_in.answers.append(lose)
    client, database = found(stand_in)

    assert capture(client, database).key == "exp-1"
    assert stand_in.count(EXPORT) == 1


def test_a_lost_answer_without_an_export_is_told(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    stand_in.answers.append(failing(EXPORT, 502))
    client, database = found(stand_in)

    with pytest.raises(SourceError, match=r"answer got lost .* 502.* no new export"):
        capture(client, database)
    assert stand_in.count(EXPORT) == 1


def test_a_rate_limited_request_for_an_export_is_sent_again(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    stand_in.answers.append(failing(EXPORT, 429, Retry_After="2"))
    client, database = found(stand_in)

    assert capture(client, database).url
    assert len(shop.exports) == 1


def test_what_render_refuses_is_told_with_the_other_way(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    stand_in.answers.append(failing(EXPORT, 400))
    client, database = found(stand_in)

    with pytest.raises(SourceError, match=r"a new export of shop .*Sorry") as refused:
        capture(client, database)
    assert "live: true" in refused.value.remedy


def test_ctrl_c_says_that_the_export_goes_on(
    stand_in: RenderStandIn, shop: RenderPostgresMade
) -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    client, database = found(stand_in, sleep=stop)

    with pytest.raises(CaptureInterrupted, match="goes on at Render") as stopped:
        capture(client, database)
    assert re.search(r"--backup=e\d{14}", stopped.value.remedy)
    assert stopped.value.code == 130


# The source


@pytest.fixture
def source(
    stand_in: RenderStandIn, shop: RenderPostgresMade, monkeypatch: pytest.MonkeyPatch
) -> RenderSource:
    """The source `render:shop`, called production."""
    for name, value in stand_in.environment.items():
        monkeypatch.setenv(name, value)
    named = NamedSource("render", "render:shop", "--source", "production", "shop--1")
    return RenderSource(named)


def url_of(backup: SourceBackup) -> str:
    assert isinstance(backup.way, ByUrl)
    return backup.way.url()


def test_the_source_s_database(source: RenderSource) -> None:
    database = source.open(Heard())

    assert database.label == "shop (production)"
    assert "--source" in database.about
    assert database.server
    assert database.server.host == "dpg-x.oregon-postgres.render.com"
    assert "5ecret" not in repr(database)
    assert source.open(Heard()) == database


def test_a_young_export_is_taken_and_an_old_one_is_not(
    source: RenderSource, shop: RenderPostgresMade
) -> None:
    shop.export(2 * DAY)
    database = source.open(Heard())

    def chosen(age: timedelta) -> SourceBackup | None:
        seconds = age.total_seconds()
        asked = choice.choose(database, backup=None, capture=False, max_age=seconds)
        return asked.backup

    backup = chosen(3 * DAY)
    assert backup
    assert backup.source == "shop--1"
    assert backup.taken < datetime.now(UTC) - DAY
    assert requests.get(url_of(backup), timeout=10).status_code == 200
    assert chosen(DAY) is None


def test_the_list_has_every_export(
    source: RenderSource, shop: RenderPostgresMade
) -> None:
    shop.export(DAY)
    shop.export(looks=9)

    listed = [(each.status, each.is_finished) for each in source.backups(Heard())]

    assert listed == [("unfinished", False), ("finished", True)]


def test_an_unfinished_export_is_waited_for(
    source: RenderSource, shop: RenderPostgresMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbpull.network._SHORTEST_PAUSE", 0.01)
    shop.export(looks=3)
    database = source.open(Heard())

    with pytest.raises(PullError, match="still being taken"):
        url_of(database.named("exp-1"))
    ended = database.named("exp-1").ended(60, lambda *_: None)

    assert ended.is_finished
    assert requests.get(url_of(ended), timeout=10).status_code == 200


def test_live_reads_the_database_at_the_address_that_render_tells(
    source: RenderSource, shop: RenderPostgresMade, stand_in: RenderStandIn
) -> None:
    made: list[NamedSource] = []

    def make(named: NamedSource) -> Any:
        made.append(named)
        return source  # any source that can be opened

    live = RenderLive(source.named, make, lambda name: [])
    assert (live.name, live.name_of_dumps) == ("production", "shop--1")
    assert live.backups(Heard()) == []
    assert stand_in.asked == []

    live.open(Heard())

    (named,) = made
    assert (named.kind, named.text, named.alias) == ("live", shop.url, "production")
    assert "5ecret" not in repr(named)
