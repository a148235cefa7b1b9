"""The flow: choose, fetch, restore, swap, clean up, tell; and each of them alone."""

from __future__ import annotations

from contextlib import suppress

from dbpull.archive import Archive, Entry
from dbpull.console import Teller
from dbpull.dumps import Dump, shown
from dbpull.errors.heroku import NoApp, SeveralApps
from dbpull.errors.restore import NoSuchDump
from dbpull.restore.watch import Outcome
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, refresh, source, tidy
from dbpull.steps import fetch as fetching
from dbpull.steps.aim import Aim
from dbpull.steps.fetch import Fetched
from dbpull.steps.plan import Asked, Planner
from dbpull.steps.refresh import Prepared
from dbpull.steps.run import told
from dbpull.target import guard
from dbpull.words import age, listed

_fetched: list[Dump] = []
"""What this process fetched: `invoke db.fetch --backup=b50 db.restore` means that."""


def pull(
    settings: Settings, shell: Shell, asked: Asked, *, dry_run: bool = False
) -> None:
    """Replace the target by the app's newest backup, or by the one asked for."""
    with told() as teller:
        if dry_run:
            Planner(settings, shell, teller).pull(asked)
            return
        source.refuse_unknown(settings, teller)
        at = _aim(settings, shell, teller, in_place=asked.in_place)
        found = source.find(settings, teller)
        guard.refuse_source(at.connection, found.info.server, found.label)
        refresh.refuse_full_disk(at, found.info.size)
        with aim.held(at, teller):
            choice = source.choose(
                found,
                backup=asked.backup,
                capture=asked.capture,
                max_age=settings.max_age,
            )
            backup = source.obtain(found, choice, settings.wait, teller)
            guard.refuse_source(at.connection, backup.server, found.label)
            gate = _Gate(at, settings)
            fetched = fetching.fetch(found, backup, settings, teller, gate)
            outcome = _replace(at, fetched, gate.prepared, settings, asked, teller)
        if asked.delete:
            tidy.delete(fetched.dump, teller)
        tidy.keep_newest(settings, teller, fetched.dump.app)
        _tell(at, fetched, gate.prepared, outcome, settings, teller, asked)


def capture(settings: Settings) -> None:
    """Take a new backup."""
    with told() as teller:
        source.capture(source.find(settings, teller), settings.wait, teller)


def fetch(settings: Settings, backup: str | None) -> None:
    """Download the newest backup, or the one asked for; never captures."""
    with told() as teller:
        found = source.find(settings, teller)
        chosen = source.existing(found, backup, settings.wait, teller)
        fetched = fetching.fetch(found, chosen, settings, teller)
        _fetched.append(fetched.dump)


def restore(
    settings: Settings,
    shell: Shell,
    dump: str | None,
    *,
    in_place: bool,
    dry_run: bool = False,
) -> None:
    """Restore a dump that is here."""
    with told() as teller:
        found = _dump(settings, dump)
        if dry_run:
            Planner(settings, shell, teller).restore(found, in_place=in_place)
            return
        at = _aim(settings, shell, teller, in_place=in_place)
        asked = Asked(in_place=in_place)
        with aim.held(at, teller):
            gate = _Gate(at, settings)
            fetched = fetching.open_dump(found, teller, gate)
            outcome = _replace(at, fetched, gate.prepared, settings, asked, teller)
        _tell(at, fetched, gate.prepared, outcome, settings, teller, asked)


class _Gate:
    """Judges a dump by its table of contents, and keeps what follows from it."""

    def __init__(self, at: Aim, settings: Settings) -> None:
        self._aim = at
        self._settings = settings
        self.prepared: Prepared

    def __call__(self, archive: Archive) -> None:
        self.prepared = refresh.prepare(self._aim, archive, self._settings)


def _aim(settings: Settings, shell: Shell, teller: Teller, *, in_place: bool) -> Aim:
    at = aim.take(settings, shell, teller)
    refresh.refuse_unable(at, in_place=in_place)
    return at


def _replace(
    at: Aim,
    fetched: Fetched,
    prepared: Prepared,
    settings: Settings,
    asked: Asked,
    teller: Teller,
) -> Outcome:
    for pattern in prepared.selection.unmatched:
        teller.note(f"skip_data: no table fits {pattern}.")
    act = refresh.replace_in_place if asked.in_place else refresh.replace
    return act(at, fetched, prepared, settings, teller)


def _dump(settings: Settings, named: str | None) -> Dump:
    """The dump to restore: the file named, the one just fetched, or the newest."""
    if named is None and _fetched:
        return _fetched[-1]
    app = None
    with suppress(
        NoApp, SeveralApps
    ):  # no app is needed to restore the newest that is here
        app = source.app(settings).name
    found = fetching.find(settings, app, named)
    if found is None and named:
        raise NoSuchDump(f"There is no file {named}.")
    if found is None:
        of = f" of {app}" if app else ""
        raise NoSuchDump(f"There is no dump{of} in {shown(settings.path)}.")
    return found


def _tell(
    at: Aim,
    fetched: Fetched,
    prepared: Prepared,
    outcome: Outcome,
    settings: Settings,
    teller: Teller,
    asked: Asked,
) -> None:
    """What is now where, what is not in it, how long it took, how to go back."""
    teller.closing_table(_slowest(fetched, prepared, outcome))
    selection = prepared.selection
    if selection.skipped:
        teller.say(f"Without the rows of {listed(selection.skipped)}.")
    for what in (*selection.left_out, *outcome.harmless):
        teller.say(f"Left out: {what}.", "dim")
    dump = fetched.dump
    aged = f", {age(dump.taken)}" if dump.taken else ""
    teller.say(f"{at.connection.label} is now {dump.label}{aged}.", "bold")
    if settings.undo and at.state.exists and not asked.in_place:
        teller.say("`invoke db.undo` brings the old one back.")


def _slowest(
    fetched: Fetched, prepared: Prepared, outcome: Outcome
) -> list[tuple[str, float, int]]:
    """The three tables that took longest; where nobody told, the largest."""
    sizes, seconds = fetched.sizes, outcome.seconds

    def weight(table: Entry) -> tuple[float, int]:
        return seconds.get(table.dump_id, 0.0), sizes.get(table.dump_id, 0)

    slowest = sorted(prepared.selection.tables, key=weight, reverse=True)[:3]
    return [(f"{table.namespace}.{table.tag}", *weight(table)) for table in slowest]
