"""The flows of `db.pull`, and of its steps `db.capture`, `db.fetch`, `db.restore`."""

from __future__ import annotations

from collections.abc import Collection

from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.kept_here import kept_here, take_here
from dbpull.dumps.names import Dump
from dbpull.dumps.store import RESUMES, DumpStore
from dbpull.errors.restore import NoSuchDump
from dbpull.flows import (
    additions,
    cleanup,
    document,
    kept,
    masked,
    plan,
    pulled,
    summary,
)
from dbpull.flows.gather import (
    Gathered,
    PullFlags,
    Run,
    gather,
    refuse_other_source,
)
from dbpull.flows.hooks import Hooks
from dbpull.flows.refresh import refresh
from dbpull.flows.run import UNTOUCHED, reporting
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources import choice
from dbpull.sources.kinds import name_of_dumps, source_of
from dbpull.sources.source import Source, SourceBackup, SourceDatabase
from dbpull.target import guard, opened
from dbpull.target.opened import Target
from dbpull.words import age, source_label

_fetched: dict[str, Dump] = {}
"""The dump that this process fetched last to each host ("" for this machine):
`invoke db.fetch --backup=b50 db.restore` restores that dump."""


def pull(
    settings: Settings, shell: Shell, asked: PullFlags, *, dry_run: bool = False
) -> None:
    """Replace the target by the source's newest backup, or by the backup named."""
    with reporting(UNTOUCHED, shell, kept=RESUMES, output=asked.output) as reporter:
        source = source_of(settings, kept_here(settings))
        settings = masked.unmasked(settings, asked.unmasked, source.name, reporter)
        run = Run(settings, shell, asked, reporter)
        refuse_impossible(run)
        source.refuse_unable(reporter)
        if dry_run:
            look = run.look()
            plan.tell_pull(run, look, _gathered(run, source, look))
            return
        target = run.take()
        _replace(run, target, _gathered(run, source, target))


def _gathered(run: Run, source: Source, target: Target | None) -> Gathered:
    """What `gather` gives. Raises MissingCurl where the host can't fetch the dump."""
    gathered = gather(run, source, target)
    run.store.refuse_unable(by_url=gathered.by_url)
    return gathered


def _replace(run: Run, target: Target, gathered: Gathered) -> None:
    """Replace the target by the chosen backup, or by a new one."""
    asked, reporter, store = run.asked, run.reporter, run.store
    database, wait = gathered.database, run.settings.wait
    kept.tell_what_comes(target, gathered.comes, reporter)
    with opened.held(target, reporter) as held:
        if found := pulled.same(run, held.target.state.family, gathered.dump):
            pulled.bring_back(run, held, found)
            document.add_reset(found, target.connection.label, reporter)
            if gathered.dump and store.has(gathered.dump):
                _remove(run, gathered.dump, masked_by=run.settings.mask)
            return
        backup = choice.obtain(database, gathered.choice, wait, reporter)
        guard.refuse_source(target.connection, backup.server, database.label)
        with store.fetch(backup, reporter) as stream:
            done = refresh(run, held, stream)
    document.add_result(done, store, reporter)
    removed = _remove(run, stream.dump, masked_by=done.masked)
    keep = 0 if removed and not asked.delete else run.settings.keep
    cleanup.keep_newest(keep, store, reporter, stream.dump)
    summary.tell_summary(done, reporter, timings=asked.timings)
    Hooks(done.target, run.settings, reporter).after()
    pulled.keep(run, done)


def _remove(run: Run, dump: Dump, *, masked_by: Collection[object]) -> bool:
    """Remove a pulled dump by --delete, or where a pull was masked; whether removed."""
    if run.asked.delete:
        cleanup.delete(dump, run.store, run.reporter)
        return True
    return bool(masked_by) and masked.remove_dump(
        run.settings, dump, run.store, run.reporter
    )


def capture(settings: Settings, host: str = "") -> None:
    """Capture a new backup; a run on several hosts captures one for all of them."""
    with reporting(host=host) as reporter:
        source = source_of(settings, kept_here(settings))
        database = choice.database_of(source, reporter)
        backup = choice.capture(database, settings.wait, reporter)
        if not database.keeps_backups:
            take_here(settings, backup, reporter)


