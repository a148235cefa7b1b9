"""Time that a test lets pass."""

from __future__ import annotations


class Clock:
    """Time that passes only while somebody sleeps; for a module's `time`, too."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
