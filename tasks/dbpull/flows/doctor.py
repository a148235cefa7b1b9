"""The flow of `db.doctor`: each check with its result, and the remedy of a failure."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull import console
from dbpull.console import Mark
from dbpull.errors import PullError
from dbpull.errors.local import LocalTrouble, NotIgnored
from dbpull.errors.settings import SettingsError
from dbpull.flows.checks import Check, Checks, NotKnown
from dbpull.flows.gather import PullFlags, Run
from dbpull.flows.run import reporting
from dbpull.naming import command, filled
from dbpull.settings import Settings
from dbpull.shell import Shell

WIDTH = 8
"""The longest label's letters."""


@dataclass(frozen=True)
class Finding:
    """A check's result."""

    label: str
    mark: Mark
    text: str
    remedy: str = ""


def doctor(settings: Settings, shell: Shell) -> None:
    """Tell on stdout of each thing that a pull needs whether it is in order.

    Raises SettingsError where a pull would be refused.
    """
    with reporting("", shell) as reporter:
        failed = 0
        for label, check in Checks(
            Run(settings, shell, PullFlags(), reporter)
        ).in_turn():
            found = examined(label, check)
            failed += found.mark is Mark.BAD
            text = f"{found.text}\n{found.remedy}".strip()
            told = filled(text, shell.command_for)
            console.finding(label, told, WIDTH, mark=found.mark, host=shell.host)
        if failed:
            raise SettingsError(
                "A pull would be refused.",
                f"Do what stands below each ✗, then run `{command('doctor')}` again.",
            )
        reporter.say("Nothing is known that would keep a pull from working.")


def examined(label: str, check: Check) -> Finding:
    """A check's result; a refusal becomes one, with its two sentences."""
    try:
        return Finding(label, Mark.GOOD, check())
    except NotKnown as unknown:
        return Finding(label, Mark.UNKNOWN, str(unknown))
    except NotIgnored as error:
        return Finding(label, Mark.DOUBTFUL, error.what, error.remedy)
    except PullError as error:
        return Finding(label, Mark.BAD, error.what, error.remedy)
    except OSError as error:
        trouble = LocalTrouble(error)
        return Finding(label, Mark.BAD, trouble.what, trouble.remedy)
