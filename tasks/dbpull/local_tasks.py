"""The tasks of this machine alone: its embedded server, and the demo."""

from __future__ import annotations

from invoke.context import Context

from dbpull.context import context, refuse_dry, refuse_elsewhere, settings_of
from dbpull.flags import task


@task(
    help={
        "keep": "Leave the made-up app and its servers running; print how to use it."
    },
)
def demo(c: Context, *, keep: bool = False) -> None:
    """Show a pull at work on a made-up app and a throwaway server."""
    refuse_elsewhere(c, "demo")
    refuse_dry(c, "demo")
    from dbpull.flows import demo as flow

    flow.demo(keep=keep)


@task
def start(c: Context) -> None:
    """Start the embedded server and tell its URL."""
    refuse_elsewhere(c, "start")
    refuse_dry(c, "start")
    settings = settings_of(c)
    from dbpull.flows import server

    with context(c, settings) as (settings, shell):
        server.start(settings, shell)


@task(
    help={"demo": "Stop a demo that was kept, instead, and remove it."},
)
def stop(c: Context, *, demo: bool = False) -> None:
    """Stop the embedded server; its data stay."""
    refuse_elsewhere(c, "stop")
    refuse_dry(c, "stop")
    from dbpull.flows import demo as demos
    from dbpull.flows import server

    if demo:
        demos.stop()
    else:
        server.stop()


@task
def url(c: Context) -> None:
    """Print the target's URL, with its password, on stdout."""
    refuse_elsewhere(c, "url")
    settings = settings_of(c)
    from dbpull.flows import server

    with context(c, settings) as (settings, shell):
        server.url(settings, shell)


@task
def shell(c: Context) -> None:
    """Open psql on the target."""
    refuse_elsewhere(c, "shell")
    refuse_dry(c, "shell")
    settings = settings_of(c)
    from dbpull.flows import server
    from dbpull.shell.local import Local

    with context(c, settings) as (settings, here):
        assert isinstance(here, Local)  # noqa: S101 - it was refused elsewhere
        server.open_psql(settings, here)
