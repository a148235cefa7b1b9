"""Each test file is compiled by one of a run's processes, and the others read that.

With pytest's asserts in them, to compile them is most of a first collection.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Generator
from contextlib import suppress

import pytest

sys.dont_write_bytecode = False


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Import a folder's tests: first those that no other process is importing."""
    report = yield
    modules = [found for found in report.result if isinstance(found, pytest.Module)]
    taken = [module for module in modules if not _import(module, fcntl.LOCK_NB)]
    for module in taken:
        _import(module, 0)
    return report


def _import(module: pytest.Module, flags: int) -> bool:
    """Import a test file while no other process does; whether this was done."""
    with module.path.open() as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | flags)
        try:
            module.obj  # noqa: B018 - asked for, it is imported
        except (module.CollectError, pytest.skip.Exception):
            _forget(str(module.path))
        return True
    return False


def _forget(path: str) -> None:
    """Have a file that can't be imported tried again in its turn, which tells why.

    Python's list has the half of it that was imported: a file without any test.
    """
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == path:
            del sys.modules[name]
