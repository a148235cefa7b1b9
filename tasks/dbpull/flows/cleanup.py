"""The flow of `db.cleanup`, and the removal of dumps after a pull."""

from __future__ import annotations

from contextlib import ExitStack

from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.flows import kept
from dbpull.flows.run import reporting
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.target import embedded_server, opened
from dbpull.words import listed, size


def delete(dump: Dump, store: DumpStore, reporter: Reporter) -> None:
    """Remove a dump that has been restored, unless it is a file of the user's own."""
    if not dump.is_ours:
        reporter.say(f"{store.shown(dump.path)} is your own: it stays.")
        return
    freed = store.remove(dump)
    reporter.say(f"Removed {store.shown(dump.path)} ({size(freed)}).")


def keep_newest(
    keep: int, store: DumpStore, reporter: Reporter, pulled: Dump | None = None
) -> int:
    """Remove surplus files; see DumpStore. Returns how many files were removed."""
    removed = store.remove_surplus(keep, pulled)
    if removed:
        freed = sum(removed.values())
        reporter.say(f"Removed {listed(list(removed))} ({size(freed)}).")
    return len(removed)


def cleanup(
    settings: Settings, shell: Shell, *, previous: bool = False, original: bool = False
) -> None:
    """Remove surplus dumps, cut-off parts, and databases that crashed runs left.

    `previous`: also the database that `db.undo` brings back. `original`: also the
    target's originals, which dbpull had not filled.
    """
    with reporting("", shell) as reporter, ExitStack() as stack:
        set_up = not shell.host and embedded_server.is_set_up()
        if settings.target or previous or original or set_up:
            target = opened.take(settings, shell, reporter)
            # `held` drops leftovers; while it holds the lock, no restore reads a dump.
            held = stack.enter_context(opened.held(target, reporter))
            if previous:
                kept.drop_previous(held.target, reporter)
            if original:
                kept.drop_originals(held.target, reporter)
        if not keep_newest(settings.keep, stores.store_for(settings, shell), reporter):
            reporter.say("No dump or incomplete download had to be removed.")
