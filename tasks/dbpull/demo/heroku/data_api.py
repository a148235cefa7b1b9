"""Heroku's Data API on databases: their facts, their reset, their readiness."""

from __future__ import annotations

import math

from aiohttp import web

from dbpull.demo.heroku import refusals, source, wipe
from dbpull.demo.heroku.account import Addon, HerokuAccount
from dbpull.demo.heroku.source import Facts

CREATED = "2020-12-13 16:22:40 +0000"


class DataApi:
    """Databases by their add-on's id."""

    def __init__(self, account: HerokuAccount, psql: str) -> None:
        self._account = account
        self._psql = psql

    def routes(self) -> list[web.RouteDef]:
        """The routes of the database requests."""
        path = "/client/v11/databases/{addon}"
        return [
            web.get(path, self.database),
            web.get(f"{path}/wait_status", self.wait_status),
            web.put(f"{path}/reset", self.reset),
        ]

    async def database(self, request: web.Request) -> web.Response:
        """The facts for `pg:info`, from the real database. Holds its password."""
        addon = known(self._account, request)
        facts = await source.facts(addon.source, self._psql)
        told = {
            "addon_id": addon.id,
            "name": addon.name,
            "plan": addon.plan.partition(":")[2].capitalize(),
            "created_at": CREATED,
            "database_user": source.environment(addon.url)["PGUSER"],
            "database_name": source.environment(addon.url).get("PGDATABASE", ""),
            "available_for_ingress": True,
            "standalone?": True,
            "resource_url": addon.url,
            "waiting?": False,
            "num_bytes": facts and facts.size,
            "info": _info(addon, facts),
        }
        if not addon.shared:
            told |= _more(addon, facts)
        return refusals.as_json(told)

    async def reset(self, request: web.Request) -> web.Response:
        """Drop a database and create it anew, even while sessions use it."""
        addon = known(self._account, request)
        try:
            await wipe.wiped(addon.source, self._psql)
        except wipe.WipeFailed as failure:
            answer = refusals.in_json(422, message=str(failure))
            raise refusals.ErrorResponse(answer) from failure
        return refusals.as_json({"message": "Reset successful."})

    async def wait_status(self, request: web.Request) -> web.Response:
        """Answer that the database is ready."""
        known(self._account, request)
        return refusals.as_json(
            {"message": "available", "waiting?": False, "error?": False}
        )


def known(account: HerokuAccount, request: web.Request) -> Addon:
    """The add-on that a path names; else a 404 in HTML, as Heroku's own."""
    addon = account.addon(request.match_info["addon"])
    if addon is None:
        raise refusals.ErrorResponse(refusals.in_html(404, refusals.NOT_FOUND_PAGE))
    return addon


def _more(addon: Addon, facts: Facts | None) -> dict[str, object]:
    return {
        "plan": {"name": addon.plan.partition(":")[2]},
        "following": None,
        "forked_from": None,
        "hot_standby?": False,
        "num_tables": facts and facts.tables,
        "num_connections": facts and facts.connections,
        "postgres_version": facts and facts.version.split()[0],
        "formation": {"id": addon.id, "primary": True},
    }


def _info(addon: Addon, facts: Facts | None) -> list[dict[str, object]]:
    """Names and values to show; a value may be a number, and the list empty."""
    values: dict[str, list[object]] = {
        "Plan": [addon.plan.partition(":")[2].replace("-", " ").title()],
        "Status": ["Available" if facts else "Unavailable"],
    }
    if facts:
        values |= {
            "Data Size": [_size(facts.size)],
            "Tables": [facts.tables],
            "PG Version": [facts.version.split()[0]],
            "Connections": [f"{facts.connections}/{facts.max_connections}"],
        }
    values |= {
        "Connection Pooling": ["Available"],
        "Credentials": [1],
        "Fork/Follow": ["Unsupported" if addon.shared else "Available"],
        "Rollback": ["Unsupported" if addon.shared else "earliest from 4 days ago"],
        "Created": [CREATED[:16]],
        "Region": ["eu"],
        "Data Encryption": ["In Use"],
        "Continuous Protection": ["Off"],
        "Followers": [],
        "Forks": [],
    }
    return [{"name": name, "values": value} for name, value in values.items()]


def _size(size: int) -> str:
    """`5.72 GB`, in powers of 1024."""
    power = min(3, int(math.log(max(size, 1), 1024)))
    return f"{size / 1024**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"
