"""A program on a host whose stdout is read here, in bytes, while the program runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from dbpull.hosts.channel import Channel
from dbpull.hosts.host import Host
from dbpull.hosts.programs import decoded
from dbpull.shell import Result


@contextmanager
def printed_on(
    host: Host, argv: Sequence[str], *, env: Mapping[str, str]
) -> Iterator[HostOutput]:
    """Start a program on a host; leaving the context ends the program.

    The host's agent ends it where this process dies, or the connection is lost.
    Raises ConnectionLost, HostRefused.
    """
    with host.started(argv, env, reads=False, in_bytes=True) as (channel, number):
        output = HostOutput(host, argv, channel, number)
        try:
            yield output
        finally:
            output.end()


class HostOutput:
    """A running program on a host; see `printed_on`."""

    def __init__(
        self, host: Host, argv: Sequence[str], channel: Channel, number: str
    ) -> None:
        self._host, self._argv = host, tuple(argv)
        self._channel, self._number = channel, number

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end.

        It hears no signal; `end`, by another thread, ends it.
        """
        return self._channel.read(count)

    def wait(self) -> Result:
        """Wait for the program's end; call it after the output's end.

        Raises ConnectionLost, HostRefused.
        """
        err = self._channel.read_stderr(lambda _: None)
        code = self._host.code(self._channel)
        return Result(self._argv, code, "", decoded(err))

    def end(self) -> None:
        """End the program and all that it has started, from any thread."""
        is_over = self._channel.over(0)
        self._channel.close()  # a `read` that waits returns
        if not is_over:
            self._host.end(self._number)
