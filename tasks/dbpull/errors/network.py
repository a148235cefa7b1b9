"""The reasons for a request without an answer, in a word or two."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "proxy",
    "tls",
    "dns",
    "refused",
    "connect",
    "silent",
    "tls lost",
    "dropped",
    "other",
]
"""`tls` is the certificate's, `silent` comes after the request."""
