"""The tasks that keep the target under a name, and bring it back."""

from __future__ import annotations

from invoke.context import Context

from dbpull.context import context, refuse_dry, settings_of
from dbpull.flags import help_of, refuse_empty, task


@task(positional=["name"], help=help_of("name", "drop", "target"))
def snapshot(
    c: Context, name: str, *, drop: bool = False, target: str | None = None
) -> None:
    """Keep the target as it is, as a copy with a name."""
    refuse_dry(c, "snapshot")
    settings = settings_of(c, target=target)
    from dbpull.flows import snapshots as flow

    with context(c, settings) as (settings, shell):
        (flow.drop if drop else flow.snapshot)(settings, shell, name)


@task(help=help_of("target", "quiet", "json"))
def snapshots(
    c: Context, *, target: str | None = None, quiet: bool = False, json: bool = False
) -> None:
    """List the target's snapshots."""
    settings = settings_of(c, target=target)
    from dbpull.flows import snapshots as flow

    with context(c, settings, quiet=quiet) as (settings, shell):
        flow.tell(settings, shell, quiet=quiet, json=json)


@task(help=help_of("to", "target"))
def reset(c: Context, *, to: str | None = None, target: str | None = None) -> None:
    """Replace the target by a copy of its latest snapshot, in a moment."""
    refuse_dry(c, "reset")
    refuse_empty(to=to)
    settings = settings_of(c, target=target)
    from dbpull.flows import snapshots as flow

    with context(c, settings) as (settings, shell):
        flow.reset(settings, shell, to)
