"""The stand-in for Heroku misbehaves exactly as it is told to, and then no more."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dbpull.demo.heroku import config
from faulty_stand_in import Fault, faults
from stand_ins import Client, Starter, received

TRANSFERS = "/client/v11/apps/demo/transfers"


def test_a_connection_is_cut_before_a_byte_as_often_as_asked(client: Client) -> None:
    url = client.url()
    whole = client.download(url).content
    client.stand_in.misbehave(faults.cut(at=700_000, times=2))
    assert received(url, client) == whole[:700_000]
    assert received(url, client, Range="bytes=600000-") == whole[600_000:700_000]
    assert received(url, client, Range="bytes=700000-") == whole[700_000:]
    assert [seen.faults for seen in client.stand_in.requests("download")] == [
        [],
        ["cut"],
        ["cut"],
        [],
    ]


def test_a_request_that_begins_at_the_cut_gets_nothing(client: Client) -> None:
    url = client.url()
    client.stand_in.misbehave(faults.cut(at=0), faults.cut(at=500))
    assert received(url, client) == b""
    assert received(url, client, Range="bytes=500-") == b""


def test_cuts_at_every_so_many_bytes_count_from_the_objects_start(
    client: Client,
) -> None:
    url = client.url()
    whole = client.download(url).content
    client.stand_in.misbehave(faults.cut(every=400_000, times=3))
    got = b""
    for _ in range(4):
        got += received(url, client, Range=f"bytes={len(got)}-")
    assert got == whole
    sent = [seen.sent for seen in client.stand_in.requests("download")[1:]]
    assert sent[:3] == [400_000] * 3


def test_a_reset_ends_the_body_early(client: Client) -> None:
    url = client.url()
    client.stand_in.misbehave(faults.cut(at=100_000, reset=True))
    assert len(received(url, client)) <= 100_000
    assert len(received(url, client)) > 100_000


def test_a_request_can_be_dropped_with_nothing_done(client: Client) -> None:
    before = client.get("/client/v11/apps/fresh/transfers")
    client.stand_in.misbehave(faults.drop(method="POST"))
    with pytest.raises(requests.ConnectionError):
        client.capture()
    assert client.get("/client/v11/apps/fresh/transfers") == before
    assert client.stand_in.requests(method="POST")[0].status is None


def test_an_answer_can_be_lost_with_the_work_done(client: Client) -> None:
    before = client.get("/client/v11/apps/fresh/transfers")
    client.stand_in.misbehave(faults.lose_answer())
    with pytest.raises(requests.ConnectionError):
        client.capture()
    after = client.get("/client/v11/apps/fresh/transfers")
    assert len(after) == len(before) + 1
    [lost] = client.stand_in.requests(method="POST")
    assert (lost.status, lost.faults) == (None, ["lose answer"])


def test_urls_issued_so_far_expire_and_new_ones_serve(client: Client) -> None:
    old = client.url()
    client.stand_in.expire_urls()
    answer = client.download(old)
    assert answer.status_code == 403
    assert "Request has expired" in answer.text
    assert client.download(client.url()).status_code == 200


def test_urls_can_expire_in_the_middle_of_a_download(client: Client) -> None:
    url = client.url()
    client.stand_in.misbehave(faults.expire(skip=2))
    codes = [client.download(url, Range="bytes=0-9").status_code for _ in range(4)]
    assert codes == [206, 206, 403, 403]


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (faults.answer(401), 401, '"unauthorized"'),
        (faults.answer(403), 403, '"forbidden"'),
        (faults.answer(403, code="two_factor"), 403, "Two-factor"),
        (faults.answer(404), 404, '"not_found"'),
        (faults.answer(422, message="too many"), 422, "too many"),
        (faults.answer(429, retry_after=2), 429, '"rate_limit"'),
        (faults.answer(500), 500, '"internal_server_error"'),
        (faults.answer(503), 503, "<html>"),
        (faults.answer(200, body="{", content_type="application/json"), 200, "{"),
    ],
)
def test_the_apis_answer_as_told_for_so_many_requests(
    client: Client, fault: Fault, status: int, text: str
) -> None:
    client.stand_in.misbehave(fault)
    answer = client.ask("GET", TRANSFERS)
    assert (answer.status_code, text in answer.text) == (status, True)
    assert answer.headers.get("Retry-After") == ("2" if status == 429 else None)
    assert client.ask("GET", TRANSFERS).status_code == 200


def test_a_fault_strikes_only_the_requests_it_is_for(client: Client) -> None:
    client.stand_in.misbehave(
        faults.answer(500, host="data", method="GET", path="*/transfers", skip=1)
    )
    paths = ["/apps/demo", TRANSFERS, f"{TRANSFERS}/8", TRANSFERS, TRANSFERS]
    codes = [client.ask("GET", path).status_code for path in paths]
    assert codes == [200, 200, 200, 500, 200]


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_download_can_be_an_xml_error_of_any_status(
    client: Client, status: int
) -> None:
    client.stand_in.misbehave(faults.xml_error(status, "InternalError"))
    answer = client.download(client.url())
    assert answer.status_code == status
    assert "<Code>InternalError</Code>" in answer.text


def test_it_hangs_until_it_is_told_to_behave(client: Client) -> None:
    [number] = client.stand_in.misbehave(faults.hang(host="data", times=None))
    with pytest.raises(requests.ReadTimeout):
        client.session.get(
            client.stand_in.api + TRANSFERS, headers=client.token, timeout=0.3
        )
    client.stand_in.behave(number)
    assert client.ask("GET", TRANSFERS).status_code == 200


def test_a_download_can_stall_at_a_byte(client: Client) -> None:
    url = client.url()
    whole = client.download(url).content
    client.stand_in.misbehave(faults.hang(at=5000))
    with client.session.get(url, stream=True, timeout=30) as answer:
        assert answer.raw.read(5000) == whole[:5000]
        assert client.stand_in.requests("download")[-1].sent == 5000
        client.stand_in.behave()
        assert answer.raw.read() == whole[5000:]


def test_a_throttle_holds_the_bytes_back(client: Client) -> None:
    url = client.url()
    size = len(client.download(url).content)
    client.stand_in.misbehave(faults.throttle(1000, latency=0.05))
    with client.session.get(url, stream=True, timeout=30) as answer:
        answer.raw.read(10)
        # The whole would take half an hour.
        seen = client.stand_in.requests("download")[-1]
    assert 10 <= seen.sent < size / 10
    assert seen.faults == ["throttle"]


def test_without_ranges_the_whole_comes_with_200(client: Client) -> None:
    client.stand_in.misbehave(faults.no_ranges())
    answer = client.download(client.url(), Range="bytes=0-9")
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers
    assert len(answer.content) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize("own", [True, False])
def test_an_object_changes_in_the_middle(
    start_stand_in: Starter, tmp_path: Any, *, own: bool
) -> None:
    client = Client(start_stand_in())
    content = tmp_path / "other.dump"
    content.write_bytes(b"x" * 100)
    url = client.url()
    fault = faults.change(str(content) if own else "", skip=1)
    client.stand_in.misbehave(fault)
    first = client.download(url, Range="bytes=0-9")
    second = client.download(url, Range="bytes=0-9", If_Range=first.headers["ETag"])
    assert first.status_code == 206
    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]
    assert second.content[:5] == (b"xxxxx" if own else b"PGDMP")


def test_a_truncated_object_has_an_honest_a_full_or_no_length(client: Client) -> None:
    url = client.url()
    whole = client.download(url).content
    [number] = client.stand_in.misbehave(faults.truncate(1000))
    honest = client.download(url)
    assert (honest.content, honest.headers["Content-Length"]) == (whole[:1000], "1000")
    client.stand_in.behave(number)
    [number] = client.stand_in.misbehave(faults.truncate(1000, length="none"))
    without = client.download(url)
    assert (without.content, "Content-Length" in without.headers) == (
        whole[:1000],
        False,
    )
    client.stand_in.behave(number)
    client.stand_in.misbehave(faults.truncate(1000, length="full"))
    assert received(url, client) == whole[:1000]
    assert received(url, client, Range="bytes=2000-2999") == b""


def test_the_next_backup_fails_with_its_last_words_logged(client: Client) -> None:
    client.stand_in.misbehave(faults.backup("fail", at=1, message="disk is on fire"))
    begun = client.capture()
    done = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert (done["succeeded"], done["canceled_at"]) == (False, None)
    assert done["logs"][-1]["message"] == "disk is on fire"
    begun = client.capture()
    assert client.wait(begun["uuid"], lambda told: told["succeeded"])


def test_a_backup_stays_pending_then_running_then_is_cancelled(client: Client) -> None:
    [pending] = client.stand_in.misbehave(faults.backup("pend"))
    begun = client.capture()
    assert client.transfer(begun["uuid"])["started_at"] is None
    client.stand_in.misbehave(faults.backup("stay", at=1000))
    client.stand_in.behave(pending)
    told = client.wait(begun["uuid"], lambda told: told["processed_bytes"])
    assert told["finished_at"] is None
    client.stand_in.misbehave(faults.backup("cancel"))
    told = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert told["canceled_at"] == told["finished_at"]


def test_a_backup_from_before_it_behaves_takes_no_later_fault(client: Client) -> None:
    client.stand_in.misbehave(faults.backup("stay", at=1000))
    before = client.capture()
    client.wait(before["uuid"], lambda told: told["processed_bytes"])
    client.stand_in.behave()
    client.stand_in.misbehave(faults.backup("fail"))
    assert client.wait(before["uuid"], lambda told: told["finished_at"])["succeeded"]
    after = client.capture()
    done = client.wait(after["uuid"], lambda told: told["finished_at"])
    assert done["succeeded"] is False


def test_faults_for_backups_count_backups(client: Client) -> None:
    client.stand_in.misbehave(faults.backup("fail", times=2))
    ends = []
    for _ in range(3):
        begun = client.capture()
        done = client.wait(begun["uuid"], lambda told: told["finished_at"])
        ends.append(done["succeeded"])
    assert ends == [False, False, True]


def test_a_slow_backup_shows_its_progress(client: Client) -> None:
    # It stays: however long we do not look, it is not over.
    fault = faults.backup("stay", at=1, rate=400_000)
    [slow] = client.stand_in.misbehave(fault)
    begun = client.capture()
    told = client.wait(begun["uuid"], lambda told: told["processed_bytes"])
    assert told["finished_at"] is None
    client.stand_in.behave(slow)
    done = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert done["succeeded"] is True


def test_a_database_that_is_gone_fails_its_backup(start_stand_in: Starter) -> None:
    database = config.DatabaseConfig("gone", "postgres://me@127.0.0.1:1/gone")
    apps = (config.AppConfig("fresh", databases=(database,)),)
    client = Client(start_stand_in(apps=apps))
    begun = client.capture("gone")
    done = client.wait(begun["uuid"], lambda told: told["finished_at"])
    assert done["succeeded"] is False
    assert "connection to server" in " ".join(log["message"] for log in done["logs"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fault("typo"),
        lambda: faults.cut(),
        lambda: faults.backup("explode"),  # type: ignore[arg-type]
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"is none of|needs a byte"):
        make()
