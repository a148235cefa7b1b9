"""Secrets, proxies and TLS."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import pytest
import trustme

from dbpull.errors.download import NotTrusted, UnusableResponse
from downloads import CONTENT, download, failure, fetch, running
from range_server import RangeServer, hang, only, status
from silences import until


def test_no_credentials_of_netrc_are_sent(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.faults = [only("/moved", status(302, Location="/b101"))]

    assert fetch(server, path, url=lambda: server.url("/moved")) == CONTENT
    assert len(server.log) > 2
    assert not [r for r in server.log if "Authorization" in r.headers]
    assert {r.headers["Accept-Encoding"] for r in server.log} == {"identity"}


def test_credentials_in_a_url_are_sent_to_its_own_host_alone(
    server: RangeServer, path: Path
) -> None:
    with RangeServer(CONTENT) as elsewhere:
        server.faults = [
            only("/moved", status(302, Location="/there")),
            only("/there", status(302, Location=elsewhere.url())),
        ]
        url = server.url("/moved").replace("//", "//me:SECRET@")

        assert fetch(server, path, url=lambda: url) == CONTENT

    assert all("Authorization" in request.headers for request in server.log)
    assert {request.path for request in server.log} == {"/moved", "/there"}
    assert elsewhere.log
    assert not [r for r in elsewhere.log if "Authorization" in r.headers]


def test_the_proxy_of_the_environment_is_used(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stands in for a proxy: it is asked for a host that does not exist."""
    monkeypatch.setenv("HTTP_PROXY", server.url(""))

    assert fetch(server, path, url=lambda: "http://s3.invalid/b101") == CONTENT
    assert {r.headers["Host"] for r in server.log} == {"s3.invalid"}


@pytest.mark.usefixtures("impatient")
def test_a_proxy_that_is_not_there_is_told(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:SECRET@127.0.0.1:9")

    assert "the proxy that the environment names" in str(failure(server, path))


def test_no_log_holds_the_signature(
    server: RangeServer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        fetch(server, path)

    assert "GET /b101 HTTP" in caplog.text
    assert "SECRET" not in caplog.text


def test_tls_is_checked(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with RangeServer(CONTENT, tls=tls) as server:
        error = failure(server, path)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        fetched = fetch(server, path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
        missing = failure(server, path)

    assert isinstance(error, NotTrusted)
    assert "REQUESTS_CA_BUNDLE" in error.remedy
    assert fetched == CONTENT
    assert isinstance(missing, NotTrusted)


def test_a_redirect_out_of_tls_is_refused(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with RangeServer(CONTENT, tls=tls) as secure:
        secure.faults = [only("/plain", status(302, Location=server.url()))]
        secure.faults.append(only("/moved", status(302, Location="/b101")))

        error = failure(secure, path, url=lambda: secure.url("/plain"))
        fetched = fetch(secure, path, url=lambda: secure.url("/moved"))

    assert isinstance(error, UnusableResponse)
    assert "redirects to a URL without TLS" in error.what
    assert server.log == []
    assert fetched == CONTENT


def test_tls_connections_are_ended_too(path: Path, tmp_path: Path) -> None:
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with RangeServer(CONTENT, tls=tls) as server, pytest.MonkeyPatch.context() as patch:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        patch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        with download(server, path) as coming:
            coming.start()
            server.faults = [hang]
            server.pace = 1
        until(lambda: not running())  # while the server would still keep them
