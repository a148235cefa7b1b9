"""An app at a made-up Heroku whose database can be pushed to: PostgreSQL over TLS.

The conftest offers the fixtures by `pytest_plugins`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from databases import FOLDERS
from faulty_stand_in import AppConfig, AttachmentConfig, Config, DatabaseConfig, StandIn
from lacking import POSTGRES
from projects import Project
from targets import Watched, watched
from worlds import OTHERS, World

_TEMPLATE = "before_any_push"
MAJOR = max(OTHERS, default=0)
"""Of the servers here that come from a package: their client programs speak TLS."""
ROLE, PASSWORD = "u4f1n2k", "p4ss/w@rd:of%heroku"
PRODUCTION, LENT = "shop-production", "shop-lent-eu"
BORROWER = "shop-prod-eu"
"""An app that has the database of the one that lends it attached, too."""
STAGINGS = tuple(f"shop-staging-{number}" for number in range(1, 100))
"""One for each test of a session: what is pushed to is never clean again."""
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
_unused = iter(STAGINGS)


@dataclass
class Staging:
    """The app's database, and what it held before any push."""

    app: str
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
        return ["db.push", "--app=staging", f"--confirm={self.app}", *words]


Make = Callable[..., Staging]


def local_database(world: World, name: str, script: str) -> str:
    """A database on the local server; its URL."""
    server = world.others[MAJOR]
    if name not in server.databases():
        server.database(script, name=name)
    return server.url(name)


@pytest.fixture(scope="session")
def encrypted() -> Iterator[Watched]:
    """A server that lets the app's role in over TLS alone."""
    if not MAJOR:
        pytest.skip(POSTGRES)
    with watched(FOLDERS[str(MAJOR)]) as server:
        data = server.server.data
        certify(data)
        hba = data / "pg_hba.conf"
        rules = f"hostssl all {ROLE} 127.0.0.1/32 md5\nhost all {ROLE} all reject\n"
        hba.write_text(rules + hba.read_text())
        server.sql("postgres", f"create role {ROLE} login password '{PASSWORD}';")
        server.sql("postgres", "alter system set ssl = on;")
        server.sql("postgres", "select pg_reload_conf();")
        yield server


def certify(data: Path) -> trustme.CA:
    """Give a server a certificate, which it reads as the user that it runs as."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    owner = data.stat()
    for name, content in (
        ("server.crt", made.cert_chain_pems[0]),
        ("server.key", made.private_key_pem),
    ):
        path = data / name
        content.write_to_path(str(path))
        path.chmod(0o600)
        os.chown(path, owner.st_uid, owner.st_gid)
    return authority


@contextmanager
def only_encrypted(server: Watched, dbname: str, folder: Path) -> Iterator[Path]:
    """Have a server let into a database by TLS alone; its authority's certificate."""
    hba, authority = server.server.data / "pg_hba.conf", folder / "authority.pem"
    certify(server.server.data).cert_pem.write_to_path(str(authority))
    before = hba.read_text()
    hba.write_text(f"hostnossl {dbname} all 127.0.0.1/32 reject\n{before}")
    server.sql("postgres", "alter system set ssl = on;")
    server.sql("postgres", "select pg_reload_conf();")
    try:
        yield authority
    finally:
        hba.write_text(before)
        server.sql("postgres", "alter system reset ssl;")
        server.sql("postgres", "select pg_reload_conf();")


@pytest.fixture(scope="session")
def before(encrypted: Watched) -> str:
    """What is in an app's database before any push; a template of it is there."""
    encrypted.database(name=_TEMPLATE, options=f"owner {ROLE}")
    encrypted.sql(_TEMPLATE, f"set role {ROLE}; {BEFORE}")
    return encrypted.likeness(_TEMPLATE)


@pytest.fixture(scope="session")
def shared_heroku(encrypted: Watched) -> Iterator[StandIn]:
    """One with all apps. Their databases are made when a test takes them."""
    apps = [_app(encrypted, name) for name in (PRODUCTION, LENT, *STAGINGS)]
    lent = AttachmentConfig("BLUE", f"postgresql-{LENT}")
    config = Config(
        (*apps, AppConfig(BORROWER, attachments=(lent,))),
        pg_dump=encrypted.program("pg_dump"),
        progress_every=0.1,
    )
    with StandIn.start(config) as stand_in:
        yield stand_in


def _app(server: Watched, name: str) -> AppConfig:
    url = server.url(_dbname(name))
    place = url.rpartition("@")[2]
    shown = f"postgres://{ROLE}:p4ss%2Fw%40rd%3Aof%25heroku@{place}"
    return AppConfig(
        name, databases=(DatabaseConfig(f"postgresql-{name}", url, shown_url=shown),)
    )


def _dbname(app: str) -> str:
    return app.replace("-", "_") + "_"


@pytest.fixture
def make_staging(
    encrypted: Watched,
    before: str,
    shared_heroku: StandIn,
    world: World,
    tmp_path: Path,
) -> Iterator[Callable[..., Staging]]:
    """Make an app with a database; the project's target is the local shop."""
    made: list[Staging] = []
    shared_heroku.forget_requests()

    def make(local: str = "", *, app: str = "") -> Staging:
        app = app or next(_unused)
        dbname = _dbname(app)
        options = f"owner {ROLE} template {_TEMPLATE}"
        encrypted.database(name=dbname, options=options)
        url = local or world.others[MAJOR].url("shop")
        folder = tmp_path / f"pushing{len(made)}"
        project = Project.at(folder, shared_heroku, DATABASE_URL=url)
        project.configure(f"db:\n  apps: {{staging: {app}}}\n  jobs: 2\n")
        project.secrets = (*world.secrets, PASSWORD, shared_heroku.token)
        staging = Staging(app, encrypted, shared_heroku, dbname, before, project)
        made.append(staging)
        return staging

    yield make
    shared_heroku.behave()
    for staging in made:
        staging.project.close()
        staging.server.drop_like(staging.dbname)


@pytest.fixture
def staging(make_staging: Callable[..., Staging]) -> Staging:
    """An app whose database may be pushed to."""
    return make_staging()
