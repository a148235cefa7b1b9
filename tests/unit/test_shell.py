"""Where programs are found, and which shell is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbpull.context import is_remote
from dbpull.shell.local import Local


def test_a_program_is_found_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "psql"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Local().find("psql", []) == [(str(program), str(program))]
    assert Local().find("pg_restore", []) == []


def test_a_connection_of_fabric_is_remote_and_a_context_of_invoke_is_not() -> None:
    from fabric import Connection
    from invoke.config import Config
    from invoke.context import Context

    config = Config(overrides={"local": "a key that only looks like it"})
    assert not is_remote(Context(config))
    assert is_remote(Connection("devbox"))
