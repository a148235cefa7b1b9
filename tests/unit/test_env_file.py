"""`.env`, as people write it: understood, or refused where it is about a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbpull import env_file
from dbpull.errors.settings import UnreadableFile

URL = "postgres://u:s3cret@localhost/dev"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        f"DATABASE_URL={URL}\n",
        f"DATABASE_URL = {URL}",
        f"export DATABASE_URL ={URL}\n",
        f'DATABASE_URL="{URL}"  # mine\n',
        f"DATABASE_URL={URL}\r\nOTHER=1\r\n",
        f"\ufeffDATABASE_URL={URL}\n",
        f"DATABASE_URL={URL}\n".encode("utf-16"),
        f"# DATABASE_URL: {URL}\n#DATABASE_URL x\nDATABASE_URL={URL}\n",
        f"DATABASE_URL={URL}\n\nthis is no line\n",
        f"DATABASE_URL={URL}\nTEXT='DATABASE_URL:\n x'\n",
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, text: str | bytes) -> None:
    assert env_file.read(written(tmp_path, text))["DATABASE_URL"] == URL


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"DATABASE_URL: {URL}\n", 1),
        (f"DATABASE_URL:{URL}\n", 1),
        (f"DATABASE_URL:{URL}?sslmode=require\n", 1),
        (f"A=1\n\nDATABASE_URL {URL}\n", 3),
        (f"A=1\nset DATABASE_URL={URL}\n", 2),
        (f"$env:DATABASE_URL='{URL}'\n", 1),
        (f"A=1\nDATABASE_URL='{URL}\nB=2\n", 2),
        (f'DATABASE_URL="{URL}\nB="2"\n', 1),
        (f'TOKEN="x\nDATABASE_URL={URL}\nB="\n', 1),
        (f'HEROKU_API_KEY="x\nDATABASE_URL="{URL}"\n', 1),
        (f"{URL}\n", 1),
        (f"\u201cDATABASE_URL\u201d={URL}\n", 1),
        ("INVOKE_DB_TARGET -> x\n", 1),
        ("HEROKU_API_KEY: s3cret\n", 1),
        ("DATABASE_URL\n", 1),
        (f"DATABASE_URL={URL}\nexport DATABASE_URL\n", 2),
    ],
)
def test_a_line_that_says_nothing_about_us_is_refused_with_its_number(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(UnreadableFile) as caught:
        env_file.read(written(tmp_path, text))

    told = str(caught.value)
    assert told.startswith(f".env can't be read: line {line} is not NAME=value")
    assert "s3cret" not in told


def test_a_file_with_zero_bytes_is_refused(tmp_path: Path) -> None:
    """No variable can hold one; UTF-16 without its mark has many."""
    for content in (f"DATABASE_URL={URL}\0\n".encode(), b"A\0=\0b\0"):
        with pytest.raises(UnreadableFile, match="it holds zero bytes"):
            env_file.read(written(tmp_path, content))


@pytest.mark.parametrize("scheme", ["psql", "timescaledb", "jdbc:postgresql", "pgsql"])
def test_each_name_that_is_taken_is_known_for_a_url(scheme: str) -> None:
    assert env_file.is_url(f"{scheme}://localhost/dev")
    assert not env_file.is_url(f"x-{scheme}://localhost/dev")


def test_a_folder_or_nothing_of_that_name_is_no_file(tmp_path: Path) -> None:
    assert env_file.read(tmp_path / ".env") == {}
    (tmp_path / ".env").mkdir()
    assert env_file.read(tmp_path / ".env") == {}


def test_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "gone")

    with pytest.raises(UnreadableFile, match="a link to a file that is not there"):
        env_file.read(tmp_path / ".env")


@pytest.mark.parametrize(
    ("leads_to", "cause"),
    [(".env", "symbolic links"), ("/proc/self/mem", "input/output error")],
)
def test_a_file_that_can_not_be_read_is_told(
    tmp_path: Path, leads_to: str, cause: str
) -> None:
    (tmp_path / ".env").symlink_to(leads_to)

    with pytest.raises(UnreadableFile, match=rf"^\.env can't be read: .*{cause}"):
        env_file.read(tmp_path / ".env")
