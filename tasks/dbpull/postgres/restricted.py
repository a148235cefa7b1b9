"""Settings of our sessions that a role needs a right for.

Who lacks it and tries is not let in, so `target.state` asks for the right beforehand.
"""

from __future__ import annotations

from collections.abc import Collection

RESTRICTED = {"lc_messages": "C", "event_triggers": "off"}
"""The server's messages are to be read by us, and a login trigger that was restored is
not to run for us (from 17 on)."""


def pgoptions(may_set: Collection[str], options: str) -> dict[str, str]:
    """PGOPTIONS with those of them that the role may set, and with other settings."""
    ours = [f"-c {name}={RESTRICTED[name]}" for name in sorted(may_set)]
    settings = " ".join(filter(None, [*ours, options]))
    return {"PGOPTIONS": settings} if settings else {}
