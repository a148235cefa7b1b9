"""The end of the story: what is now where, what is not in it, and the way back."""

from __future__ import annotations

from dbpull.archive import Entry
from dbpull.console import Teller
from dbpull.restore.failures import name
from dbpull.restore.watch import Outcome
from dbpull.steps.aim import Aim
from dbpull.steps.refresh import Refresh
from dbpull.words import age, listed


def tell(refresh: Refresh, outcome: Outcome, *, timings: bool = False) -> None:
    """Say it, under a table of how long each step took."""
    teller, selection = refresh.teller, refresh.prepared.selection
    if timings:
        teller.chart([(b.kind, b.name, b.began, b.ended) for b in outcome.bars])
    teller.closing_table(_slowest(refresh, outcome))
    if selection.skipped:
        teller.say(f"Without the rows of {listed(selection.skipped)}.")
    _tell_absent(refresh, outcome)
    for what in selection.left_out:
        teller.say(f"Left out: {what}.", "dim")
    # COMMENT SCHEMA public
    said = [setting for setting in outcome.harmless if " " in setting]
    if said:
        teller.say(f"Left out: {listed(said, 3)}, which can't be made here.", "dim")
    for setting in outcome.harmless:
        if " " in setting:
            continue
        server = f"PostgreSQL {refresh.aim.state.major}"
        told = f"Skipped {setting}: {server} doesn't know it. No data are affected."
        teller.say(told, "dim")
    dump = refresh.fetched.dump
    aged = f", {age(dump.taken)}" if dump.taken else ""
    label = refresh.aim.connection.label
    teller.say(f"{label} is now {dump.label}{aged}.", "bold")
    if refresh.can_be_undone:
        command = refresh.aim.shell.command_for("db.undo")
        teller.say(f"`{command}` brings the old one back.")
    elif refresh.in_place:
        teller.say("It was refilled in place: there is no way back.")
    _tell_place(refresh.aim, teller)


def _tell_place(at: Aim, teller: Teller) -> None:
    """Where the database is, for who wants to connect to it."""
    if at.embedded:
        teller.say(f"It is at {at.connection.url}")
    elif not at.shell.host:
        command = at.shell.command_for("db.url")
        teller.say(f"It is what {at.origin} names; `{command}` prints its URL.")


def _tell_absent(refresh: Refresh, outcome: Outcome) -> None:
    """What is not there since it could not be restored, above all of rows."""
    rows = [f"{e.namespace}.{e.tag}" for e in outcome.absent if e.desc == "TABLE DATA"]
    if rows:
        refresh.teller.note(f"The rows of {listed(rows)} are not there: they failed.")
    others = [name(entry) for entry in outcome.absent if entry.desc != "TABLE DATA"]
    if others:
        refresh.teller.note(f"Not there, since they failed: {listed(others)}.")


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
