"""Where a task is at work, here or on a host, and the settings that hold there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invoke.context import Context

from dbpull import configured
from dbpull.errors.settings import NoPlan, OnlyHere, OnlyThere
from dbpull.settings import Settings
from dbpull.shell import Shell, is_remote
from dbpull.shell.local import Local


@contextmanager
def context(
    c: Context, settings: Settings, *, targeted: bool = True
) -> Iterator[tuple[Settings, Shell]]:
    """Where its commands run: this machine, or the host that fab is connected to.

    Here, Django's settings name the target of a task that has one (`targeted`) where
    no URL does. Raises HostUnreachable, HostKeyChanged, UnusableHost, NoDjangoTarget.
    """
    # Not at the top: listing tasks needs none of it.
    from dbpull.console import Reporter

    echo = Reporter(host(c)).say if c.config.run.echo else None
    if not is_remote(c):
        from dbpull.flows.django_target import with_target

        here = Local(echo)
        yield with_target(settings, here) if targeted else settings, here
        return
    from dbpull.fab.reach import connect

    with connect(c, Reporter(host(c)).note, echo=echo) as there:
        home, cores = there.home, there.cores
        yield settings.there(there.host, home=home, cores=cores), there


def host(c: Context) -> str:
    """The host that a task is run on, as messages name it; "" for this machine."""
    return str(c.original_host) if is_remote(c) else ""


def refuse_elsewhere(c: Context, task: str) -> None:
    """Raise OnlyHere for what makes no sense on a host."""
    if is_remote(c):
        raise OnlyHere(task, host(c))


def refuse_useless(c: Context, *, upload: bool) -> None:
    """Raise OnlyThere for a flag that means nothing without a host."""
    if upload and not is_remote(c):
        raise OnlyThere("--upload")


def settings_of(c: Context, **flags: str | None) -> Settings:
    """The settings, from flags, environment and the files that Invoke has read."""
    return Settings.of(
        configured.section(c.config), configured.files(c.config), **flags
    )


def refuse_dry(c: Context, name: str) -> None:
    """Raise NoPlan where Invoke's --dry is asked of a task that can't only tell."""
    if c.config.run.dry:
        raise NoPlan(name)


def is_dry(c: Context, dry_run: bool) -> bool:  # noqa: FBT001
    """Whether only to tell; Invoke's own --dry asks for the same."""
    return dry_run or bool(c.config.run.dry)
