"""The account that a token belongs to."""

from __future__ import annotations

from dbpull.errors.heroku_http import NoAccess
from dbpull.errors.http_api import NotFound
from dbpull.heroku.http import Api


def account(api: Api) -> str:
    """The account's address; "" where Heroku does not tell it.

    The address is in GET /account of the Platform API, which takes the scope
    `identity`. Raises BadToken and other HttpErrors.
    """
    try:
        found = api.get(dict, api.platform, "account", about="the account")
    except (NoAccess, NotFound):
        return ""
    return str(found.get("email") or "")
