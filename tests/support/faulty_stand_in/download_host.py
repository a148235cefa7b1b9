"""A download host whose objects, ranges and bytes are as the faults have them."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dbpull.demo.heroku.bucket import Bucket, Object
from dbpull.demo.heroku.download_host import DownloadHost
from dbpull.demo.heroku.presigned import Signer
from faulty_stand_in import misbehaviour
from faulty_stand_in.armed import Faults
from faulty_stand_in.faults import Fault
from faulty_stand_in.sending import Sending


class FaultyDownloadHost(DownloadHost):
    """Knows the faults that concern more than a request as a whole."""

    def __init__(self, faults: Faults, bucket: Bucket, signer: Signer) -> None:
        super().__init__(bucket, signer)
        self._faults = faults

    def found(self, request: web.Request) -> Object:
        """What the path names, shortened where it is to be."""
        stored = super().found(request)
        for fault in _struck(request, "truncate"):
            if fault.length != "full":
                stored = _shortened(stored, fault.at or 0)
        return stored

    def bounds(self, request: web.Request, stored: Object) -> tuple[int, int] | None:
        """None, too, where ranges are to be ignored."""
        if _struck(request, "no ranges"):
            return None
        return super().bounds(request, stored)

    async def send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        stored: Object,
        bounds: tuple[int, int],
    ) -> None:
        """Send these bytes, as far and as fast as the faults let them go."""
        if _struck(request, "no ranges"):
            del response.headers["Accept-Ranges"]
        if [fault.length for fault in _struck(request, "truncate")][-1:] == ["none"]:
            response.content_length = None
            response.enable_chunked_encoding()
        seen = misbehaviour.seen(request)
        seen.status = response.status
        armed = misbehaviour.of(request)
        with stored.path.open("rb", buffering=0) as file:
            await response.prepare(request)
            sending = Sending(request, armed, self._faults, seen)
            await sending.send(response, file, *bounds)


def _struck(request: web.Request, kind: str) -> list[Fault]:
    """The faults of a kind that are for this request."""
    return [a.fault for a in misbehaviour.of(request) if a.fault.kind == kind]


def _shortened(stored: Object, size: int) -> Object:
    etag = stored.etag.removesuffix('"') + '-short"'
    return replace(stored, size=min(size, stored.size), etag=etag)
