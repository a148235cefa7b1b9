"""The dumps that are read here for hosts: once for all hosts, and then sent to each."""

from __future__ import annotations

import atexit
from pathlib import Path

from dbpull.console import Reporter
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.dumps.store import dump_of
from dbpull.dumps.stream import DumpStream
from dbpull.errors.hosts import RemoteError
from dbpull.single_flight import SingleFlight
from dbpull.sources.source import ByFile, SourceBackup

_to_send: SingleFlight[DumpStream] = SingleFlight()
_wanted: dict[Path, set[str]] = {}
"""The hosts that still need a dump; only of dumps that came here in this run."""


def read_here(
    store: LocalStore, backup: SourceBackup, reporter: Reporter, host: str
) -> DumpStream:
    """The whole dump on this machine, for a host; read for the first host.

    Raises RemoteError for a dump in a folder, and the errors of `LocalStore.fetch`.
    """

    def fetch() -> DumpStream:
        dump = dump_of(backup, store.settings)
        stays = store.has(dump) or isinstance(backup.way, ByFile)
        if not stays:
            reporter.say(f"{dump.label} is read here once, and then sent by SFTP.")
        with store.fetch(backup, reporter) as stream:
            stream.finish(reporter)
        if not stays:
            _wanted[stream.dump.path] = set()
            atexit.register(_remove_if_served, stream.dump.path)
        return stream

    whole = _to_send((backup.source, backup.uuid), fetch)
    _refuse_folder(whole.dump)
    if whole.dump.path in _wanted:
        _wanted[whole.dump.path].add(host)
    return whole


def served(dump: Dump, host: str) -> None:
    """Note that a host no longer needs a dump, which the process may then remove."""
    _wanted.get(dump.path, set()).discard(host)


def _refuse_folder(dump: Dump) -> None:
    if dump.path.is_dir():
        raise RemoteError(
            f"{dump.label} is a dump in a folder, which is not sent to hosts.",
            "Pull it on this machine; or copy the folder there and restore it with"
            " `pg_restore --no-owner --no-acl -d DATABASE FOLDER`.",
        )


def _remove_if_served(path: Path) -> None:
    if not _wanted[path]:
        path.unlink(missing_ok=True)
