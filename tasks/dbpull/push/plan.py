"""The plan of a push: both databases, the losses, the commands."""

from __future__ import annotations

import shlex

from dbpull.console import Reporter
from dbpull.push.app_database import PushPrograms, RemoteDatabase, lacked
from dbpull.push.pg_dump import dump_argv
from dbpull.restore.commands import of_engine, of_sections
from dbpull.restore.sections import Restore
from dbpull.restore.selection import Selection
from dbpull.settings import Settings
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.target.contents import Contents
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance
from dbpull.words import ago, counted, listed, size


def tell_plan(
    found: HerokuDatabase,
    local: Target,
    ours: Contents,
    remote: RemoteDatabase,
    settings: Settings,
    reporter: Reporter,
) -> None:
    """Tell the plan, before a push and for `--dry-run`."""
    theirs, database = remote.holds, found.database
    reporter.say("Plan", "bold")
    lines = [
        f"from  {local.connection.label} [{local.origin}], PostgreSQL"
        f" {local.state.major}, {_amount(ours)}{_provenance(local)}",
        f"to    {found.label}, {database.name} ({database.plan}), PostgreSQL"
        f" {remote.target.state.major}, {_amount(theirs)}",
        f"lost  all that {database.app} has there, but for a backup that is captured"
        " before",
    ]
    if others := sorted(remote.apps - {database.app}):
        lines.append(f"also  {listed(others)}, which share that database")
    if lacking := lacked(ours, remote):
        lines.append(f"lacks the extensions {listed(lacking)}")
    if settings.skip_data:
        lines.append(f"rows skipped  {listed(list(settings.skip_data))}")
    for line in lines:
        reporter.say(f"  {line}")


def tell_commands(
    found: HerokuDatabase,
    local: Target,
    remote: RemoteDatabase,
    chosen: PushPrograms,
    settings: Settings,
    reporter: Reporter,
) -> None:
    """Tell the commands and the requests to Heroku that the push would make."""
    app, database = found.database.app, found.database.id
    path = settings.path / f"push-{app}.dump"
    to, program = remote.target.connection, chosen.pg_restore.path
    restore = Restore(local.shell, program, to, path, Selection(), settings.jobs, "")
    target = f"{found.api.data}/client/v11/databases/{database}"
    reporter.say("  commands")
    for line in (
        shlex.join(dump_argv(local, chosen.pg_dump, path)),
        f"POST {target}/backups",
        f"PUT {target}/reset",
        *(of_sections(restore) if local.shell.host else of_engine(restore)),
    ):
        reporter.say(f"    {line}")
    reporter.say("Nothing was changed.")


def _amount(held: Contents) -> str:
    return f"{size(held.size)} in {counted(held.tables, 'table')}"


def _provenance(local: Target) -> str:
    known = Provenance.from_comment(local.state.comment)
    if not known:
        return ""
    return f", pulled from {known.label} {ago(known.pulled)}"
