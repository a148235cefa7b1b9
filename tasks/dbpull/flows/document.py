"""What the documents of `--json` tell of a pull or restore."""

from __future__ import annotations

from dbpull.console import Reporter
from dbpull.dumps.store import DumpStore
from dbpull.flows.refresh import Refreshed
from dbpull.restore.failures import name
from dbpull.target.snapshots import Snapshot
from dbpull.words import source_label


def add_result(done: Refreshed, store: DumpStore, reporter: Reporter) -> None:
    """Add a refresh to the document; its dump must still be there."""
    if not reporter.output.json:
        return
    dump, selection, outcome = done.stream.dump, done.prepared.selection, done.outcome
    sizes = outcome.sizes or done.stream.sizes
    reporter.facts |= {
        "result": done.change,
        "target": done.target.connection.label,
        "backup": {
            "source": source_label(dump.app),
            "id": dump.backup,
            "taken": dump.taken,
        },
        "dump": {"path": store.shown(dump.path), "bytes": store.size(dump)},
        "tables": [
            {
                "name": f"{table.namespace}.{table.tag}",
                "bytes": sizes.get(table.dump_id),
                "seconds": _rounded(outcome.seconds.get(table.dump_id)),
            }
            for table in selection.tables
        ],
        "skipped_rows": selection.skipped,
        "left_out": selection.left_out,
        "missing": [name(entry) for entry in outcome.absent],
        "masked_columns": sum(len(table.masks) for table in done.masked),
    }


def add_reset(found: Snapshot, label: str, reporter: Reporter) -> None:
    """Add to the document that a pull of a target was a reset to this snapshot."""
    if held := found.member.provenance:
        source = source_label(held.app)
        backup = {"source": source, "id": held.backup, "taken": held.taken}
        reporter.facts |= {"result": "reset", "target": label, "backup": backup}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
