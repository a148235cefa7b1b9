"""The task about masks: what a masked pull does with each column."""

from __future__ import annotations

from invoke.context import Context

from dbpull.context import context, refuse_dry, settings_of
from dbpull.flags import MASK_HELP, help_of, refuse_empty, task


@task(help=help_of("dump", "app", "source", "target", "path") | MASK_HELP)
def mask(
    c: Context,
    *,
    dump: str | None = None,
    app: str | None = None,
    source: str | None = None,
    target: str | None = None,
    path: str | None = None,
    init: bool = False,
    show: str | None = None,
) -> None:
    """Tell what is masked, kept and undecided; propose rules by --init."""
    refuse_dry(c, "mask")
    refuse_empty(dump=dump, show=show)
    settings = settings_of(c, app=app, source=source, target=target, path=path)
    from dbpull.flows import mask as flow

    with context(c, settings) as (settings, shell):
        if show:
            flow.show(settings, shell, show)
        else:
            (flow.init if init else flow.report)(settings, shell, dump)
