"""The tasks, with their flags. What each one does is in `flows` and `push`."""

from __future__ import annotations

from invoke.context import Context

from dbpull.supported import refuse_elsewhere

refuse_elsewhere()  # before the imports that fail there

from dbpull.context import (
    context,
    host,
    is_dry,
    refuse_dry,
    refuse_useless,
    settings_of,
)
from dbpull.flags import CLEANUP_HELP, PUSH_HELP, help_of, refuse_empty, task
from dbpull.local_tasks import demo, shell, start, stop, url
from dbpull.mask_tasks import mask
from dbpull.snapshot_tasks import reset, snapshot, snapshots
from dbpull.status_tasks import doctor, status

__all__ = [
    "backups", "capture", "cleanup", "demo", "doctor", "fetch", "mask", "pull", "push",
    "reset", "restore", "shell", "snapshot", "snapshots", "start", "status", "stop",
    "undo", "url",
]  # fmt: skip


@task(
    help=help_of(
        "app", "source", "database", "backup", "target", "path", "max_age", "wait",
        "keep", "jobs", "connections", "skip_data", "tolerate", "capture", "delete",
        "in_place", "upload", "timings", "blank_new", "unmasked", "quiet", "json",
        "dry_run",
    ),
)  # fmt: skip
def pull(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
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
    tolerate: str | None = None,
    capture: bool = False,
    delete: bool = False,
    in_place: bool = False,
    upload: bool = False,
    timings: bool = False,
    blank_new: bool = False,
    unmasked: str | None = None,
    quiet: bool = False,
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Replace the development database with the source's latest backup."""
    refuse_empty(backup=backup, unmasked=unmasked)
    refuse_useless(c, upload=upload)
    settings = settings_of(
        c, app=app, source=source, database=database, target=target, path=path,
        max_age=max_age, wait=wait, keep=keep, jobs=jobs, connections=connections,
        skip_data=skip_data, tolerate=tolerate,
    )  # fmt: skip
    with context(c, settings, quiet=quiet, flow="pull") as (settings, shell):
        from dbpull.flows import pull as flow
        from dbpull.flows.gather import PullFlags

        asked = PullFlags(
            backup, capture, delete, in_place, upload, timings, blank_new, unmasked,
            quiet, json,
        )  # fmt: skip
        flow.pull(settings, shell, asked, dry_run=is_dry(c, dry_run))


@task(help=help_of("app", "source", "database", "wait"))
def capture(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
    database: str | None = None,
    wait: str | None = None,
) -> None:
    """Take a new backup at the source and wait for it."""
    refuse_dry(c, "capture")
    settings = settings_of(c, app=app, source=source, database=database, wait=wait)
    from dbpull.flows import pull as flow

    flow.capture(settings, host(c))


@task(
    help=help_of("app", "source", "database", "backup", "path", "connections", "upload")
)
def fetch(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
    database: str | None = None,
    backup: str | None = None,
    path: str | None = None,
    connections: str | None = None,
    upload: bool = False,
) -> None:
    """Download a backup, or find it already here."""
    refuse_dry(c, "fetch")
    refuse_empty(backup=backup)
    refuse_useless(c, upload=upload)
    settings = settings_of(
        c, app=app, source=source, database=database, path=path, connections=connections
    )
    with context(c, settings, targeted=False, flow="pull") as (settings, shell):
        from dbpull.flows import pull as flow

        flow.fetch(settings, shell, backup, upload=upload)


@task(
    help=help_of(
        "dump", "app", "source", "target", "path", "jobs", "skip_data", "tolerate",
        "in_place", "timings", "blank_new", "unmasked", "quiet", "json", "dry_run",
    ),
)  # fmt: skip
def restore(
    c: Context,
    *,
    dump: str | None = None,
    app: str | None = None,
    source: str | None = None,
    target: str | None = None,
    path: str | None = None,
    jobs: str | None = None,
    skip_data: str | None = None,
    tolerate: str | None = None,
    in_place: bool = False,
    timings: bool = False,
    blank_new: bool = False,
    unmasked: str | None = None,
    quiet: bool = False,
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Restore a dump that is here; no network is needed."""
    refuse_empty(dump=dump, unmasked=unmasked)
    settings = settings_of(
        c, app=app, source=source, target=target, path=path, jobs=jobs,
        skip_data=skip_data, tolerate=tolerate,
    )  # fmt: skip
    with context(c, settings, quiet=quiet, flow="pull") as (settings, shell):
        from dbpull.flows import pull as flow
        from dbpull.flows.gather import PullFlags

        asked = PullFlags(
            in_place=in_place, timings=timings, blank_new=blank_new, unmasked=unmasked,
            quiet=quiet, json=json,
        )  # fmt: skip
        flow.restore(settings, shell, dump, asked, dry_run=is_dry(c, dry_run))


@task(help=help_of("path", "keep", "target") | CLEANUP_HELP)
def cleanup(
    c: Context,
    *,
    path: str | None = None,
    keep: str | None = None,
    target: str | None = None,
    previous: bool = False,
    original: bool = False,
) -> None:
    """Remove dumps beyond the newest few, and what crashed runs left."""
    refuse_dry(c, "cleanup")
    settings = settings_of(c, path=path, keep=keep, target=target)
    from dbpull.flows import cleanup as flow

    with context(c, settings) as (settings, shell):
        flow.cleanup(settings, shell, previous=previous, original=original)


@task(help=help_of("app", "source", "database", "path", "target", "quiet", "json"))
def backups(
    c: Context,
    *,
    app: str | None = None,
    source: str | None = None,
    database: str | None = None,
    path: str | None = None,
    target: str | None = None,
    quiet: bool = False,
    json: bool = False,
) -> None:
    """List what there is to pull, at the source and here."""
    settings = settings_of(
        c, app=app, source=source, database=database, path=path, target=target
    )
    from dbpull.flows import backups as flow

    with context(c, settings, quiet=quiet) as (settings, shell):
        flow.tell(settings, shell, quiet=quiet, json=json)


@task(help=help_of("target", "original"))
def undo(c: Context, *, target: str | None = None, original: bool = False) -> None:
    """Swap back to the previous database (run again to redo)."""
    refuse_dry(c, "undo")
    settings = settings_of(c, target=target)
    from dbpull.flows import undo as flow

    with context(c, settings) as (settings, shell):
        flow.undo(settings, shell, original=original)


@task(
    help=help_of(
        "app", "database", "target", "path", "wait", "jobs", "skip_data", "confirm",
        "maintenance", "masked", "undo", "backup", "dry_run",
    ) | PUSH_HELP,
)  # fmt: skip
def push(
    c: Context,
    *,
    app: str | None = None,
    database: str | None = None,
    target: str | None = None,
    path: str | None = None,
    wait: str | None = None,
    jobs: str | None = None,
    skip_data: str | None = None,
    confirm: str | None = None,
    maintenance: bool = False,
    masked: bool = False,
    undo: bool = False,
    backup: str | None = None,
    dry_run: bool = False,
) -> None:
    """Replace an app's database with the local one, captured before."""
    refuse_empty(backup=backup, confirm=confirm)
    settings = settings_of(
        c, app=app, database=database, target=target, path=path, wait=wait, jobs=jobs,
        skip_data=skip_data,
    )  # fmt: skip
    from dbpull.push import flow as flow

    asked = flow.PushFlags(
        confirm, maintenance=maintenance, undo=undo, masked=masked, backup=backup
    )
    with context(c, settings) as (settings, shell):
        flow.push(settings, shell, asked, dry_run=is_dry(c, dry_run))
