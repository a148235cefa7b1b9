"""The stand-in's download host answers a presigned GET as S3 does."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dbpull.demo.heroku import config
from dbpull.demo.heroku.presigned import NotSigned, Signer
from stand_ins import ADDON, Client, Starter

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000")


def test_a_public_url_is_a_presigned_get_for_an_hour(client: Client) -> None:
    path = "/client/v11/apps/demo/transfers/8/actions/public-url"
    told = client.ask("POST", path).json()
    assert STAMP.fullmatch(told["expires_at"])
    parts = urlsplit(told["url"])
    query = parse_qs(parts.query)
    assert parts.scheme == "https"
    assert query["X-Amz-Expires"] == ["3600"]
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert len(unquote(parts.path).split("/")) == 4
    assert client.ask("POST", path.replace("/8/", "/9/")).status_code == 400


def test_a_dump_can_wait_until_its_url_is_asked_for(start_stand_in: Starter) -> None:
    client = Client(start_stand_in(dump_at_start=False))
    [_, told, _] = client.get("/client/v11/apps/demo/transfers")
    assert told["processed_bytes"] == 0
    dump = client.download(client.url(8)).content
    assert dump[:5] == b"PGDMP"
    assert client.transfer(8, "demo")["processed_bytes"] == len(dump)


def test_a_configured_file_is_served_as_it_is(
    start_stand_in: Starter, source: str, tmp_path: Path
) -> None:
    file = tmp_path / "some.dump"
    file.write_bytes(b"no archive")
    database = config.DatabaseConfig(ADDON, source)
    app = config.AppConfig(
        "demo", (database,), backups=(config.BackupConfig(dump=str(file)),)
    )
    client = Client(start_stand_in(apps=(app,)))
    url = client.url(1)
    assert url.startswith("https://")
    assert client.download(url).content == b"no archive"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-50", slice(-50, None)),
        ("bytes=100-999999999", slice(100, None)),
    ],
)
def test_a_range_is_answered_206(client: Client, asked: str, expected: slice) -> None:
    url = client.url()
    whole = client.download(url)
    part = client.download(url, Range=asked, If_Range=whole.headers["ETag"])
    assert part.status_code == 206
    assert part.content == whole.content[expected]
    size = len(whole.content)
    start, stop, _ = expected.indices(size)
    assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    assert part.headers["ETag"] == whole.headers["ETag"]
    assert whole.headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-9", "If_Range": '"another"'},
        {"Range": "bytes=9-0"},
        {"Range": "bytes=0-1,5-6"},
        {"Range": "lines=1-2"},
    ],
)
def test_other_ranges_get_the_whole_with_200(
    client: Client, headers: dict[str, str]
) -> None:
    answer = client.download(client.url(), **headers)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    assert "Content-Range" not in answer.headers


def test_a_range_behind_the_end_is_answered_416(client: Client) -> None:
    answer = client.download(client.url(), Range="bytes=999999999-")
    assert answer.status_code == 416
    assert "<Code>InvalidRange</Code>" in answer.text
    size = client.transfer(8, "demo")["processed_bytes"]
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    ("change", "method", "headers", "status", "code"),
    [
        (("", ""), "GET", {"Authorization": "Basic eDp5"}, 400, "InvalidArgument"),
        (("", ""), "GET", {"If_Match": '"x"'}, 412, "PreconditionFailed"),
        (("Signature=", "Signature=0"), "GET", {}, 403, "SignatureDoesNotMatch"),
        (("?", "0?"), "GET", {}, 403, "SignatureDoesNotMatch"),
        (("X-Amz-Signature", "X-Other"), "GET", {}, 403, "AccessDenied"),
        (("", ""), "PUT", {}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_the_download_host_refuses_in_xml(
    client: Client,
    change: tuple[str, str],
    method: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    url = client.url().replace(*change) if change[0] else client.url()
    answer = client.download(url, method, **headers)
    assert answer.status_code == status
    assert f"<Code>{code}</Code>" in answer.text
    assert answer.headers["Content-Type"] == "application/xml"


def test_head_is_refused_since_only_get_is_signed(client: Client) -> None:
    assert client.download(client.url(), "HEAD").status_code == 403


def test_a_url_expires() -> None:
    signer = Signer(lifetime=0)
    url = urlsplit(signer.sign("https://127.0.0.1:1", "a/b"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    with pytest.raises(NotSigned, match="Request has expired"):
        signer.check("GET", url.netloc, url.path, query)
