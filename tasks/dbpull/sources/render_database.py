"""A database at Render as a source: its exports are backups; or it is read itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dbpull import render
from dbpull.console import Reporter
from dbpull.http_api.servers import ServerAddress
from dbpull.signals import SIGNALS
from dbpull.sources.dumped import Stored
from dbpull.sources.named import NamedSource
from dbpull.sources.source import (
    ByUrl,
    Progress,
    Source,
    SourceBackup,
    SourceDatabase,
)

_GLANCE = 2.0
"""Seconds for which a failed list of exports is repeated: dumps are listed, too."""


@dataclass(frozen=True)
class RenderSource:
    """A database at Render that the settings name; Render is not asked yet."""

    named: NamedSource

    @property
    def name(self) -> str:
        """The source as messages name it."""
        return self.named.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.named.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise the refusals that need no network: no key, say."""
        _api(reporter)

    def open(self, reporter: Reporter) -> RenderDatabase:
        """Ask Render for the database: reads only."""
        api = _api(reporter)
        database = _found(api, self.named)
        server = ServerAddress.of(render.external_url(api, database))
        return RenderDatabase(self.named, database, server, api)

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The exports that Render keeps, newest first."""
        api = _api(reporter)
        api.patience = _GLANCE
        database = _found(api, self.named)
        known = render.exports(api, database)
        return [_offered(api, self.named, database, export) for export in known]


@dataclass(frozen=True)
class RenderLive:
    """A database at Render that is read itself, at the address that Render tells.

    `make` makes the source of a URL; `stored` lists the dumps that are here.
    """

    named: NamedSource
    make: Callable[[NamedSource], Source] = field(compare=False, repr=False)
    stored: Stored = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """The source as messages name it."""
        return self.named.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.named.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise the refusals that need no network: no key, say."""
        _api(reporter)

    def open(self, reporter: Reporter) -> SourceDatabase:
        """Ask Render for the address, and ask the server there: reads only."""
        api = _api(reporter)
        url = render.external_url(api, _found(api, self.named))
        source = self.make(replace(self.named, kind="live", text=url, command=""))
        source.refuse_unable(reporter)
        return source.open(reporter)

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dumps of the database that are here."""
        return self.stored(self.name_of_dumps)


@dataclass(frozen=True)
class RenderDatabase:
    """A database at Render, found."""

    named_source: NamedSource
    database: render.RenderPostgres
    server: ServerAddress | None
    """The database's address from outside of Render."""
    api: render.RenderApi = field(compare=False, repr=False)
    size = identity = None
    keeps_backups = takes_backups = True

    @property
    def label(self) -> str:
        """The database as messages name it: `shop`, `dpg-abc (staging)`."""
        name, alias = self.database.name, self.named_source.alias
        return f"{name} ({alias})" if alias not in {"", name} else name

    @property
    def about(self) -> str:
        """The database, who named it, and its name on its server, for a plan."""
        origin = self.named_source.origin
        return f"{self.label} at Render [{origin}], {self.database.dbname}"

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.named_source.name_of_dumps

    @property
    def version(self) -> str | None:
        """The version of the database's server."""
        return self.database.version

    @property
    def capture_requests(self) -> Sequence[str]:
        """The requests that take an export and give its URL, for a plan."""
        path = _path(self.api, self.database)
        return f"POST {path}", f"GET {path}"

    def newest(self) -> SourceBackup:
        """The newest finished export. Raises NoBackup."""
        return self._offered(render.newest(self._known(), self.database))

    def named(self, backup: str) -> SourceBackup:
        """The export with an id. Raises SourceError."""
        return self._offered(render.named(self._known(), backup))

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """Take a new export, and wait for its end: Render tells no progress."""
        del progress
        return self._offered(render.capture(self.api, self.database, wait=wait))

    def _known(self) -> list[render.Export]:
        return render.exports(self.api, self.database)

    def _offered(self, export: render.Export) -> SourceBackup:
        return _offered(self.api, self.named_source, self.database, export)


def _offered(
    api: render.RenderApi,
    named: NamedSource,
    database: render.RenderPostgres,
    export: render.Export,
) -> SourceBackup:
    """An export at Render as a source's backup."""

    def fresh() -> str:
        return render.download_url(api, database, export)

    def ended(wait: float, _: Progress) -> SourceBackup:
        followed = render.follow(api, database, export, wait=wait)
        return _offered(api, named, database, followed)

    return SourceBackup(
        id=export.id,
        uuid=f"{database.id} {export.key}",
        source=named.name_of_dumps,
        database=database.dbname,
        taken=export.taken,
        status="finished" if export.url else "unfinished",
        is_finished=bool(export.url),
        size=None,
        server=None,
        way=ByUrl(fresh, (f"GET {_path(api, database)}",)),
        ended=ended,
    )


def _api(reporter: Reporter) -> render.RenderApi:
    """Render's API with our key; the reporter notes why a request waits."""
    return render.RenderApi.from_environment(
        os.environ, notice=reporter.for_all.note, sleep=SIGNALS.pause
    )


def _found(api: render.RenderApi, named: NamedSource) -> render.RenderPostgres:
    """The database that a source's text names, by its id or its name."""
    return render.find(api, named.text.removeprefix("render:"))


def _path(api: render.RenderApi, database: render.RenderPostgres) -> str:
    return f"{api.base}/postgres/{database.id}/export"
