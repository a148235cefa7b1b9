"""The refresh of a target: the dump restored aside, checked, swapped in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from dbpull.console import Reporter
from dbpull.dumps.stream import DumpStream
from dbpull.errors import PullError
from dbpull.errors.download import ObjectChanged
from dbpull.errors.hosts import ConnectionLost
from dbpull.flows import kept
from dbpull.flows.additions import Additions, additions_for
from dbpull.flows.checked import Check
from dbpull.flows.gather import Run
from dbpull.flows.prepare import Prepared, prepare, useless
from dbpull.naming import command
from dbpull.restore import check
from dbpull.restore.failures import name
from dbpull.restore.schemas import create_missing
from dbpull.restore.sections import Restore, one_transaction
from dbpull.restore.watch import Outcome
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.target import sessions
from dbpull.target.aside import Aside
from dbpull.target.opened import LockedTarget, Target
from dbpull.target.provenance import Provenance, is_own
from dbpull.target.swap import Swap, record

if TYPE_CHECKING:
    from dbpull.flows.masked_restore import Masks
    from dbpull.masks.judged import MaskedTable


class Change(Enum):
    """The change of the target by a refresh, with the sentence for a later failure."""

    REPLACED = f"The new database is in place already; `{command('undo')}` goes back."
    CREATED = "The new database is in place already."
    REFILLED = "The new rows are in place already."


@dataclass(frozen=True)
class Refreshed:
    """The result of a refresh: the target, what it was restored from, and how."""

    target: Target
    stream: DumpStream
    prepared: Prepared
    outcome: Outcome
    change: Change
    masked: Sequence[MaskedTable] = ()
    """The tables with masked columns."""
    excepted: Mapping[str, int] = field(default_factory=dict)
    """How many rows of masked tables are as in the dump."""
    oid: str = ""
    """The oid of the new database; "" where the target was refilled."""


@dataclass(frozen=True)
class Refresh:
    """The refresh of a locked target from a dump."""

    held: LockedTarget
    stream: DumpStream
    prepared: Prepared
    settings: Settings
    reporter: Reporter
    masks: Masks | None
    additions: Additions

    @property
    def target(self) -> Target:
        """The target, queried under the lock."""
        return self.held.target

    def run(self, *, in_place: bool) -> Refreshed:
        """Replace the target, or refill it in place.

        Raises RestoreFailed, Incomplete, StillConnected, LockLost, SqlFailed,
        CannotConnect; DownloadFailed, and ObjectChanged where the dump has to be
        prepared anew.
        """
        return self._replace_in_place() if in_place else self._replace()

    def _replace(self) -> Refreshed:
        """Restore into the aside database, check it, and swap.

        Until the swap the target is not touched; if anything fails before, the aside
        database is dropped.
        """
        self.held.lock.refuse_lost()
        with self._aside() as aside:
            restore = self._restoring(aside.names.aside)
            outcome = self.stream.restore(restore, self.reporter)
            if self.masks:
                self.masks.take_off(aside.names.aside, outcome.absent)
            add = partial(self._add, aside.names.aside) if self.additions.any else None
            self._check.run(aside.names.aside, outcome, copied=True, add=add)
            done = self._refreshed(outcome, self._swap(aside.oid, outcome))
            return replace(done, oid=aside.oid)

    def _add(self, dbname: str) -> None:
        """Bring what the dump does not have; no session is left on the database."""
        self.additions.bring(dbname, self.masks.tables if self.masks else ())
        if self.settings.before_swap:
            sessions.end(self.target.psql, dbname)

    def _replace_in_place(self) -> Refreshed:
        """Refill the target itself, as `pg_restore --clean` does.

        Where one transaction is impossible, a failure leaves the target half
        restored, and its message says so.
        """
        self.reporter.note(
            f"--in-place: {self.target.connection.label} itself is refilled. What the"
            " dump holds is dropped in it first, and there is no way back."
        )
        prepared = self.stream.contents
        self.stream.finish(self.reporter)
        if self.stream.contents != prepared:
            raise ObjectChanged(self.stream.dump.label)
        sessions.end(self.target.psql, self.target.names.target)
        if one_transaction(self.prepared.program.major, self.target.state.major):
            return self._in_place(at_once=True)
        self.reporter.note(
            "Not in one transaction: the server is too old for this pg_restore."
        )
        self.reporter.on_failure("The target is half restored.")
        return self._in_place(at_once=False)

    @contextmanager
    def _aside(self) -> Iterator[Aside]:
        aside = Aside(self.target.psql)
        with aside.on_disconnect():
            try:
                with SIGNALS.deferred():  # a server goes on creating it without us
                    aside.create()
                yield aside
            except BaseException:
                self._drop(aside)
                raise

    def _drop(self, aside: Aside) -> None:
        try:
            aside.drop()
        except ConnectionLost:
            pass  # the host drops the database by itself
        except PullError:
            self.reporter.note(
                f"{aside.names.aside} could not be dropped: the next pull, or"
                f" `{command('cleanup')}`, will do it."
            )

    def _restoring(self, dbname: str) -> Restore:
        prepared, masks = self.prepared, self.masks
        create_missing(self.target.psql, dbname, prepared.schemas, prepared.extensions)
        return Restore(
            self.target.shell,
            prepared.program.path,
            self.target.connection.to(dbname),
            self.stream.dump.path,
            prepared.selection,
            1 if self.stream.contents.header.tar else self.settings.jobs,
            self.stream.dump.label,
            self.settings.tolerate,
            self.reporter.note,
            on_defined=partial(masks.put_on, dbname) if masks else None,
            options=masks.options if masks else "",
            psql=None if self.additions.any else self.target.psql,
        )

    @property
    def _check(self) -> Check:
        return Check(self.target, self.prepared, self.settings, self.reporter)

    def _swap(self, oid: str, outcome: Outcome) -> Change:
        keep, label = self.settings.undo, self.target.connection.label
        swap = Swap(self.target.psql, self.target.state, self.held.lock.query)
        with self.reporter.step("swap", "Swapping") as step, SIGNALS.deferred():
            comment = self._provenance(outcome)
            moves = swap.to_new(oid, comment=comment, keep_previous=keep)
            replaced = any(move.member.dbname == swap.names.target for move in moves)
            change = Change.REPLACED if keep and replaced else Change.CREATED
            self.reporter.on_failure(change.value)
            step.sentence = f"Swapped: {label} is the new database"
            kept.settle(self.held, moves, self.reporter)
            if self.masks:
                kept.tell_unmasked(moves, self.reporter)
        return change

    def _in_place(self, *, at_once: bool) -> Refreshed:
        psql, selection = self.target.psql, self.prepared.selection
        dbname, label = self.target.names.target, self.target.connection.label
        clean = check.look(psql, dbname).holds_some(selection)
        restore = self._restoring(dbname)
        with self.reporter.step("restore", f"Restoring into {label}") as step:
            outcome = restore.run_in_place(step.phase, at_once=at_once, clean=clean)
            step.sentence = f"Restored into {label}"
        self.reporter.on_failure(Change.REFILLED.value)
        self._check.run(dbname, outcome, copied=False)
        own = is_own(self.target.state.comment)
        record(psql, self._provenance(outcome, beside_own=own))
        return self._refreshed(outcome, Change.REFILLED)

    def _refreshed(self, outcome: Outcome, change: Change) -> Refreshed:
        done = Refreshed(self.target, self.stream, self.prepared, outcome, change)
        masks = self.masks
        if not masks:
            return done
        return replace(done, masked=masks.tables, excepted=masks.excepted)

    def _provenance(self, outcome: Outcome, *, beside_own: bool = False) -> str:
        """The provenance of the rows, as the text of the database's comment."""
        dump, now = self.stream.dump, datetime.now(UTC)
        skipped = self.prepared.selection.skipped
        absent = tuple(map(name, outcome.absent))
        provenance = Provenance(
            dump.app, dump.backup, dump.taken, now, skipped, beside_own, absent,
            self.masks.provenance if self.masks else None,
        )  # fmt: skip
        return provenance.to_comment()


def refresh(run: Run, held: LockedTarget, stream: DumpStream) -> Refreshed:
    """Refresh a locked target; once more where the dump changes while it arrives.

    Raises the errors of `prepare` and of `Refresh.run`.
    """
    settings, reporter, in_place = run.settings, run.reporter, run.asked.in_place

    def prepared() -> Refresh:
        flags = {"in_place": in_place, "blank_new": run.asked.blank_new}
        found = prepare(held.target, stream.contents, settings, **flags)
        entries, blanked = found.selection.entries, found.blanked
        masks = None
        if settings.mask:
            from dbpull.flows.masked_restore import masks_for  # most pulls mask nothing

            on = held.target, settings
            masks = masks_for(*on, entries, blanked, in_place=in_place)
        additions = additions_for(held.target, settings, entries, reporter)
        return Refresh(held, stream, found, settings, reporter, masks, additions)

    first = prepared()
    for note in useless(first.prepared, stream.contents, settings):
        reporter.note(note)
    try:
        return first.run(in_place=in_place)
    except ObjectChanged:
        stream.finish(reporter)  # raises again where no other dump arrives
    reporter.note("Another dump has come in its place: it is restored anew.")
    return prepared().run(in_place=in_place)
