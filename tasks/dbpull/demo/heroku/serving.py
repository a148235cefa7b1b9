"""The stand-in's own process, started by `launch`.

The process reads a line of JSON, `{"config", "folder", "temporary", "detached"}`, and
answers a line, `{"api", "download", "ca"}` or `{"error"}`. Then it serves until a
request or a signal stops it; unless detached, also until standard input ends.
INSTANCE, a random word, identifies the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from dbpull.demo.heroku.capture import PgDumpFailed
from dbpull.demo.heroku.config import from_json
from dbpull.demo.heroku.server import StandInServer


def main(kind: type[StandInServer]) -> int:
    """Serve by a class of server; return the exit code."""
    order = json.loads(sys.stdin.readline())
    folder = Path(order["folder"])
    try:
        return asyncio.run(_serve(kind, order, sys.argv[1]))
    finally:
        if order["temporary"]:
            shutil.rmtree(folder, ignore_errors=True)


async def _serve(
    kind: type[StandInServer], order: dict[str, str], instance: str
) -> int:
    loop = asyncio.get_running_loop()
    try:
        server = kind(from_json(order["config"]), Path(order["folder"]), instance)
    except (ValueError, TypeError) as error:
        _tell({"error": str(error)})
        return 1

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(server.stopped.set)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    if not order["detached"]:
        threading.Thread(target=_watch_parent, args=[stop], daemon=True).start()
    serving = asyncio.create_task(_answer(server))
    stopped = asyncio.create_task(server.stopped.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    await asyncio.wait({serving})
    return 0 if server.stopped.is_set() else 1


async def _answer(server: StandInServer) -> None:
    try:
        async with server.running() as addresses:
            _tell(asdict(addresses))
            await asyncio.Event().wait()
    except (PgDumpFailed, OSError, ValueError) as error:
        _tell({"error": str(error)})


def _tell(answer: dict[str, str]) -> None:
    """Write the only line on stdout: the reader closes its end afterwards."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _watch_parent(stop: Callable[[], None]) -> None:
    """Stop when standard input ends, with the process at its other end."""
    while os.read(0, 1024):
        pass
    with contextlib.suppress(RuntimeError):
        stop()
