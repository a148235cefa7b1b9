"""What is judged before a dump is downloaded and restored: programs, server, disk."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass

from dbpull.archive import Archive
from dbpull.errors.restore import MissingExtensions, NotEnoughDisk
from dbpull.postgres import programs
from dbpull.restore.selection import Selection, select
from dbpull.settings import Settings
from dbpull.steps.aim import Aim
from dbpull.target.state import refuse_powerless


@dataclass(frozen=True)
class Prepared:
    """What the table of contents and the target's server lead to."""

    program: programs.Program
    selection: Selection
    schemas: frozenset[str]
    """Schemas that the dump needs and does not create (heroku_ext)."""


def prepare(aim: Aim, archive: Archive, settings: Settings) -> Prepared:
    """Refuse what could not be restored, before it is downloaded and restored.

    Raises TooOldProgram, MissingProgram, MissingExtensions.
    """
    header = archive.header
    program = programs.pg_restore_for(
        header.version,
        header.compression,
        aim.state.major,
        programs.find(aim.shell, "pg_restore"),
        aim.shell.where,
    )
    state = aim.state
    selection = select(
        archive,
        settings.skip_data,
        available=state.extensions,
        superuser=state.superuser,
    )
    lacking = [name for name in selection.extensions if name not in state.extensions]
    if lacking:
        label = aim.connection.label
        raise MissingExtensions(lacking, label, state.major, embedded=aim.embedded)
    return Prepared(program, selection, archive.missing_schemas)


def refuse_full_disk(aim: Aim, needed: int | None) -> None:
    """Raise NotEnoughDisk where the server is here and its disk is too small.

    `needed` is the source's size in bytes: with its bloat, so a little less may do.
    """
    if not needed or not aim.state.folder or not aim.connection.is_socket:
        return
    with suppress(OSError):
        free = shutil.disk_usage(aim.state.folder).free
        if free < needed * 0.7:
            raise NotEnoughDisk(aim.connection.label, needed, free)


def refuse_unable(aim: Aim, *, in_place: bool) -> None:
    """Raise NoCreatedb or NotOwner, unless the target is to be used as it is."""
    if not in_place:
        refuse_powerless(aim.state, aim.connection.label)


class Gate:
    """Judges a dump by its table of contents, and keeps what follows from it."""

    def __init__(self, aim: Aim, settings: Settings) -> None:
        self._aim = aim
        self._settings = settings
        self.prepared: Prepared

    def __call__(self, archive: Archive) -> None:
        """See `prepare`."""
        self.prepared = prepare(self._aim, archive, self._settings)
