"""The dumps that are read here for hosts: once for all hosts, and then sent to each."""

from __future__ import annotations

import atexit
import tarfile
from pathlib import Path

from dbpull.console import Reporter
from dbpull.download.ignored import make_private
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.dumps.store import dump_of
from dbpull.dumps.stream import DumpStream
from dbpull.layers import TOC
from dbpull.single_flight import SingleFlight
from dbpull.sources.source import ByFile, SourceBackup

_to_send: SingleFlight[DumpStream] = SingleFlight()
_packed: SingleFlight[Path] = SingleFlight()
_wanted: dict[Path, set[str]] = {}
"""The hosts that still need a dump; only of dumps that came here in this run."""


def read_here(
    store: LocalStore, backup: SourceBackup, reporter: Reporter, host: str
) -> DumpStream:
    """The whole dump on this machine, for a host; read for the first host.

    Raises the errors of `LocalStore.fetch`.
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
    if whole.dump.path in _wanted:
        _wanted[whole.dump.path].add(host)
    return whole


def is_in_order(whole: DumpStream) -> bool:
    """Whether a dump's blocks stand in the entries' order, as far as is known."""
    ids = [entry.dump_id for entry in whole.contents.with_data]
    return [*whole.sizes] in ([], ids)


def served(dump: Dump, host: str) -> None:
    """Note that a host no longer needs a dump, which the process may then remove."""
    _wanted.get(dump.path, set()).discard(host)


def keep_newest(store: LocalStore, keep: int, dump: Dump) -> None:
    """Remove surplus dumps of the sent dump's source here, at the process's end.

    Until then another host may still need them.
    """
    atexit.register(store.remove_surplus, keep, dump)


def packed_folder(folder: Path, into: Path, dump: Dump) -> Path:
    """A tar of a dump's folder, made for the first host, removed at the end.

    It lies in the folder `into`, and is called like a host's part of the dump, so that
    one that a killed run leaves is cleaned up as a part.
    """

    def pack() -> Path:
        make_private(into)
        path = into / f"{dump.path.name}.part"
        atexit.register(path.unlink, missing_ok=True)
        path.unlink(missing_ok=True)
        path.touch(0o600)
        with tarfile.open(path, "w") as tar:
            # The first bytes tell dumps from each other: those of the contents.
            for each in sorted(folder.iterdir(), key=lambda path: path.name != TOC):
                tar.add(each, each.name)
        return path

    return _packed((folder, dump.path.name), pack)


def _remove_if_served(path: Path) -> None:
    if not _wanted[path]:
        Dump.of(path).remove()
