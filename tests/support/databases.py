"""Real PostgreSQL servers for the tests, and short ways to talk to them."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dbpull import embedded
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql
from dbpull.shell.local import Local
from dbpull.target.family import Family
from dbpull.target.names import Names
from dbpull.target.state import State, inspect
from lacking import OLD_POSTGRES, POSTGRES, or_skipped
from once import once, shared_folder


def _folders() -> dict[str, Path]:
    """The `bin` folders with a server: the wheel's, and those of Debian's packages."""
    wheel = embedded.programs()
    found = {"wheel": wheel} if wheel else {}
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        if (folder / "postgres").is_file():
            found[folder.parent.name] = folder
    return found


FOLDERS: Mapping[str, Path] = _folders()
BEFORE_17 = [name for name in FOLDERS if name.isdigit() and int(name) < 17]
SINCE_17 = [name for name in FOLDERS if name not in BEFORE_17]
WITH_ICU = [name for name in FOLDERS if name != "wheel"]
"""Names of servers, for tests that can't be run with each of them."""
NO_OLD = OLD_POSTGRES if WITH_ICU else POSTGRES
OLD = BEFORE_17[-1] if BEFORE_17 else ""
SERVERS = [*FOLDERS, *([] if WITH_ICU else or_skipped([], POSTGRES))]
"""The same as parameters of tests: what is not there is told."""
_numbers = itertools.count(1)
AS_HEROKU = (
    "-Fc", "--no-acl", "--no-owner", "--quote-all-identifiers",
    "--exclude-schema=heroku_ext",
)  # fmt: skip


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    server: embedded.Server
    folder: Path
    """Of its programs."""

    @property
    def major(self) -> int:
        return int((self.server.data / "PG_VERSION").read_text())

    @property
    def _copied(self) -> str:
        """How a database is made in half the time: as files, not page by page."""
        return "STRATEGY file_copy" if self.major >= 15 else ""

    def program(self, name: str) -> str:
        return str(self.folder / name)

    def connection(self, dbname: str, user: str = "postgres") -> Connection:
        connection = Connection.from_url(self.server.url("x"), "the test", {})
        return replace(connection, dbname=dbname, user=user)

    def psql(self, dbname: str, user: str = "postgres") -> Psql:
        connection = self.connection(dbname, user)
        return Psql(Local(), self.program("psql"), connection, "postgres")

    def state(self, dbname: str, user: str = "postgres") -> State:
        return inspect(self.psql(dbname, user))[1]

    def family(self, dbname: str, user: str = "postgres") -> Family:
        return self.state(dbname, user).family

    def sql(self, dbname: str, script: str, user: str = "postgres") -> str:
        """Run a script; what it prints, a line each."""
        # Debian's psql takes three times as long to start.
        psql = str(FOLDERS.get("wheel", self.folder) / "psql")
        argv = [psql, "-XAtq", "-v", "ON_ERROR_STOP=1"]
        done = self._run(argv, dbname, user, script)
        return done.decode().strip("\n")

    def database(self, script: str = "", *, name: str = "", options: str = "") -> str:
        """Make a database; its name."""
        name = name or f"shop{next(_numbers)}"
        quoted = '"' + name.replace('"', '""') + '"'
        create = f"CREATE DATABASE {quoted} {options} {self._copied};"
        if "=" in name:  # psql's connect would take it for more than a name
            self.sql("postgres", create)
            self.sql(name, script)
        else:
            within = f"\\connect {quoted}\n{script}" if script else ""
            self.sql("postgres", f"{create}\n{within}")
        return name

    def role(self, options: str = "") -> str:
        name = f"dev{next(_numbers)}"
        self.sql("postgres", f"CREATE ROLE {name} LOGIN {options};")
        return name

    def databases(self) -> set[str]:
        return set(self.sql("postgres", "SELECT datname FROM pg_database").split("\n"))

    def beside(self, target: str) -> set[str]:
        """Which of the names beside a target exist: target, aside, previous, …"""
        names = Names(target)
        kinds = {
            names.target: "target",
            names.aside: "aside",
            names.previous: "previous",
            names.discarded(()): "discarded",
            names.original(()): "original",
            names.original((names.original(()),)): "original 2",
        }
        there = self.databases()
        return {kind for name, kind in kinds.items() if name in there}

    def dump(self, dbname: str, path: Path, *options: str) -> Path:
        """Dump as Heroku does: through a pipe."""
        argv = [self.program("pg_dump"), *(options or AS_HEROKU)]
        path.write_bytes(self._run(argv, dbname, "postgres"))
        return path

    def picture(self, dbname: str) -> str:
        """Everything that is in a database, as SQL."""
        argv = [self.program("pg_dump"), "--no-owner", "--no-acl"]
        told = self._run(argv, dbname, "postgres").decode()
        lines = told.splitlines()
        # A random word of each dump's own.
        return "\n".join(
            line
            for line in lines
            if not line.startswith(("\\restrict", "\\unrestrict"))
        )

    def _run(self, argv: list[str], dbname: str, user: str, script: str = "") -> bytes:
        done = subprocess.run(
            argv,
            env=self.connection(dbname, user).environment(),
            input=script.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@contextmanager
def served(programs: Path) -> Iterator[Postgres]:
    """Run a server of those programs."""
    with (
        copied(cluster(programs)) as folder,
        embedded.Server(folder, programs=programs, throwaway=True) as server,
    ):
        yield Postgres(server, programs)


@contextmanager
def copied(files: Path) -> Iterator[Path]:
    """A copy of a stopped server's files, for this process."""
    home = Path(tempfile.mkdtemp(prefix="dbpull-test-"))
    home.chmod(0o755)  # as root, another user runs the server
    try:
        copy_files(files, home / "server")
        yield home / "server"
    finally:
        shutil.rmtree(home)


def cluster(programs: Path) -> Path:
    """The files of a server that has never been used, to be copied: made once a run."""
    folder = shared_folder() / f"cluster-{programs.parent.name}"
    return once(folder, lambda half: _set_up(half / "server", programs)) / "server"


def _set_up(folder: Path, programs: Path) -> None:
    server = embedded.Server(folder, programs=programs, throwaway=True, tcp=True)
    server.start()
    server.stop()
    # Autovacuum would look into each of many databases, again and again.
    with (server.data / "postgresql.auto.conf").open("a") as file:
        file.write("autovacuum = off\n")


def copy_files(files: Path, folder: Path) -> None:
    """Copy them, and whose they are."""
    subprocess.run(["cp", "-a", files, folder], check=True)
