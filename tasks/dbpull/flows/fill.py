"""The restore of a dump, whole or arriving, by the engine, with its progress told."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from dbpull.console import Reporter, Step
from dbpull.dumps.store import Fetched
from dbpull.errors.restore import RestoreFailed
from dbpull.restore.engine import Engine, Standing
from dbpull.restore.sections import Restore
from dbpull.restore.watch import Bar, Outcome
from dbpull.shell import PipedInput
from dbpull.words import counted, listed, size


def restore_from(
    restore: Restore, fetched: Fetched, label: str, reporter: Reporter
) -> Outcome:
    """Restore a dump, while it arrives if it does; `label` is what messages name.

    Raises RestoreFailed, and the errors of the download.
    """
    assert fetched.incoming  # noqa: S101 - callers check
    arriving = fetched.arriving
    doing = f"Fetching and restoring {label}" if arriving else f"Restoring {label}"
    with reporter.step("restore", doing) as step:

        def on_progress(standing: Standing) -> None:
            step.report(standing.done, standing.total, _amount(standing))

        def on_arrival() -> None:
            if arriving:
                _tell_fetched(fetched, reporter)
                reporter.doing = f"Restoring {label}"

        shell = cast("PipedInput", restore.shell)
        try:
            incoming = fetched.incoming
            outcome = Engine(restore, shell, incoming, on_progress, on_arrival).run()
        except RestoreFailed as error:
            if arriving and arriving.ended is None:
                raise error.before_the_end() from error
            raise
        tables = counted(len(restore.selection.tables), "table")
        step.sentence = f"Restored {tables}, keys and indexes"
    if not arriving:
        return outcome
    began, ended = arriving.began, arriving.ended or arriving.began
    download = Bar("download", label, began, ended, fetched.dump.size)
    return replace(outcome, bars=(download, *outcome.bars))


def _amount(standing: Standing) -> str:
    total = int(standing.total)
    of = f" of {size(total)}" if total > standing.rows else ""
    return f"{size(standing.rows)}{of} {listed(standing.doing, 2)}"


def _tell_fetched(fetched: Fetched, reporter: Reporter) -> None:
    arriving = fetched.arriving
    assert arriving  # noqa: S101 - the caller checks
    step = Step("fetch", "", "bytes", reporter.host, began=arriving.began)
    amount = f"{size(fetched.dump.size)}{arriving.where}"
    step.sentence = f"Fetched {fetched.dump.label}: {amount}"
    reporter.done(step, arriving.ended)
