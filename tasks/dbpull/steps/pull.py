"""The flow: choose, fetch, restore, swap, clean up, tell; and each of them alone."""

from __future__ import annotations

from dbpull.archive import Archive
from dbpull.console import Teller
from dbpull.dumps import Dump
from dbpull.errors.download import ObjectChanged
from dbpull.errors.restore import NoSuchDump
from dbpull.restore.arriving import Arriving
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, kept, once, prepare, source, stocks, summary, tidy
from dbpull.steps.plan import Asked, Planner
from dbpull.steps.prepare import Gate
from dbpull.steps.refresh import Refresh
from dbpull.steps.run import RESUMES, UNTOUCHED, told
from dbpull.steps.source import Source
from dbpull.steps.stock import Fetched, Stock
from dbpull.target import guard
from dbpull.words import size

_fetched: dict[str, Dump] = {}
"""What this process fetched to each host ("" for here): `invoke db.fetch
--backup=b50 db.restore` means that."""


def pull(
    settings: Settings, shell: Shell, asked: Asked, *, dry_run: bool = False
) -> None:
    """Replace the target by the app's newest backup, or by the one asked for."""
    with told(f"{UNTOUCHED} {RESUMES}", shell) as teller:
        if dry_run:
            Planner(settings, shell, teller).pull(asked)
            return
        source.refuse_unknown(settings, teller)
        stock = stocks.of(settings, shell)
        stock.refuse_unable(upload=asked.upload)
        at = aim.take_to_fill(settings, shell, teller, in_place=asked.in_place)
        found = once.find(settings, teller)
        guard.refuse_source(at.connection, found.info.server, found.label)
        prepare.refuse_full_disk(at, found.info.size)
        kept.tell_what_comes(at, _named(found, asked), teller)
        with aim.held(at, teller) as held:
            backup = once.obtain(
                found, settings, teller, backup=asked.backup, capture=asked.capture
            )
            guard.refuse_source(at.connection, backup.server, found.label)
            gate = Gate(held.aim, settings, in_place=asked.in_place)
            fetching = stock.fetch(found, backup, teller, gate, upload=asked.upload)
            with fetching as fetched:
                refresh = Refresh(held, fetched, gate.prepared, settings, teller)
                try:
                    outcome = refresh.run(in_place=asked.in_place)
                except ObjectChanged:
                    fetched = _anew(fetched, stock, teller, gate)
                    refresh = Refresh(held, fetched, gate.prepared, settings, teller)
                    outcome = refresh.run(in_place=asked.in_place)
        if asked.delete:
            tidy.delete(fetched.dump, stock, teller)
        tidy.keep_newest(settings.keep, stock, teller, fetched.dump)
        summary.tell(refresh, outcome, timings=asked.timings)


def capture(settings: Settings, host: str = "") -> None:
    """Take a new backup; asked for on several hosts, one for all."""
    with told(host=host) as teller:
        once.capture(once.find(settings, teller), settings, teller)


def fetch(
    settings: Settings, shell: Shell, backup: str | None, *, upload: bool = False
) -> None:
    """Download the newest backup, or the one asked for; never captures."""
    with told(RESUMES, shell) as teller:
        stock = stocks.of(settings, shell)
        stock.refuse_unable(upload=upload)
        found = once.find(settings, teller)
        chosen = once.existing(found, settings, teller, backup)
        with stock.fetch(found, chosen, teller, _accept, upload=upload) as fetched:
            if fetched.arriving:
                _await(fetched, fetched.arriving, teller)
        _fetched[shell.host] = fetched.dump


def restore(
    settings: Settings,
    shell: Shell,
    dump: str | None,
    asked: Asked,
    *,
    dry_run: bool = False,
) -> None:
    """Restore a dump that is here."""
    in_place = asked.in_place
    with told(UNTOUCHED, shell) as teller:
        stock = stocks.of(settings, shell)
        found = _dump(settings, stock, shell.host, dump)
        if dry_run:
            Planner(settings, shell, teller).restore(found, in_place=in_place)
            return
        at = aim.take_to_fill(settings, shell, teller, in_place=in_place)
        kept.tell_what_comes(at, found.label, teller)
        with aim.held(at, teller) as held:
            gate = Gate(held.aim, settings, in_place=in_place)
            fetched = stock.open(found, teller, gate)
            refresh = Refresh(held, fetched, gate.prepared, settings, teller)
            outcome = refresh.run(in_place=in_place)
        summary.tell(refresh, outcome, timings=asked.timings)


def _named(found: Source, asked: Asked) -> str:
    """What is to come, before it is known which backup that is."""
    if asked.backup:
        return f"{asked.backup} of {found.label}"
    return f"{'a new' if asked.capture else 'the newest'} backup of {found.label}"


def _accept(_: Archive) -> None:
    """The gate of a fetch alone: every archive we can read may pass."""


def _anew(fetched: Fetched, stock: Stock, teller: Teller, gate: Gate) -> Fetched:
    """What came instead of a dump that changed on its way. Raises ObjectChanged."""
    if not fetched.incoming or not fetched.arriving:
        raise ObjectChanged(fetched.dump.label)
    teller.note("The dump changed at the download host: it is restored anew.")
    _await(fetched, fetched.arriving, teller)
    return stock.open(fetched.dump, teller, gate)


def _await(fetched: Fetched, arriving: Arriving, teller: Teller) -> None:
    """See a dump that arrives on a host to its end."""
    label = fetched.dump.label
    with teller.step("fetch", f"Fetching {label}", "bytes") as step:
        arriving.progress = step.progress
        arriving.finish()
        step.sentence = (
            f"Fetched {label}: {size(fetched.dump_size(teller.size))}{arriving.where}"
        )


def _dump(settings: Settings, stock: Stock, host: str, named: str | None) -> Dump:
    """The dump to restore: the file named, the one just fetched, or the newest."""
    flags = [settings.origins[name] for name in ("app", "path")]
    just = _fetched.get(host)
    if named is None and just and not any(flag[:2] == "--" for flag in flags):
        return just
    app = source.app_of_dumps(settings)
    found = stock.find(app, named)
    if found is None and named:
        on = f" on {host}" if host else ""
        raise NoSuchDump(f"There is no file {named}{on}.")
    if found is None:
        of = f" of {app}" if app else ""
        raise NoSuchDump(f"There is no dump{of} in {stock.folder}.")
    return found
