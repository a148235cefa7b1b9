"""Which file has said what."""

from __future__ import annotations

from pathlib import Path

from invoke.config import Config

from dbpull.configured import files


def test_the_machines_own_file_is_blamed_too(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").write_text("db: {kep: 3}\n")

    config = Config(system_prefix=f"{tmp_path}/")  # /etc/, unless one says otherwise

    assert files(config) == {"kep": f"{tmp_path}/invoke.yaml"}
