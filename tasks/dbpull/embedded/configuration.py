"""The settings of a development database that can be pulled again.

Settings on the server's command line lose to a user's settings for a database, a role
or a session, and win over the cluster's files: the files stay as initdb wrote them, and
a newer dbpull's settings reach older clusters.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DURABLE = {
    "max_wal_size": "2GB",
    "synchronous_commit": "off",
}
THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "synchronous_commit": "off",
}
ALWAYS = {
    "cluster_name": "dbpull",
    # Kubernetes offers huge pages and does not give them: the server would die.
    "huge_pages": "off",
    "log_line_prefix": "%m [%p] %d ",
    "logging_collector": "off",
    "maintenance_work_mem": "128MB",
    # A schema of some thousand tables is dropped or restored in one transaction.
    "max_locks_per_transaction": "256",
    # Rows loaded into a table made in the same transaction need no log.
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
}
ENOUGH_SHARED_MEMORY = 256 << 20
"""Bytes that parallel workers and index builds may want of /dev/shm."""


def options(
    sockets: Path, *, throwaway: bool, port: int, tcp: bool, rules: Path | None = None
) -> list[str]:
    """`-c name=value` for each setting, as `postgres` takes them.

    `rules`: the pg_hba.conf, where it is not the cluster's own.
    """
    settings = {
        **ALWAYS,
        **(THROWAWAY if throwaway else DURABLE),
        "listen_addresses": "127.0.0.1" if tcp else "",
        "port": str(port),
        "unix_socket_directories": str(sockets),
    }
    if rules:
        settings["hba_file"] = str(rules)
    if sys.platform == "linux" and not _shared_memory_serves():
        settings["dynamic_shared_memory_type"] = "mmap"
    return [f"-c{name}={value}" for name, value in settings.items()]


def _shared_memory_serves() -> bool:
    """Whether /dev/shm is large enough for parallel workers.

    Docker gives 64 MB: restores then fail with `could not resize shared memory`.
    """
    try:
        free = os.statvfs("/dev/shm")  # noqa: S108 - not written to
    except OSError:
        return False
    return free.f_bavail * free.f_frsize >= ENOUGH_SHARED_MEMORY
