from __future__ import annotations

import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import responses
import trustme

from clock import Clock
from dbpull.errors import PullError
from dbpull.errors.heroku_http import (
    BadToken,
    NoAccess,
    RefusedHost,
    Suspended,
    TwoFactor,
)
from dbpull.errors.http_api import (
    HttpError,
    NotFound,
    ProviderDown,
    RateLimited,
    RequestRefused,
    UnexpectedAnswer,
    Unreachable,
)
from dbpull.heroku import Api, ApiUrls
from dbpull.http_api import patient
from dbpull.redact import redacted
from heroku_answers import (
    PASSWORD,
    PLATFORM,
    SECRET,
    api,
)
from json_faults import DROP, HANG, cut, drip, json_server

URL = f"{PLATFORM}/apps/shop"
LOCAL = {"HEROKU_HOST": "http://127.0.0.1:5000", "HEROKU_DATA_HOST": "127.0.0.1"}


def get_shop(client: Api, **options: Any) -> dict[str, Any]:
    return client.get(
        dict, client.platform, "apps", "shop", about="the app shop", **options
    )


def everything_said(error: BaseException) -> str:
    """What could be shown of an error: itself and all that it was made from."""
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [e for e in (one.__cause__, one.__context__) if e and e not in chain]
    return " ".join(f"{one} {one!r} {vars(one)}" for one in chain)


# Hosts


@pytest.mark.parametrize(
    ("environ", "platform", "data"),
    [
        ({}, PLATFORM, "https://api.data.heroku.com"),
        ({"HEROKU_HOST": ""}, PLATFORM, "https://api.data.heroku.com"),
        (
            {"HEROKU_HOST": "herokudev.com"},
            "https://api.herokudev.com",
            "https://api.data.heroku.com",
        ),
        (
            {"HEROKU_HOST": "https://api.staging.herokudev.com/"},
            "https://api.staging.herokudev.com",
            "https://api.data.heroku.com",
        ),
        (LOCAL, "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        (
            {"HEROKU_HOST": "http://localhost:5000", "HEROKU_DATA_HOST": "127.0.0.2"},
            "http://localhost:5000",
            "http://127.0.0.2:5000",
        ),
        (
            {"HEROKU_POSTGRESQL_HOST": "pg.heroku.com"},
            PLATFORM,
            "https://pg.heroku.com",
        ),
        (
            {
                "HEROKU_DATA_HOST": "data.heroku.com",
                "HEROKU_POSTGRESQL_HOST": "pg.heroku.com",
            },
            PLATFORM,
            "https://data.heroku.com",
        ),
    ],
)
def test_the_environment_names_both_hosts(
    environ: dict[str, str], platform: str, data: str
) -> None:
    assert ApiUrls.from_environment(environ) == ApiUrls(platform, data)


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "https://evil.com",
        "http://127.0.0.1.evil.com",
        "https://heroku.com.evil.com",
        "https://evilheroku.com",
        "https://heroku.com@evil.com",
        "https://evil.com\\@heroku.com",
        "https://evil.com/.heroku.com",
        "https://evil.com#.heroku.com",
        "https://evil.com?.heroku.com",
        "https://heroku.com:99999",
        "ftp://heroku.com",
        "http://api.heroku.com",
        "localhost",
        "127.0.0.1",
        "heroku.com evil.com",
    ],
)
def test_a_host_that_must_not_get_the_token_is_refused(host: str) -> None:
    with pytest.raises(RefusedHost, match="HEROKU_HOST") as refused:
        ApiUrls.from_environment({"HEROKU_HOST": host})

    assert refused.value.remedy


@pytest.mark.parametrize("variable", ["HEROKU_DATA_HOST", "HEROKU_POSTGRESQL_HOST"])
@pytest.mark.parametrize(
    "host", ["evil.com", "data.heroku.com:5000", "https://data.heroku.com"]
)
def test_the_data_host_is_a_host_name_of_heroku(variable: str, host: str) -> None:
    with pytest.raises(RefusedHost, match=variable):
        ApiUrls.from_environment({variable: host})


def test_a_local_host_needs_a_local_data_host_too() -> None:
    with pytest.raises(RefusedHost, match=r"HEROKU_DATA_HOST=127\.0\.0\.1"):
        ApiUrls.from_environment({"HEROKU_HOST": "http://127.0.0.1:5000"})


def test_a_password_in_a_refused_host_is_not_shown() -> None:
    with pytest.raises(RefusedHost) as refused:
        ApiUrls.from_environment({"HEROKU_HOST": f"https://me:{PASSWORD}@evil.com"})

    assert PASSWORD not in everything_said(refused.value)


