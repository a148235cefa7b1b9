"""Where the contestants of `races.py` run: a server, data, a dump, a Heroku, a project.

The server has PostgreSQL's own defaults, not those that dbpull gives to a server of its
own. It lies in the cache's folder, else in a temporary one (TMPDIR: choose a disk).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.request import Request, urlopen

from bench.plain import SETTINGS, Plain
from databases import FOLDERS
from dbpull import archive
from dbpull.dumps.former import keep
from dbpull.dumps.names import Dump
from faulty_stand_in import (
    AppConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
    faults,
)
from projects import Project
from targets import Watched

HERE = Path(__file__).parent
APP, TARGET = "shop-eu", "development"
SMALL = 0.0085
"""large.sql's scale that makes about 20 MB."""
TABLES = 5000


@dataclass(frozen=True)
class Wanted:
    """What is to be put up."""

    data: str
    """`large`, `small` or `many`."""
    scale: float
    postgres: str
    jobs: int
    connections: int
    cache: Path | None
    fsync: bool
    grown_from: float = 0.0
    """The scale of the dump that was pulled before; 0: none was."""

    @property
    def programs(self) -> Path:
        """The `bin` folder of that major; the wheel's is the newest."""
        return FOLDERS.get(self.postgres) or FOLDERS["wheel"]

    @property
    def script(self) -> list[str]:
        """psql's options that make the data."""
        if self.data == "many":
            tables = max(1, round(TABLES * self.scale))
            return ["-v", f"tables={tables}", "-f", str(HERE / "many.sql")]
        scale = self.scale * (SMALL if self.data == "small" else 1)
        return ["-v", f"scale={scale:g}", "-f", str(HERE / "large.sql")]

    @property
    def source(self) -> str:
        """The name of the database that holds the data."""
        return f"source_{self.data}_{self.scale:g}".replace(".", "_")


@dataclass
class Track:
    """All of it, put up."""

    wanted: Wanted
    folder: Path
    """For what the contestants write: `latest.dump`, and what the programs say."""
    postgres: Watched
    dump: Path
    heroku: StandIn
    project: Project
    former: Path | None = None
    """The dump that was pulled before."""
    once: dict[str, float] = field(default_factory=dict)
    """What was measured in this round for all lines, in seconds."""
    _likeness: str = field(default="", repr=False)

    @property
    def downloaded(self) -> Path:
        """Where curl puts the dump."""
        return self.folder / "latest.dump"

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell has set, for the plain commands."""
        ours = self.postgres.connection(TARGET).environment()
        programs = f"{self.wanted.programs}{os.pathsep}{os.environ['PATH']}"
        trust = {"CURL_CA_BUNDLE": str(self.heroku.ca), "NO_PROXY": "127.0.0.1"}
        return ours | trust | {"PATH": programs}

    def download_url(self) -> str:
        """A presigned URL of the dump, from the stand-in's Data API."""
        path = f"/client/v11/apps/{APP}/transfers/1/actions/public-url"
        asked = Request(
            self.heroku.api + path,
            method="POST",
            headers={"Authorization": f"Bearer {self.heroku.token}"},
        )
        with urlopen(asked) as answer:
            return str(json.load(answer)["url"])

    def condition(self, rate: float, latency: float) -> None:
        """Set the line: MB/s per connection (0: no bound), ms before every answer."""
        self.heroku.behave()
        self.heroku.misbehave(
            faults.throttle(rate * 1e6, latency=latency / 1000, host="")
        )

    def reset(self) -> None:
        """An empty target, a warm dump, nothing that is yet to be written."""
        self.postgres.drop_like(TARGET)
        self.postgres.database(name=TARGET)
        self.downloaded.unlink(missing_ok=True)
        shutil.rmtree(self.project.local, ignore_errors=True)
        if self.former:
            pulled_before(self.former, self.project.local)
        self.postgres.sql("postgres", "checkpoint;")
        os.sync()
        subprocess.run(["cat", self.dump], stdout=subprocess.DEVNULL, check=True)

    def whole(self) -> bool:
        """Whether curl brought all of the dump."""
        there = self.downloaded.exists()
        return there and self.downloaded.stat().st_size == self.dump.stat().st_size

    def filled(self) -> bool:
        """Whether the target has as many relations as the source."""
        count = "select count(*) from pg_class where oid >= 16384;"
        sql = self.postgres.sql
        return sql(TARGET, count) == sql(self.wanted.source, count)

    def same(self) -> bool:
        """Whether the target equals the source, in every row and definition."""
        self._likeness = self._likeness or self._digest(self.wanted.source)
        return self._digest(TARGET) == self._likeness

    def _digest(self, dbname: str) -> str:
        told = self.postgres.likeness(dbname, self.wanted.programs)
        return hashlib.sha256(told.encode()).hexdigest()

    def facts(self) -> list[str]:
        """What was put up, a line each."""
        wanted, sql = self.wanted, self.postgres.sql
        size = int(sql("postgres", f"select pg_database_size('{wanted.source}');"))
        count = "select count(*) from pg_class where relkind = 'r' and oid >= 16384;"
        settings = (f"{name} {sql('postgres', f'show {name};')}" for name in SETTINGS)
        return [
            f"data: {wanted.data}, scale {wanted.scale:g}{self._before}: "
            f"{size / 1e6:.0f} MB in "
            f"{sql(wanted.source, count)} tables, dump {self._dump_size:.1f} MB",
            f"PostgreSQL {self.postgres.server.version}: {', '.join(settings)}",
            f"{os.cpu_count()} cores, {wanted.jobs} jobs, download connections of "
            f"dbpull: {wanted.connections}",
        ]

    @property
    def _before(self) -> str:
        before = self.wanted.grown_from
        return f", pulled before at scale {before:g}" if before else ""

    @property
    def _dump_size(self) -> float:
        return self.dump.stat().st_size / 1e6


