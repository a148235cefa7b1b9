"""Apps, databases and backups, over Heroku's HTTP APIs.

::

    api = Api.from_environment(os.environ)
    app = app_name(None, {}, os.environ, Path.cwd())
    db = database(api, app)
    backup = newest(backups(api, db.billing_app), db.names)
    url = download_url(api, backup)  # a secret

The package knows no file and no target. Heroku's answers hold passwords: they
are never printed, logged, or kept where they could be.
"""

from __future__ import annotations

from dbpull.heroku.account import account
from dbpull.heroku.apps import AppChoice, app_name
from dbpull.heroku.attachments import apps_with, short
from dbpull.heroku.backups import backups, download_url, find, newest, of_database
from dbpull.heroku.capture import capture
from dbpull.heroku.credentials import Token, token
from dbpull.heroku.databases import Database, DatabaseInfo, database, database_info
from dbpull.heroku.follow import follow
from dbpull.heroku.hosts import ApiUrls
from dbpull.heroku.http import Api
from dbpull.heroku.maintenance import in_maintenance, set_maintenance
from dbpull.heroku.restores import database_url, put_back, reset
from dbpull.heroku.transfers import Backup
from dbpull.http_api.servers import ServerAddress

__all__ = [
    "Api",
    "ApiUrls",
    "AppChoice",
    "Backup",
    "Database",
    "DatabaseInfo",
    "ServerAddress",
    "Token",
    "account",
    "app_name",
    "apps_with",
    "backups",
    "capture",
    "database",
    "database_info",
    "database_url",
    "download_url",
    "find",
    "follow",
    "in_maintenance",
    "newest",
    "of_database",
    "put_back",
    "reset",
    "set_maintenance",
    "short",
    "token",
]
