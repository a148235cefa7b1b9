"""What the tests of `dbpull.heroku` put in Heroku's place: its JSON, and a wire."""

from __future__ import annotations

import contextlib
import gzip
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from dbpull.heroku import Api, ApiUrls, Database, Token

PLATFORM = "https://api.heroku.com"
DATA = "https://api.data.heroku.com"
TRANSFERS = f"{DATA}/client/v11/apps/shop/transfers"
SECRET = "t0k3n-of-a-test"
PASSWORD = "p4ss-w0rd"
ADDON = "5ba2ba8b-07a9-4a65-a808-585a50e37f98"


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def api(clock: Clock | None = None, *, base: str = "", **options: Any) -> Api:
    """The client, with a clock of its own; `base` for both APIs at once."""
    clock = clock or Clock()
    hosts = ApiUrls(base, base) if base else ApiUrls(PLATFORM, DATA)
    token = Token(SECRET, "HEROKU_API_KEY")
    return Api(hosts, token, sleep=clock.sleep, clock=clock, **options)


def shop_database(**changes: Any) -> Database:
    """The database DATABASE of the app shop."""
    fields: dict[str, Any] = {
        "id": ADDON,
        "addon": "postgresql-curved-12345",
        "name": "DATABASE",
        "app": "shop",
        "billing_app": "shop",
        "plan": "standard-0",
        "names": frozenset({"DATABASE"}),
    }
    return Database(**fields | changes)


def attachment(name: str = "DATABASE", **changes: Any) -> dict[str, Any]:
    """An attachment as the Platform API answers it to `Accept-Inclusion`."""
    owner, app = changes.pop("owner", "shop"), changes.pop("app", "shop")
    addon = {
        "id": changes.pop("addon_id", ADDON),
        "name": changes.pop("addon", "postgresql-curved-12345"),
        "app": {"id": f"{owner}-id", "name": owner},
        "plan": {"name": changes.pop("plan", "heroku-postgresql:standard-0")},
    }
    return {
        "name": name,
        "namespace": None,
        "config_vars": [f"{name}_URL"],
        "app": {"id": f"{app}-id", "name": app},
        "addon": addon,
        **changes,
    }


def transfer(number: int = 101, status: str = "finished", **changes: Any) -> Any:
    """A backup as the Data API answers it."""
    created = f"2026-01-{min(number % 100 + 1, 28):02d} 02:00:00 +0000"
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} +0000"
    ended = created if status in ("finished", "failed", "canceled") else None
    return {
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "num": number,
        "from_name": "DATABASE",
        "from_type": "pg_dump",
        "from_url": f"postgres://u1:{PASSWORD}@ec2-1.example.com:5432/d1",
        "to_name": "BACKUP",
        "to_type": "gof3r",
        "to_url": "https://xfrtu.s3.amazonaws.com/x?X-Amz-Signature=5ecre7",
        "options": {},
        "source_bytes": None if status == "pending" else 8_000_000,
        "processed_bytes": 0 if status == "pending" else 4_000_000,
        "succeeded": {"finished": True, "failed": False, "canceled": False}.get(status),
        "warnings": 0,
        "created_at": created if ended else now,
        "started_at": None if status == "pending" else created,
        "canceled_at": created if status == "canceled" else None,
        "updated_at": created,
        "finished_at": ended,
        "deleted_at": None,
        "purged_at": None,
        "num_keep": 25,
        **changes,
    }


class Asked(NamedTuple):
    """A request that came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]


DROP = object()
DRIP = object()
CUT = object()
HANG = object()
Reply = Callable[[Asked], object]


class _Sending(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections
    timeout = 5  # seconds, so that an idle one keeps no test from its end

    def send(self, body: bytes, *, cut: bool) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_header("Content-Encoding", "gzip")
            body = gzip.compress(body)
        self.close_connection = cut
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def drip(self, over: threading.Event) -> None:
        self.close_connection = True
        self.end_headers()
        with contextlib.suppress(OSError):
            while not over.wait(0.02):
                self.wfile.write(b" ")


class Wire(AbstractContextManager["Wire"]):
    """A real HTTP server on loopback, for what no fake can show: lost answers.

    `reply` gives the JSON to answer with, or a status, or DROP or HANG, or DRIP (one
    byte at a time), or CUT (half of it). Connections stay open, `connections` counts
    them.
    """

    def __init__(self, reply: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self._reply = reply
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def count(self, method: str) -> int:
        return sum(asked.method == method for asked in self.asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(_Sending):
            def setup(self) -> None:
                super().setup()
                wire.connections += 1

            def answer(self) -> None:
                asked = Asked(self.command, self.path, dict(self.headers))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                wire.asked.append(asked)
                reply = wire._reply(asked)
                if reply is HANG:
                    wire._over.wait(20)
                if reply is HANG or reply is DROP:
                    self.close_connection = True
                    return
                self.send_response(reply if isinstance(reply, int) else 200)
                self.send_header("Content-Type", "application/json")
                if reply is DRIP:
                    self.drip(wire._over)
                else:
                    self.send(_content(reply), cut=reply is CUT)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked is in `asked`."""

        return Handler


def _content(reply: object) -> bytes:
    plain = {} if reply is CUT or isinstance(reply, int) else reply
    return json.dumps(plain).encode()
