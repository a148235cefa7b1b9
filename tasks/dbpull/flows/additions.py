"""What a new database gets beside the dump: old rows, and what commands do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbpull.archive import Entry
from dbpull.console import Reporter
from dbpull.errors.kept_rows import KeptRowsError
from dbpull.flows import hooks
from dbpull.flows.hooks import Hooks
from dbpull.naming import setting
from dbpull.settings import Settings
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance
from dbpull.words import counted, listed

if TYPE_CHECKING:
    from dbpull.kept_rows.keeping import KeptRows
    from dbpull.masks.judged import MaskedTable

_TABLES = {"TABLE", "FOREIGN TABLE"}


@dataclass(frozen=True)
class Additions:
    """The rows that come along, and the commands before the swap."""

    hooks: Hooks
    rows: KeptRows | None

    @property
    def reporter(self) -> Reporter:
        """The run's."""
        return self.hooks.reporter

    @property
    def any(self) -> bool:
        """Whether there are some."""
        return bool(self.rows or self.hooks.settings.before_swap)

    def bring(self, dbname: str, masked: Sequence[MaskedTable]) -> None:
        """Bring rows, then run commands. Raises KeptRowsError, SqlFailed, HookFailed.

        `masked`: the tables with masked columns.
        """
        if self.rows:
            self._keep(self._allowed(self.rows, masked), dbname)
        self.hooks.before(dbname)

    def _keep(self, rows: KeptRows, dbname: str) -> None:
        with self.reporter.step("keep_rows", "Keeping rows") as step:
            brought, gone = rows.bring(dbname)
            step.sentence = _kept(brought)
        if gone:
            self.reporter.note(f"Without rows of {listed(gone)}: not in the dump.")

    def _allowed(self, rows: KeptRows, masked: Sequence[MaskedTable]) -> KeptRows:
        """Those of tables whose old rows were masked as the new ones are.

        Of a database that was not filled by a masked pull, that is not known.
        """
        from dbpull.masks.alike import were_alike

        before = Provenance.from_comment(self.hooks.target.state.comment)
        known = ((before and before.masked) or {}).get("kept_rows", {})
        refused = [
            table.label
            for key, table in rows.tables.items()
            if not were_alike(known, masked, key)
        ]
        if not refused:
            return rows
        self.reporter.note(
            f"Without the old rows of {listed(refused)}: they are masked now, and were"
            " not masked alike before, as far as is known."
        )
        return rows.without(refused)


def additions_for(
    target: Target, settings: Settings, entries: Sequence[Entry], reporter: Reporter
) -> Additions:
    """What the settings add to a new database, looked for in the old one.

    `entries`: those of the dump that are restored. Raises KeptRowsError, SqlFailed.
    """
    added = Additions(Hooks(target, settings, reporter), None)
    if not settings.keep_rows:
        return added
    if not target.state.exists:
        reporter.note(f"{setting('keep_rows')}: there is no old database yet.")
        return added
    # Imported inside: most pulls keep no rows.
    from dbpull.kept_rows.keeping import KeptRows

    tables = [entry for entry in entries if entry.desc in _TABLES]
    coming = {name for e in tables for name in (e.tag, f"{e.namespace}.{e.tag}")}
    rows = KeptRows.of(target.psql, settings.keep_rows, coming)
    if rows.missing:
        label = target.connection.label
        reporter.note(
            f"No rows of {listed(list(rows.missing))} are kept: not in {label}."
        )
    return Additions(added.hooks, rows if rows.tables else None)


def refuse_impossible(settings: Settings, *, in_place: bool) -> None:
    """Raise KeptRowsError or UnusableHook, before anything is asked."""
    hooks.refuse_unusable(settings, in_place=in_place)
    if in_place and settings.keep_rows:
        raise KeptRowsError(
            "--in-place refills the target itself, so no old database is left to take"
            f" the rows of {setting('keep_rows')} from.",
            "Leave --in-place out: the target is then replaced as a whole.",
        )


def planned(settings: Settings, dbname: str) -> list[str]:
    """The lines of `--dry-run` for what comes before the swap."""
    kept = listed(list(settings.keep_rows))
    rows = [f"psql: rows of {kept} are taken from {dbname}"] if kept else []
    return [*rows, *hooks.planned(settings, "before_swap")]


def _kept(brought: Mapping[str, int]) -> str:
    told = [f"{number:,} of {table}" for table, number in brought.items()]
    total = counted(sum(brought.values()), "row")
    return f"Kept {total}: {listed(told)}" if told else "Kept no rows"