# What is sent


@responses.activate
def test_a_request_carries_the_token_and_the_version() -> None:
    responses.get(URL, json={"name": "shop"})

    assert get_shop(api()) == {"name": "shop"}

    sent = responses.calls[0].request.headers
    assert sent["Authorization"] == f"Bearer {SECRET}"
    assert sent["Accept"] == "application/vnd.heroku+json; version=3"
    assert sent["User-Agent"].startswith("dbpull/")


@responses.activate
def test_netrc_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.heroku.com login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    responses.get(URL, json={})

    get_shop(api())

    assert responses.calls[0].request.headers["Authorization"] == f"Bearer {SECRET}"


@responses.activate
def test_a_redirect_to_another_host_gets_no_token_and_nothing_from_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine elsewhere.example.com login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    elsewhere = "https://elsewhere.example.com/shop"
    responses.get(URL, status=302, headers={"Location": elsewhere})
    responses.get(elsewhere, json={})

    get_shop(api())

    assert "Authorization" not in responses.calls[1].request.headers


@responses.activate
def test_a_redirect_on_the_same_host_keeps_the_token() -> None:
    responses.get(URL, status=307, headers={"Location": "/apps/shop-2"})
    responses.get(f"{PLATFORM}/apps/shop-2", json={})

    get_shop(api())

    assert responses.calls[1].request.headers["Authorization"] == f"Bearer {SECRET}"


@responses.activate
def test_a_part_of_a_path_stays_one_part() -> None:
    responses.get(f"{PLATFORM}/apps/a%2F..%2Fb%3Fc", json={})

    assert api().get(dict, PLATFORM, "apps", "a/../b?c", about="it") == {}
    with pytest.raises(ValueError, match="parts of a path"):
        api().get(dict, PLATFORM, "apps", "..", about="it")


@responses.activate
def test_a_list_in_parts_is_put_together() -> None:
    responses.get(URL, json=[1, 2], status=206, headers={"Next-Range": "id ]2.."})
    responses.get(
        URL,
        json=[3],
        match=[responses.matchers.header_matcher({"Range": "id ]2.."})],
    )

    assert api().get(list, PLATFORM, "apps", "shop", about="it") == [1, 2, 3]


@responses.activate
def test_a_list_whose_parts_never_end_is_given_up() -> None:
    for following in ("id ]2..", "id ]4..", "id ]2.."):
        responses.get(URL, json=[1], status=206, headers={"Next-Range": following})

    with pytest.raises(UnexpectedAnswer, match="its parts never end"):
        api().get(list, PLATFORM, "apps", "shop", about="it")
    assert len(responses.calls) == 3


