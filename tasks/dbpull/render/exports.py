"""A database's exports at Render: the list, the newest, one by its id, its URL.

An export is a `pg_dump` in directory format, in a `.tar.gz`. Render tells neither its
size nor its state: an export with a URL is finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dbpull.errors.http_api import UnexpectedAnswer
from dbpull.errors.sources import CAPTURE, NoBackup, SourceError, pick_up
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import command
from dbpull.network import is_safe
from dbpull.render.client import RenderApi
from dbpull.render.databases import RenderPostgres

_KNOWN = 5  # ids that an error names


@dataclass(frozen=True)
class Export:
    """An export at Render; its URL is valid for an hour."""

    key: str
    """Render's own id."""
    taken: datetime
    """When Render began it (UTC)."""
    url: str | None = field(repr=False)
    """A secret; None until the export is finished."""

    @property
    def id(self) -> str:
        """The export's name for people and in names of dumps: its second."""
        return f"e{self.taken:%Y%m%d%H%M%S}"


def exports(
    api: RenderApi, database: RenderPostgres, *, patience: float | None = None
) -> list[Export]:
    """The exports of a database, newest first.

    Raises `HttpError`s. (GET /postgres/:id/export)
    """
    about = f"the exports of {database.name}"
    path = ("postgres", database.id, "export")
    found = api.get(list, *path, about=about, patience=patience)
    try:
        known = [_export(item) for item in found]
    except (KeyError, TypeError, ValueError):
        raise UnexpectedAnswer(api.host, about, "it is no list of exports") from None
    return sorted(known, key=lambda export: export.taken, reverse=True)


def newest(known: Sequence[Export], database: RenderPostgres) -> Export:
    """The newest finished export; raises NoBackup."""
    found = next((export for export in known if export.url), None)
    if found:
        return found
    raise NoBackup([database.name], (), f"{known[0].id}, unfinished" if known else "")


def named(known: Sequence[Export], name: str) -> Export:
    """The export with an id, ours or Render's, finished or not; raises SourceError."""
    found = next((export for export in known if name in (export.id, export.key)), None)
    if found:
        return found
    ids = [export.id for export in known[:_KNOWN]]
    raise SourceError(
        f"There is no backup {name[:40]!r} at Render, which keeps them for 7 days.",
        f"{did_you_mean(name, ids)}There are {', '.join(ids)};"
        f" `{command('backups')}` shows them all."
        if ids
        else f"There are no backups at all. {CAPTURE}.",
    )


def download_url(api: RenderApi, database: RenderPostgres, export: Export) -> str:
    """A fresh URL of an export, valid for an hour: a secret.

    Raises SourceError for an unfinished export or a removed one, and `HttpError`s.
    """
    now = named(exports(api, database), export.key)
    if now.url is None:
        raise SourceError(
            f"The backup {now.id} is still being taken.",
            f"When it is finished, {pick_up(now.id)}.",
        )
    if not is_safe(now.url):
        about = f"the download of {now.id}"
        raise UnexpectedAnswer(api.host, about, "it has no https URL")
    return now.url


def _export(item: Any) -> Export:
    moment = datetime.fromisoformat(item["createdAt"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    key, url = item["id"], item.get("url")
    if not isinstance(key, str):
        raise TypeError(key)
    return Export(key, moment.astimezone(UTC), url if isinstance(url, str) else None)
