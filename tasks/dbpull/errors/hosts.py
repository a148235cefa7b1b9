"""Errors about a host: a machine reached over SSH.

::

    RemoteError
    ├── HostUnreachable     no connection, or not with this user and key
    ├── ConnectionLost      it was there
    ├── UnusableHost        its shell does not answer as one, or has no folder for us
    ├── MissingCurl         nothing there downloads
    └── HostRefused         a command of ours failed there
"""

from __future__ import annotations

from dbpull.errors import PullError


class RemoteError(PullError):
    """Base: something about a host can't go on."""


class HostUnreachable(RemoteError):
    """No connection to it. `why` is the rest of the sentence."""

    def __init__(self, host: str, why: str, remedy: str = "") -> None:
        super().__init__(
            f"{host} can't be reached: {why}.",
            remedy or f"`ssh {host}` shows more; ~/.ssh/config is read here as there.",
        )


class ConnectionLost(RemoteError):
    """The connection ended under way; the host clears away what was begun there."""

    midway = True

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The SSH connection to {host} was lost.",
            "Programs there end by themselves. Run the same command again.",
        )


class UnusableHost(RemoteError):
    """Commands can't be run there as they must be."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host} can't be used: {why}.",
            "It needs a POSIX shell, and a home folder that can be written to.",
        )


class MissingCurl(RemoteError):
    """The host has no curl."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"curl was not found on {host}.",
            "Install it there (apt install curl), or pass --upload: the dump is then"
            " fetched here and sent.",
        )


class HostRefused(RemoteError):
    """A command of ours failed there. `why` is the last of its words."""

    midway = True

    def __init__(self, host: str, doing: str, why: str) -> None:
        super().__init__(
            f"{doing} failed on {host}: {why}.",
            "Correct that, then run the same command again.",
        )

    @classmethod
    def by(cls, host: str, doing: str, err: str) -> HostRefused:
        """Take the reason from what the command printed."""
        lines = err.strip().splitlines()
        why = lines[-1].rstrip(".") if lines else "it ended without a message"
        return cls(host, doing, why)
