"""The start of the stand-in's process, and its first answer."""

from __future__ import annotations

import importlib.util
import json
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from dbpull.demo.heroku.config import Config, to_json
from dbpull.demo.heroku.detached import PREFIX, DetachedStandIn
from dbpull.errors.stand_in import StandInNotStarted
from dbpull.standby import SOURCE_ROOT, start

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Module:
    """The Python module of the stand-in's process, and the folders that hold it."""

    name: str
    roots: tuple[Path, ...] = (SOURCE_ROOT,)


def launch(
    module: Module, config: Config, *, detach: bool
) -> tuple[Process, DetachedStandIn]:
    """Start a stand-in; wait until it answers. Raises `StandInNotStarted`.

    Its standard input stays open: an attached stand-in ends when that input does.
    """
    if not importlib.util.find_spec("aiohttp"):
        raise StandInNotStarted(
            "aiohttp is not installed.", "Install dbpull with its extra `demo`."
        )
    temporary = not config.folder
    folder = Path(config.folder or tempfile.mkdtemp(prefix=PREFIX))
    order = {
        "config": to_json(config),
        "folder": str(folder.resolve()),
        "temporary": temporary,
        "detached": detach,
    }
    instance = secrets.token_hex(8)
    try:
        process, addresses = _begin(module, instance, order, folder)
    except BaseException:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return process, DetachedStandIn(
        pid=process.pid,
        instance=instance,
        folder=str(order["folder"]),
        temporary=temporary,
        token=config.token,
        **addresses,
    )


def _begin(
    module: Module, instance: str, order: dict[str, object], folder: Path
) -> tuple[Process, dict[str, str]]:
    with tempfile.TemporaryFile() as complaints:
        process = start(
            module.name,
            instance,
            roots=module.roots,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=folder,
        )
        try:
            answer = _handshake(process, order)
        except BaseException:
            end(process)
            raise
        if "api" in answer:
            return process, answer
        end(process)
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
    last = said[-1] if said else "it said nothing."
    raise StandInNotStarted(answer.get("error") or last)


def _handshake(process: Process, order: dict[str, object]) -> dict[str, str]:
    """Send the order, return the answer; an empty answer where the process ended."""
    stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    with stdout:
        try:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            return {}
        answer: dict[str, str] = json.loads(stdout.readline() or "{}")
    return answer


def end(process: Process) -> None:
    """End the stand-in's process, and wait for its end."""
    process.terminate()
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
