"""The dumps here as backups, for sources that keep none."""

from __future__ import annotations

from datetime import UTC, datetime

from dbpull.console import Reporter
from dbpull.dumps import names
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.settings import Settings
from dbpull.single_flight import SingleFlight
from dbpull.sources.dumped import Stored, dumped
from dbpull.sources.source import ByFile, SourceBackup

_taken: SingleFlight[None] = SingleFlight()


def kept_here(settings: Settings) -> Stored:
    """The dumps in this machine's folder; for a host, they are sent from there."""
    folder = (settings.local or settings).path

    def stored(source: str) -> list[SourceBackup]:
        return [_backup(dump) for dump in names.dumps_in(folder, source)]

    return stored


def take_here(settings: Settings, backup: SourceBackup, reporter: Reporter) -> None:
    """Store a new dump of a source here; for several hosts, once."""

    def take() -> None:
        with LocalStore(settings).fetch(backup, reporter.for_all) as stream:
            stream.finish(reporter.for_all)

    _taken(backup.uuid, take)


def _backup(dump: Dump) -> SourceBackup:
    taken = dump.taken or datetime.now(UTC)
    return dumped(dump.app, dump.backup, taken, ByFile(dump.path))
