"""Every kind of source: a pull makes a database equal to the source's.

Compared is what one pg_dump says of both. A kind is a function of `SOURCES`; each meets
every server as its source's and as its target's, and the servers meet each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

import pytest

from choices import in_turn, pairs
from databases import FOLDERS, OLD, WITH_ICU
from kinds import refuse_differences
from lacking import POSTGRES
from machines import Machine, introduce
from offered import offered
from once import once
from packings import PACKINGS, dumped
from projects import Project
from render_stand_in import RenderStandIn
from stagings import only_encrypted
from targets import Target, Watched
from worlds import World

PROGRAMS = FOLDERS["wheel"]
Entry = str | dict[str, str]
"""What `--source=` says, or an entry of `sources` in invoke.yaml."""


@dataclass
class Shop:
    """The database `shop` of a server, and what there is to offer it as a source."""

    server: Watched
    dumps: Path
    """Its dump by the server's own pg_dump in each format."""
    machine: Callable[[], Machine]
    """A machine with the server's programs, which the project's user knows."""
    project: Project
    folder: Path
    while_pulled: ExitStack
    """Ends what a source starts."""

    @property
    def url(self) -> str:
        return self.server.url("shop")

    @property
    def place(self) -> str:
        """The server's host and port."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def file(self, content: str) -> Path:
        """A file for a command to print."""
        path = self.folder / "printed"
        path.write_text(content)
        return path


def heroku(shop: Shop) -> Entry:
    embedded = shop.server.folder == PROGRAMS
    return "heroku:shop-eu" if embedded else f"heroku:on-{shop.server.major}"


def live(shop: Shop) -> Entry:
    return shop.url


def live_over_tls(shop: Shop) -> Entry:
    encrypted = only_encrypted(shop.server, "shop", shop.folder)
    authority = shop.while_pulled.enter_context(encrypted)
    url = shop.url.replace("127.0.0.1", "localhost")
    return f"{url}?sslmode=verify-full&sslrootcert={authority}"


def live_through_a_tunnel(shop: Shop) -> Entry:
    machine = shop.machine()
    ssh = " ".join(map(quote, machine.ssh()[:-1]))
    return {
        "source": "postgres://postgres@db.internal/shop",
        "password": f"$(cat {shop.file(shop.server.password)})",
        "tunnel": f"{ssh} -N -L {{port}}:{shop.place} {machine.name}",
    }


def what_a_command_prints(shop: Shop) -> Entry:
    return f"$(cat {shop.file(shop.url)})?sslmode=disable"


def over_ssh(shop: Shop) -> Entry:
    return f"ssh://{shop.machine().name}/shop?{shop.server.socket}&user=postgres"


def output_of_a_command(shop: Shop) -> Entry:
    dumping = [shop.server.program("pg_dump"), "-Fc", shop.server.socket_url("shop")]
    return f"| {' '.join(map(quote, dumping))}"


def render(shop: Shop) -> Entry:
    export = PACKINGS["folder in a tar.gz"](shop.dumps)
    at_render = shop.while_pulled.enter_context(RenderStandIn(export))
    at_render.database().export()
    shop.project.environment |= at_render.environment
    return "render:shop"


def dump(way: str, packing: str, shop: Shop) -> Entry:
    content = PACKINGS[packing](shop.dumps)
    there = shop.while_pulled.enter_context(offered(way, content, shop.folder))
    shop.project.environment |= there.variables
    return there.source


def folder(shop: Shop) -> Entry:
    return str(shop.dumps / "folder")


SOURCES: dict[str, Callable[[Shop], Entry]] = {
    "heroku:": heroku,
    "postgres://": live,
    "postgres:// through a tunnel": live_through_a_tunnel,
    "$(command)": what_a_command_prints,
    "ssh://": over_ssh,
    "| command": output_of_a_command,
    "render:": render,
    "folder": folder,
}
HERE = list(FOLDERS)
ROWS = pairs([*SOURCES], HERE, HERE[::-1])
# How it is packed meets each server by one of the two ways.
for way, turn in (("path", HERE), ("https", HERE[::-1])):
    found = {f"{way}: {each}": partial(dump, way, each) for each in PACKINGS}
    ROWS += in_turn([*found], turn, turn[::-1])
    SOURCES |= found
TLS = "postgres:// over TLS"
"""Of servers from packages alone: the embedded one has none, nor have its programs."""
SOURCES[TLS] = live_over_tls
ROWS += pairs([TLS], WITH_ICU, HERE[::-1]) or [
    pytest.param(TLS, "wheel", "wheel", marks=pytest.mark.skip(reason=POSTGRES))
]


@pytest.fixture(scope="module")
def on(world: World) -> Callable[[str], Watched]:
    """The server of a name."""
    return lambda name: world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture(scope="module")
def everything(on: Callable[[str], Watched]) -> Callable[[str], list[str]]:
    """Everything in a server's shop."""
    return cache(lambda name: words_of(on(name), "shop"))


def words_of(server: Watched, dbname: str) -> list[str]:
    """Everything in a database, in words that other servers' copies share."""
    words = server.likeness(dbname, PROGRAMS)
    # Before 18, what makes a column NOT NULL had no name.
    return re.sub(r" CONSTRAINT \w+ NOT NULL", " NOT NULL", words).splitlines()


@pytest.fixture
def dumps(run_folder: Path, on: Callable[[str], Watched], origin: str) -> Path:
    """A server's shop in each of pg_dump's formats."""
    return once(run_folder / f"shop-{origin}", partial(dumped, on(origin), "shop"))


@pytest.fixture
def shop(
    request: pytest.FixtureRequest,
    on: Callable[[str], Watched],
    dumps: Path,
    make_project: Callable[..., Project],
    tmp_path: Path,
    origin: str,
) -> Iterator[Shop]:
    project = make_project()

    def machine() -> Machine:
        name = "buildbox" if origin == OLD else "devbox"
        made: Machine = request.getfixturevalue(name)
        introduce(Path(project.environment["HOME"]), made)
        return made

    with ExitStack() as stack:
        yield Shop(on(origin), dumps, machine, project, tmp_path, stack)


@pytest.mark.parametrize(("source", "origin", "into"), ROWS)
def test_a_pull_makes_a_database_equal_to_the_source(
    on: Callable[[str], Watched],
    everything: Callable[[str], list[str]],
    shop: Shop,
    make_target: Callable[..., Target],
    source: str,
    origin: str,
    into: str,
) -> None:
    target = make_target(on(into))
    entry = SOURCES[source](shop)
    if not isinstance(entry, str):
        shop.project.configure(json.dumps({"db": {"sources": {"production": entry}}}))
        entry = "production"

    with shop.while_pulled:
        words = ("db.pull", f"--source={entry}")
        shop.project.invoke(*words, DATABASE_URL=target.url).succeeds()

    refuse_differences(words_of(target.postgres, target.name), everything(origin))
    assert target.family == {"target", "original"}
