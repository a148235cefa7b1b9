"""A connection to a host as ~/.ssh/config describes it, not opened yet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fabric.config import Config
from fabric.connection import Connection, derive_shorthand
from paramiko import ConfigParseError, SSHConfig, SSHException

from dbpull.errors.hosts import HostUnreachable
from dbpull.errors.settings import UnreadableFile
from dbpull.hosts.proxy import Proxy

EXAMPLES = "Name one as ~/.ssh/config does, or its address: fab -H ann@192.0.2.7:2222."
SSH_CONFIG = "~/.ssh/config"
_PORTS = range(1, 65536)


class SshConnection(Connection):  # type: ignore[misc] # fabric has no types
    """A Fabric connection whose jump host and ProxyCommand are those that ssh takes."""

    def __init__(self, typed: str, config: Any, **place: Any) -> None:
        """Raises HostUnreachable where Fabric can't read ~/.ssh/config.

        `place`: user and port, where the host's text has none.
        """
        try:
            # No SSH agent is forwarded: no program of ours would use it.
            super().__init__(typed, config=config, forward_agent=False, **place)
        except (ValueError, KeyError, SSHException) as error:
            why = f"~/.ssh/config has a value for it that can't be used ({error})"
            raise HostUnreachable(name_of(typed), why) from error

    def get_gateway(self) -> Any:
        """The jump host; `ProxyJump none` means none, not a host called `none`."""
        if self.ssh_config.get("proxyjump", "").lower() == "none":
            return None
        return super().get_gateway()

    def open_gateway(self) -> Any:
        """The open jump host or ProxyCommand, where the host needs one."""
        if isinstance(self.gateway, str):
            return Proxy(self.gateway, self.host)
        return super().open_gateway()


def connection_to(host: str, user: str | None, port: int | None) -> SshConnection:
    """The connection to a host outside of fab: ~/.ssh/config and the agent alone.

    Raises HostUnreachable, UnreadableFile.
    """
    refuse_broken_ssh_config()
    place = {"user": user, "port": port}
    given = {name: value for name, value in place.items() if value}
    return SshConnection(host, Config(), **given)


def name_of(typed: str) -> str:
    """A host's name in messages. Raises HostUnreachable for text that is no host."""
    try:
        parts = derive_shorthand(typed)
    except ValueError:
        parts = {"host": None, "port": None}
    if not parts["host"] or parts["port"] not in {None, *_PORTS}:
        raise HostUnreachable(typed, "it is no host's name and port", EXAMPLES)
    return str(parts["host"])


def refuse_broken_ssh_config() -> None:
    """Raise UnreadableFile for ~/.ssh/config: Fabric would end with a traceback."""
    path = Path(os.path.expanduser(SSH_CONFIG))  # noqa: PTH111 - Path's raises
    try:
        if path.is_file():
            SSHConfig.from_path(path)
    except (ConfigParseError, UnicodeDecodeError, OSError) as error:
        cause = str(error).strip()
        raise UnreadableFile(SSH_CONFIG, cause[:1].lower() + cause[1:]) from None
