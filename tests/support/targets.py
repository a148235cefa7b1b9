"""Databases to be replaced, and their servers, which log whatever changes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from databases import Postgres, cluster, copied
from dbpull import embedded

OLD = "create table notes (id int, note text); insert into notes values (1, 'mine');"
LOG = "alter system set log_statement = 'mod'; select pg_reload_conf();"
OIDS = "select oid || ' ' || datname from pg_database order by 1;"
NOTES = "select string_agg(notes::text, ' ') from notes;"
DROP = """
select format('drop database %I with (force);', datname) from pg_database
  where starts_with(datname, '{}') \\gexec
"""
_MADE_BY = re.compile(r"^-- Dumped .*\n?", re.MULTILINE)


class Watched(Postgres):
    """A server that listens on TCP, with a password, and logs every change."""

    @property
    def password(self) -> str:
        """Its superuser's."""
        return str(urlsplit(self.server.url()).password)

    def url(self, dbname: str) -> str:
        """A database's URL, with password, over TCP."""
        return self.server.url(dbname)

    @property
    def socket(self) -> str:
        """The part of a URL that leads to the socket: no password is asked there."""
        folder = self.sql("postgres", "show unix_socket_directories;")
        port = urlsplit(self.server.url()).port
        return f"host={quote(folder)}&port={port}"

    def socket_url(self, dbname: str, user: str = "postgres") -> str:
        """A database's URL through the socket, without a password."""
        return f"postgres://{user}@/{dbname}?{self.socket}"

    def session(self, dbname: str, *statements: str) -> Session:
        """Open a session that has run these statements, and stays."""
        session = Session([self.program("psql"), "-XAtqw", self.url(dbname)])
        for sql in statements:
            session.ask(sql)
        return session

    def oids(self) -> dict[str, int]:
        """Each database's oid: a replaced one has another."""
        pairs = (line.split(" ", 1) for line in self.sql("postgres", OIDS).split("\n"))
        return {dbname: int(oid) for oid, dbname in pairs}

    def drop_like(self, start: str) -> None:
        """Drop the databases whose names start so."""
        quoted = start.replace("'", "''")
        self.sql("postgres", DROP.format(quoted))

    def likeness(self, dbname: str, pg_dump: Path | None = None) -> str:
        """Everything in a database, in words that another server's copy shares.

        `pg_dump` is the folder of the program to use: each has words of its own.
        """
        with_it = replace(self, folder=pg_dump or self.folder)
        return _MADE_BY.sub("", with_it.picture(dbname))

    @property
    def logged(self) -> int:
        """How long its log is so far: some megabytes, after many tests."""
        return self.server.log.stat().st_size

    def changes(self, since: int = 0) -> list[str]:
        """Every statement that changed something, as the log has them from there on."""
        with self.server.log.open("rb") as log:
            log.seek(since)
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if "statement:" in line]


@contextmanager
def watched(programs: Path, files: Path | None = None) -> Iterator[Watched]:
    """Run a server of those programs, with a copy of those files."""
    with (
        copied(files or cluster(programs)) as folder,
        stopped_at_the_end(folder, programs) as postgres,
    ):
        yield postgres


@contextmanager
def stopped_at_the_end(folder: Path, programs: Path) -> Iterator[Watched]:
    """Run a server on the files in that folder, which stay, with a new password."""
    server = embedded.Server(folder, programs=programs, throwaway=True, tcp=True)
    server.start()
    try:
        postgres = Watched(server, programs)
        password = secrets.token_urlsafe(24)
        secret = _hashed_once(password)
        postgres.sql("postgres", f"alter role postgres password '{secret}';{LOG}")
        (folder / "password").write_text(password)
        yield postgres
    finally:
        server.stop()


def _hashed_once(password: str) -> str:
    """What a server keeps of it: 4096 times would be most of a connection's cost."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    ours, theirs = (
        hmac.digest(salted, key, "sha256") for key in (b"Client Key", b"Server Key")
    )
    stored = hashlib.sha256(ours).digest()
    salt64, stored64, theirs64 = (
        base64.b64encode(part).decode() for part in (salt, stored, theirs)
    )
    return f"SCRAM-SHA-256$1:{salt64}${stored64}:{theirs64}"


class Session:
    """A session on a database, as a developer's console is."""

    def __init__(self, argv: list[str]) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, sql: str) -> str:
        """Run a statement; the last line that it prints."""
        stdin, stdout = _open(self._process.stdin), _open(self._process.stdout)
        stdin.write(f"{sql};\n\\echo .\n")
        stdin.flush()
        told = ""
        while (line := stdout.readline()) != ".\n":
            assert line, "the session has ended"
            told = line.rstrip("\n")
        return told

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def psql(url: str, sql: str) -> str:
    """Run SQL at a URL; what it prints."""
    programs = embedded.programs()
    assert programs
    argv = [str(programs / "psql"), "-XAtqw", "-c", sql, url]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout[:-1]


def _open(pipe: IO[str] | None) -> IO[str]:
    assert pipe
    return pipe


@dataclass
class Target:
    """A database for a test to have replaced."""

    postgres: Watched
    name: str

    @property
    def url(self) -> str:
        """Where it is, with password."""
        return self.postgres.url(self.name)

    @property
    def oid(self) -> int:
        """Which database has the name now."""
        return self.postgres.oids()[self.name]

    @property
    def notes(self) -> str:
        """The rows of the one that was there before any pull."""
        return self.sql(NOTES)

    @property
    def family(self) -> set[str]:
        """Which of the target, its aside and its previous there are."""
        return self.postgres.beside(self.name)

    def sql(self, script: str) -> str:
        """Run SQL in it."""
        return self.postgres.sql(self.name, script)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Assert that it is as it was, and that nothing else is on its server."""
        before = self.sql(OIDS + NOTES)
        yield
        after = self.sql(OIDS + NOTES)
        assert after == before, (after, before)

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """Assert, beside that, that no statement changed anything on its server."""
        with self.untouched():
            before = self.postgres.logged
            yield
            assert self.postgres.changes(before) == []
