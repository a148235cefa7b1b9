"""One name for two databases: what is here of the one is never taken for the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from databases import NO_OLD, OLD
from forwarder import command
from projects import Ended, Project
from range_server import RangeServer
from targets import Target, Watched
from worlds import World

WHO = "select who from client"
MODIFIED = "Sun, 29 Nov 2026 03:00:00 GMT"


@dataclass
class Client:
    """A client's database."""

    server: Watched
    dbname: str
    folder: Path

    @property
    def url(self) -> str:
        """Its URL, with its password."""
        return self.server.url(self.dbname)

    @property
    def place(self) -> str:
        """Its server's address."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def dump(self) -> Path:
        """A dump of it, called `latest` in a folder of its own."""
        self.folder.mkdir(exist_ok=True)
        return self.server.dump(self.dbname, self.folder / "latest")


@pytest.fixture
def clients(world: World, tmp_path: Path) -> Iterator[list[Client]]:
    """Two clients' databases, on one server."""
    with ExitStack() as stack:
        found = []
        for who in ("one", "two"):
            name = f"client_{who}"
            sql = f"create table client as select '{who}' as who"
            world.modern.database(sql, name=name)
            stack.callback(world.modern.drop_like, name)
            found.append(Client(world.modern, name, tmp_path / who))
        yield found


def refused_then_pulled(project: Project, target: Target, *words: str) -> Ended:
    """A pull that nobody watches, refused, and the same with the target named."""
    project.invoke(*words).refuses("was filled from .* until now", "pass --target")
    assert target.sql(WHO) == "one"
    return project.invoke(*words, f"--target={target.url}").succeeds()


def test_a_command_that_prints_another_database_later(
    clients: list[Client], project: Project, target: Target, tmp_path: Path
) -> None:
    words = ("db.pull", f"--source=$(cat {tmp_path}/url)")
    (tmp_path / "url").write_text(clients[0].url)
    project.invoke(*words).succeeds()
    assert "is here and whole" in project.invoke("db.fetch", words[1]).succeeds().err

    (tmp_path / "url").write_text(clients[1].url)
    ended = refused_then_pulled(project, target, *words)

    assert target.sql(WHO) == "two"
    assert "there is none yet" in ended.err
    assert project.invoke("db.backups", words[1]).succeeds().out.count("\n") == 3
    project.invoke("db.restore", words[1]).succeeds()  # the newest of both
    assert target.sql(WHO) == "two"


def test_a_command_that_prints_another_database_at_once(
    clients: list[Client], project: Project, target: Target, tmp_path: Path
) -> None:
    for client in clients:
        (tmp_path / client.dbname).write_text(client.url)
    script = f"cd {tmp_path}; mkdir asked && cat client_one || cat client_two"
    with target.untouched():
        ended = project.invoke("db.pull", f"--source=$({script})")

    ended.refuses("printed one database, and then another", "the same one each time")
    assert project.dumps() == []


@pytest.mark.skipif(not OLD, reason=NO_OLD)
def test_a_tunnel_that_leads_to_another_server_later(
    world: World, clients: list[Client], project: Project, target: Target
) -> None:
    """Both servers have a database of that name, and the URL is the same."""
    other = world.others[int(OLD)]
    sql = "create table client as select 'two' as who"
    there = Client(other, other.database(sql, name="client_one"), Path())
    try:
        for client in (clients[0], there):
            project.configure(
                "db: {sources: {far: {source: 'postgres://postgres:"
                f"{client.server.password}@db.internal/client_one', tunnel: "
                f"'{command(client.place)}'}}}}}}"
            )
            words = ("db.pull", "--source=far")
            if client is there:
                refused_then_pulled(project, target, *words)
            else:
                project.invoke(*words).succeeds()
    finally:
        other.drop_like("client_one")

    assert target.sql(WHO) == "two"


def test_urls_that_differ_in_their_query_alone(
    clients: list[Client], project: Project, target: Target
) -> None:
    one, two = (client.dump().read_bytes() for client in clients)
    with RangeServer(one, modified=MODIFIED) as server:
        url = server.url("/get?file=")
        project.invoke("db.pull", f"--source={url}one").succeeds()
        server.content, server.etag = two, '"two"'
        refused_then_pulled(project, target, "db.pull", f"--source={url}two")

    assert target.sql(WHO) == "two"


@pytest.mark.parametrize("task", ["db.pull --source=./", "db.restore --dump="])
def test_packed_files_of_one_name_and_one_time(
    clients: list[Client], project: Project, target: Target, tmp_path: Path, task: str
) -> None:
    words = task.split()
    for client in clients:
        packed = shutil.make_archive(
            str(tmp_path / client.dbname), "gztar", client.dump().parent
        )
        packed = shutil.move(packed, str(client.folder / "latest.tgz"))
        os.utime(packed, (1_795_900_000, 1_795_900_000))
        again = [f"{words[1]}latest.tgz", f"--target={target.url}"]
        project.invoke_in(client.folder, "-r", str(project.folder), words[0], *again)

    assert target.sql(WHO) == "two"


def test_an_app_that_a_command_prints_is_itself_the_second_time(
    project: Project,
) -> None:
    words = ("db.pull", "--source=$(echo heroku:small-eu)")
    project.invoke(*words).succeeds()
    project.invoke(*words, "--dry-run").succeeds()  # else refused as well
