"""The download host: answers a presigned GET as S3 does."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from dbpull.demo.heroku import ranges, refusals
from dbpull.demo.heroku.bucket import Bucket, Object
from dbpull.demo.heroku.presigned import NotSigned, Signer

CHUNK = 512 << 10


class DownloadHost:
    """Serves the objects of a bucket, whole or in ranges, by signed URLs."""

    def __init__(self, bucket: Bucket, signer: Signer) -> None:
        self._bucket = bucket
        self._signer = signer

    def routes(self) -> list[web.RouteDef]:
        """Every path and method: S3 refuses others in its own words."""
        return [web.route("*", "/{key:.*}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Check the request, find the object, send its bytes."""
        self._check(request)
        stored = self.found(request)
        if not ranges.precondition_holds(request.headers, stored):
            raise _refused(412, more={"Condition": "If-Match"})
        bounds = self.bounds(request, stored)
        response = _head(stored, bounds)
        await self.send(request, response, stored, bounds or (0, stored.size))
        return response

    def found(self, request: web.Request) -> Object:
        """The object that the path names."""
        key = request.match_info["key"]
        stored = self._bucket.get(key)
        if stored is None:
            raise _refused(404, more={"Key": key})
        return stored

    def bounds(self, request: web.Request, stored: Object) -> tuple[int, int] | None:
        """The range requested: start, and end (excluded); None for the whole object."""
        try:
            return ranges.wanted(request.headers, stored)
        except ranges.NotSatisfiable:
            asked = {"RangeRequested": request.headers["Range"]}
            headers = {"Content-Range": f"bytes */{stored.size}"}
            more = asked | {"ActualObjectSize": str(stored.size)}
            raise _refused(416, headers=headers, more=more) from None

    async def send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        stored: Object,
        bounds: tuple[int, int],
    ) -> None:
        """Send a range of the object."""
        with stored.path.open("rb", buffering=0) as file:
            await response.prepare(request)
            file.seek(bounds[0])
            for position in range(*bounds, CHUNK):
                await response.write(file.read(min(CHUNK, bounds[1] - position)))

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


def _head(stored: Object, bounds: tuple[int, int] | None) -> web.StreamResponse:
    start, stop = bounds or (0, stored.size)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": "binary/octet-stream",
        "ETag": stored.etag,
        "Last-Modified": ranges.last_modified(stored),
        "Server": "AmazonS3",
        "x-amz-request-id": "5TANDIN0HEROKU00",
    }
    if bounds:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
    response = web.StreamResponse(status=206 if bounds else 200, headers=headers)
    response.content_length = stop - start
    return response


def _refused(
    status: int,
    *,
    code: str = "",
    message: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> refusals.ErrorResponse:
    answer = refusals.in_xml(
        status, code=code, message=message, headers=headers, more=more
    )
    return refusals.ErrorResponse(answer)
