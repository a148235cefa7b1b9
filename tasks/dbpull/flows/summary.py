"""The summary of a pull: the new rows, the skipped parts, the command to undo."""

from __future__ import annotations

from dbpull.archive import Entry
from dbpull.console import Reporter
from dbpull.flows.refresh import Change, Refreshed
from dbpull.naming import command
from dbpull.restore.failures import name
from dbpull.restore.watch import Outcome
from dbpull.target.opened import Target
from dbpull.words import age, counted, listed


def tell_summary(done: Refreshed, reporter: Reporter, *, timings: bool = False) -> None:
    """Tell the summary; above it the times, or the step that most of it waited for."""
    selection, outcome = done.prepared.selection, done.outcome
    if timings:
        reporter.timings(outcome.bars, _slowest(done))
    else:
        reporter.tell_slow()
    if selection.skipped:
        reporter.say(f"Without the rows of {listed(selection.skipped)}.")
    _tell_masked(done, reporter)
    _tell_absent(outcome, reporter)
    for entries in selection.left_out:
        reporter.say(f"Skipped: {entries}.", "dim")
    # An object (COMMENT SCHEMA public) has a space in its label, a setting has none.
    objects = listed([label for label in outcome.harmless if " " in label], 3)
    if objects:
        reporter.say(f"Skipped: {objects}, which can't be made here.", "dim")
    for setting in (label for label in outcome.harmless if " " not in label):
        server = f"PostgreSQL {done.target.state.major}"
        note = f"Skipped {setting}: {server} doesn't know it. No data are affected."
        reporter.say(note, "dim")
    dump = done.stream.dump
    aged = f", {age(dump.taken)}" if dump.taken else ""
    label = done.target.connection.label
    reporter.say(f"{label} is now {dump.label}{aged}.", "bold")
    if done.change is Change.REPLACED:
        reporter.say(f"`{command('undo')}` brings the old one back.")
    elif done.change is Change.REFILLED:
        reporter.say("It was refilled in place: there is no way back.")
    _tell_place(done.target, reporter)


def _tell_place(target: Target, reporter: Reporter) -> None:
    """Tell where the database is, for users who want to connect to it."""
    if target.embedded and not target.connection.password:
        reporter.say(f"It is at {target.connection.url}")
    elif not target.shell.host:
        names = f"It is what {target.origin} names"
        reporter.say(f"{names}; `{command('url')}` prints its URL.")


def _tell_masked(done: Refreshed, reporter: Reporter) -> None:
    if tables := done.masked:
        columns = counted(sum(len(table.masks) for table in tables), "column")
        reporter.say(f"Masked {columns} of {counted(len(tables), 'table')}.")
    if kept := [f"{number:,} of {table}" for table, number in done.excepted.items()]:
        reporter.say(f"Rows kept as they are: {listed(kept)}.")
    if done.prepared.blanked:
        names = listed([column.told for column in done.prepared.blanked])
        reporter.note(f"Came blank, since nobody has decided about them: {names}.")


def _tell_absent(outcome: Outcome, reporter: Reporter) -> None:
    """Note the entries that could not be restored: first rows, then the others."""
    rows = [f"{e.namespace}.{e.tag}" for e in outcome.absent if e.desc == "TABLE DATA"]
    if rows:
        reporter.note(f"The rows of {listed(rows)} are missing: they failed.")
    others = [name(entry) for entry in outcome.absent if entry.desc != "TABLE DATA"]
    if others:
        reporter.note(f"Missing, since they failed: {listed(others)}.")


def _slowest(done: Refreshed) -> list[tuple[str, float, int]]:
    """The three tables that are the largest part of the dump, or took longest.

    Each with its seconds and its bytes of the dump.
    """
    sizes = done.outcome.sizes or done.stream.sizes
    seconds = done.outcome.seconds

    def weight(table: Entry) -> tuple[float, int]:
        return seconds.get(table.dump_id, 0.0), sizes.get(table.dump_id, 0)

    # For a dump on a host both may be unknown: its rows don't pass through here.
    tables = [table for table in done.prepared.selection.tables if any(weight(table))]
    # Bytes come before seconds: they show which rows are worth skipping.
    slowest = sorted(tables, key=lambda table: weight(table)[::-1], reverse=True)[:3]
    return [(f"{table.namespace}.{table.tag}", *weight(table)) for table in slowest]
