"""Errors about a host: a machine reached over SSH.

::

    RemoteError
    ├── HostUnreachable     no connection, or not with this user and key
    ├── ConnectionLost      the connection ended
    ├── UnusableHost        its shell does not work as a shell, or has no folder for us
    ├── MissingCurl         no curl to download with
    └── HostRefused         a command of ours failed on the host
"""

from __future__ import annotations

from dbpull.errors import PullError


class RemoteError(PullError):
    """Base: the work on a host can't go on."""


class HostUnreachable(RemoteError):
    """No connection to the host. `why` is the rest of the sentence."""

    def __init__(self, host: str, why: str, remedy: str = "") -> None:
        super().__init__(
            f"{host} can't be reached: {why}.",
            remedy or f"`ssh {host}` shows more; ~/.ssh/config is read here as there.",
        )


class ConnectionLost(RemoteError):
    """The connection ended under way; the host itself clears up."""

    midway = True

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The SSH connection to {host} was lost.",
            "Programs there end by themselves. Run the same command again.",
        )


class UnusableHost(RemoteError):
    """The host can't run our commands properly."""

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
    """A command of ours failed on the host. `why` is the last of its words."""

    midway = True

    def __init__(self, host: str, doing: str, why: str) -> None:
        super().__init__(
            f"{doing} failed on {host}: {why}.",
            "Correct that, then run the same command again.",
        )

    @classmethod
    def by(cls, host: str, doing: str, err: str) -> HostRefused:
        """Take the reason from the command's stderr."""
        lines = err.strip().splitlines()
        why = lines[-1].rstrip(".") if lines else "it ended without a message"
        return cls(host, doing, why)
