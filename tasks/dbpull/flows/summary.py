"""The end of the story: what is now where, what is not in it, and the way back."""

from __future__ import annotations

from dbpull.archive import Entry
from dbpull.console import Reporter
from dbpull.flows.refresh import Refresh
from dbpull.restore.failures import name
from dbpull.restore.watch import Outcome
from dbpull.target.opened import Target
from dbpull.words import age, listed


def tell_summary(refresh: Refresh, outcome: Outcome, *, timings: bool = False) -> None:
    """Say it, under a table of how long each step took."""
    reporter, selection = refresh.reporter, refresh.prepared.selection
    if timings:
        reporter.chart([(b.kind, b.name, b.began, b.ended) for b in outcome.bars])
    reporter.closing_table(_slowest(refresh, outcome))
    if selection.skipped:
        reporter.say(f"Without the rows of {listed(selection.skipped)}.")
    _tell_absent(refresh, outcome)
    for what in selection.left_out:
        reporter.say(f"Skipped: {what}.", "dim")
    # COMMENT SCHEMA public
    said = [setting for setting in outcome.harmless if " " in setting]
    if said:
        reporter.say(f"Skipped: {listed(said, 3)}, which can't be made here.", "dim")
    for setting in outcome.harmless:
        if " " in setting:
            continue
        server = f"PostgreSQL {refresh.target.state.major}"
        told = f"Skipped {setting}: {server} doesn't know it. No data are affected."
        reporter.say(told, "dim")
    dump = refresh.fetched.dump
    aged = f", {age(dump.taken)}" if dump.taken else ""
    label = refresh.target.connection.label
    reporter.say(f"{label} is now {dump.label}{aged}.", "bold")
    if refresh.can_be_undone:
        command = refresh.target.shell.command_for("db.undo")
        reporter.say(f"`{command}` brings the old one back.")
    elif refresh.in_place:
        reporter.say("It was refilled in place: there is no way back.")
    _tell_place(refresh.target, reporter)


def _tell_place(target: Target, reporter: Reporter) -> None:
    """Where the database is, for who wants to connect to it."""
    if target.embedded:
        reporter.say(f"It is at {target.connection.url}")
    elif not target.shell.host:
        command = target.shell.command_for("db.url")
        reporter.say(f"It is what {target.origin} names; `{command}` prints its URL.")


def _tell_absent(refresh: Refresh, outcome: Outcome) -> None:
    """What is not there since it could not be restored, above all of rows."""
    rows = [f"{e.namespace}.{e.tag}" for e in outcome.absent if e.desc == "TABLE DATA"]
    if rows:
        refresh.reporter.note(f"The rows of {listed(rows)} are missing: they failed.")
    others = [name(entry) for entry in outcome.absent if entry.desc != "TABLE DATA"]
    if others:
        refresh.reporter.note(f"Missing, since they failed: {listed(others)}.")


def _slowest(refresh: Refresh, outcome: Outcome) -> list[tuple[str, float, int]]:
    """The three tables that are the largest part of the dump, or took longest."""
    sizes = outcome.sizes or refresh.fetched.sizes
    seconds = outcome.seconds

    def weight(table: Entry) -> tuple[float, int]:
        return seconds.get(table.dump_id, 0.0), sizes.get(table.dump_id, 0)

    # Of a dump on a host neither may be known: its rows don't pass through here.
    tables = [one for one in refresh.prepared.selection.tables if any(weight(one))]
    # What a user may do without is judged by its part of the dump.
    slowest = sorted(tables, key=lambda one: weight(one)[::-1], reverse=True)[:3]
    return [(f"{table.namespace}.{table.tag}", *weight(table)) for table in slowest]
