"""The disk of the target's server, where it is this machine's."""

from __future__ import annotations

from dbpull.target.opened import Target


def free(target: Target) -> int | None:
    """Bytes free on the disk of the target's server; None where unknown."""
    folder = target.state.folder  # None where this role may not know it
    # A server behind a tunnel or in a container names a folder of another machine.
    return target.shell.free(folder, "postmaster.pid") if folder else None
