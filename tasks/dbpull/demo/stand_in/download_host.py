"""The host that dumps are downloaded from: as S3 answers a presigned GET."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from dbpull.demo.stand_in import misbehaviour, ranges, refusals
from dbpull.demo.stand_in.armed import Faults
from dbpull.demo.stand_in.bucket import Bucket, Object
from dbpull.demo.stand_in.presigned import NotSigned, Signer
from dbpull.demo.stand_in.sending import Sending


class DownloadHost:
    """Objects of a bucket, whole or in ranges, to whoever has a signed URL."""

    def __init__(self, bucket: Bucket, signer: Signer, faults: Faults) -> None:
        self._bucket = bucket
        self._signer = signer
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Every path and method: S3 says no in its own words."""
        return [web.route("*", "/{key:.*}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Check, find, send."""
        self._check(request)
        stored = self._bucket.get(request.match_info["key"])
        if stored is None:
            raise _refused(404, more={"Key": request.match_info["key"]})
        armed = misbehaviour.of(request)
        kinds = {a.fault.kind for a in armed}
        length = "honest"
        for fault in (a.fault for a in armed if a.fault.kind == "truncate"):
            length = fault.length
            if length != "full":
                stored = _shortened(stored, fault.at or 0)
        if not ranges.precondition_holds(request.headers, stored):
            raise _refused(412, more={"Condition": "If-Match"})
        bounds = None if "no ranges" in kinds else _bounds(request, stored)
        response = _head(stored, bounds, ranged="no ranges" not in kinds)
        if length == "none":
            response.content_length = None
            response.enable_chunked_encoding()
        return await self._send(request, response, stored, bounds)

    def _check(self, request: web.Request) -> None:
        if "Authorization" in request.headers:
            raise _refused(
                400,
                message="Only one auth mechanism allowed; only the X-Amz-Algorithm "
                "query parameter, Signature query string parameter or the "
                "Authorization header should be specified",
            )
        query = dict(request.query)
        try:
            self._signer.check(request.method, request.host, request.path, query)
        except NotSigned as refused:
            raise _refused(
                403, code=refused.code, message=refused.message, more=refused.more
            ) from refused

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        stored: Object,
        bounds: tuple[int, int] | None,
    ) -> web.StreamResponse:
        start, stop = bounds or (0, stored.size)
        seen = misbehaviour.seen(request)
        seen.status = response.status
        armed = misbehaviour.of(request)
        with stored.path.open("rb", buffering=0) as file:
            await response.prepare(request)
            sending = Sending(request, armed, self._faults, seen)
            await sending.send(response, file, start, stop)
        return response


def _bounds(request: web.Request, stored: Object) -> tuple[int, int] | None:
    try:
        return ranges.wanted(request.headers, stored)
    except ranges.NotSatisfiable:
        asked = {"RangeRequested": request.headers["Range"]}
        headers = {"Content-Range": f"bytes */{stored.size}"}
        more = asked | {"ActualObjectSize": str(stored.size)}
        raise _refused(416, headers=headers, more=more) from None


def _head(
    stored: Object, bounds: tuple[int, int] | None, *, ranged: bool
) -> web.StreamResponse:
    start, stop = bounds or (0, stored.size)
    headers = {
        "Content-Type": "binary/octet-stream",
        "ETag": stored.etag,
        "Last-Modified": ranges.last_modified(stored),
        "Server": "AmazonS3",
        "x-amz-request-id": "5TANDIN0HEROKU00",
    }
    if ranged:
        headers["Accept-Ranges"] = "bytes"
    if bounds:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    response = web.StreamResponse(status=206 if bounds else 200, headers=headers)
    response.content_length = stop - start
    return response


def _shortened(stored: Object, size: int) -> Object:
    etag = stored.etag.removesuffix('"') + '-short"'
    return replace(stored, size=min(size, stored.size), etag=etag)


def _refused(
    status: int,
    *,
    code: str = "",
    message: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> refusals.Refused:
    answer = refusals.in_xml(
        status, code=code, message=message, headers=headers, more=more
    )
    return refusals.Refused(answer)
