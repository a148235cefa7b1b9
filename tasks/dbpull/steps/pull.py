"""The flow: choose, fetch, restore, swap, clean up, tell; and each of them alone."""

from __future__ import annotations

from dbpull.console import Teller
from dbpull.dumps import Dump, shown
from dbpull.errors.restore import NoSuchDump
from dbpull.heroku import Backup
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, prepare, source, summary, tidy
from dbpull.steps import fetch as fetching
from dbpull.steps.plan import Asked, Planner
from dbpull.steps.prepare import Gate
from dbpull.steps.refresh import Refresh
from dbpull.steps.run import RESUMES, UNTOUCHED, told
from dbpull.steps.source import Source
from dbpull.target import guard

_fetched: list[Dump] = []
"""What this process fetched: `invoke db.fetch --backup=b50 db.restore` means that."""


def pull(
    settings: Settings, shell: Shell, asked: Asked, *, dry_run: bool = False
) -> None:
    """Replace the target by the app's newest backup, or by the one asked for."""
    with told(f"{UNTOUCHED} {RESUMES}") as teller:
        if dry_run:
            Planner(settings, shell, teller).pull(asked)
            return
        source.refuse_unknown(settings, teller)
        at = aim.take_to_fill(settings, shell, teller, in_place=asked.in_place)
        found = source.find(settings, teller)
        guard.refuse_source(at.connection, found.info.server, found.label)
        prepare.refuse_full_disk(at, found.info.size)
        with aim.held(at, teller) as held:
            backup = _backup(found, asked, settings, teller)
            guard.refuse_source(at.connection, backup.server, found.label)
            gate = Gate(held.aim, settings)
            fetched = fetching.fetch(found, backup, settings, teller, gate)
            refresh = Refresh(held, fetched, gate.prepared, settings, teller)
            outcome = refresh.run(in_place=asked.in_place)
        if asked.delete:
            tidy.delete(fetched.dump, teller)
        tidy.keep_newest(settings, teller, fetched.dump)
        summary.tell(refresh, outcome)


def capture(settings: Settings) -> None:
    """Take a new backup."""
    with told() as teller:
        source.capture(source.find(settings, teller), settings.wait, teller)


def fetch(settings: Settings, backup: str | None) -> None:
    """Download the newest backup, or the one asked for; never captures."""
    with told(RESUMES) as teller:
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
    with told(UNTOUCHED) as teller:
        found = _dump(settings, dump)
        if dry_run:
            Planner(settings, shell, teller).restore(found, in_place=in_place)
            return
        at = aim.take_to_fill(settings, shell, teller, in_place=in_place)
        with aim.held(at, teller) as held:
            gate = Gate(held.aim, settings)
            fetched = fetching.open_dump(found, teller, gate)
            refresh = Refresh(held, fetched, gate.prepared, settings, teller)
            outcome = refresh.run(in_place=in_place)
        summary.tell(refresh, outcome)


def _backup(found: Source, asked: Asked, settings: Settings, teller: Teller) -> Backup:
    choice = source.choose(
        found, backup=asked.backup, capture=asked.capture, max_age=settings.max_age
    )
    return source.obtain(found, choice, settings.wait, teller)


def _dump(settings: Settings, named: str | None) -> Dump:
    """The dump to restore: the file named, the one just fetched, or the newest."""
    flags = [settings.origins[name] for name in ("app", "path")]
    if named is None and _fetched and not any(flag[:2] == "--" for flag in flags):
        return _fetched[-1]
    app = source.app_of_dumps(settings)
    found = fetching.find(settings, app, named)
    if found is None and named:
        raise NoSuchDump(f"There is no file {named}.")
    if found is None:
        of = f" of {app}" if app else ""
        raise NoSuchDump(f"There is no dump{of} in {shown(settings.path)}.")
    return found
