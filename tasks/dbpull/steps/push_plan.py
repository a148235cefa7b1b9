"""What a push would do: from what, to what, and what will be lost."""

from __future__ import annotations

from dbpull.console import Teller
from dbpull.settings import Settings
from dbpull.steps.aim import Aim
from dbpull.steps.remote_database import RemoteDatabase, lacked
from dbpull.steps.source import Source
from dbpull.target.contents import Contents
from dbpull.target.provenance import Provenance
from dbpull.words import ago, counted, listed, size


def tell_plan(
    found: Source,
    local: Aim,
    ours: Contents,
    remote: RemoteDatabase,
    settings: Settings,
    teller: Teller,
) -> None:
    """Say it, whether it is done then or not."""
    theirs, database = remote.holds, found.database
    teller.say("The plan", "bold")
    lines = [
        f"from  {local.connection.label} [{local.origin}], PostgreSQL"
        f" {local.state.major}, {_amount(ours)}{_provenance(local)}",
        f"to    {found.label}, {database.name} ({database.plan}), PostgreSQL"
        f" {remote.aim.state.major}, {_amount(theirs)}",
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
        teller.say(f"  {line}")


def _amount(held: Contents) -> str:
    return f"{size(held.size)} in {counted(held.tables, 'table')}"


def _provenance(local: Aim) -> str:
    known = Provenance.from_comment(local.state.comment)
    if not known:
        return ""
    return f", pulled from {known.app} {known.backup} {ago(known.pulled)}"
