"""What is judged before a dump is downloaded and restored: programs, server, disk."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.archive import Archive
from dbpull.errors.restore import ForbiddenExtensions, MissingExtensions, NotEnoughDisk
from dbpull.postgres import programs
from dbpull.restore.selection import Selection, select
from dbpull.settings import Settings
from dbpull.steps.aim import Aim


@dataclass(frozen=True)
class Prepared:
    """What the table of contents and the target's server lead to."""

    program: programs.Program
    selection: Selection
    schemas: frozenset[str]
    """Schemas that the dump needs and does not create (heroku_ext)."""


def prepare(aim: Aim, archive: Archive, settings: Settings) -> Prepared:
    """Refuse what could not be restored, before it is downloaded and restored.

    Raises TooOldProgram, MissingProgram, CannotReadCompression, MissingExtensions,
    ForbiddenExtensions.
    """
    header = archive.header
    program = programs.pg_restore_for(
        header.version,
        header.compression,
        aim.state.major,
        aim.pg_restores,
        aim.shell.where,
    )
    state = aim.state
    selection = select(
        archive,
        settings.skip_data,
        creatable={name for name, may in state.extensions.items() if may},
        superuser=state.superuser,
    )
    label, wanted = aim.connection.label, selection.extensions
    lacking = [name for name in wanted if name not in state.extensions]
    if lacking:
        raise MissingExtensions(lacking, label, state.major, embedded=aim.embedded)
    if forbidden := [name for name in wanted if not state.extensions[name]]:
        raise ForbiddenExtensions(forbidden, state.user, label)
    return Prepared(program, selection, archive.missing_schemas)


def refuse_full_disk(aim: Aim, needed: int | None) -> None:
    """Raise NotEnoughDisk where the server's disk is this machine's and too small.

    `needed` is the source's size in bytes: with its bloat, so a little less may do.
    """
    folder = aim.state.folder  # None where this role may not know it
    # A server behind a tunnel or in a container names a folder of its own.
    if not needed or not folder or not aim.shell.exists(f"{folder}/postmaster.pid"):
        return
    free = aim.shell.free(folder)
    if free is not None and free < needed * 0.7:
        raise NotEnoughDisk(aim.connection.label, needed, free)


class Gate:
    """Judges a dump by its table of contents, and keeps what follows from it."""

    def __init__(self, aim: Aim, settings: Settings) -> None:
        self._aim = aim
        self._settings = settings
        self.prepared: Prepared

    def __call__(self, archive: Archive) -> None:
        """See `prepare`."""
        self.prepared = prepare(self._aim, archive, self._settings)
