"""One of Django's DATABASES, as a URL for libpq.

Also a program for the project's own Python, which prints a DatabaseSettings as JSON. It
imports Django alone, since the project's Python may lack dbpull.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

# OPTIONS for Django, for psycopg, or for the application's own sessions.
# Source: django/db/backends/postgresql/base.py, get_connection_params.
_NOT_FOR_US = {
    "application_name", "assume_role", "client_encoding", "connection_factory",
    "context", "cursor_factory", "fallback_application_name", "isolation_level",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "options", "pool", "prepare_threshold", "server_side_binding",
    "tcp_user_timeout", "autocommit", "row_factory", "async_", "dsn",
}  # fmt: skip
_PLACES = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}


class NoService(LookupError):
    """No file has the connection service that OPTIONS names."""

    def __init__(self, name: str, files: list[Path]) -> None:
        places = ", ".join(map(str, files))
        super().__init__(f"no connection service {name} in {places}")


class DatabaseSettings(TypedDict, total=False):
    """Django's settings of a database: its URL, or an ENGINE that is not PostgreSQL."""

    url: str
    """The URL, with its password."""
    engine: str
    """The ENGINE, where it is not PostgreSQL."""
    settings: str
    """The settings' module: `shop.settings`."""


def url_of(database: dict[str, Any]) -> str:
    """The URL of a PostgreSQL entry of DATABASES, with its password.

    Raises NoService, and OSError where a service's file can't be read.
    """
    options = {
        name: str(value)
        for name, value in (database.get("OPTIONS") or {}).items()
        if name not in _NOT_FOR_US and value is not None
    }
    named = {"dbname": str(database.get("NAME") or "")}
    named |= {key: str(database.get(name) or "") for name, key in _PLACES.items()}
    given = options | {key: value for key, value in named.items() if value}
    service = given.pop("service", "")
    if service:
        given = of_service(service) | given
    return f"postgres:///?{urlencode(given, quote_via=quote)}"


def of_service(name: str) -> dict[str, str]:
    """A connection service's parameters.

    Source: parseServiceInfo in src/interfaces/libpq/fe-connect.c. Raises NoService.
    """
    files = _service_files()
    for path in files:
        if path.is_file():
            found = _section(path.read_text(encoding="utf-8"), name)
            if found is not None:
                return found
    raise NoService(name, files)


def _service_files() -> list[Path]:
    named = os.environ.get("PGSERVICEFILE")
    own = Path(named) if named else Path.home() / ".pg_service.conf"
    shared = os.environ.get("PGSYSCONFDIR", "/etc/postgresql-common")
    return [own, Path(shared, "pg_service.conf")]


def _section(text: str, name: str) -> dict[str, str] | None:
    found: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            if found is not None:
                break
            found = {} if line == f"[{name}]" else None
        elif found is not None and line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            if equals and key.strip() not in _NOT_FOR_US:
                found.setdefault(key.strip(), value.strip())
    return found


def settings_of(alias: str) -> DatabaseSettings:
    """Django's settings of a database."""
    from django.conf import settings
    from django.db import connections

    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    found: DatabaseSettings = {"settings": module}
    connection = connections[alias]
    if connection.vendor == "postgresql":
        return found | {"url": url_of(connection.settings_dict)}
    return found | {"engine": str(settings.DATABASES[alias].get("ENGINE"))}


def main(alias: str) -> None:
    """Run manage.py up to its command; print a database's settings instead."""
    from django.core import management

    def tell(*_: object) -> None:
        answer = json.dumps(settings_of(alias))
        sys.stdout.write(f"\n{answer}\n")

    management.execute_from_command_line = tell  # type: ignore[assignment]
    sys.argv = ["manage.py", "check"]
    sys.path[0] = str(Path.cwd())  # as for manage.py itself, not this file's folder
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main(sys.argv[2])
