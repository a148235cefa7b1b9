"""What each test begins with: a clean environment; and servers for the real ones."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from databases import FOLDERS, SERVERS, Postgres, served
from dbpull.naming import DEFAULT, NAME
from dbpull.project import PROJECT
from dbpull.sources import heroku_app as steps_source
from once import make_shared_folder, shared_folder

pytest_plugins = [
    "bytecode", "limits", "skips", "stand_ins", "worlds", "machines", "stagings",
]  # fmt: skip

# Hundreds of databases are made and dropped: memory takes them faster than a disk.
MEMORY, ROOM = Path("/dev/shm"), 4 << 30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# Thousands of psqls: the wheel's start in a fifth of the time that Debian's take.
if "wheel" in FOLDERS:
    os.environ["PATH"] = f"{FOLDERS['wheel']}{os.pathsep}{os.environ['PATH']}"

# Started by a script with `&`, or by nohup, we ignore these, and so does what we start:
# tests that send them would wait for ever.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        ours = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, ours)

# Seconds for each test with its fixtures: twice the longest on a machine under load.
# As a variable, so that the suite also runs where pytest-timeout is not installed.
os.environ.setdefault("PYTEST_TIMEOUT", "300")

# How long an example takes says more of the machine than of us.
settings.register_profile("dbpull", deadline=None)
settings.load_profile("dbpull")

EACH, MOST = 1 << 30, 16
"""Bytes of memory for a process of the tests with its servers; how many there are."""
LONGEST = (
    "test_demo.py", "test_killed.py", "test_live_killed.py", "test_heroku_cli.py"
)  # fmt: skip
"""Files with tests that take 6 to 11 seconds of a core, each."""
FOREIGN = ("HEROKU_", "RENDER_", "INVOKE_", "FABRIC_", "PG")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each core, for tests also wait; as many as there is memory for.

    More share out no better what there is to do, and each starts servers of its own.
    """
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(2 * cores, memory // EACH, MOST))


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(make_shared_folder())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: at the end nobody is left to share it."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    # Some thousand tests need not be looked through at each collection.
    gc.freeze()


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees this machine's settings, nor what another test has left."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name.lower() in (*PROXIES, "database_url"):
            monkeypatch.delenv(name)
    # Programs that are started often need not compile everything anew each time.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    fresh = type(PROJECT)()
    for name, value in vars(fresh).items():
        monkeypatch.setattr(PROJECT, name, value)
    monkeypatch.setattr(NAME, "collection", DEFAULT)
    steps_source._api.cache_clear()
    yield
    monkeypatch.setattr(NAME, "collection", DEFAULT)
    steps_source._api.cache_clear()


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A folder that all the processes of this run share."""
    return shared_folder()


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Postgres]]:
    """The servers of this session, each started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started(name: str) -> Postgres:
            return stack.enter_context(served(FOLDERS[name]))

        yield started


@pytest.fixture(scope="session", params=SERVERS)
def postgres(
    request: pytest.FixtureRequest, servers: Callable[[str], Postgres]
) -> Postgres:
    """Each PostgreSQL that there is, one after the other."""
    return servers(request.param)


@pytest.fixture(scope="session")
def postgres_18(servers: Callable[[str], Postgres]) -> Postgres:
    """The wheel's, where one is enough."""
    return servers("wheel")
