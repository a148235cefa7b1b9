"""The tasks that look and change nothing: what is where, and what is in the way."""

from __future__ import annotations

from invoke.context import Context

from dbpull.context import context, settings_of
from dbpull.flags import help_of, task


@task(help=help_of("app", "source", "database", "path", "target", "json"))
def status(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
    database: str | None = None,
    path: str | None = None,
    target: str | None = None,
    json: bool = False,
) -> None:
    """Tell what is where: target, kept databases, dumps, newest backup."""
    settings = settings_of(
        c, app=app, source=source, database=database, path=path, target=target
    )
    from dbpull.flows import status as flow

    with context(c, settings) as (settings, shell):
        flow.status(settings, shell, json=json)


@task(help=help_of("app", "source", "database", "path", "target"))
def doctor(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
    database: str | None = None,
    path: str | None = None,
    target: str | None = None,
) -> None:
    """Check all that a pull needs, and name the remedy for what is amiss."""
    settings = settings_of(
        c, app=app, source=source, database=database, path=path, target=target
    )
    from dbpull.flows import doctor as flow

    with context(c, settings) as (settings, shell):
        flow.doctor(settings, shell)
