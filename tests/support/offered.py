"""A dump's bytes as a source: in a file, from a command, by HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from range_server import RangeServer

MODIFIED = "Sun, 29 Nov 2026 03:00:00 GMT"


@dataclass
class Offered:
    """A source of each way: what to name, and with which variables."""

    source: str
    variables: dict[str, str]
    server: RangeServer | None = None


@contextmanager
def offered(way: str, content: bytes, folder: Path) -> Iterator[Offered]:
    """Offer it: `path`, `command`, `https`, or HTTP from a server without ranges."""
    if way in {"path", "command"}:
        path = folder / "latest"
        path.write_bytes(content)
        yield Offered(f"| cat {path}" if way == "command" else str(path), {})
        return
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    secure, ranges = (tls if way == "https" else None), way == "https"
    with RangeServer(content, tls=secure, ranges=ranges, modified=MODIFIED) as server:
        variables = {"REQUESTS_CA_BUNDLE": str(folder / "ca.pem")}
        yield Offered(server.url(), variables, server)
