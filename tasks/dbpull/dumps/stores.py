"""The choice of the store of dumps: this machine's, or a host's."""

from __future__ import annotations

from dbpull.dumps.local import LocalStore
from dbpull.dumps.store import DumpStore
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.shell.local import Local


def store_for(settings: Settings, shell: Shell, *, upload: bool = False) -> DumpStore:
    """The store of dumps on the machine where a shell's commands run.

    `upload`: this machine downloads each dump for the host and sends it.
    """
    if isinstance(shell, Local):
        return LocalStore(settings, shell)
    # Imported inside: without a host, the modules for hosts need not be loaded.
    from dbpull.dumps.on_host import HostStore
    from dbpull.hosts.host import Host

    assert isinstance(shell, Host)  # noqa: S101 - there are no others
    return HostStore(settings, shell, upload)
