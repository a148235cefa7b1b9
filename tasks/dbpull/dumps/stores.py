"""Which stock of dumps belongs to a place: this machine's, or a host's."""

from __future__ import annotations

from dbpull.dumps.local import LocalStore
from dbpull.dumps.store import DumpStore
from dbpull.settings import Settings
from dbpull.shell import Shell


def store_for(settings: Settings, shell: Shell) -> DumpStore:
    """The stock of the place where a shell's commands run."""
    if not shell.host:
        return LocalStore(settings)
    # Not at the top: what is for hosts need not be loaded without one.
    from dbpull.dumps.on_host import HostStore
    from dbpull.hosts.host import Host

    assert isinstance(shell, Host)  # noqa: S101 - no other has a host
    return HostStore(settings, shell)
