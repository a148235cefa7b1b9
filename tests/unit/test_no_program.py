"""The guard of this folder sees what is started."""

from __future__ import annotations

import os
import subprocess

import pytest


def test_a_program_that_is_run_is_seen() -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs to tests/processes"):
        subprocess.run(["true"], check=True)


def test_a_shell_that_is_run_is_seen() -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs to tests/processes"):
        os.system("true")


def test_a_fork_is_seen() -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs to tests/processes"):
        os._exit(0) if os.fork() == 0 else None