def pulled_before(dump: Path, local: Path) -> None:
    """What a pull of this dump, removed since, has left in a folder of dumps."""
    with dump.open("rb") as file:
        contents = archive.read(file)
        blocks = archive.verify(file, contents)
    local.mkdir(mode=0o700)
    former = Dump.of(local / f"{APP}-b000-20260101T000000Z.dump")
    keep(former, contents, blocks)


@contextmanager
def track(wanted: Wanted) -> Iterator[Track]:
    """Put it all up; what is not in the cache is gone afterwards."""
    with ExitStack() as stack:
        folder = _temporary(stack)
        cache = wanted.cache or folder
        cache.mkdir(parents=True, exist_ok=True)
        postgres = _server(stack, wanted, cache)
        dump = _data(postgres, wanted, cache)
        heroku = _heroku(stack, postgres, wanted, dump)
        project = _project(folder, postgres, wanted, heroku)
        former = None
        if wanted.grown_from:
            before = replace(wanted, scale=wanted.grown_from)
            former = _data(postgres, before, cache)
        made = Track(wanted, folder, postgres, dump, heroku, project, former)
        stack.callback(postgres.drop_like, TARGET)
        yield made


def _temporary(stack: ExitStack) -> Path:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="races-")))
    folder.chmod(0o755)
    return folder


def _server(stack: ExitStack, wanted: Wanted, cache: Path) -> Watched:
    folder = cache / f"server-{wanted.postgres}"
    passing = wanted.cache is None
    server = Plain(folder, programs=wanted.programs, throwaway=passing, tcp=True)
    server.fsync = wanted.fsync
    postgres = Watched(stack.enter_context(server), wanted.programs)
    postgres.drop_like(TARGET)
    return postgres


def _data(postgres: Watched, wanted: Wanted, cache: Path) -> Path:
    """Make the source database and its dump, unless they are there; the dump."""
    source = wanted.source
    dump = cache / f"{source}-{wanted.postgres}.dump"
    if source not in postgres.databases():
        _fill(postgres, wanted)
        dump.unlink(missing_ok=True)
    if not dump.exists():
        part = dump.with_suffix(".part")
        argv = [postgres.program("pg_dump"), "--quote-all-identifiers", "-Fc"]
        with part.open("wb") as file:
            # Through a pipe, as Heroku's: its table of contents has no offsets.
            pg_dump = subprocess.Popen(
                [*argv, postgres.url(source)], stdout=subprocess.PIPE
            )
            subprocess.run(["cat"], stdin=pg_dump.stdout, stdout=file, check=True)
            assert pg_dump.wait() == 0
        part.rename(dump)
    return dump


def _fill(postgres: Watched, wanted: Wanted) -> None:
    """Under another name until it is whole."""
    print(f"making {wanted.source}", flush=True)
    postgres.drop_like("half_made")
    url = postgres.url(postgres.database(name="half_made"))
    argv = [postgres.program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1", *wanted.script]
    subprocess.run([*argv, url], check=True, stdout=subprocess.DEVNULL)
    postgres.sql("half_made", "vacuum analyze;")
    postgres.sql("postgres", f"alter database half_made rename to {wanted.source};")


def _heroku(stack: ExitStack, postgres: Watched, wanted: Wanted, dump: Path) -> StandIn:
    database = DatabaseConfig("postgresql-a", postgres.url(wanted.source))
    backup = BackupConfig(number=1, age=60, dump=str(dump.resolve()))
    app = AppConfig(APP, databases=(database,), backups=(backup,))
    config = Config((app,), pg_dump=postgres.program("pg_dump"), dump_at_start=False)
    return stack.enter_context(StandIn.start(config))


def _project(
    folder: Path, postgres: Watched, wanted: Wanted, heroku: StandIn
) -> Project:
    project = Project.at(
        folder / "project",
        heroku,
        PATH=f"{wanted.programs}{os.pathsep}{os.environ['PATH']}",
        DATABASE_URL=postgres.url(TARGET),
        INVOKE_DB_JOBS=str(wanted.jobs),
        # A shell that keeps Python from storing bytecode slows dbpull alone.
        PYTHONDONTWRITEBYTECODE="",
    )
    project.forks = False  # a user's Python has its imports to do
    project.configure(
        f"db:\n  apps: {{staging: {APP}}}\n  connections: {wanted.connections}\n"
    )
    return project
