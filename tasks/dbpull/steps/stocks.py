"""Which stock of dumps belongs to a place: this machine's, or a host's."""

from __future__ import annotations

from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps.here import Here
from dbpull.steps.stock import Stock


def of(settings: Settings, shell: Shell) -> Stock:
    """The stock of the place where a shell's commands run."""
    if not shell.host:
        return Here(settings)
    # Not at the top: what is for hosts need not be loaded without one.
    from dbpull.shell.remote import Remote
    from dbpull.steps.there import There

    assert isinstance(shell, Remote)  # noqa: S101 - no other has a host
    return There(settings, shell)
