"""Remedies for PostgreSQL's own errors, found by the server's words."""

from __future__ import annotations

import re

FULL = r"too many connections for|too many clients|remaining connection slots"
"""The server's words where it, a database or a role has as many sessions as it may."""
_REMEDIES = (
    (
        FULL,
        "dbpull opens as many sessions as --jobs says, and three more: pass a smaller"
        " --jobs, end others' sessions, or raise the limit (of a role: ALTER ROLE …"
        " CONNECTION LIMIT; of a database: ALTER DATABASE …; of the server:"
        " max_connections).",
    ),
    (
        r"is not currently accepting connections",
        "Let its owner allow them: ALTER DATABASE … ALLOW_CONNECTIONS true.",
    ),
    (
        r"out of shared memory|max_locks_per_transaction",
        "The server has no room for more locks: let a superuser run ALTER SYSTEM SET"
        " max_locks_per_transaction = 1024, and restart the server.",
    ),
    (
        r"has no equivalent in encoding|invalid byte sequence for encoding",
        "The target's encoding can't hold what is in the dump: make it anew (CREATE"
        " DATABASE … TEMPLATE template0 ENCODING 'UTF8'), or name another target.",
    ),
    (
        r"invalid (?:LC_\w+ )?locale name|invalid LC_\w+|could not create locale"
        r"|locale is incompatible|locale .* not recognized|could not open collator",
        "Install that locale on the server's machine and restart the server; or make"
        " the target anew, with a locale that is there.",
    ),
    (
        r'template database "template0".*collation version',
        "Let a superuser run ALTER DATABASE template0 REFRESH COLLATION VERSION:"
        " nothing in template0 depends on it.",
    ),
)


def remedy_for(cause: str) -> str:
    """The remedy for an error; "" for unknown words."""
    found = (remedy for words, remedy in _REMEDIES if re.search(words, cause))
    return next(found, "")
