"""Presigned URLs of S3, valid for a GET until they expire: Signature Version 4.

The signature, in the query, is of method, path, query and Host header alone: a client
may add `Range`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote, urlencode, urlsplit

ACCESS_KEY = "AKIASTANDIN000000000"
ALGORITHM = "AWS4-HMAC-SHA256"
REGION = "us-east-1/s3/aws4_request"
MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class NotSigned(Exception):
    """A request's signature is wrong or has expired; in S3's words."""

    code: str
    message: str
    more: Mapping[str, str] = field(default_factory=dict)


class Signer:
    """Signs URLs and checks signatures. `lifetime` in seconds."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.lifetime = lifetime
        self._secret = secrets.token_hex(20)
        self.access_key = ACCESS_KEY
        """The access key's id; a URL signed with another key is refused."""

    def sign(self, base: str, key: str) -> str:
        """The URL of an object on the download host `base` (`https://host:port`)."""
        moment = datetime.now(UTC)
        scope = f"{moment:%Y%m%d}/{REGION}"
        query = {
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{scope}",
            "X-Amz-Date": moment.strftime(MOMENT),
            "X-Amz-Expires": str(self.lifetime),
            "X-Amz-SignedHeaders": "host",
        }
        host = urlsplit(base).netloc
        query["X-Amz-Signature"] = self._signature("GET", host, f"/{key}", query)
        return f"{base}/{quote(key)}?{urlencode(query)}"

    def check(self, method: str, host: str, path: str, query: dict[str, str]) -> None:
        """Raise `NotSigned` unless the request's signature is valid now."""
        given = dict(query)
        signature = given.pop("X-Amz-Signature", "")
        if not signature:
            raise NotSigned("AccessDenied", "Access Denied")
        if not hmac.compare_digest(
            signature, self._signature(method, host, path, given)
        ):
            raise NotSigned(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you "
                "provided. Check your key and signing method.",
            )
        issued = datetime.strptime(given["X-Amz-Date"], MOMENT).replace(tzinfo=UTC)
        ends = issued + timedelta(seconds=int(given["X-Amz-Expires"]))
        now = datetime.now(UTC)
        of_this_key = given["X-Amz-Credential"].startswith(f"{self.access_key}/")
        if now >= ends or not of_this_key:
            more = {
                "X-Amz-Expires": given["X-Amz-Expires"],
                "Expires": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
                "ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            }
            raise NotSigned("AccessDenied", "Request has expired", more)

    def _signature(
        self, method: str, host: str, path: str, query: Mapping[str, str]
    ) -> str:
        """The signature by AWS: canonical request, string to sign, derived key."""
        canonical = "\n".join(
            [
                method,
                quote(unquote(path), safe="/-_.~"),
                urlencode(sorted(query.items()), quote_via=quote, safe="-_.~"),
                f"host:{host}\n",
                "host",
                "UNSIGNED-PAYLOAD",
            ]
        )
        moment = query.get("X-Amz-Date", "")
        scope = f"{moment[:8]}/{REGION}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n{digest}"
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        return _hmac(key, to_sign).hex()


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
