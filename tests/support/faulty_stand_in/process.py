"""The faulty stand-in in a process of its own, as a Python object."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import ClassVar, cast

from dbpull.demo import heroku
from dbpull.demo.heroku import control
from dbpull.demo.heroku.launch import Module
from dbpull.standby import SOURCE_ROOT
from faulty_stand_in.faults import Fault
from faulty_stand_in.request_log import Seen, Total, total

SUPPORT = Path(__file__).resolve().parents[1]


class StandIn(heroku.StandIn):
    """A running stand-in that can be told to misbehave."""

    MODULE: ClassVar = Module("faulty_stand_in", (SOURCE_ROOT, SUPPORT))

    def misbehave(self, *faults: Fault) -> list[int]:
        """Set faults, see `faults`; their numbers. ValueError for a wrong one."""
        set_ = self._ask("POST", "/faults", [asdict(fault) for fault in faults])
        return cast(list[int], set_)

    def behave(self, *numbers: int) -> None:
        """Take faults back by their numbers, or all of them."""
        if not numbers:
            self._ask("DELETE", "/faults")
        for number in numbers:
            self._ask("DELETE", f"/faults/{number}")

    def expire_urls(self) -> None:
        """Let every download URL issued so far expire now."""
        self._ask("POST", "/expire-urls")

    def requests(
        self, host: str | None = None, method: str | None = None, path: str = ""
    ) -> list[Seen]:
        """What it has been asked, oldest first; `path`: only those that contain it."""
        listed = cast(list[dict[str, object]], self._ask("GET", "/requests"))
        seen = [Seen(**one) for one in listed]  # type: ignore[arg-type]
        return [
            one
            for one in seen
            if host in (None, one.host)
            and method in (None, one.method)
            and path in one.path
        ]

    def total(self, host: str | None = None) -> Total:
        """How many requests it has seen, and how many bytes of bodies it has sent."""
        return total(self.requests(host))

    def forget_requests(self) -> None:
        """Begin the request log anew."""
        self._ask("DELETE", "/requests")

    def _ask(self, method: str, path: str, body: object = None) -> object:
        return control.ask(self.api, self.token, method, path, body)
