"""The tasks: what is gathered, done and told is in `steps`; here they are chained."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from dbpull.errors.settings import EmptyValue, NoPlan
from dbpull.flags import HELP
from dbpull.place import host, place, refuse_elsewhere, refuse_useless
from dbpull.settings import Settings


def _help(*names: str) -> dict[str, str]:
    return {name.replace("_", "-"): HELP[name] for name in names}


@task(
    auto_shortflags=False,
    help=_help(
        "app", "database", "backup", "target", "path", "max_age", "wait", "keep",
        "jobs", "connections", "skip_data", "capture", "delete", "in_place", "upload",
        "timings", "dry_run",
    ),
)  # fmt: skip
def pull(
    c: Context,
    *,
    app: str | None = None,
    database: str | None = None,
    backup: str | None = None,
    target: str | None = None,
    path: str | None = None,
    max_age: str | None = None,
    wait: str | None = None,
    keep: str | None = None,
    jobs: str | None = None,
    connections: str | None = None,
    skip_data: str | None = None,
    capture: bool = False,
    delete: bool = False,
    in_place: bool = False,
    upload: bool = False,
    timings: bool = False,
    dry_run: bool = False,
) -> None:
    """Replace the development database with the app's latest backup."""
    _refuse_empty(backup=backup)
    refuse_useless(c, upload=upload)
    settings = _settings(
        c,
        app=app,
        database=database,
        target=target,
        path=path,
        max_age=max_age,
        wait=wait,
        keep=keep,
        jobs=jobs,
        connections=connections,
        skip_data=skip_data,
    )
    from dbpull.steps import pull as steps
    from dbpull.steps.plan import Asked

    asked = Asked(backup, capture, delete, in_place, upload, timings)
    with place(c, settings) as (settings, shell):
        steps.pull(settings, shell, asked, dry_run=_dry(c, dry_run))


@task(auto_shortflags=False, help=_help("app", "database", "wait"))
def capture(
    c: Context,
    *,
    app: str | None = None,
    database: str | None = None,
    wait: str | None = None,
) -> None:
    """Take a new backup on Heroku and wait for it."""
    _refuse_dry(c, "db.capture")
    settings = _settings(c, app=app, database=database, wait=wait)
    from dbpull.steps import pull as steps

    steps.capture(settings, host(c))


@task(
    auto_shortflags=False,
    help=_help("app", "database", "backup", "path", "connections", "upload"),
)
def fetch(
    c: Context,
    *,
    app: str | None = None,
    database: str | None = None,
    backup: str | None = None,
    path: str | None = None,
    connections: str | None = None,
    upload: bool = False,
) -> None:
    """Download a backup, or find it already here."""
    _refuse_dry(c, "db.fetch")
    _refuse_empty(backup=backup)
    refuse_useless(c, upload=upload)
    settings = _settings(
        c, app=app, database=database, path=path, connections=connections
    )
    from dbpull.steps import pull as steps

    with place(c, settings, targeted=False) as (settings, shell):
        steps.fetch(settings, shell, backup, upload=upload)


@task(
    auto_shortflags=False,
    help=_help(
        "dump", "app", "target", "path", "jobs", "skip_data", "in_place", "timings",
        "dry_run",
    ),
)  # fmt: skip
def restore(
    c: Context,
    *,
    dump: str | None = None,
    app: str | None = None,
    target: str | None = None,
    path: str | None = None,
    jobs: str | None = None,
    skip_data: str | None = None,
    in_place: bool = False,
    timings: bool = False,
    dry_run: bool = False,
) -> None:
    """Restore a dump that is here; no network is needed."""
    _refuse_empty(dump=dump)
    settings = _settings(
        c, app=app, target=target, path=path, jobs=jobs, skip_data=skip_data
    )
    from dbpull.steps import pull as steps
    from dbpull.steps.plan import Asked

    with place(c, settings) as (settings, shell):
        dry_run = _dry(c, dry_run)
        asked = Asked(in_place=in_place, timings=timings)
        steps.restore(settings, shell, dump, asked, dry_run=dry_run)


@task(auto_shortflags=False, help=_help("path", "keep", "target"))
def cleanup(
    c: Context,
    *,
    path: str | None = None,
    keep: str | None = None,
    target: str | None = None,
) -> None:
    """Remove dumps beyond the newest few, and what crashed runs left."""
    _refuse_dry(c, "db.cleanup")
    settings = _settings(c, path=path, keep=keep, target=target)
    from dbpull.steps import tidy

    with place(c, settings) as (settings, shell):
        tidy.cleanup(settings, shell)


@task(auto_shortflags=False, help=_help("app", "database", "path", "target"))
def backups(
    c: Context,
    *,
    app: str | None = None,
    database: str | None = None,
    path: str | None = None,
    target: str | None = None,
) -> None:
    """List what there is to pull, on Heroku and here."""
    settings = _settings(c, app=app, database=database, path=path, target=target)
    from dbpull.steps import overview

    with place(c, settings) as (settings, shell):
        overview.tell(settings, shell)


@task(auto_shortflags=False, help=_help("target"))
def undo(c: Context, *, target: str | None = None) -> None:
    """Put the previous database back; again: swap forward."""
    _refuse_dry(c, "db.undo")
    settings = _settings(c, target=target)
    from dbpull.steps import undo as steps

    with place(c, settings) as (settings, shell):
        steps.undo(settings, shell)


@task(
    auto_shortflags=False,
    help={
        "keep": "Leave the made-up app and its servers running; print how to use it."
    },
)
def demo(c: Context, *, keep: bool = False) -> None:
    """Show db.pull at work on a made-up app and a throwaway server."""
    refuse_elsewhere(c, "db.demo")
    _refuse_dry(c, "db.demo")
    from dbpull.steps import demo as steps

    steps.demo(keep=keep)


@task(auto_shortflags=False)
def stop(c: Context) -> None:
    """Stop the embedded server, and a demo that was kept."""
    refuse_elsewhere(c, "db.stop")
    _refuse_dry(c, "db.stop")
    from dbpull.steps import demo as steps

    steps.stop()


def _settings(c: Context, **flags: str | None) -> Settings:
    return Settings.of(c.config.get("db"), **flags)


def _refuse_empty(**flags: str | None) -> None:
    """Raise EmptyValue for `--backup=$ID` without an ID: it would mean the newest."""
    for name, value in flags.items():
        if value is not None and not value.strip():
            raise EmptyValue(f"--{name}")


def _refuse_dry(c: Context, name: str) -> None:
    """Raise NoPlan where Invoke's --dry is asked of a task that can't only tell."""
    if c.config.run.dry:
        raise NoPlan(name)


def _dry(c: Context, dry_run: bool) -> bool:  # noqa: FBT001
    """Whether only to tell; Invoke's own --dry asks for the same."""
    return dry_run or bool(c.config.run.dry)
