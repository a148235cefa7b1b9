"""The check of a filled database: complete, analyzed, with its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbpull.console import Reporter
from dbpull.errors.postgres import SqlFailed
from dbpull.flows.prepare import Prepared
from dbpull.restore import check
from dbpull.restore.statistics import analyze
from dbpull.restore.watch import Outcome
from dbpull.settings import Settings
from dbpull.target.database_settings import settle
from dbpull.target.opened import Target
from dbpull.words import listed

SMALL = 1_000_000
"""The size of a small database, in bytes of its dump."""


@dataclass(frozen=True)
class Check:
    """The check of a database that was restored from a prepared dump."""

    target: Target
    prepared: Prepared
    settings: Settings
    reporter: Reporter

    def run(
        self,
        dbname: str,
        outcome: Outcome,
        *,
        copied: bool,
        add: Callable[[], None] | None = None,
    ) -> None:
        """Check and analyze a database, and settle its settings.

        `add` changes the database once it is complete and has its settings, and may
        take away what the dump had.
        """
        psql = self.target.psql
        if add:
            self._refuse_incomplete(check.look(psql, dbname), outcome)
            self._settle(dbname, copied=copied)
            add()
        with self.reporter.step("check", "Checking and analyzing") as step:
            restored = self._analyzed(dbname, outcome)
            if not add:
                self._refuse_incomplete(restored, outcome)
                self._settle(dbname, copied=copied)
            step.sentence = "Checked and analyzed"

    def _analyzed(self, dbname: str, outcome: Outcome) -> check.Restored:
        """Analyze a database's tables as far as possible; returns its objects."""
        psql, but = self.target.psql, outcome.analyzed
        sessions = self._sessions(outcome)
        try:
            if sessions == 1:
                return check.look_and_analyze(psql, dbname, but)
            restored = check.look(psql, dbname)
            analyze(psql, dbname, restored.statements(but), sessions)
        except SqlFailed as error:  # the rows are in; a function of the dump fails
            self.reporter.note(error.what)
            restored = check.look(psql, dbname)
        return restored

    def _sessions(self, outcome: Outcome) -> int:
        """How many sessions analyze: a small database takes one less time than two."""
        small = 0 < sum(outcome.sizes.values()) < SMALL
        return 1 if self.target.shell.host or small else self.settings.jobs

    def _refuse_incomplete(self, restored: check.Restored, outcome: Outcome) -> None:
        restored.refuse_incomplete(self.prepared.selection, outcome.absent)

    def _settle(self, dbname: str, *, copied: bool) -> None:
        psql, search_path = self.target.psql, self.prepared.search_path
        missed, note = settle(psql, dbname, search_path, copied=copied)
        if note:
            self.reporter.note(note)
        if missed:
            user, names = self.target.state.user, listed(missed)
            self.reporter.note(f"{user} may not set {names} there: not copied.")
