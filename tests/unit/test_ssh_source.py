"""Which ssh:// URLs name a database, and that no other is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from dbpull.errors.sources import NoSource
from dbpull.sources.named import NamedSource
from dbpull.sources.ssh_database import SshSource

REPORTER: Any = None


def source(text: str) -> SshSource:
    named = NamedSource("ssh", text, "--source")
    return SshSource(named, (), for_hosts=False, stored=lambda _: [])


@pytest.mark.parametrize(
    "text",
    [
        "ssh://devbox",
        "ssh://devbox/",
        "ssh:///shop",
        "ssh://ann:secret@devbox/shop",
        "ssh://devbox:port/shop",
        "ssh://devbox/shop/more",
    ],
)
def test_a_malformed_url_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NoSource) as raised:
        source(text).refuse_unable(REPORTER)

    assert raised.value.what == "--source is not a usable ssh:// URL."
    assert "ssh://user@host:port/dbname" in raised.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "ssh://devbox/shop",
        "ssh://ann@devbox:22/shop?host=db&user=reader",
        "ssh://[::1]:2222/shop",
    ],
)
def test_user_port_and_query_may_be_there(text: str) -> None:
    source(text).refuse_unable(REPORTER)
