"""A dump at an https:// or http:// URL as a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dbpull.console import Reporter
from dbpull.download.described import describe
from dbpull.errors.download import NothingThere, UrlRefused
from dbpull.errors.sources import NoSource
from dbpull.sources.commands import expanded
from dbpull.sources.dumped import dumped
from dbpull.sources.named import NamedSource
from dbpull.sources.single_dump import ID, SingleDump
from dbpull.sources.source import ByUrl, SourceBackup


@dataclass(frozen=True)
class DumpUrl:
    """A dump at a URL; see Source."""

    given: NamedSource

    @property
    def name(self) -> str:
        """The alias, or the URL without its secrets."""
        return self.given.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.given.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Do nothing: only the host can refuse."""

    def open(self, reporter: Reporter) -> SingleDump:
        """Ask the host for the dump's age. Raises DownloadFailed, NoSource."""
        about = f"{self.name} [{self.given.origin}]"
        return SingleDump(self.name, about, self._backup(reporter))

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dump, as the host describes it."""
        return [self._backup(reporter)]

    def _backup(self, reporter: Reporter) -> SourceBackup:
        try:
            found = describe(lambda: self.given.text, reporter.note)
        except (NothingThere, UrlRefused) as error:
            raise NoSource(
                error.what,
                "Check the URL. One that expires is made anew by a command:"
                ' "$(aws s3 presign s3://BUCKET/KEY)".',
            ) from None
        way = ByUrl(self._fresh(), (f"GET {self.name}",))
        taken = found.modified or datetime.now(UTC)
        return dumped(self.name_of_dumps, ID, taken, way)

    def _fresh(self) -> Callable[[], str]:
        """Gives the URL; where a command prints it, a new one from the second time."""
        unused = [self.given.text]

        def url() -> str:
            if self.given.command and not unused:
                return expanded(self.given.command)
            return unused.pop() if unused else self.given.text

        return url
