"""The dumps that lie on a host, and how one gets there: not through this machine."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from dbpull import archive, heroku
from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.dumps import names
from dbpull.dumps.cut_on_host import refuse_cut
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.dumps.store import ANEW, RESUMES, Fetched, Gate, dump_of
from dbpull.errors.archive import BadDump
from dbpull.errors.hosts import HostRefused, MissingCurl
from dbpull.hosts.curl import Curl
from dbpull.hosts.host import Host
from dbpull.hosts.remote_head import RemoteHead
from dbpull.hosts.sftp import Sftp
from dbpull.hosts.transfer import HostTransfer, HostTransport
from dbpull.settings import Settings
from dbpull.single_flight import SingleFlight
from dbpull.sources.heroku_app import Source
from dbpull.words import size

_to_send: SingleFlight[Fetched] = SingleFlight()
"""What is fetched here to be sent: once for all hosts."""
_wanted: dict[Path, set[str]] = {}
"""The hosts that have not done with a dump that was fetched here for them."""


@dataclass
class HostStore:
    """A host's folder of dumps; see DumpStore. Its paths are the host's."""

    settings: Settings
    shell: Host
    _sent: list[Dump] = field(default_factory=list, init=False)
    """The dumps here that what is there was sent from."""

    @property
    def folder(self) -> str:
        """Where they lie."""
        return f"{self.shell.where}:{self.settings.path}"

    def shown(self, dump: Dump) -> str:
        """A dump's file, as scp would have it."""
        return f"{self.shell.where}:{dump.path}"

    def of(self, source: Source, backup: heroku.Backup) -> Dump:
        """Where a backup's dump lies, or will."""
        return dump_of(source, backup, self.settings)

    def here(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps, newest first."""
        found = [Dump.of(path) for path, _ in self._listed() if path.suffix == ".dump"]
        return names.newest_first(found, app, database)

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The file of that name (from the user's folder, or in that of the dumps), or
        the newest."""
        if not name:
            return next(iter(self.here(app, self.settings.database)), None)
        home = PurePosixPath(self.shell.home)
        path = PurePosixPath(name.replace("~", self.shell.home, name.startswith("~/")))
        for candidate in (home / path, self.settings.path / path):
            if self.shell.run(["test", "-f", str(candidate)]).ok:
                return Dump.of(Path(candidate))
        return None

    def has(self, dump: Dump) -> bool:
        """Whether it is there, whole: only whole ones get their name."""
        return self.shell.exists(str(dump.path))

    def size(self, dump: Dump) -> int:
        """Its bytes."""
        return self._bytes(str(dump.path))

    def contents(self, dump: Dump) -> Archive:
        """Its table of contents."""
        with self._judging(dump):
            return _read(RemoteHead(self.shell, str(dump.path)))

    def open(self, dump: Dump, reporter: Reporter, gate: Gate) -> Fetched:
        """Take one that is there. Raises BadDump.

        pg_restore will see whether its rows are whole: they don't pass through here.
        """
        reporter.backup, reporter.size = dump.label, self.size(dump)
        read = self.contents(dump)
        gate(read)
        with self._judging(dump):
            refuse_cut(self.shell, str(dump.path), read)
        told = f"{size(reporter.size)} in {dump.path}"
        reporter.say(f"{dump.label} is there already: {told}.")
        return Fetched(dump, read)

    @contextmanager
    def _judging(self, dump: Dump) -> Iterator[None]:
        """What is said of a dump that is not ours is not to remove it."""
        try:
            yield
        except BadDump as error:
            if dump.taken and dump.path.parent == self.settings.path:
                raise
            raise error.of_the_user() from None

    @contextmanager
    def fetch(
        self,
        source: Source,
        backup: heroku.Backup,
        reporter: Reporter,
        gate: Gate,
        *,
        upload: bool = False,
    ) -> Iterator[Fetched]:
        """Have it arrive there, by curl or sent from here; see DumpStore."""
        dump = self.of(source, backup)
        reporter.backup = dump.label
        if self.has(dump):
            yield self.open(dump, reporter, gate)
            return
        bringing: HostTransport
        if upload:
            sent = self._here(source, backup, reporter.for_all)
            gate(sent.archive)
            self._sent.append(sent.dump)
            if sent.dump.path in _wanted:
                _wanted[sent.dump.path].add(self.shell.host)
            bringing = Sftp(self.shell, sent.dump.path, self.shell.sftp)
        else:
            bringing = Curl(self.shell, source.url(backup), reporter.note)
        reporter.size = bringing.total
        if not bringing.identity:
            reporter.state_on_failure = reporter.state_on_failure.replace(RESUMES, ANEW)
        with HostTransfer(self.shell, str(dump.path), bringing) as arrival:
            if arrival.already:
                found = size(arrival.already)
                reporter.note(f"{found} of it were there from an earlier run.")
            read = sent.archive if upload else _judged(arrival, gate)
            arrival.verify = lambda: refuse_cut(self.shell, arrival.part, read)
            yield Fetched(dump, read, arriving=arrival)

    def commands(self, *, upload: bool = False) -> list[str]:
        """What `fetch` would do, for a plan."""
        if upload and self.settings.here:
            sent = f"SFTP to {self.shell.where}, from what is there already"
            return [*LocalStore(self.settings.here).commands(), sent]
        return [f"curl of that URL on {self.shell.where}, from what is there already"]

    def refuse_unable(self, *, upload: bool) -> None:
        """Raise MissingCurl where nothing could get there."""
        if not upload and not self.shell.has_curl:
            raise MissingCurl(self.shell.where)

    def private(self, name: str) -> Dump:
        """An empty file that nobody else can read."""
        path = self.settings.path / name
        script = 'umask 077; mkdir -p "$1" && rm -f "$2" && : >"$2"'
        argv = ["sh", "-c", script, "sh", str(self.settings.path), str(path)]
        made = self.shell.run(argv)
        if not made.ok:
            doing = "Making a file for the dump"
            raise HostRefused.by(self.shell.where, doing, made.err)
        return Dump.of(path)

    def remove(self, dump: Dump) -> None:
        """Remove a dump. Raises HostRefused."""
        result = self.shell.run(["rm", "-f", str(dump.path)])
        if not result.ok:
            doing = f"Removing {dump.path.name}"
            raise HostRefused.by(self.shell.where, doing, result.err)

    def remove_served(self, dump: Dump) -> None:
        """Remove it, and at the run's end what was fetched here for it to be sent.

        Not what lay here before, nor what a host that failed still needs.
        """
        self.remove(dump)
        for sent in self._sent:
            _wanted.get(sent.path, set()).discard(self.shell.host)

    def remove_surplus(
        self, keep: int, app: str | None, spared: Dump | None
    ) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts."""
        listed = self._listed()
        sizes = {path.name: count for path, count in listed}
        whole = [Dump.of(path) for path in _named(listed, ".dump")]
        removed = {}
        for dump in names.beyond(names.newest_first(whole, app), keep, spared):
            self.remove(dump)
            removed[dump.path.name] = sizes[dump.path.name]
        for part in {
            *_named(listed, ".part"),
            *(path.with_suffix("") for path in _named(listed, ".journal")),
        }:
            dump = Dump.of(part.with_suffix(""))
            ours = dump.taken and app in {None, dump.app}
            if ours and self.shell.verb("drop", str(part)).ok:
                removed[part.name] = sizes.get(part.name, 0)
        return removed

    def _bytes(self, path: str) -> int:
        return int(self.shell.verb("at", path).out.split()[0])

    def _listed(self) -> list[tuple[Path, int]]:
        told = self.shell.verb("list", str(self.settings.path)).out.splitlines()
        pairs = (line.partition("\t")[::2] for line in told)
        return [(self.settings.path / name, int(count)) for count, name in pairs]

    def _here(
        self, source: Source, backup: heroku.Backup, reporter: Reporter
    ) -> Fetched:
        """Fetched to this machine, by whichever host's turn comes first."""
        assert self.settings.here  # noqa: S101 - a host's settings are made of ours
        store = LocalStore(self.settings.here)

        def download() -> Fetched:
            lay_here = store.has(store.of(source, backup))
            fetched = store.download(source, backup, reporter, lambda _: None)
            if not lay_here:
                _wanted[fetched.dump.path] = set()
                atexit.register(_remove_if_served, fetched.dump.path)
            return fetched

        return _to_send((source.label, backup.uuid), download)


def _named(listed: list[tuple[Path, int]], suffix: str) -> list[Path]:
    """The files with that ending."""
    return [path for path, _ in listed if path.suffix == suffix]


def _judged(arrival: HostTransfer, gate: Gate) -> Archive:
    """Its table of contents, judged; what is no dump is removed."""
    try:
        read = _read(arrival.front())
    except BadDump:
        arrival.discard()
        raise
    gate(read)
    return read


def _read(stream: object) -> Archive:
    return archive.read(cast("BinaryIO", stream))


def _remove_if_served(path: Path) -> None:
    """What was fetched here to be sent, once every host has done with it."""
    if not _wanted[path]:
        path.unlink(missing_ok=True)
