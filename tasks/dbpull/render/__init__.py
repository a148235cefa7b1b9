"""Databases and their exports, over Render's HTTP API.

::

    api = RenderApi.from_environment(os.environ)
    database = find(api, "shop")
    export = newest(exports(api, database))
    url = download_url(api, database, export)  # a secret

(The API: https://api-docs.render.com. Exports are kept for 7 days, and made only when
asked for: https://render.com/docs/postgresql-backups.)
"""

from __future__ import annotations

from dbpull.render.capture import capture, follow
from dbpull.render.client import RenderApi
from dbpull.render.databases import RenderPostgres, external_url, find
from dbpull.render.exports import Export, download_url, exports, named, newest

__all__ = [
    "Export",
    "RenderApi",
    "RenderPostgres",
    "capture",
    "download_url",
    "exports",
    "external_url",
    "find",
    "follow",
    "named",
    "newest",
]
