"""The settings of our sessions that need a privilege.

A server refuses the session of a role without it, so `target.state` asks beforehand.
"""

from __future__ import annotations

from collections.abc import Collection

RESTRICTED = {"lc_messages": "C", "event_triggers": "off"}
"""We read the server's messages, so they are English; and a restored login trigger must
not run in our sessions (from 17 on)."""


def pgoptions(may_set: Collection[str], options: str) -> dict[str, str]:
    """PGOPTIONS: those of RESTRICTED that the role may set, and `options`."""
    ours = [f"-c {name}={RESTRICTED[name]}" for name in sorted(may_set)]
    settings = " ".join(filter(None, [*ours, options]))
    return {"PGOPTIONS": settings} if settings else {}
