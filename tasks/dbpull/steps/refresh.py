"""A dump becomes the target: restored aside, checked, swapped in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from dbpull.console import Teller
from dbpull.errors import PullError
from dbpull.errors.postgres import SqlFailed
from dbpull.errors.remote import ConnectionLost
from dbpull.errors.restore import RestoreFailed
from dbpull.restore import check, overlap
from dbpull.restore.arriving import Arriving, Streaming
from dbpull.restore.failures import name
from dbpull.restore.schemas import create_missing
from dbpull.restore.sections import Restore, one_transaction
from dbpull.restore.statistics import analyze
from dbpull.restore.watch import Outcome
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.steps import kept
from dbpull.steps.aim import Aim, Held
from dbpull.steps.fill import fill
from dbpull.steps.prepare import Prepared, useless
from dbpull.steps.stock import Fetched
from dbpull.target import search_path, sessions
from dbpull.target.aside import Aside
from dbpull.target.provenance import Provenance, is_own
from dbpull.target.swap import Swap
from dbpull.words import counted, listed, size

REPLACED = "The new database is in place already; `invoke db.undo` goes back."
CREATED = "The new database is in place already."
REFILLED = "The new rows are in place already."


@dataclass(frozen=True)
class Refresh:
    """A dump that is here, and the target that it is to fill."""

    held: Held
    fetched: Fetched
    prepared: Prepared
    settings: Settings
    teller: Teller

    @property
    def aim(self) -> Aim:
        """The target."""
        return self.held.aim

    def run(self, *, in_place: bool) -> Outcome:
        """Replace the target, or refill it in place.

        Raises RestoreFailed, Incomplete, StillConnected, LockLost, SqlFailed,
        CannotConnect.
        """
        for note in useless(self.prepared, self.fetched.archive, self.settings):
            self.teller.note(note)
        return self._replace_in_place() if in_place else self._replace()

    @property
    def can_be_undone(self) -> bool:
        """Whether a previous database has been kept by this very refresh."""
        return self.teller.standing == REPLACED

    @property
    def in_place(self) -> bool:
        """Whether the target itself was refilled, without a previous one."""
        return self.teller.standing == REFILLED

    def _replace(self) -> Outcome:
        """Restore into the aside database, check it, and swap.

        Until the swap the target is not touched; whatever fails before, the aside
        database is dropped.
        """
        self.held.lock.refuse_lost()
        with self._aside() as aside:
            outcome = self._restore(aside.names.aside)
            self._check(aside, outcome)
            self.held.lock.refuse_lost()
            self._swap(aside.oid, outcome)
        return outcome

    def _replace_in_place(self) -> Outcome:
        """Refill the target itself: the recipe's own way.

        Where that can't be one transaction, a failure leaves the target half
        restored, which is said.
        """
        self.teller.note(
            f"--in-place: {self.aim.connection.label} itself is refilled. What the dump"
            " holds is dropped in it first, and there is no way back."
        )
        if self.fetched.arriving:
            self._await(self.fetched.arriving)
        sessions.end(self.aim.psql, self.aim.state, self.aim.names.target)
        if one_transaction(self.prepared.program.major, self.aim.state.major):
            return self._in_place(at_once=True)
        self.teller.note(
            "Not in one transaction: the server is too old for this pg_restore."
        )
        self.teller.standing = "The target is half restored."
        return self._in_place(at_once=False)

    @contextmanager
    def _aside(self) -> Iterator[Aside]:
        aside = Aside(self.aim.psql, self.aim.state, self.aim.names)
        with aside.will(), self._dropped_if_failed(aside):
            with SIGNALS.deferred():  # a server goes on creating it without us
                aside.create()
            yield aside

    @contextmanager
    def _dropped_if_failed(self, aside: Aside) -> Iterator[None]:
        try:
            yield
        except BaseException:
            try:
                aside.drop()
            except ConnectionLost:
                pass  # the host does it by itself
            except PullError:
                command = self.aim.shell.command_for("db.cleanup")
                self.teller.note(
                    f"{aside.names.aside} could not be dropped: the next pull, or"
                    f" `{command}`, will do it."
                )
            raise

    def _restore(self, dbname: str) -> Outcome:
        restore = self._restoring(dbname)
        tables = counted(len(self.prepared.selection.tables), "table")
        label = self.fetched.dump.label
        if self.fetched.incoming:
            return fill(restore, self.fetched, self.teller)
        if arriving := self.fetched.arriving:
            self._stream(restore, cast("Streaming", arriving))
        with self.teller.step("restore", f"Restoring {label}") as step:
            outcome = restore.run(step.phase)
            step.sentence = f"Restored {tables}, keys and indexes"
        return outcome

    def _stream(self, restore: Restore, arriving: Streaming) -> None:
        """Restore rows while the dump arrives, where it arrives slowly enough."""
        total, left, rate = arriving.total, arriving.left, arriving.rate
        if overlap.pays(total, left, rate, self.settings.jobs):
            meanwhile = " and restoring its rows"
            try:
                self._await(arriving, meanwhile, lambda: restore.stream(arriving))
            except RestoreFailed as error:
                raise error.before_the_end() from error
        else:
            self._await(arriving)

    def _await(
        self,
        arriving: Arriving,
        meanwhile: str = "",
        work: Callable[[], None] = lambda: None,
    ) -> None:
        """See a dump to its end, and do some work until then."""
        label = self.fetched.dump.label
        doing = f"Fetching {label}{meanwhile}"
        with self.teller.step("fetch", doing, "bytes") as step:
            arriving.progress = step.progress
            work()
            arriving.finish()
            told = f"{size(self.fetched.dump_size(self.teller.size))}{arriving.where}"
            step.sentence = f"Fetched {label}{', its rows are in' * bool(meanwhile)}"
            step.sentence += f": {told}"

    def _restoring(self, dbname: str) -> Restore:
        prepared = self.prepared
        create_missing(self.aim.psql, dbname, prepared.schemas, prepared.extensions)
        return Restore(
            self.aim.shell,
            self.prepared.program.path,
            self.aim.connection.to(dbname),
            self.fetched.dump.path,
            self.prepared.selection,
            1 if self.fetched.archive.header.tar else self.settings.jobs,
            self.settings.tolerate,
            self.teller.note,
        )

    def _check(self, aside: Aside, outcome: Outcome) -> None:
        with self.teller.step("check", "Checking and analyzing") as step:
            self._check_in(aside.names.aside, outcome)
            missed = aside.take_settings()
            self._settle_search_path(aside.names.aside)
            if missed:
                user, names = self.aim.state.user, listed(missed)
                self.teller.note(f"{user} may not set {names} there: not carried over.")
            step.sentence = "Checked and analyzed"

    def _settle_search_path(self, dbname: str) -> None:
        wanted = self.prepared.in_heroku_ext
        aim = self.aim
        told = search_path.settle(
            aim.psql, dbname, aim.state.maintenance, wanted=wanted
        )
        if told:
            self.teller.note(told)

    def _check_in(self, dbname: str, outcome: Outcome) -> None:
        selection = self.prepared.selection
        check.refuse_incomplete(self.aim.psql, dbname, selection, outcome.absent)
        try:
            sessions = 1 if self.aim.shell.host else self.settings.jobs
            analyze(self.aim.psql, dbname, sessions)
        except SqlFailed as error:  # rows are there; what fails is a function of theirs
            self.teller.note(error.what)

    def _swap(self, oid: str, outcome: Outcome) -> None:
        keep, label = self.settings.undo, self.aim.connection.label
        swap = Swap(self.aim.psql, self.aim.state, self.aim.names)
        with self.teller.step("swap", "Swapping") as step, SIGNALS.deferred():
            comment = self._provenance(outcome)
            moves = swap.to_new(oid, comment=comment, keep_previous=keep)
            replaced = any(one.member.dbname == swap.names.target for one in moves)
            self.teller.standing = REPLACED if keep and replaced else CREATED
            step.sentence = f"Swapped: {label} is the new database"
            kept.settle(self.aim, moves, self.teller)

    def _in_place(self, *, at_once: bool) -> Outcome:
        psql, selection = self.aim.psql, self.prepared.selection
        dbname, label = self.aim.names.target, self.aim.connection.label
        clean = check.holds_some(psql, dbname, selection)
        restore = self._restoring(dbname)
        with self.teller.step("restore", f"Restoring into {label}") as step:
            outcome = restore.run_in_place(step.phase, at_once=at_once, clean=clean)
            step.sentence = f"Restored into {label}"
        self.teller.standing = REFILLED
        with self.teller.step("check", "Checking and analyzing") as step:
            self._check_in(dbname, outcome)
            own = is_own(self.aim.state.comment)
            told = self._provenance(outcome, beside_own=own)
            Swap(psql, self.aim.state, self.aim.names).record(told)
            self._settle_search_path(dbname)
            step.sentence = "Checked and analyzed"
        return outcome

    def _provenance(self, outcome: Outcome, *, beside_own: bool = False) -> str:
        """Where the rows came from, as the database's comment."""
        dump, now = self.fetched.dump, datetime.now(UTC)
        skipped = self.prepared.selection.skipped
        absent = tuple(map(name, outcome.absent))
        told = Provenance(
            dump.app, dump.backup, dump.taken, now, skipped, beside_own, absent
        )
        return told.to_comment()
