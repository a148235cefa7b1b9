"""The way back: a replaced database and the current one change places."""

from __future__ import annotations

from dbpull.console import Teller
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.steps import aim, kept
from dbpull.steps.run import UNTOUCHED, told
from dbpull.target.family import Move
from dbpull.target.provenance import Provenance
from dbpull.target.state import inspect
from dbpull.target.swap import Swap
from dbpull.words import ago

SWAPPED = "The previous database is in place already; `invoke db.undo` goes back."


def undo(settings: Settings, shell: Shell, *, original: bool = False) -> None:
    """Put the database back that was replaced last; done again, the newer one.

    `original`: one that dbpull had not filled, however long ago it was replaced.
    """
    with told(UNTOUCHED, shell) as teller:
        at = aim.take_to_rename(settings, shell, teller)
        with aim.held(at, teller):
            moves = _swap(at, teller, original=original)
            comment = inspect(at.psql).comment
        known = Provenance.from_comment(comment)
        what = "the database that was there before"
        if known:
            what = f"{known.label}, pulled {ago(known.pulled)}"
        teller.say(f"{at.connection.label} is now {what}.", "bold")
        kept.tell_forward(at, moves, teller)


def _swap(at: aim.Aim, teller: Teller, *, original: bool) -> list[Move]:
    with teller.step("undo", "Swapping back") as step, SIGNALS.deferred():
        moves = Swap(at.psql, at.state, at.names).to_back(original=original)
        teller.standing = SWAPPED
        step.sentence = f"Swapped back: {at.connection.label}"
        kept.settle(at, moves, teller)
    return moves
