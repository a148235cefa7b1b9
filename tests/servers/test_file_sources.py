"""Dumps in files and at URLs: each format, each way, cut and damaged in each layer."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from choices import in_turn
from databases import FOLDERS
from kinds import SQL, Kinds, everything, refuse_differences
from once import once
from packings import PACKINGS, dumped
from projects import Project
from range_server import RangeServer
from targets import Target, Watched
from worlds import World

HERE = list(FOLDERS)
WAYS = ["path", "https", "http without ranges"]
MODIFIED = "Sun, 29 Nov 2026 03:00:00 GMT"


@pytest.fixture
def on(request: pytest.FixtureRequest, world: World) -> Watched:
    name = getattr(request, "param", "wheel")
    return world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture
def dumps(on: Watched, run_folder: Path) -> Path:
    """A database of every kind of object in each format, and what it is restored to."""

    def make(half: Path) -> None:
        source = on.database(SQL["kinds"])
        dumped(on, source, half)
        serial = Kinds(on, "kinds", half).restored(half / "custom")
        (half / "serial").write_bytes("\n".join(serial).encode())
        on.drop_like(source)

    return once(run_folder / f"files-{on.major}", make)


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


@dataclass
class Offered:
    """A source of each way: what to name, and with which variables."""

    source: str
    variables: dict[str, str]
    server: RangeServer | None = None


@contextmanager
def offered(way: str, content: bytes, folder: Path) -> Iterator[Offered]:
    if way == "path":
        path = folder / "latest"
        path.write_bytes(content)
        yield Offered(str(path), {})
        return
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    secure, ranges = (tls if way == "https" else None), way == "https"
    with RangeServer(content, tls=secure, ranges=ranges, modified=MODIFIED) as server:
        variables = {"REQUESTS_CA_BUNDLE": str(folder / "ca.pem")}
        yield Offered(server.url(), variables, server)


def serial(dumps: Path) -> list[str]:
    """Everything in what a serial pg_restore makes of them."""
    return (dumps / "serial").read_bytes().decode().split("\n")


ROWS = in_turn([*PACKINGS], WAYS, HERE)
ROWS += in_turn([*PACKINGS], [*WAYS[1:], *WAYS[:1]], HERE[::-1])


@pytest.mark.parametrize(("packing", "way", "on"), ROWS, indirect=["on"])
def test_a_pull_of_each_format_is_equal_to_the_source(
    on: Watched,
    dumps: Path,
    target: Target,
    project: Project,
    tmp_path: Path,
    packing: str,
    way: str,
) -> None:
    with offered(way, PACKINGS[packing](dumps), tmp_path) as there:
        ended = project.invoke(
            "db.pull", f"--source={there.source}", **there.variables
        ).succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))
    assert not [name for name in project.dumps() if not name.endswith(".dump")]
    assert len(project.dumps()) == (way != "path" or packing not in {"custom", "tar"})
    assert "SECRET" not in ended.err