def test_a_proxy_from_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with json_server(lambda _: {"name": "shop"}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        monkeypatch.setenv("http_proxy", proxy.url(""))

        get_shop(api(base="http://heroku.invalid"))

    assert str(proxy.log[0].web.url) == "http://heroku.invalid/apps/shop"


# Patience


@responses.activate
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_get_is_sent_again_after_a_passing_trouble(status: int) -> None:
    clock = Clock()
    for _ in range(2):
        responses.get(URL, status=status, body="<h1>Sorry</h1>")
    responses.get(URL, json={"name": "shop"})

    heard: list[str] = []
    assert get_shop(api(clock, notice=heard.append)) == {"name": "shop"}
    assert clock.slept == [0.5, 1.0]
    assert [text.endswith("Asking again for up to 30 s.") for text in heard] == [True]


@responses.activate
def test_retry_after_is_heeded() -> None:
    clock, heard = Clock(), list[str]()
    responses.get(URL, status=429, headers={"Retry-After": "7"})
    responses.get(URL, json={})

    get_shop(api(clock, notice=heard.append))

    assert clock.slept == [7.0]
    assert "rate limit" in heard[0]


@responses.activate
@pytest.mark.parametrize("as_date", [False, True])
def test_a_rate_limit_longer_than_the_patience_ends_at_once(as_date: bool) -> None:
    clock, date = Clock(), datetime.now(UTC) + timedelta(seconds=600)
    value = format_datetime(date, usegmt=True) if as_date else "600"
    responses.get(URL, status=429, headers={"Retry-After": value})

    with pytest.raises(RateLimited, match=r"Wait about (600|599|598) s"):
        get_shop(api(clock))
    assert clock.slept == []


@responses.activate
def test_patience_ends_within_its_seconds() -> None:
    clock = Clock()
    responses.get(URL, status=503)

    with pytest.raises(ProviderDown, match=r"api\.heroku\.com .* 503") as down:
        get_shop(api(clock))

    assert 20 < clock.now <= 30
    assert "status.heroku.com" in down.value.remedy


@responses.activate
def test_a_post_is_not_sent_again_where_heroku_may_have_acted() -> None:
    responses.post(URL, status=503)

    with pytest.raises(ProviderDown):
        api().post(dict, PLATFORM, "apps", "shop", about="it")
    assert len(responses.calls) == 1


@responses.activate
def test_a_post_that_heroku_refused_to_read_is_sent_again() -> None:
    responses.post(URL, status=429)
    responses.post(URL, json={"done": True})

    assert api().post(dict, PLATFORM, "apps", "shop", about="it") == {"done": True}


@responses.activate
def test_a_post_that_does_no_harm_twice_is_sent_again() -> None:
    responses.post(URL, status=500)
    responses.post(URL, json={"url": "x"})
    client = api()

    client.post(dict, PLATFORM, "apps", "shop", about="it", repeatable=True)

    assert len(responses.calls) == 2


# Network


def test_a_dropped_connection_is_tried_again() -> None:
    replies = iter([DROP, DROP, {"name": "shop"}])
    with json_server(lambda _: next(replies)) as wire:
        assert get_shop(api(base=wire.url(""))) == {"name": "shop"}
    assert len(wire.log) == 3


def test_a_dropped_post_is_an_error_at_once() -> None:
    with (
        json_server(lambda _: DROP) as wire,
        pytest.raises(Unreachable, match=r"127\.0\.0\.1 broke off") as dropped,
    ):
        api(base=wire.url("")).post(dict, wire.url(""), "backups", about="it")
    assert len(wire.log) == 1
    assert not dropped.value.unsent


def test_silence_is_a_timeout() -> None:
    with (
        json_server(lambda _: HANG) as wire,
        pytest.raises(Unreachable, match="did not answer in time"),
    ):
        get_shop(api(base=wire.url(""), timeout=(20, 0.1), patience=0))


def test_an_answer_that_drips_for_ever_is_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient, "DEADLINE", 0.2)
    with json_server(lambda _: drip) as wire:
        client = api(base=wire.url(""), patience=0)
        client.clock = time.monotonic
        with pytest.raises(Unreachable, match="did not answer in time"):
            get_shop(client)


def test_an_answer_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "MOST", 2**20)
    with (
        json_server(lambda _: {"name": "x" * 2**20}) as wire,
        pytest.raises(UnexpectedAnswer, match="more than 1 MB"),
    ):
        get_shop(api(base=wire.url("")))


def test_answers_are_decoded_and_their_connection_serves_again() -> None:
    with json_server(lambda _: {"name": "shop" * 50_000}) as wire:
        client = api(base=wire.url(""))
        for _ in range(3):
            assert get_shop(client) == {"name": "shop" * 50_000}
    assert len(wire.log) == 3
    assert len({asked.transport for asked in wire.log}) == 1


def test_an_answer_that_breaks_off_in_its_body_is_tried_again() -> None:
    replies = iter([cut, {"name": "shop"}])
    with json_server(lambda _: next(replies)) as wire:
        assert get_shop(api(base=wire.url(""))) == {"name": "shop"}


def test_a_refused_connection_names_the_host() -> None:
    with socket.socket() as deaf:  # bound, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1 refused") as refused:
            get_shop(api(base=base, patience=2))
    assert refused.value.unsent


def test_a_name_that_cannot_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    clock, told = Clock(), r"api\.heroku\.com could not be looked up"

    with pytest.raises(Unreachable, match=told) as unknown:
        get_shop(api(clock))
    assert "network" in unknown.value.remedy
    assert 20 < clock.now <= 30


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_certificate_nobody_vouches_for_is_an_error_at_once() -> None:
    clock = Clock()
    with (
        json_server(lambda _: {}, _tls(trustme.CA())) as wire,
        pytest.raises(Unreachable, match="TLS certificate") as untrusted,
    ):
        get_shop(api(clock, base=wire.url("")))
    assert "REQUESTS_CA_BUNDLE" in untrusted.value.remedy
    assert clock.slept == []


def test_requests_ca_bundle_is_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, bundle = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    with json_server(lambda _: {"name": "shop"}, _tls(authority)) as wire:
        assert get_shop(api(base=wire.url(""))) == {"name": "shop"}


