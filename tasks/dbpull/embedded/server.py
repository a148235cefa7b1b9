"""The embedded server in a folder: set up, start, find again, stop, remove."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

from dbpull.embedded import cluster, postmaster
from dbpull.embedded.account import Account, account_for, ourselves
from dbpull.embedded.cluster import SUPERUSER
from dbpull.embedded.configuration import options
from dbpull.embedded.place import ServerFiles
from dbpull.embedded.postmaster import GRACE, PAUSE, Postmaster
from dbpull.embedded.programs import Programs, runnable, version
from dbpull.embedded.programs import programs as wheel
from dbpull.errors.embedded import (
    EmbeddedError,
    NoServerPrograms,
    NotStarted,
    OtherPort,
)

PORT = 5432
PORTS_TRIED = 5


class Server:
    """The PostgreSQL server whose files belong to one folder.

    It listens on a socket that only its owner can reach; also on 127.0.0.1, with a
    password: with `tcp` at any port of its own clusters, with `port` at that one.
    `programs` is the `bin` folder of a PostgreSQL other than the wheel's. `throwaway`
    trades safety in a power cut for speed. `patience` is the limit for starting or
    stopping, in seconds. The context starts the server, and stops it on leaving; a
    throwaway server is removed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        programs: Path | None = None,
        throwaway: bool = False,
        tcp: bool = False,
        port: int | None = None,
        patience: float = 60.0,
    ) -> None:
        self._programs = programs or wheel()
        self._place = ServerFiles(folder, throwaway=throwaway)
        self._throwaway = throwaway
        self._tcp = tcp
        self._port = port
        self._patience = patience

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    @property
    def folder(self) -> Path:
        """The folder to which the server's files belong."""
        return self._place.folder

    @property
    def programs(self) -> Path:
        """The `bin` folder with the server's and the client programs.

        Raises NoServerPrograms.
        """
        if self._programs is None:
            raise NoServerPrograms
        return self._programs

    @property
    def data(self) -> Path:
        """The cluster's folder: in `folder`, or where another user can reach it."""
        return self._place.data

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket; it exists while the server runs."""
        return self._place.sockets

    @property
    def log(self) -> Path:
        """The server's log file, since its last start."""
        return self._place.log

    @property
    def running(self) -> bool:
        """Whether the server's process lives, whichever process started it."""
        return postmaster.find(self.data) is not None

    @property
    def version(self) -> str:
        """The programs' version, like `18.6`."""
        return version(self.programs, ourselves())

    def url(self, dbname: str = SUPERUSER) -> str:
        """The URL of a database of this server, for libpq and programs that use it.

        The URL of a socket never changes. With `tcp` it changes with the port and is
        secret (it holds the password); raises EmbeddedError while no server runs.
        """
        name = quote(dbname, safe="")
        if self._tcp:
            return self.tcp_url(dbname)
        # Without the port in the URL, PGPORT would decide.
        where = f"host={quote(str(self._place.sockets))}&port={PORT}"
        return f"postgres://{SUPERUSER}@/{name}?{where}"

    def tcp_url(self, dbname: str) -> str:
        """The URL of a database by TCP, with the password: a secret.

        Raises EmbeddedError while no server runs.
        """
        running = postmaster.find(self.data)
        if running is None:
            what = f"The server in {self.folder} is not running."
            raise EmbeddedError(what, "Start it first.")
        password = self._place.password.read_text(encoding="ascii")
        place = f"{SUPERUSER}:{password}@127.0.0.1:{running.port}"
        return f"postgres://{place}/{quote(dbname, safe='')}"

    def start(self) -> None:
        """Set up a missing cluster, start the server, wait until it answers.

        Does nothing where the server runs already. Remains of a crash or a power cut
        are removed; a first start that fails leaves nothing.

        Raises the errors of `dbpull.errors.embedded`.
        """
        if (found := postmaster.find(self.data)) and found.ready and self._listens():
            self._refuse_other_port(found)
            return
        with self._place.locked(self._patience):
            new = not self.data.exists()
            try:
                self._start()
            except BaseException:
                if new:
                    self._place.remove()
                raise

    def stop(self) -> None:
        """Stop the server, cutting its connections. Does nothing where it does not run.

        Raises EmbeddedError.
        """
        if self.folder.exists():
            with self._place.locked(self._patience):
                self._stop()

    def delete(self) -> None:
        """Stop the server and remove its databases and files. Raises as `stop`."""
        if self.folder.exists():
            with self._place.locked(self._patience):
                self._stop()
                self._place.remove()

    def _leave(self) -> None:
        if self._throwaway:
            self.delete()
        else:
            self.stop()

    def _start(self) -> None:
        if postmaster.find(self.data):
            postmaster.wait_for(self.data, self.log, self._patience)
            if self._listens():
                return
            self._stop()
        account = account_for(self.data)
        account.try_out()
        if not self.data.exists():
            self._place.prepare(account)
        programs = runnable(self.programs, account, self._place.programs)
        if not self.data.exists():
            fast, tcp = self._throwaway, self._tcp
            cluster.set_up(self._place, programs, account, fast=fast, tcp=tcp)
        cluster.refuse_other_version(self._place, programs)
        self._launch_after_crash(programs, account)

    def _listens(self) -> bool:
        """Whether the server's socket exists: a cleaner of /tmp may have removed it."""
        running = postmaster.find(self.data)
        port = running.port if running and self._tcp else PORT
        return (self._place.sockets / f".s.PGSQL.{port}").exists()

    def _launch_after_crash(self, programs: Programs, account: Account) -> None:
        """Start the server; again while children of a crashed one hold its memory."""
        deadline = time.monotonic() + GRACE
        while True:
            try:
                return self._launch(programs, account)
            except NotStarted as error:
                if not error.has_orphans or time.monotonic() > deadline:
                    raise
            time.sleep(PAUSE)

    def _launch(self, programs: Programs, account: Account) -> None:
        """Start the server on a free port; tries again if another process takes it."""
        for attempt in range(PORTS_TRIED):
            try:
                port = self._port or (_free_port() if self._tcp else PORT)
                self._launch_on(port, programs, account)
            except NotStarted as error:
                taken = any("Address already in use" in line for line in error.lines)
                if not self._tcp or not taken or attempt == PORTS_TRIED - 1:
                    raise
            else:
                return

    def _launch_on(self, port: int, programs: Programs, account: Account) -> None:
        sockets = self._place.open_sockets(account)
        tcp, rules = self._tcp, None
        if self._port:
            cluster.let_in(self._place, programs, account)
            tcp, rules = True, self._place.rules
        settings = options(
            sockets, throwaway=self._throwaway, port=port, tcp=tcp, rules=rules
        )
        command = [programs.path("postgres"), "-D", str(self.data), *settings]
        postmaster.forget_crashed(self.data)
        process = postmaster.launch(command, account, self.log)
        try:
            postmaster.wait_for(self.data, self.log, self._patience, process)
        except BaseException:
            postmaster.abandon(process)
            self._place.close_sockets()
            raise
        if not self._tcp and port != PORT:  # the socket's URL stays the same
            link = sockets / f".s.PGSQL.{PORT}"
            link.unlink(missing_ok=True)
            link.symlink_to(f".s.PGSQL.{port}")

    def _refuse_other_port(self, running: Postmaster) -> None:
        """Raise OtherPort where the server was started without our port."""
        if self._port and (running.port != self._port or not running.address):
            raise OtherPort(self._port)

    def _stop(self) -> None:
        postmaster.stop(self.data, self._patience)
        self._place.close_sockets()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
