"""The store of dumps on a host; a dump gets there by curl or SFTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from dbpull import layers
from dbpull.archive import Archive
from dbpull.console import Reporter
from dbpull.dumps import names, sent
from dbpull.dumps.cut_on_host import read_head, refuse_cut
from dbpull.dumps.files_on_host import listed, named, whole_dumps
from dbpull.dumps.host_stream import HostStream
from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.dumps.store import ANEW, dump_of, judging
from dbpull.dumps.stream import DumpStream, FileStream
from dbpull.errors.archive import BadDump
from dbpull.errors.download import UnusableResponse
from dbpull.errors.hosts import HostRefused, MissingCurl
from dbpull.hosts.curl import Curl
from dbpull.hosts.host import Host
from dbpull.hosts.remote_head import RemoteHead
from dbpull.hosts.sftp import Sftp
from dbpull.hosts.transfer import HostTransfer, HostTransport
from dbpull.restore.commands import of_arriving
from dbpull.restore.sections import Restore
from dbpull.settings import Settings
from dbpull.sources.source import ByUrl, SourceBackup
from dbpull.words import size

GOES_ON = "from what is there already"


@dataclass
class HostStore:
    """A folder of dumps on a host; see DumpStore. All paths are the host's."""

    settings: Settings
    shell: Host
    upload: bool = False
    """Whether this machine downloads each dump and sends it to the host."""
    _sent: list[Dump] = field(default_factory=list, init=False)
    """The dumps on this machine that were sent to the host."""
    _left: list[tuple[Path, int]] | None = field(default=None, init=False)
    """The files of the folder, where one was removed just now."""

    def shown(self, path: Path) -> str:
        """The host and a path, as scp would name them."""
        return f"{self.shell.where}:{path}"

    def dumps(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps in the folder, newest first."""
        return names.newest_first(whole_dumps(self._listed()), app, database)

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The dump in a file, of the home folder or that of dumps, or the newest."""
        if not name:
            return next(iter(self.dumps(app, self.settings.database)), None)
        home = PurePosixPath(self.shell.home)
        path = PurePosixPath(name.replace("~", self.shell.home, name.startswith("~/")))
        for candidate in (home / path, self.settings.path / path):
            if self.shell.run(["test", "-f", str(candidate)]).ok:
                return Dump.of(Path(candidate))
        return None

    def has(self, dump: Dump) -> bool:
        """Whether the whole dump is stored: a part has another name."""
        return self.shell.exists(str(dump.path))

    def size(self, dump: Dump) -> int:
        """A dump's size in bytes."""
        return int(self.shell.verb("at", str(dump.path)).out.split()[0])

    def used(self) -> int:
        """The bytes of the folder's dumps and parts."""
        return sum(count for _, count in self._listed())

    def look(self, dump: Dump) -> DumpStream:
        """A stored dump with its rows unread. Raises BadDump."""
        with judging(dump, self.settings.path):
            head = partial(RemoteHead, self.shell, str(dump.path))
            return FileStream(dump, read_head(head))

    def open(self, dump: Dump, reporter: Reporter) -> DumpStream:
        """Open a stored dump. Raises BadDump.

        The host's pg_restore checks the rows, which don't pass through this machine.
        """
        count = self.size(dump)
        reporter.backup, reporter.size = dump.label, count
        stream = self.look(dump)
        with judging(dump, self.settings.path):
            refuse_cut(self.shell, stream.contents, str(dump.path), count)
        reporter.say(f"{dump.label} is there already: {size(count)} in {dump.path}.")
        return stream

    @contextmanager
    def fetch(self, backup: SourceBackup, reporter: Reporter) -> Iterator[DumpStream]:
        """Get a backup's dump by the host's curl, or by SFTP; see DumpStore."""
        dump = dump_of(backup, self.settings)
        reporter.backup = dump.label
        if self.has(dump):
            yield self.open(dump, reporter)
            return
        if isinstance(backup.way, ByUrl) and not self.upload:
            with self._by_curl(backup.way, dump, reporter) as stream:
                if stream:
                    yield stream
                    return
        with self._from_here(backup, dump, reporter) as stream:
            yield stream

    @contextmanager
    def _by_curl(
        self, way: ByUrl, dump: Dump, reporter: Reporter
    ) -> Iterator[HostStream | None]:
        """The dump that the host fetches; None where only we can unpack or fetch it."""
        try:
            curl = Curl(self.shell, way.url, reporter.note)
        except UnusableResponse:
            curl = None
        if not curl or layers.is_packed(curl.first):
            yield None
            return
        with self._transfer(dump, curl, reporter) as transfer:
            yield self._stream(dump, _front(transfer), transfer)

    @contextmanager
    def _from_here(
        self, backup: SourceBackup, dump: Dump, reporter: Reporter
    ) -> Iterator[HostStream]:
        """The dump that is read here, and sent."""
        host = self.shell.host
        whole = sent.read_here(self._store_here, backup, reporter.for_all, host)
        self._sent.append(whole.dump)
        file, is_folder = whole.dump.path, whole.dump.path.is_dir()
        if is_folder:
            file = sent.packed_folder(file, self._store_here.settings.path, dump)
        sftp = Sftp(self.shell, file)
        with self._transfer(dump, sftp, reporter, is_folder=is_folder) as transfer:
            stream = self._stream(dump, whole.contents, transfer)
            stream.in_order = sent.is_in_order(whole)
            yield stream

    @contextmanager
    def _transfer(
        self,
        dump: Dump,
        transport: HostTransport,
        reporter: Reporter,
        *,
        is_folder: bool = False,
    ) -> Iterator[HostTransfer]:
        reporter.size = transport.total
        if not transport.identity:
            reporter.kept_on_failure = ANEW
        with HostTransfer(self.shell, str(dump.path), transport, is_folder) as transfer:
            if transfer.already:
                found = size(transfer.already)
                reporter.note(f"{found} of it were there from an earlier run.")
            yield transfer

    def _stream(self, dump: Dump, read: Archive, transfer: HostTransfer) -> HostStream:
        if not transfer.is_folder:
            transfer.verify = partial(refuse_cut, self.shell, read)
        return HostStream(dump, read, transfer)

    def fetch_commands(self, *, by_url: bool) -> list[str]:
        """The transfers that `fetch` would make, for a plan."""
        if by_url and not self.upload:
            return [f"curl of that URL on {self.shell.where}, {GOES_ON}"]
        sftp = f"SFTP to {self.shell.where}, {GOES_ON}"
        return [*self._store_here.fetch_commands(by_url=by_url), sftp]

    def restore_commands(self, into: Restore) -> list[str]:
        """The commands that restore an arriving dump, for a plan."""
        return of_arriving(into)

    def refuse_unable(self, *, by_url: bool) -> None:
        """Raise MissingCurl where the host lacks curl for a `fetch` by a URL."""
        if by_url and not self.upload and not self.shell.has_curl:
            raise MissingCurl(self.shell.where)

    def private(self, name: str) -> Dump:
        """Make an empty file that only its owner can read."""
        path = self.settings.path / name
        script = 'umask 077; mkdir -p "$1" && rm -f "$2" && : >"$2"'
        argv = ["sh", "-c", script, "sh", str(self.settings.path), str(path)]
        self.shell.check("Making a file for the dump", argv)
        return Dump.of(path)

    def remove(self, dump: Dump) -> int:
        """Remove a dump; at the process's end, also its copy on this machine.

        A copy from before this run stays, and so does a copy that a failed host still
        needs. Returns the dump's bytes. Raises HostRefused.
        """
        freed = self._remove(dump)
        for dump_here in self._sent:
            sent.served(dump_here, self.shell.host)
        return freed

    def remove_surplus(self, keep: int, pulled: Dump | None) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

        Of a dump that was sent, the older ones on this machine are removed as well.
        """
        for dump_here in self._sent:
            sent.keep_newest(self._store_here, keep, dump_here)
        app = pulled.app if pulled else None
        files = self._listed() if self._left is None else self._left
        sizes = {path.name: count for path, count in files}
        removed, whole = {}, names.newest_first(whole_dumps(files), app)
        for dump in names.beyond(whole, keep, pulled):
            self._remove(dump)
            removed[dump.path.name] = sizes[dump.path.name]
        for part in {
            *named(files, ".part"),
            *(path.with_suffix("") for path in named(files, ".journal")),
        }:
            dump = Dump.of(part.with_suffix(""))
            ours = dump.taken and app in {None, dump.app}
            if ours and self.shell.verb("drop", str(part)).ok:
                removed[part.name] = sizes.get(part.name, 0)
        self._left = None
        return removed

    def _remove(self, dump: Dump) -> int:
        """Remove a dump, and note what is left; returns the dump's bytes."""
        result = self.shell.verb("remove", str(dump.path))
        if not result.ok:
            what = f"Removing {dump.path.name}"
            raise HostRefused.by(self.shell.where, what, result.err)
        freed, *lines = result.out.splitlines()
        if dump.path.parent == self.settings.path:
            self._left = listed(lines, dump.path.parent)
        return int(freed)

    def _listed(self) -> list[tuple[Path, int]]:
        lines = self.shell.verb("list", str(self.settings.path)).out.splitlines()
        return listed(lines, self.settings.path)

    @property
    def _store_here(self) -> LocalStore:
        assert self.settings.local  # noqa: S101 - a host's settings hold ours
        return LocalStore(self.settings.local)


def _front(transfer: HostTransfer) -> Archive:
    """The table of contents of an arriving dump; a file that is no dump is removed."""
    try:
        return read_head(transfer.front)
    except BadDump:
        transfer.discard()
        raise