def test_a_ca_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")

    with pytest.raises(Unreachable, match="REQUESTS_CA_BUNDLE") as missing:
        get_shop(api())
    assert missing.value.reason == "tls"


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://me:{PASSWORD}@127.0.0.1:1",
        f"ftp://me:{PASSWORD}@127.0.0.1:1",
        f"socks5://me:{PASSWORD}@127.0.0.1:1",
        f"http://me:{PASSWORD}@[oops",
        f"http://me:{PASSWORD}@",
        f"http://me:{PASSWORD}@127.0.0.1:port",
    ],
)
def test_a_useless_proxy_is_an_error_without_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)

    with pytest.raises(Unreachable, match=r"api\.heroku\.com") as unreachable:
        get_shop(api(patience=0))

    assert PASSWORD not in everything_said(unreachable.value)
    assert "HTTPS_PROXY" in unreachable.value.remedy
    # What requests raises holds the request, with its Authorization.
    assert unreachable.value.__context__ is None


# Answers


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, {"id": "unauthorized"}, BadToken, "token from HEROKU_API_KEY"),
        (402, {"id": "delinquent", "message": "Pay."}, Suspended, ": Pay."),
        (403, {"id": "suspended"}, Suspended, "blocked .* the app shop"),
        (403, {"id": "two_factor"}, TwoFactor, "heroku authorizations:create"),
        (403, {"id": "two_factor"}, TwoFactor, "https://dashboard.heroku.com/account"),
        (401, {}, BadToken, "https://dashboard.heroku.com/account"),
        (403, {"id": "forbidden", "message": "No."}, NoAccess, "the app shop .*: No."),
        (404, {"id": "not_found"}, NotFound, "does not find the app shop"),
        (410, "<h1>Gone</h1>", NotFound, "does not find the app shop"),
        (422, {"message": "Too many."}, RequestRefused, "422: Too many."),
        (400, [1, 2], RequestRefused, "400"),
        (200, "<h1>Welcome to our Wi-Fi</h1>", UnexpectedAnswer, "no JSON"),
        (200, [1, 2], UnexpectedAnswer, "no object"),
        (500, "<h1>Oh no</h1>", ProviderDown, "500"),
    ],
)
def test_an_answer_that_says_no_is_worded(
    status: int, body: object, error: type[HttpError], says: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    responses.get(URL, status=status, body=text)

    with pytest.raises(error, match=says) as raised:
        get_shop(api(patience=0))

    assert raised.value.what.endswith(".")
    assert raised.value.remedy.endswith(".")
    assert "\n" not in raised.value.what
    assert raised.value.code == 1


@responses.activate
@pytest.mark.parametrize("status", [200, 400, 402, 403, 404, 422, 503])
def test_no_error_holds_what_the_answer_held(status: int) -> None:
    url = f"postgres://u1:{PASSWORD}@db.example.com/d1"
    leak = {"id": f"x {url}", "message": f"cannot reach {url}", "resource_url": url}
    body = json.dumps(leak)[: -1 if status == 200 else None]  # 200: no JSON
    responses.get(URL, status=status, body=body)

    with pytest.raises(PullError) as raised:
        get_shop(api(patience=0))

    assert PASSWORD not in everything_said(raised.value)


def test_the_client_does_not_show_the_token() -> None:
    client = api()

    assert SECRET not in repr(client)
    assert SECRET not in repr(vars(client))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Couldn't find that app.", "Couldn't find that app."),
        ("Two\nlines\x1b[31m", "Two lines [31m"),
        ("at postgres://u:p@h/d now", "at [URL left out] now"),
        ("at postgres://u:p", "at [URL left out]"),
        ("at POSTGRESQL://u:it's/a@b#c@h/d now", "at [URL left out] now"),
        ("at redis://:p@h:6379", "at [URL left out]"),
        (
            "see https://devcenter.heroku.com/articles/pgbackups",
            "see https://devcenter.heroku.com/articles/pgbackups",
        ),
        ("get https://s3.example.com/x?X-Amz-Signature=1", "get [URL left out]"),
        (f"get https://s3.example.com/{'x' * 120}", "get [URL left out]"),
        ("host=h password=p4ss user=u", "host=h password=[left out] user=u"),
        ("password='p4 ss' user=u", "password=[left out] user=u"),
        ("Authorization: Bearer abc", "Authorization: [token left out]"),
        ("key HRKU-12-ab_c.", "key [token left out]."),
        ("x" * 400, "x" * 299 + "…"),
        (f"{'x' * 290} postgres://u:p@h/d", f"{'x' * 290} [URL lef…"),
        (None, ""),
        (["a"], ""),
    ],
)
def test_text_from_heroku_is_redacted(text: object, shown: str) -> None:
    assert redacted(text) == shown
