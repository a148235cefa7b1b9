"""The way back: the previous database and the current one change places."""

from __future__ import annotations

from dbpull.errors.target import NoPrevious
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.steps import aim
from dbpull.steps.run import UNTOUCHED, told
from dbpull.target.provenance import Provenance
from dbpull.target.state import inspect
from dbpull.target.swap import Swap
from dbpull.words import ago

SWAPPED = "The previous database is in place already; `invoke db.undo` goes back."


def undo(settings: Settings, shell: Shell) -> None:
    """Put the previous database back; done again, the newer one."""
    with told(UNTOUCHED, shell) as teller:
        with aim.held(aim.take(settings, shell, teller), teller) as held:
            at = held.aim
            if not at.state.previous:
                raise NoPrevious(at.connection.label)
            with teller.step("undo", "Swapping back") as step, SIGNALS.deferred():
                Swap(at.psql, at.state, at.names).to_previous()
                teller.standing = SWAPPED
                step.sentence = f"Swapped back: {at.connection.label}"
            comment = inspect(at.psql).comment
        known = Provenance.from_comment(comment)
        what = "the database that was there before"
        if known:
            what = f"{known.app} {known.backup}, pulled {ago(known.pulled)}"
        teller.say(f"{at.connection.label} is now {what}.", "bold")
        command = shell.command_for("db.undo")
        teller.say(f"`{command}` again swaps forward.")
