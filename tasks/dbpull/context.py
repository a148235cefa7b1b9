"""The context of a task: this machine's shell or a host's, and the settings for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from invoke.context import Context

from dbpull import configured
from dbpull.errors.settings import SettingsError
from dbpull.naming import NAME
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.shell.local import Local


@contextmanager
def context(
    c: Context,
    settings: Settings,
    *,
    targeted: bool = True,
    quiet: bool = False,
    flow: str = "",
) -> Iterator[tuple[Settings, Shell]]:
    """The settings and the shell: of this machine, or of fab's connected host.

    On this machine, Django's settings name the target of a task that has a target
    (`targeted`) where no URL does. A `quiet` task has no notes. `flow` is the module
    of `flows` that the task needs then: it is imported while a host is connected to.

    Raises RemoteError, SettingsError.
    """
    # Imported inside, so that listing tasks is quick.
    from dbpull.console import Output, Reporter

    echo = Reporter(host(c)).say if c.config.run.echo else None
    if not is_remote(c):
        from dbpull.flows.django_target import with_target

        local = Local(echo)
        yield with_target(settings, local) if targeted else settings, local
        return
    from dbpull.hosts.connect import connect
    from dbpull.postgres.programs import FOLDERS

    if flow:
        _import_soon(f"dbpull.flows.{flow}")
    note = Reporter(host(c), output=Output(quiet)).note
    with connect(c, note, echo=echo, folders=FOLDERS) as remote:
        home, cores = remote.home, remote.cores
        yield settings.for_host(remote.host, home=home, cores=cores), remote


def _import_soon(module: str) -> None:
    threading.Thread(target=import_module, args=[module], daemon=True).start()


def is_remote(c: object) -> bool:
    """Whether a context is Fabric's Connection: its class has `local`.

    The class is asked: an instance's missing attributes come from the configuration.
    """
    return hasattr(type(c), "local")


def host(c: Context) -> str:
    """The name of a task's host; "" for this machine."""
    return str(c.original_host) if is_remote(c) else ""


def refuse_elsewhere(c: Context, task: str) -> None:
    """Raise SettingsError where a task for this machine is run on a host."""
    if is_remote(c):
        raise SettingsError(
            f"{NAME.task(task)} is for this machine, so nothing was done on {host(c)}.",
            "Run it without -H.",
        )


def refuse_useless(c: Context, *, upload: bool) -> None:
    """Raise SettingsError where a flag for hosts is given without a host."""
    if upload and not is_remote(c):
        raise SettingsError(
            "--upload is for hosts, and none is named.",
            f"Name one: fab -H devbox {NAME.task('pull')}; or leave the flag out.",
        )


def settings_of(c: Context, **flags: str | None) -> Settings:
    """The settings, from flags, the environment and Invoke's configuration files."""
    return Settings.of(
        configured.section(c.config), configured.files(c.config), **flags
    )


def refuse_dry(c: Context, name: str) -> None:
    """Raise SettingsError where Invoke's --dry is given to a task without a plan."""
    if c.config.run.dry:
        raise SettingsError(
            f"{NAME.task(name)} can't be told with --dry, so nothing was done.",
            f"{NAME.task('pull')} and {NAME.task('restore')} can: --dry, or --dry-run.",
        )


def is_dry(c: Context, dry_run: bool) -> bool:  # noqa: FBT001
    """Whether to tell the plan only: by `--dry-run`, or by Invoke's own `--dry`."""
    return dry_run or bool(c.config.run.dry)
