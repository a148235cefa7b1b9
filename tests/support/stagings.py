"""An app at a made-up Heroku whose database can be pushed to: PostgreSQL over TLS.

The conftest offers the fixtures by `pytest_plugins`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import trustme

from databases import FOLDERS
from faulty_stand_in import App, Attachment, Config, Database, StandIn
from lacking import POSTGRES
from projects import Project
from targets import Watched, watched
from worlds import OTHERS, World

MAJOR = max(OTHERS, default=0)
"""Of the servers here that come from a package: their client programs speak TLS."""
ROLE, PASSWORD = "u4f1n2k", "p4ss/w@rd:of%heroku"
APP = "shop-staging-eu"
BEFORE = """
create extension citext;
create table customers (id int primary key, email citext);
insert into customers select g, g || '@example.com' from generate_series(1, 50) g;
create view recent as select * from customers where id > 40;
"""
HEROKU_EXT = """\
-- Name: heroku_ext; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA heroku_ext;


--
"""
"""How pg_dump words it."""
_numbers = count(1)


@dataclass
class Staging:
    """The app's database, and what it held before any push."""

    server: Watched
    heroku: StandIn
    dbname: str
    before: str
    project: Project

    @property
    def now(self) -> str:
        """Everything in it."""
        return self.server.likeness(self.dbname)

    @property
    def put_back(self) -> str:
        """The same without the schema heroku_ext, which stays there in a reset."""
        return self.now.replace(HEROKU_EXT, "")

    def asked(self, *methods: str) -> list[tuple[str, str]]:
        """The requests so far, by method and path, each id left out."""
        found = self.heroku.requests()
        return [(s.method, s.path) for s in found if not methods or s.method in methods]

    @property
    def only_read(self) -> bool:
        """Whether nothing was asked for that changes anything."""
        resolved = ("POST", "/actions/addon-attachments/resolve")
        return all(one[0] == "GET" or one == resolved for one in self.asked())

    def push(self, *words: str) -> list[str]:
        """The words of a push that is confirmed."""
        return ["db.push", "--app=staging", f"--confirm={APP}", *words]


@pytest.fixture(scope="session")
def encrypted(world: World) -> Iterator[Watched]:
    """A server that lets the app's role in over TLS alone."""
    if not MAJOR:
        pytest.skip(POSTGRES)
    with watched(world.folder / "encrypted", FOLDERS[str(MAJOR)]) as server:
        data = server.server.data
        _certify(data)
        hba = data / "pg_hba.conf"
        rules = f"hostssl all {ROLE} 127.0.0.1/32 md5\nhost all {ROLE} all reject\n"
        hba.write_text(rules + hba.read_text())
        server.sql("postgres", f"create role {ROLE} login password '{PASSWORD}';")
        server.sql("postgres", "alter system set ssl = on;")
        server.sql("postgres", "select pg_reload_conf();")
        yield server


def _certify(data: Path) -> None:
    """Give a server a certificate, which it reads as the user that it runs as."""
    made = trustme.CA().issue_cert("127.0.0.1")
    owner = data.stat()
    for name, content in (
        ("server.crt", made.cert_chain_pems[0]),
        ("server.key", made.private_key_pem),
    ):
        path = data / name
        content.write_to_path(str(path))
        path.chmod(0o600)
        os.chown(path, owner.st_uid, owner.st_gid)


@pytest.fixture
def make_staging(
    encrypted: Watched, world: World, tmp_path: Path
) -> Iterator[Callable[..., Staging]]:
    """Make an app with a database; the project's target is the local shop."""
    made: list[Staging] = []

    def make(local: str = "", *, app: str = APP, other: str = "") -> Staging:
        name = f"heroku_{next(_numbers)}_"
        server = encrypted
        server.database(name=name, options=f"owner {ROLE}")
        server.sql(name, f"set role {ROLE}; {BEFORE}")
        place = server.url(name).rpartition("@")[2]
        shown = f"postgres://{ROLE}:p4ss%2Fw%40rd%3Aof%25heroku@{place}"
        database = Database("postgresql-staging", server.url(name), shown_url=shown)
        apps = [App(app, databases=(database,))]
        if other:
            apps.append(App(other, attachments=(Attachment("BLUE", database.name),)))
        config = Config(
            tuple(apps), pg_dump=server.program("pg_dump"), progress_every=0.1
        )
        heroku = StandIn.start(config)
        heroku.__enter__()
        url = local or world.others[MAJOR].url("shop")
        folder = tmp_path / f"pushing{len(made)}"
        project = Project.at(folder, heroku, DATABASE_URL=url)
        project.configure(f"db:\n  apps: {{staging: {app}}}\n  jobs: 2\n")
        project.secrets = (*world.secrets, PASSWORD, heroku.token)
        made.append(Staging(server, heroku, name, server.likeness(name), project))
        return made[-1]

    yield make
    for staging in made:
        staging.project.close()
        staging.heroku.__exit__(None, None, None)
        staging.server.drop_like(staging.dbname)


@pytest.fixture
def staging(make_staging: Callable[..., Staging]) -> Staging:
    """An app whose database may be pushed to."""
    return make_staging()
