"""A dump becomes the target: restored aside, checked, swapped in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from dbpull.archive import Archive
from dbpull.console import Teller
from dbpull.errors import PullError
from dbpull.errors.restore import MissingExtensions, NotEnoughDisk
from dbpull.postgres import programs
from dbpull.restore import check
from dbpull.restore.schemas import create_missing
from dbpull.restore.sections import Restore
from dbpull.restore.selection import Selection, select
from dbpull.restore.watch import Outcome
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.steps.aim import Aim
from dbpull.steps.fetch import Fetched
from dbpull.target.aside import Aside
from dbpull.target.provenance import Provenance
from dbpull.target.state import refuse_powerless
from dbpull.target.swap import Swap
from dbpull.words import counted


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


def replace(
    aim: Aim, fetched: Fetched, prepared: Prepared, settings: Settings, teller: Teller
) -> Outcome:
    """Restore into the aside database, check it, and swap.

    Until the swap the target is not touched; whatever fails before, the aside
    database is dropped. Raises RestoreFailed, Incomplete, StillConnected, SqlFailed.
    """
    with _aside(aim, teller) as aside:
        outcome = _restore(aim, aside.names.aside, fetched, prepared, settings, teller)
        with teller.step("check", "Checking and analyzing") as step:
            check.refuse_incomplete(aim.psql, aside.names.aside, prepared.selection)
            check.analyze(aim.psql, aside.names.aside)
            aside.take_settings()
            step.sentence = "Checked and analyzed"
        _swap(aim, fetched, prepared, settings, teller)
    return outcome


def replace_in_place(
    aim: Aim, fetched: Fetched, prepared: Prepared, settings: Settings, teller: Teller
) -> Outcome:
    """Empty the target itself and restore into it: the recipe's own way.

    One transaction where pg_restore and server are of an age; else a failure leaves a
    target that is half restored, which is said beforehand.
    """
    at_once = not (prepared.program.major >= 17 > aim.state.major)
    if not at_once:
        teller.note(
            "Not in one transaction: the server is too old for this pg_restore."
        )
    restore = _restoring(aim, aim.names.target, fetched, prepared, settings)
    clean = check.holds_some(aim.psql, aim.names.target, prepared.selection)
    create_missing(aim.psql, aim.names.target, prepared.schemas)
    with teller.step("restore", f"Restoring into {aim.connection.label}") as step:
        outcome = restore.run_in_place(step.phase, at_once=at_once, clean=clean)
        step.sentence = f"Restored into {aim.connection.label}"
    check.refuse_incomplete(aim.psql, aim.names.target, prepared.selection)
    check.analyze(aim.psql, aim.names.target)
    return outcome


@contextmanager
def _aside(aim: Aim, teller: Teller) -> Iterator[Aside]:
    aside = Aside(aim.psql, aim.state, aim.names)
    try:
        aside.create()
        yield aside
    except BaseException:
        try:
            aside.drop()
        except PullError:
            teller.note(
                f"{aside.names.aside} could not be dropped: the next pull, or"
                " `invoke db.cleanup`, will do it."
            )
        raise


def _restoring(
    aim: Aim, dbname: str, fetched: Fetched, prepared: Prepared, settings: Settings
) -> Restore:
    return Restore(
        aim.shell,
        prepared.program.path,
        aim.connection.to(dbname),
        fetched.dump.path,
        prepared.selection,
        settings.jobs,
    )


def _restore(
    aim: Aim,
    dbname: str,
    fetched: Fetched,
    prepared: Prepared,
    settings: Settings,
    teller: Teller,
) -> Outcome:
    restore = _restoring(aim, dbname, fetched, prepared, settings)
    create_missing(aim.psql, dbname, prepared.schemas)
    tables = len(prepared.selection.tables)
    doing = f"Restoring {fetched.dump.label}"
    with teller.step("restore", doing) as step:
        outcome = restore.run(step.phase)
        step.sentence = f"Restored {counted(tables, 'table')}, keys and indexes"
    return outcome


def _swap(
    aim: Aim, fetched: Fetched, prepared: Prepared, settings: Settings, teller: Teller
) -> None:
    dump, skipped = fetched.dump, prepared.selection.skipped
    told = Provenance(dump.app, dump.backup, dump.taken, datetime.now(UTC), skipped)
    swap = Swap(aim.psql, aim.state, aim.names)
    with teller.step("swap", "Swapping") as step, SIGNALS.deferred():
        swap.to_new(comment=told.to_comment(), keep_previous=settings.undo)
        teller.swapped = True
        step.sentence = f"Swapped: {aim.connection.label} is the new database"
        try:
            swap.discard(keep_previous=settings.undo)
        except PullError as error:
            teller.note(f"{error.what} The next pull will try again.")
