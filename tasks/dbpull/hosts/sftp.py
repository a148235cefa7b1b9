"""A dump that is sent from here, over SFTP, to a host that can't download it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from dbpull.errors.download import Stopped
from dbpull.errors.hosts import ConnectionLost, HostRefused, NoSftp, RemoteError
from dbpull.hosts.host import Host
from dbpull.hosts.transfer import HostTransfer

PIECE = 256 * 1024
FRONT = 1024 * 1024
SAMPLE = 64 * 1024
"""Bytes at a part's end that must be the dump's own, for it to be gone on with."""


class Sftp:
    """Sends the dump that lies at `dump` here; `client` opens SFTP (paramiko's)."""

    def __init__(self, shell: Host, dump: Path, client: Callable[[], Any]) -> None:
        self._shell = shell
        self._dump = dump
        self._client = client
        self.total = dump.stat().st_size
        with dump.open("rb") as file:
            # The front has the time of the dump, so it is no other's.
            self.identity = f"front:{sha256(file.read(FRONT)).hexdigest()}"

    def bring(self, arrival: HostTransfer) -> None:
        """Send the rest of it. Raises NoSftp, ConnectionLost, HostRefused."""
        try:
            client = self._client()
        except ConnectionLost:
            raise
        except Exception as error:
            raise NoSftp(self._shell.where, "its SSH server refuses that") from error
        try:
            self._send(client, arrival)
        except (RemoteError, Stopped):
            raise
        except OSError as error:  # SFTP has no word for a full disk but "Failure"
            said = str(error).strip(".") or "it refuses"
            raise HostRefused(self._shell.where, "Storing the dump", said) from error
        except Exception as error:
            self._shell.run(["true"])  # raises where it is the connection that ended
            why = "its SFTP server ended"
            raise HostRefused(self._shell.where, "Storing the dump", why) from error
        finally:
            client.close()

    def _send(self, client: Any, arrival: HostTransfer) -> None:
        if not self._fits(client, arrival):
            arrival.start_over()
        with (
            self._dump.open("rb") as source,
            client.open(arrival.part, "ab") as part,
        ):
            part.set_pipelined(True)
            source.seek(arrival.have)
            sent = arrival.have
            while piece := source.read(PIECE):
                part.write(piece)
                sent += len(piece)
                # Not whole before the host has confirmed it, below.
                arrival.received(min(sent, self.total - 1))
        # The last answers of pipelined writes nobody reads, not even on closing.
        if client.stat(arrival.part).st_size != self.total:
            why = "it did not take all of it; its disk may be full"
            raise HostRefused(self._shell.where, "Storing the dump", why)
        arrival.received(self.total)

    def _fits(self, client: Any, arrival: HostTransfer) -> bool:
        """Whether what is there is the beginning of this very dump."""
        if not arrival.have:
            return True
        count = min(SAMPLE, arrival.have)
        with client.open(arrival.part, "rb") as part, self._dump.open("rb") as source:
            part.seek(arrival.have - count)
            source.seek(arrival.have - count)
            same: bool = part.read(count) == source.read(count)
        return same
