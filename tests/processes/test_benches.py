"""The benches, which are run by hand, find all that they import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"


BENCHES = ["cuts.py", "hosts.py", "live.py", "masks.py", "races.py", "snapshots.py"]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_starts(name: str, tmp_path: Path) -> None:
    argv = [sys.executable, str(BENCH / name), "--help"]
    told = subprocess.check_output(argv, cwd=tmp_path, text=True)

    assert f"usage: {name}" in told
