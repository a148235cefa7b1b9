"""The faults that are set at this moment, and how often each has still to strike."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from faulty_stand_in.faults import Fault


@dataclass
class Armed:
    """A fault with what is left of its counts."""

    number: int
    fault: Fault
    skip: int
    left: int | None

    def strike(self) -> bool:
        """Use it once; False where it is used up."""
        if self.left is None:
            return True
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def concerns(self, host: str, method: str, path: str) -> bool:
        """Whether it is for such a request."""
        fault = self.fault
        return (
            fault.host in ("", host)
            and fault.method.upper() in ("", method)
            and fnmatchcase(path, fault.path)
        )


class Faults:
    """All faults that are set, in the order in which they were set."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._count = 0
        self.behaved = 0
        """How often all were taken back: what goes on since before gets no new one."""

    def arm(self, fault: Fault) -> int:
        """Arm one more; its number serves to take it back."""
        self._count += 1
        armed = Armed(self._count, fault, fault.skip, fault.times)
        self._armed.append(armed)
        return armed.number

    def clear(self, number: int | None = None) -> None:
        """Take one back, or all."""
        self.behaved += number is None
        kept = [] if number is None else self._armed
        self._armed = [armed for armed in kept if armed.number != number]

    def holds(self, armed: Armed) -> bool:
        """Whether it has not been taken back."""
        return armed in self._armed

    def against(self, host: str, method: str, path: str) -> list[Armed]:
        """The faults that may strike this request; counts down their `skip`."""
        found = []
        for armed in self._armed:
            if armed.fault.kind == "backup" or not armed.concerns(host, method, path):
                continue
            if armed.skip > 0:
                armed.skip -= 1
            elif armed.left != 0:
                found.append(armed)
        return found

    def for_backup(self, taken: set[int]) -> Armed | None:
        """The next fault for a capture that has `taken` others; asking takes it."""
        for armed in self._armed:
            known = armed.fault.kind != "backup" or armed.number in taken
            if not known and armed.strike():
                taken.add(armed.number)
                return armed
        return None

    def listed(self) -> list[dict[str, object]]:
        """Number, kind and what is left of each."""
        return [
            {"number": a.number, "kind": a.fault.kind, "skip": a.skip, "left": a.left}
            for a in self._armed
        ]
