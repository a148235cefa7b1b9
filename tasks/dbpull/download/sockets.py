"""Sockets that another thread can shut, so that a blocked read ends at once.

urllib3 can't end a request from outside, so its connections report the sockets they
open.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class ShuttableAdapter(HTTPAdapter):
    """A requests adapter for one thread; `shut` ends its open socket."""

    def __init__(self) -> None:
        self._open: socket.socket | None = None
        self._ended = False
        self._pools = self._telling_pools()
        super().__init__(pool_maxsize=1)

    def shut(self) -> None:
        """End every read of the socket, now and later, from any thread."""
        self._ended = True
        if isinstance(self._open, socket.socket):
            # Past the TLS layer: SSLSocket.shutdown would drop the layer during a read.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)

    def _opened(self, opened: socket.socket | None) -> None:
        self._open = opened
        if self._ended:
            self.shut()

    def _telling_pools(self) -> dict[str, type[HTTPConnectionPool]]:
        adapter = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                adapter._opened(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                adapter._opened(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        return {"http": PlainPool, "https": SecurePool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make requests' pools report their sockets (called by HTTPAdapter)."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make a proxy's pools report their sockets (called by HTTPAdapter)."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager
