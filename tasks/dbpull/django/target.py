"""One of Django's DATABASES, as a URL for libpq.

Also a program of its own, for the project's own Python: it prints what `Told` holds.
Nothing but Django is imported, since there dbpull may not be installed.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote, urlencode

# What of OPTIONS is for Django, for psycopg, or for a session of the application's.
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
    """A connection service is named, and no file has it."""

    def __init__(self, name: str, files: list[Path]) -> None:
        places = ", ".join(map(str, files))
        super().__init__(f"no connection service {name} in {places}")


class Told(TypedDict, total=False):
    """What is known of a database: its URL, or what else it is."""

    url: str
    """With password."""
    engine: str
    """Its ENGINE, where that is not for PostgreSQL."""
    settings: str
    """The settings' module: `shop.settings`."""


def url_of(database: dict[str, Any]) -> str:
    """The URL of an entry of DATABASES that is PostgreSQL's; with its password.

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


def told(alias: str) -> Told:
    """What Django's settings say of a database."""
    from django.conf import settings
    from django.db import connections

    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    told: Told = {"settings": module}
    connection = connections[alias]
    if connection.vendor == "postgresql":
        return told | {"url": url_of(connection.settings_dict)}
    return told | {"engine": str(settings.DATABASES[alias].get("ENGINE"))}


def main(alias: str) -> None:
    """Run manage.py up to where it would run a command, and tell of a database."""
    from django.core import management

    def tell(*_: object) -> None:
        answer = json.dumps(told(alias))
        sys.stdout.write(f"\n{answer}\n")

    management.execute_from_command_line = tell  # type: ignore[assignment]
    sys.argv = ["manage.py", "check"]
    sys.path[0] = str(Path.cwd())  # as for manage.py itself, not this file's folder
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main(sys.argv[2])
