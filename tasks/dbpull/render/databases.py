"""Databases at Render: the one of a name or an id, and its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbpull.errors.http_api import UnexpectedAnswer
from dbpull.errors.sources import SourceError
from dbpull.errors.spelling import did_you_mean
from dbpull.redact import redacted
from dbpull.render.client import RenderApi

_PAGE = 100  # the most that Render gives at once
_NAMED = 10  # databases that an error names


@dataclass(frozen=True)
class RenderPostgres:
    """A database at Render; holds nothing secret."""

    id: str
    """`dpg-…`."""
    name: str
    dbname: str
    region: str
    version: str | None
    """The server's major version (`16`)."""


def find(api: RenderApi, asked: str) -> RenderPostgres:
    """The database with an id or a name.

    Raises SourceError for an unknown name and for several databases of one name, and
    `HttpError`s. (GET /postgres)
    """
    known = _all(api)
    found = [each for each in known if each.id == asked]
    found = found or [each for each in known if each.name == asked]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(f"{each.id} ({each.region})" for each in found)
        raise SourceError(
            f"Render has {len(found)} databases called {asked!r}: {listed}.",
            f"Name the one you mean by its id: render:{found[0].id}.",
        )
    raise _unknown(asked, known)


def external_url(api: RenderApi, database: RenderPostgres) -> str:
    """The database's URL from outside of Render, with its password: a secret.

    Raises `HttpError`s. (GET /postgres/:id/connection-info)
    """
    about = f"the address of {database.name}"
    path = ("postgres", database.id, "connection-info")
    url = api.get(dict, *path, about=about).get("externalConnectionString")
    if not isinstance(url, str) or not url:
        raise UnexpectedAnswer(api.host, about, "it has no external address")
    return url


def _all(api: RenderApi) -> list[RenderPostgres]:
    """All databases that the key may see, from pages of Render's list."""
    databases: list[RenderPostgres] = []
    query = {"limit": str(_PAGE)}
    about = "the list of databases"
    while True:
        page = api.get(list, "postgres", about=about, query=query)
        databases += map(_database, page)
        cursor = page[-1].get("cursor") if len(page) == _PAGE else None
        if not cursor or cursor == query.get("cursor"):
            return databases
        query["cursor"] = str(cursor)


def _unknown(asked: str, known: Sequence[RenderPostgres]) -> SourceError:
    names = sorted({each.name for each in known})
    near = did_you_mean(asked, {*names, *(each.id for each in known)})
    more = ", …" if len(names) > _NAMED else ""
    there = f"Known: {', '.join(names[:_NAMED])}{more}."
    return SourceError(
        f"Render knows no database called {redacted(asked, limit=60)!r}, or does not"
        " show it to the key in RENDER_API_KEY.",
        f"{near}{there}" if names else "The key's account has no databases at all.",
    )


def _database(item: Any) -> RenderPostgres:
    """The database of an item of the list; other fields than these may be absent."""
    found = item.get("postgres") if isinstance(item, dict) else None
    fields = found if isinstance(found, dict) else {}
    version = redacted(fields.get("version"))
    return RenderPostgres(
        id=redacted(fields.get("id")),
        name=redacted(fields.get("name")),
        dbname=redacted(fields.get("databaseName")),
        region=redacted(fields.get("region")),
        version=version or None,
    )
