"""Commands in the text of a source: `$(command)` becomes what the command prints."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dbpull.errors.sources import SourceError
from dbpull.redact import last_words, redacted
from dbpull.shell import Result
from dbpull.shell.output import printed

MOST = 64 * 1024  # bytes that a command may print; a token has some thousand
SHOWN = 80  # letters of a command in a message
PATIENCE = 120.0  # seconds for a command to print its line
_ITSELF = "Run it by itself to see more; it must work without a question."


def expanded(text: str) -> str:
    """A text with each `$(command)` in it replaced by what `sh -c command` prints.

    Raises SourceError, which never shows what a command has printed.
    """
    return "".join(
        printed_by(part) if is_command else part for is_command, part in _parts(text)
    )


def printed_by(command: str) -> str:
    """The line that a command prints, stripped. Raises SourceError."""
    deadline = time.monotonic() + PATIENCE
    with printed(["sh", "-c", command]) as output:
        out = b""
        while len(out) <= MOST and (piece := output.read(MOST, deadline)):
            out += piece
        if time.monotonic() > deadline:
            raise SourceError(
                f"The command {shown(command)} has not printed its line in"
                f" {PATIENCE:.0f} seconds.",
                _ITSELF,
            )
        if len(out) <= MOST:
            refuse_failed(output.wait(), shown(command))
    try:
        line = out.decode().strip()
    except UnicodeDecodeError:
        line = ""
    if not line or len(line.splitlines()) > 1:
        what = "more than one line" if line else "no text"
        raise SourceError(
            f"The command {shown(command)} printed {what}.",
            "Let it print a single line, on its stdout.",
        )
    return line


def refuse_failed(result: Result, command: str) -> None:
    """Raise SourceError for a failed command, with the last lines of its stderr."""
    if result.ok:
        return
    end = f"failed with exit code {result.code}"
    if result.code < 0:
        end = f"was ended by signal {-result.code}"
    words = last_words(result.err)
    said = f": {words}" if words else ", without a word"
    raise SourceError(
        f"The command {command} {end}{said}.",
        _ITSELF,
    )


def shown(command: str) -> str:
    """A command as messages show it, without secrets."""
    return f"`{redacted(command, limit=SHOWN)}`"


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """A text's parts in turn; whether each is a command."""
    rest = text
    while rest:
        before, mark, after = rest.partition("$(")
        yield False, before
        if mark:
            end = _end(after)
            yield True, after[:end]
            after = after[end + 1 :]
        rest = after


def _end(text: str) -> int:
    """Where the bracket is closed that was open before `text`, as sh would find it."""
    depth, quote, escaped = 1, "", False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if not depth:
                return place
    raise SourceError(
        f"The command {shown(text)} has no end.",
        "Write $(…) with its closing bracket.",
    )
