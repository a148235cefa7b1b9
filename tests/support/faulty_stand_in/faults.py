"""The ways in which a stand-in for Heroku can misbehave. A fault is data.

Each says which requests it is for (`host`, `method`, `path`), how many of these to
let pass first (`skip`), how many to spoil (`times`, None for all), and what with.
The functions make them; a test reads::

    stand_in.misbehave(faults.cut(every=1_000_000, times=10))
    stand_in.misbehave(faults.answer(429, host="data", retry_after=1, times=2))

`path` is a shell pattern on the path without the query: `*/transfers*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Host = Literal["", "platform", "data", "download"]
Outcome = Literal["fail", "cancel", "stay", "pend", "finish"]
Length = Literal["honest", "full", "none"]

KINDS = (
    "throttle",
    "cut",
    "drop",
    "lose answer",
    "hang",
    "answer",
    "expire",
    "no ranges",
    "change",
    "truncate",
    "backup",
)


@dataclass(frozen=True)
class Fault:
    """One misbehaviour: for which requests, how often, and what. See the functions."""

    kind: str
    host: Host = ""
    method: str = ""
    path: str = "*"
    skip: int = 0
    times: int | None = 1
    rate: float = 0
    seconds: float | None = None
    at: int | None = None
    every: int = 0
    reset: bool = False
    status: int = 0
    code: str = ""
    message: str = ""
    body: str | None = None
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = "finish"
    length: Length = "honest"
    content: str = ""

    def __post_init__(self) -> None:
        for value, known in (
            (self.kind, KINDS),
            (self.host, get_args(Host)),
            (self.outcome, get_args(Outcome)),
            (self.length, get_args(Length)),
        ):
            if value not in known:
                raise ValueError(f"{value!r} is none of {', '.join(map(repr, known))}")
        if self.kind == "cut" and self.at is None and self.every <= 0:
            raise ValueError("a cut needs a byte to be at, or a distance")


def throttle(rate: float = 0, *, latency: float = 0, host: Host = "download") -> Fault:
    """Send `rate` bytes a second per connection, after `latency` seconds.

    A rate of 0 sets no bound. It holds until `behave()`, for every request; `rate`
    counts on the download host only.
    """
    return Fault("throttle", host=host, times=None, rate=rate, seconds=latency)


def cut(
    at: int | None = None,
    *,
    every: int = 0,
    times: int | None = 1,
    skip: int = 0,
    reset: bool = False,
) -> Fault:
    """End the connection before byte `at` of the object, or every so many bytes.

    `every` counts from the object's start, not the range's. All bytes before a cut
    arrive; a request that begins at the byte `at` gets none. `times` counts the cuts.
    `reset`: by RST, which may lose bytes on their way.
    """
    return Fault(
        "cut", host="download", at=at, every=every, times=times, skip=skip, reset=reset
    )


def drop(
    *,
    host: Host = "",
    method: str = "",
    path: str = "*",
    times: int | None = 1,
    skip: int = 0,
) -> Fault:
    """Close the connection without an answer, and without having done anything."""
    return Fault("drop", host, method, path, skip, times)


def lose_answer(
    *,
    host: Host = "data",
    method: str = "POST",
    path: str = "*/backups",
    times: int | None = 1,
    skip: int = 0,
) -> Fault:
    """Do what was asked, then close the connection without an answer."""
    return Fault("lose answer", host, method, path, skip, times)


def hang(
    seconds: float | None = None,
    *,
    at: int | None = None,
    host: Host = "",
    method: str = "",
    path: str = "*",
    times: int | None = 1,
    skip: int = 0,
) -> Fault:
    """Keep silent for `seconds`, or until `behave()`; then go on as if nothing was.

    `at`: not before the answer, but before byte `at` of the object (download host).
    """
    return Fault("hang", host, method, path, skip, times, seconds=seconds, at=at)


def answer(
    status: int,
    *,
    host: Host = "",
    method: str = "",
    path: str = "*",
    times: int | None = 1,
    skip: int = 0,
    code: str = "",
    message: str = "",
    retry_after: float | None = None,
    body: str | None = None,
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """Answer with this status, in Heroku's words for it (or S3's XML), doing nothing.

    `code` is Heroku's `id` or S3's `Code`, as `two_factor` for 403 or `AccessDenied`;
    503 comes as HTML. `body` and `content_type` replace the words.
    """
    more = dict(headers or {})
    if retry_after is not None:
        more["Retry-After"] = f"{retry_after:g}"
    return Fault(
        "answer",
        host,
        method,
        path,
        skip,
        times,
        status=status,
        code=code,
        message=message,
        body=body,
        content_type=content_type,
        headers=more,
    )


def xml_error(
    status: int = 200,
    code: str = "InternalError",
    *,
    times: int | None = 1,
    skip: int = 0,
) -> Fault:
    """Answer a download with one of S3's XML errors under any status, 200 included."""
    return answer(status, host="download", code=code, times=times, skip=skip)


def expire(*, skip: int = 0, times: int | None = 1) -> Fault:
    """Let every URL issued so far expire when the next download request comes."""
    return Fault("expire", host="download", skip=skip, times=times)


def no_ranges() -> Fault:
    """Ignore `Range` from now on: every download is answered 200 with the whole."""
    return Fault("no ranges", host="download", times=None)


def change(content: str = "", *, skip: int = 0) -> Fault:
    """Put another object in the place of the one the next download request is for.

    `content` is the path of the file to serve from then on; where empty, the database
    is dumped anew. Downloads under way go on with what they began with.
    """
    return Fault("change", host="download", content=content, skip=skip)


def truncate(at: int, *, length: Length = "honest") -> Fault:
    """Serve only the first `at` bytes of every object.

    `length`: `honest`, as if the object was that short; `full`, the headers promise
    the whole; `none`, the headers hold no length at all.
    """
    return Fault("truncate", host="download", times=None, at=at, length=length)


def backup(
    outcome: Outcome = "finish",
    *,
    at: int = 0,
    rate: float = 0,
    message: str = "",
    times: int | None = 1,
) -> Fault:
    """Decide on a running backup, else on the next one captured.

    `outcome`: `fail` (`message` is the last line of its log), `cancel`, `stay`
    (running, until another fault or `behave()`), `pend` (never begun), `finish`. It
    strikes when `at` bytes have been dumped. `rate`: dump so many bytes a second. Of
    several such faults the one set last counts; each counts for `times` backups. What
    goes on when all faults are taken back (`behave()`) ends well, whatever is set then.
    """
    return Fault(
        "backup", outcome=outcome, at=at, rate=rate, message=message, times=times
    )
