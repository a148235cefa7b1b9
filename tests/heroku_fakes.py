"""What the tests of `dbpull.heroku` put in Heroku's place: its JSON, and a wire."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from dbpull.heroku import Api, Database, Hosts, Token

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
    hosts = Hosts(base, base) if base else Hosts(PLATFORM, DATA)
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
HANG = object()
Reply = Callable[[Asked], object]


class Wire(AbstractContextManager["Wire"]):
    """A real HTTP server on loopback, for what no fake can show: lost answers.

    `reply` gives the JSON to answer with, or a status, or DROP or HANG.
    """

    def __init__(self, reply: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
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

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                asked = Asked(self.command, self.path, dict(self.headers))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                wire.asked.append(asked)
                reply = wire._reply(asked)
                if reply is HANG:
                    wire._over.wait(20)
                if reply is HANG or reply is DROP:
                    return
                status = reply if isinstance(reply, int) else 200
                body = json.dumps({} if isinstance(reply, int) else reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing: what is asked is in `asked`."""

        return Handler
