"""What is removed after a pull, and by `db.cleanup`."""

from __future__ import annotations

from contextlib import ExitStack

from dbpull.console import Teller
from dbpull.dumps import Dump
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, embedded_server, kept, stocks
from dbpull.steps.run import told
from dbpull.steps.stock import Stock
from dbpull.words import listed, size


def delete(dump: Dump, stock: Stock, teller: Teller) -> None:
    """Remove a dump that has served."""
    freed = stock.size(dump)
    stock.remove_served(dump)
    teller.say(f"Removed {stock.shown(dump)} ({size(freed)}).")


def keep_newest(
    keep: int, stock: Stock, teller: Teller, pulled: Dump | None = None
) -> int:
    """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

    After a pull only those of its app; the dump that was pulled stays, however old.
    Returns how many files were removed.
    """
    app = pulled.app if pulled else None
    removed = stock.remove_surplus(keep, app, pulled)
    if removed:
        freed = sum(removed.values())
        teller.say(f"Removed {listed(list(removed))} ({size(freed)}).")
    return len(removed)


def cleanup(settings: Settings, shell: Shell, *, original: bool = False) -> None:
    """Remove surplus dumps, cut-off parts, and databases that crashed runs left.

    `original`: and the target's own that dbpull had not filled.
    """
    with told("", shell) as teller, ExitStack() as stack:
        set_up = not shell.host and embedded_server.is_set_up()
        if settings.target or original or set_up:
            at = aim.take(settings, shell, teller)
            # Clears as it begins; and no restore is reading a dump meanwhile.
            stack.enter_context(aim.held(at, teller))
            if original:
                kept.drop_originals(at, teller)
        if not keep_newest(settings.keep, stocks.of(settings, shell), teller):
            teller.say("No dump or part had to be removed.")
