"""Why a request got no answer."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
import urllib3.exceptions as urllib3

from dbpull.network import reason_of, retry_after


@pytest.mark.parametrize(
    ("reason", "inner"),
    [
        ("proxy", urllib3.ProxyError("no", socket.gaierror())),
        ("tls", ssl.SSLCertVerificationError()),
        ("dns", socket.gaierror()),
        ("refused", ConnectionRefusedError()),
        ("silent", TimeoutError()),
        ("tls lost", ssl.SSLError()),
        ("dropped", urllib3.ProtocolError()),
    ],
)
def test_the_reason_is_what_the_error_wraps(reason: str, inner: Exception) -> None:
    assert reason_of(requests.ConnectionError(inner)) == reason


def test_a_bare_error_of_the_system_is_a_missing_file_of_certificates() -> None:
    assert reason_of(OSError("REQUESTS_CA_BUNDLE names none")) == "tls"
    assert reason_of(ValueError()) == "other"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_a_host_says_when_to_ask_again(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value}) == seconds
