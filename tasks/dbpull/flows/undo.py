"""The flow of `db.undo`: a kept database and the target change places."""

from __future__ import annotations

from dbpull.console import Reporter
from dbpull.flows import kept
from dbpull.flows.run import UNTOUCHED, reporting
from dbpull.naming import command
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.target import opened
from dbpull.target.family import Move
from dbpull.target.swap import Swap
from dbpull.words import ago

SWAPPED = f"The previous database is in place already; `{command('undo')}` goes back."


def undo(settings: Settings, shell: Shell, *, original: bool = False) -> None:
    """Put the database back that was replaced last; a second undo swaps forward.

    `original`: an original, which dbpull had not filled, however old.
    """
    with reporting(UNTOUCHED, shell) as reporter:
        target = opened.take_to_rename(settings, shell, reporter)
        with opened.held(target, reporter) as held:
            moves = _swap(held, reporter, original=original)
            family = held.look()
        what = "the database from before"
        provenance = family.target.provenance if family.target else None
        if provenance:
            what = f"{provenance.label}, pulled {ago(provenance.pulled)}"
        reporter.say(f"{target.connection.label} is now {what}.", "bold")
        kept.tell_not_masked(provenance, settings, moves, reporter)
        kept.tell_forward(family, moves, reporter)


def _swap(
    held: opened.LockedTarget, reporter: Reporter, *, original: bool
) -> list[Move]:
    with reporter.step("undo", "Swapping back") as step, SIGNALS.deferred():
        target = held.target
        moves = Swap(target.psql, target.state, held.lock.query).to_back(
            original=original
        )
        reporter.on_failure(SWAPPED)
        step.sentence = f"Swapped back: {target.connection.label}"
        kept.settle(held, moves, reporter)
    return moves
