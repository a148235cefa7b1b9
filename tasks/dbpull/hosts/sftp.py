"""The upload of a dump from this machine, by SFTP, to a host that can't download."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from dbpull.errors.download import DownloadStopped
from dbpull.errors.hosts import ConnectionLost, HostRefused, RemoteError
from dbpull.hosts.channel import close
from dbpull.hosts.host import Host
from dbpull.hosts.transfer import HostTransfer

PIECE = 256 * 1024
FRONT = 1024 * 1024
SAMPLE = 64 * 1024
"""Bytes at a part's end that must equal the dump's, for the part to be continued."""


class Sftp:
    """Sends this machine's file `dump`."""

    def __init__(self, shell: Host, dump: Path) -> None:
        self._shell = shell
        self._dump = dump
        self.total = dump.stat().st_size
        with dump.open("rb") as file:
            # The first bytes hold the dump's time, so they identify the dump.
            self.identity = f"front:{sha256(file.read(FRONT)).hexdigest()}"

    def bring(self, transfer: HostTransfer) -> None:
        """Send the missing bytes. Raises RemoteError."""
        try:
            client = self._shell.sftp()
        except ConnectionLost:
            raise
        except Exception as error:
            where = self._shell.where
            raise RemoteError(
                f"{where} does not take files over SFTP: its SSH server refuses that.",
                "Enable the sftp subsystem in its sshd_config, or leave --upload out.",
            ) from error
        try:
            self._send(client, transfer)
        except (RemoteError, DownloadStopped):
            raise
        except OSError as error:  # SFTP says of a full disk only "Failure"
            why = str(error).strip(".") or "it refuses"
            raise HostRefused(self._shell.where, "Storing the dump", why) from error
        except Exception as error:
            self._shell.run(["true"])  # raises where the connection has ended
            why = "its SFTP server ended"
            raise HostRefused(self._shell.where, "Storing the dump", why) from error
        finally:
            close(client)

    def _send(self, client: Any, transfer: HostTransfer) -> None:
        if not self._fits(client, transfer):
            transfer.start_over()
        with (
            self._dump.open("rb") as source,
            client.open(transfer.part, "ab") as part,
        ):
            part.set_pipelined(True)
            source.seek(transfer.have)
            sent = transfer.have
            while piece := source.read(PIECE):
                part.write(piece)
                sent += len(piece)
                # The last byte counts when the host has confirmed the size, below.
                transfer.received(min(sent, self.total - 1))
        # paramiko ignores the last answers of pipelined writes, even on closing.
        if client.stat(transfer.part).st_size != self.total:
            why = "it did not take the whole dump; its disk may be full"
            raise HostRefused(self._shell.where, "Storing the dump", why)
        transfer.received(self.total)

    def _fits(self, client: Any, transfer: HostTransfer) -> bool:
        """Whether the part on the host is the beginning of this very dump."""
        if not transfer.have:
            return True
        count = min(SAMPLE, transfer.have)
        with client.open(transfer.part, "rb") as part, self._dump.open("rb") as source:
            part.seek(transfer.have - count)
            source.seek(transfer.have - count)
            same: bool = part.read(count) == source.read(count)
        return same
