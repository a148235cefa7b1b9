"""The dumps downloaded here for hosts: once for all hosts, removed at the end."""

from __future__ import annotations

import atexit
from pathlib import Path

from dbpull.console import Reporter
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.dumps.store import dump_of
from dbpull.dumps.stream import DumpStream
from dbpull.single_flight import SingleFlight
from dbpull.sources.source import SourceBackup

_to_send: SingleFlight[DumpStream] = SingleFlight()
_wanted: dict[Path, set[str]] = {}
"""The hosts that still need a dump; only of dumps downloaded in this run."""


def download(
    store: LocalStore, backup: SourceBackup, reporter: Reporter, host: str
) -> DumpStream:
    """The whole dump on this machine, for a host; downloaded for the first host."""

    def fetch() -> DumpStream:
        lay_here = store.has(dump_of(backup, store.settings))
        with store.fetch(backup, reporter) as stream:
            stream.finish(reporter)
        if not lay_here:
            _wanted[stream.dump.path] = set()
            atexit.register(_remove_if_served, stream.dump.path)
        return stream

    sent = _to_send((backup.source, backup.uuid), fetch)
    if sent.dump.path in _wanted:
        _wanted[sent.dump.path].add(host)
    return sent


def served(dump: Dump, host: str) -> None:
    """Note that a host no longer needs a dump, which the process may then remove."""
    _wanted.get(dump.path, set()).discard(host)


def _remove_if_served(path: Path) -> None:
    if not _wanted[path]:
        path.unlink(missing_ok=True)