def fetch(
    settings: Settings, shell: Shell, backup: str | None, *, upload: bool = False
) -> None:
    """Download the newest backup, or the backup named; never captures.

    Of a source that keeps no backups a new dump is taken, unless a young one is here.
    """
    with reporting(shell=shell, kept=RESUMES) as reporter:
        store = stores.store_for(settings, shell, upload=upload)
        source = source_of(settings, kept_here(settings))
        found = choice.database_of(source, reporter)
        chosen = _to_fetch(found, backup, settings, reporter)
        with store.fetch(chosen, reporter) as stream:
            stream.finish(reporter)
        _fetched[shell.host] = stream.dump


def _to_fetch(
    database: SourceDatabase, backup: str | None, settings: Settings, reporter: Reporter
) -> SourceBackup:
    if database.keeps_backups:
        return choice.existing(database, backup, settings.wait, reporter)
    host = reporter.host
    chosen = choice.choose(
        database, backup=backup, capture=False, max_age=settings.max_age, host=host
    )
    return choice.obtain(database, chosen, settings.wait, reporter)


def restore(
    settings: Settings,
    shell: Shell,
    dump: str | None,
    asked: PullFlags,
    *,
    dry_run: bool = False,
) -> None:
    """Restore a stored dump."""
    with reporting(UNTOUCHED, shell, output=asked.output) as reporter:
        store = stores.store_for(settings, shell)
        found = _dump(settings, store, shell.host, dump)
        name = source_label(found.app) or found.path.name
        settings = masked.unmasked(settings, asked.unmasked, name, reporter)
        run = Run(settings, shell, asked, reporter)
        refuse_impossible(run)
        if dry_run:
            look = run.look()
            _refuse_other(run, look, found, dump)
            plan.tell_restore(run, look, found)
            return
        target = run.take()
        _refuse_other(run, target, found, dump)
        aged = f", {age(found.taken)}" if found.taken else ""
        kept.tell_what_comes(target, f"{found.label}{aged}", reporter)
        with opened.held(target, reporter) as held:
            stream = store.open(found, reporter)
            done = refresh(run, held, stream)
        document.add_result(done, store, reporter)
        if done.masked and stream.dump.path != found.path:
            cleanup.delete(stream.dump, store, reporter)  # unpacked for this run
        summary.tell_summary(done, reporter, timings=asked.timings)
        Hooks(done.target, settings, reporter).after()
        pulled.keep(run, done)


def refuse_impossible(run: Run) -> None:
    """Raise MaskError, or the error of `additions`, for what can't be used."""
    in_place, blank_new = run.asked.in_place, run.asked.blank_new
    masked.refuse_unmaskable(run.settings, in_place=in_place, blank_new=blank_new)
    if run.asked.unmasked is None:
        masked.refuse_lost_rules(run.settings)
    additions.refuse_impossible(run.settings, in_place=in_place)


def _refuse_other(
    run: Run, target: Target | None, found: Dump, named: str | None
) -> None:
    """Refuse a dump of another source than the target's, unless the file was named."""
    if target and found.app and not named:
        label = source_label(found.app)
        refuse_other_source(run, target, found.app, label)


def _dump(settings: Settings, store: DumpStore, host: str, named: str | None) -> Dump:
    """The dump to restore: the file named, the one just fetched, or the newest."""
    flags = [settings.origins[name] for name in ("app", "source", "path")]
    fetched = _fetched.get(host)
    if named is None and fetched and not any(flag[:2] == "--" for flag in flags):
        return fetched
    app = name_of_dumps(settings)
    found = store.find(app, named)
    if found is None and named:
        on = f" on {host}" if host else ""
        raise NoSuchDump(f"There is no file {named}{on}.")
    if found is None:
        of = f" of {source_label(app)}" if app else ""
        raise NoSuchDump(f"There is no dump{of} in {store.shown(settings.path)}.")
    return found
