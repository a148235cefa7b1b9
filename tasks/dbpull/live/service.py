"""The connections that libpq's service files name.

Read here, since a service's values would otherwise win over those of the URL that names
it: libpq gets the URL by variables. Source: PostgreSQL's documentation, 34.17.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from dbpull.errors.postgres import BadUrl

_SYSTEM = "/etc/postgresql-common"  # of Debian's libpq; others have PGSYSCONFDIR


def read(name: str, environ: Mapping[str, str], origin: str) -> dict[str, str]:
    """A service's options, by libpq's names. Raises BadUrl where nobody names it."""
    for path in _files(environ):
        with suppress(OSError, UnicodeDecodeError):
            found = _section(name, path.read_text(encoding="utf-8"))
            if found is not None:
                return found
    raise BadUrl(origin, "its service is in no pg_service.conf")


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    own = environ.get("PGSERVICEFILE")
    home = environ.get("HOME")
    if own:
        yield Path(own)
    elif home:
        yield Path(home) / ".pg_service.conf"
    yield Path(environ.get("PGSYSCONFDIR") or _SYSTEM) / "pg_service.conf"


def _section(name: str, text: str) -> dict[str, str] | None:
    """A section's options; None where there is no such section."""
    found: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            if found is not None:
                break
            found = {} if line == f"[{name}]" else None
        elif found is not None and "=" in line and not line.startswith("#"):
            option, _, value = line.partition("=")
            found.setdefault(option.strip(), value.strip())
    return found
