"""The bytes of an HTTP answer, checked against the announced length."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError

from dbpull.download.fault import Retryable, classify
from dbpull.download.journal import Identity
from dbpull.errors.download import DownloadFailed, UnusableResponse

SLOWEST = 1000  # bytes a second; a slower connection counts as lost
SPELL = 30.0  # seconds of waiting between two checks of the rate
PIECE = 256 * 1024  # bytes; the most that one read takes from the socket


@dataclass
class Answer:
    """An open answer."""

    _response: requests.Response
    host: str
    identity: Identity
    """The identity of the whole object."""
    _left: int | None
    """The bytes still to come; None where the host announced no length."""
    ranged: bool
    """Whether the answer is a range, not the whole object."""
    _waited: float = field(default=0.0, init=False)
    _came: int = field(default=0, init=False)

    @property
    def modified(self) -> str:
        """The text of the Last-Modified; "" where the host does not tell."""
        return self._response.headers.get("Last-Modified", "")

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes as they come, up to 256 KiB at a time, to the announced end.

        Raises Retryable where the answer ends early or trickles, UnusableResponse where
        it is longer than announced.
        """
        while self._left != 0 and (piece := self._piece()):
            if self._left is not None:
                self._left -= len(piece)
                if self._left < 0:
                    raise UnusableResponse(self.host, "sent more than it announced")
            yield piece
            if self._left != 0:
                self._refuse_trickle()
        if self._left:
            raise Retryable(self.host, "the connection was lost")
        if self._left == 0 and self._piece():
            raise UnusableResponse(self.host, "sent more than it announced")

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def _refuse_trickle(self) -> None:
        """Raise Retryable where fewer than SLOWEST bytes a second have come."""
        if self._waited < SPELL:
            return
        if self._came < SLOWEST * self._waited:
            raise Retryable(self.host, "hardly anything arrives")
        self._waited, self._came = 0.0, 0

    def _piece(self) -> bytes:
        problem: Retryable | DownloadFailed
        try:
            began = time.monotonic()
            # read1 returns the received bytes at once: a cut loses none of them.
            piece = self._response.raw.read1(PIECE, decode_content=False) or b""
            self._waited += time.monotonic() - began
            self._came += len(piece)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            problem = classify(error, self.host)
        else:
            return piece
        # Outside the except: urllib3's own errors hold the URL.
        raise problem
