"""A PostgreSQL server with PostgreSQL's own defaults."""

from __future__ import annotations

from dbpull import embedded
from dbpull.embedded import postmaster
from dbpull.embedded.account import Account
from dbpull.embedded.programs import Programs

SETTINGS = (
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "wal_level",
    "max_wal_size",
    "shared_buffers",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "autovacuum",
)
"""Those that a restore's time hangs on."""


class Plain(embedded.Server):
    """A server with PostgreSQL's own defaults: of dbpull's settings it has none."""

    fsync = True

    def _launch_on(self, port: int, programs: Programs, account: Account) -> None:
        settings = {
            "fsync": "on" if self.fsync else "off",
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self._place.open_sockets(account)),
        }
        given = [f"-c{name}={value}" for name, value in settings.items()]
        command = [programs.path("postgres"), "-D", str(self.data), *given]
        postmaster.forget_crashed(self.data)
        process = postmaster.launch(command, account, self.log)
        postmaster.wait_for(self.data, self.log, 60, process)
