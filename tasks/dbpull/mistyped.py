"""Words on the command line that no task takes: errors with the nearest word.

Invoke has no hook for them, so two methods of its parser are wrapped. The parser itself
can't be replaced: its states belong to its class (invoke.vendor.fluidity).
"""

from __future__ import annotations

from typing import Any

from invoke.parser.parser import ParseMachine

from dbpull.errors.settings import SettingsError
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import NAME

UNKNOWN = "No idea what"
"""What Invoke says of a word that it does not know."""
_handle, _error = ParseMachine.handle, ParseMachine.error


def watch() -> None:
    """Have errors about our tasks told by us."""
    machine: Any = ParseMachine
    machine.handle, machine.error = _noted, _told


def _noted(machine: Any, token: str) -> None:
    machine.word = token
    _handle(machine, token)


def _told(machine: Any, msg: str) -> None:
    """Raise SettingsError where a task of ours is meant, else Invoke's error."""
    prefix = NAME.task("")
    task = (machine.context and machine.context.name) or ""
    if f"{machine.word}.".startswith(prefix) and machine.word not in machine.contexts:
        near = did_you_mean(machine.word, machine.contexts)
        raise SettingsError(
            f"There is no task {machine.word}.", f"{near}`invoke --list` has them all."
        )
    if task.startswith(prefix):
        raise _about(machine, task, msg)
    _error(machine, msg)


def _about(machine: Any, task: str, msg: str) -> SettingsError:
    more = f"`invoke --help {task}` tells more."
    flag, word, flags = machine.flag, machine.word, machine.context.flags
    if flag and flag.takes_value and flag.raw_value is None:
        name = flag.name.replace("_", "-")
        return SettingsError(f"--{name} of {task} needs a value.", more)
    missing = machine.context.missing_positional_args
    if missing and UNKNOWN not in msg:
        name = missing[0].name
        what = f"{task} needs a {name}: `invoke {task} {name.upper()}`."
        return SettingsError(what, more)
    if UNKNOWN not in msg:
        return SettingsError(f"{msg}.", more)
    if word.startswith("-"):
        near = did_you_mean(word, [name for name in flags if name.startswith("--")])
        return SettingsError(f"{task} has no flag {word}.", near + more)
    shown = "A URL" if "://" in word else word  # it may have a password
    what = f"{shown} is no task, and {task} takes no such word."
    return SettingsError(what, f"Values follow their flags: --app=staging. {more}")
