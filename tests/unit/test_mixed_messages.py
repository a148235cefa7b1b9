"""Workers of one pg_restore write their lines in pieces, which come in any order."""

from __future__ import annotations

import random

import pytest

from dbpull.postgres.restore_messages import RestoreMessages

HARMLESS = (
    'ERROR:  unrecognized configuration parameter "transaction_timeout"\n'
    "Command was: SET transaction_timeout = 0;\n"
)
BAD = "ERROR:  deadlock detected\nCommand was: ALTER TABLE ONLY b\n    ADD KEY;\n\n\n"


def line(text: str) -> list[str]:
    """The pieces of a line (pg_log_generic_v in src/common/logging.c)."""
    return ["pg_restore:", " ", f"{text}\n"]


def failed(number: int, what: str, error: str) -> list[str]:
    """The pieces of a message about an entry."""
    entry = f"from TOC entry {number}; 2606 16420 {what} postgres"
    message = ["pg_restore:", " ", "error: ", f"could not execute query: {error}"]
    return [*line("while PROCESSING TOC:"), *line(entry), *message]


def worker(number: int, *, bad: bool) -> list[str]:
    """The pieces of a worker, into a server that lacks a setting."""
    pieces = failed(number, "DEFAULT reviews id", HARMLESS)
    pieces += line(f'creating FK CONSTRAINT "public.b b_{number}"')
    pieces += failed(number, "FK CONSTRAINT b", BAD) if bad else []
    return pieces + line(f'creating INDEX "public.i{number}"')


def parent() -> list[str]:
    """The pieces of the process that gives workers their items."""
    told = [
        f"{verb} item {n} INDEX i" for verb in ("launching", "finished") for n in "12"
    ]
    return [piece for text in told for piece in line(text)]


def mixed(chance: random.Random, *, bad: bool) -> str:
    """What comes of it: each process's pieces in their order, some of them at once."""
    count = chance.randint(1, 4)
    writers = [parent(), *(worker(n, bad=bad and not n) for n in range(count))]
    pieces = []
    while writers := [writer for writer in writers if writer]:
        writer, size = chance.choice(writers), chance.choice([1, 1, 2, 3, 6])
        pieces += writer[:size]
        del writer[:size]
    return "".join(pieces)


@pytest.mark.parametrize("bad", [False, True])
def test_a_failure_is_heard_and_nothing_else_is_one(bad: bool) -> None:
    for seed in range(500):
        messages = RestoreMessages()
        text = mixed(random.Random(seed), bad=bad)
        for each in text.splitlines():
            messages.feed(each)
        messages.close()
        assert bool(messages.fatal) is bad, text
